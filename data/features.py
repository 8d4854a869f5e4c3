"""Tokens of sentences to the padded tensors a model reads: token, character and bigram ids.

Which vocabularies exist is decided once, in training, and kept in the model folder as
``tokenizer.json``, ``characters.json`` and ``bigrams.json``. Labels are no business of this file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .tokenizer import UNK, Offsets, Tokenizer

MAX_WORD_LENGTH = 24  # characters of a word that are looked at: its head and its tail
_CHARACTERS_FROM = 2  # distinct words a character must occur in, so that <unk> is trained as well
_BIGRAMS_FROM = 2
_BOUNDARY = "\N{SYMBOL FOR START OF TEXT}"
_CACHED_WORDS = 100_000
_FILES = ("tokenizer.json", "characters.json", "bigrams.json")


class TokenBatch(NamedTuple):
    """Sentences as a model reads them; 0 stands at padding everywhere."""

    tokens: Tensor  # [batch, time] int64
    lengths: Tensor  # [batch] int64, on the CPU also where the rest is not
    characters: Tensor | None  # [batch, time, width] int64
    bigrams: Tensor | None  # [batch, time] int64


class FeatureRow(NamedTuple):
    """The ids of one sentence."""

    tokens: list[int]
    characters: list[list[int]] | None
    bigrams: list[int] | None


class FeatureSizes(NamedTuple):
    """Vocabulary sizes, 0 for what is not used."""

    tokens: int
    characters: int
    bigrams: int


class Featurizer:
    """Looks up everything that is fed to the embedding of a token.

    Args:
        tokens: Vocabulary of the tokens, at word or character level.
        characters: Vocabulary of the characters in a word, or None for no character features.
        bigrams: Vocabulary of pairs of neighbouring tokens, or None.
    """

    def __init__(
        self,
        *,
        tokens: Tokenizer,
        characters: Tokenizer | None = None,
        bigrams: Tokenizer | None = None,
    ) -> None:
        self.tokens = tokens
        self.characters = characters
        self.bigrams = bigrams
        self._spellings: dict[str, list[int]] = {}

    @classmethod
    def train(
        cls,
        sequences: Iterable[Sequence[str]],
        *,
        level: Literal["word", "character"],
        characters: bool = True,
        bigrams: bool = False,
        min_frequency: int = 1,
        vocabulary_size: int | None = None,
        lowercase: bool = False,
        zero_digits: bool = False,
        extra: Iterable[str] = (),
    ) -> Featurizer:
        """Learns the vocabularies from the training split.

        Args:
            sequences: Tokens of each sentence; gone through once for every vocabulary.
            level: How raw text will be split at prediction.
            characters: Have a vocabulary of characters, which keep their case and their digits.
            bigrams: Have a vocabulary of token pairs (seen twice or more).
            min_frequency: Tokens seen less often are unknown.
            vocabulary_size: Most tokens to keep, the four special ones included.
            lowercase: Look tokens up in lower case.
            zero_digits: Look tokens up with every digit as 0.
            extra: Further tokens to know, seen or not.
        """

        normalisation = {"lowercase": lowercase, "zero_digits": zero_digits}
        parts: dict[str, Tokenizer] = {}
        if characters:
            words = {token for tokens in sequences for token in tokens}
            parts["characters"] = Tokenizer.train(
                words, level="character", min_frequency=_CHARACTERS_FROM
            )
        if bigrams:
            parts["bigrams"] = Tokenizer.train(
                map(_bigrams, sequences), level=level, min_frequency=_BIGRAMS_FROM, **normalisation
            )
        parts["tokens"] = Tokenizer.train(
            sequences,
            level=level,
            vocabulary_size=vocabulary_size,
            min_frequency=min_frequency,
            extra=extra,
            **normalisation,
        )
        return cls(**parts)

    @property
    def sizes(self) -> FeatureSizes:
        """Vocabulary sizes, which the embedding is built with."""
        return FeatureSizes(*(0 if part is None else len(part) for part in self._parts()))

    def split(self, text: str) -> Offsets:
        """Character offsets of the tokens of raw text."""
        return self.tokens.split(text)

    def row(self, tokens: Sequence[str]) -> FeatureRow:
        """Ids of one sentence of at least one token."""
        return FeatureRow(
            self.tokens.ids(tokens),
            None if self.characters is None else [self._spelling(token) for token in tokens],
            None if self.bigrams is None else self.bigrams.ids(_bigrams(tokens)),
        )

    def batch(self, sentences: Sequence[Sequence[str]]) -> TokenBatch:
        """Pads sentences of tokens to the longest of them."""
        return collate([self.row(tokens) for tokens in sentences])

    def save(self, folder: str | Path) -> None:
        """Writes one file for each vocabulary."""
        for part, name in zip(self._parts(), _FILES, strict=True):
            if part is not None:
                part.save(Path(folder, name))

    @classmethod
    def load(cls, folder: str | Path) -> Featurizer:
        """Reads what `save` wrote; a vocabulary without a file is not used."""
        tokens, characters, bigrams = (Path(folder, name) for name in _FILES)
        return cls(
            tokens=Tokenizer.load(tokens),
            characters=Tokenizer.load(characters) if characters.exists() else None,
            bigrams=Tokenizer.load(bigrams) if bigrams.exists() else None,
        )

    def _parts(self) -> tuple[Tokenizer | None, ...]:
        return self.tokens, self.characters, self.bigrams

    def _spelling(self, token: str) -> list[int]:
        ids = self._spellings.get(token)
        if ids is None:
            assert self.characters is not None
            ids = self.characters.encode(token)[0] or [UNK]
            if len(ids) > MAX_WORD_LENGTH:
                half = MAX_WORD_LENGTH // 2
                ids = ids[:half] + ids[-half:]
            if len(self._spellings) >= _CACHED_WORDS:
                self._spellings.clear()
            self._spellings[token] = ids
        return ids


def collate(rows: Sequence[FeatureRow]) -> TokenBatch:
    """Pads rows of one featurizer to the longest sentence and the longest word among them.

    Raises:
        ValueError: Where there is no row, or a row without a token.
    """
    lengths = np.array([len(row.tokens) for row in rows], dtype=np.int64)  # [batch]
    if not rows or not lengths.all():
        raise ValueError(f"a batch needs sentences of at least one token, not lengths {lengths}")
    shape = (len(rows), int(lengths.max()))
    inside = np.arange(shape[1]) < lengths[:, None]  # [batch, time]

    def padded(values: Iterable[list[int]]) -> Tensor:
        array = np.zeros(shape, dtype=np.int64)
        array[inside] = np.fromiter(chain.from_iterable(values), dtype=np.int64)
        return torch.from_numpy(array)

    return TokenBatch(
        tokens=padded(row.tokens for row in rows),
        lengths=torch.from_numpy(lengths),
        characters=None
        if rows[0].characters is None
        else _padded_words([word for row in rows for word in row.characters or ()], inside),
        bigrams=None if rows[0].bigrams is None else padded(row.bigrams or [] for row in rows),
    )


def _padded_words(words: list[list[int]], inside: np.ndarray) -> Tensor:
    """Puts the spellings of all words of a batch where `inside` ([batch, time]) is true."""
    lengths = np.array([len(word) for word in words])  # [words]
    spellings = np.zeros((len(words), lengths.max()), dtype=np.int64)  # [words, width]
    spellings[np.arange(lengths.max()) < lengths[:, None]] = np.fromiter(
        chain.from_iterable(words), dtype=np.int64
    )
    array = np.zeros((*inside.shape, lengths.max()), dtype=np.int64)
    array[inside] = spellings
    return torch.from_numpy(array)


def _bigrams(tokens: Sequence[str]) -> list[str]:
    """Each token with the one before it."""
    return [a + b for a, b in zip(chain((_BOUNDARY,), tokens), tokens, strict=False)]
