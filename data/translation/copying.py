"""What a source token is on the target side, so that it can be copied, and copied words as text.

A token that the target vocabulary knows has its id there. A word that no target vocabulary knows is
named by its place: id = size of the target vocabulary + the first position in the source that has
it. So it needs no list beside the source, and comes out as it was typed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from unicodedata import normalize

import numpy as np

from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import FeatureRow, Featurizer
from rnnlp.data.text.tokenizer import PAD, UNK, Level, Offsets, Tokenizer

_CACHED = 500_000  # distinct tokens remembered before the cache starts afresh
_NEW = -1  # a token that the target vocabulary does not know, but could be a token of a target
# Levels of sources and targets whose tokens are the same kind of thing; sub-words of one vocabulary
# as well.
_COPIED: set[tuple[Level, Level]] = {
    ("word", "word"),
    ("character", "character"),
    ("symbol", "symbol"),
    ("lemma", "character"),
    ("character", "symbol"),
}


def check_copied(source: Level, target: Level, *, joint_vocabulary: bool) -> None:
    """Refuses levels of which no source token could be a token of a target.

    Args:
        source: What a token of a source is.
        target: What a token of a target is.
        joint_vocabulary: Whether both sides have one vocabulary.

    Raises:
        InputError: They are such, or sub-words of two vocabularies.
    """
    if source == target == "bpe":
        if not joint_vocabulary:
            raise InputError(
                "model.decoder.copy copies sub-words only where both sides have the same ones: set "
                "data.joint_vocabulary to true, or data.level to word or character"
            )
    elif (source, target) not in _COPIED:
        pairs = ", ".join(" to ".join(levels) for levels in sorted(_COPIED))
        raise InputError(
            f"model.decoder.copy cannot copy from level {source} to level {target}, where no token "
            f"of a source is one of a target: choose among {pairs}, or set it to false"
        )


class Copier:
    """Tells what source tokens are on the target side, and target tokens what they copy.

    Args:
        featurizer: Encodes the sources.
        target_tokenizer: Encodes the targets.

    Raises:
        InputError: Levels between which nothing can be copied.
    """

    def __init__(self, *, featurizer: Featurizer, target_tokenizer: Tokenizer) -> None:
        tokens = featurizer.tokens
        joint = tokens is target_tokenizer or tokens.vocabulary == target_tokenizer.vocabulary
        check_copied(tokens.level, target_tokenizer.level, joint_vocabulary=joint)
        self._tokenizer = target_tokenizer
        self._cache: dict[str, int] = {}

    def source(self, text: str, row: FeatureRow, offsets: Offsets) -> list[int]:
        """Target ids of the tokens of a source, `UNK` for what no target could hold.

        Args:
            text: The source.
            row: Its ids.
            offsets: Its tokens; there may be none where the row has a token that stands for that.
        """
        if self._tokenizer.level == "bpe":
            return row.tokens
        places = self._places(text, offsets)
        ids = [self._id(text[start:end]) for start, end in offsets]
        for at, (start, end) in enumerate(offsets):
            if ids[at] == _NEW:
                ids[at] = places[_spelled(text[start:end])]
        return ids or [UNK] * len(row.tokens)

    def target(self, target: str, source: str, offsets: Offsets) -> list[int]:
        """Ids of a target, words of the source that the vocabulary does not know among them.

        Args:
            target: The text.
            source: What it may be copied from.
            offsets: The tokens of the source.
        """
        ids, own = self._tokenizer.encode(target)
        if UNK not in ids or self._tokenizer.level == "bpe":
            return ids
        places = self._places(source, offsets)
        return [
            places.get(_spelled(target[start:end]), UNK) if number == UNK else number
            for number, (start, end) in zip(ids, own, strict=True)
        ]

    def words(self, text: str, offsets: Offsets) -> list[str]:
        """The tokens of a source as typed: what ids beyond the target vocabulary mean, in order."""
        if self._tokenizer.level == "bpe":
            return []
        return [text[start:end] for start, end in offsets]

    def _places(self, text: str, offsets: Offsets) -> dict[str, int]:
        """Ids of the words that the vocabulary does not know, by their first places."""
        size, places = len(self._tokenizer), dict[str, int]()
        for at, (start, end) in enumerate(offsets):
            if self._id(text[start:end]) == _NEW:
                places.setdefault(_spelled(text[start:end]), size + at)
        return places

    def _id(self, token: str) -> int:
        if (number := self._cache.get(token)) is None:
            (number,) = self._tokenizer.ids([token])
            if number == UNK and self._tokenizer.split(token) == [(0, len(token))]:
                number = _NEW
            if len(self._cache) >= _CACHED:
                self._cache.clear()
            self._cache[token] = number
        return number


def count_unknown(
    pairs: Iterable[tuple[str, str]], *, featurizer: Featurizer, target_tokenizer: Tokenizer
) -> tuple[int, int]:
    """How many tokens of targets the vocabulary does not know, and how many can be copied.

    Args:
        pairs: Sources and targets.
        featurizer: Encodes the sources.
        target_tokenizer: Encodes the targets.
    """
    copier = Copier(featurizer=featurizer, target_tokenizer=target_tokenizer)
    unknown = copied = 0
    for source, target in pairs:
        ids = copier.target(target, source, featurizer.split(source))
        beyond = sum(number >= len(target_tokenizer) for number in ids)
        copied += beyond
        unknown += beyond + ids.count(UNK)
    return unknown, copied


def pad_copies(rows: Sequence[Sequence[int]]) -> np.ndarray:
    """Pads target ids of sources to the longest: [batch, source] int64."""
    padded = np.full((len(rows), max(map(len, rows))), PAD, dtype=np.int64)
    for row, ids in zip(padded, rows, strict=True):
        row[: len(ids)] = ids
    return padded


def _spelled(word: str) -> str:
    """What makes two spellings one word, as in the vocabulary."""
    return normalize("NFC", word)
