"""Tokens of sentences to the padded arrays that a model reads: ids of tokens, characters, features.

Which vocabularies exist is decided once, in training, and kept in the model folder: tokens in
``tokenizer.json``, perhaps ``characters.json``, and one file for each attribute in use
(``shape.json`` and so on). Labels are no business of this file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from .token_features import TOKEN_FEATURES, TokenFeature, in_order, token_feature
from .tokenizer import UNK, Level, Offsets, Tokenizer

MAX_WORD_LENGTH = 24  # characters of a word that are looked at: its head and its tail
_CHARACTERS_FROM = 2  # distinct words a character must occur in, so that <unk> is trained as well
_TOKEN_FEATURES_FROM = 2  # times a value must be seen, likewise
_CACHED_WORDS = 100_000
TOKENS_FILE, CHARACTERS_FILE = "tokenizer.json", "characters.json"
TARGET_FILE = "target.json"  # tokenizer of the target side, in the model folder
SHORTLIST_FILE = "shortlist.npz"  # what source tokens propose to a search, there
TOKEN_FEATURE_FILES: dict[TokenFeature, str] = {name: f"{name}.json" for name in TOKEN_FEATURES}


class TokenBatch(NamedTuple):
    """Sentences as a model reads them; 0 stands at padding everywhere."""

    tokens: np.ndarray  # [batch, time] int64
    lengths: np.ndarray  # [batch] int64
    characters: np.ndarray | None  # [batch, time, width] int64
    token_features: np.ndarray | None  # [batch, time, features] int64


class FeatureRow(NamedTuple):
    """The ids of one sentence."""

    tokens: list[int]
    characters: list[list[int]] | None
    token_features: list[list[int]] | None  # for each attribute


class FeatureSizes(NamedTuple):
    """Vocabulary sizes; 0 without character features."""

    tokens: int
    characters: int
    token_features: tuple[int, ...]  # in the order of `ATTRIBUTES`


class Featurizer:
    """Looks up everything that is fed to the embedding of a token.

    Args:
        tokens: Vocabulary of the tokens; sub-words have neither characters nor attributes.
        characters: Vocabulary of the characters in a word, or None for no character features.
        token_features: Vocabulary of each attribute that is used.
    """

    def __init__(
        self,
        *,
        tokens: Tokenizer,
        characters: Tokenizer | None = None,
        token_features: Mapping[TokenFeature, Tokenizer] | None = None,
    ) -> None:
        if tokens.level == "bpe" and (characters is not None or token_features):
            raise ValueError("sub-words have neither characters nor attributes: leave them out")
        self.tokens = tokens
        self.characters = characters
        vocabularies = token_features or {}
        self.token_features = {name: vocabularies[name] for name in in_order(vocabularies)}
        self._spellings: dict[str, list[int]] = {}

    @classmethod
    def train(
        cls,
        sequences: Iterable[Sequence[str]],
        *,
        level: Literal["word", "character"],
        characters: bool = True,
        token_features: Iterable[TokenFeature] = (),
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
            token_features: Which attributes to have a vocabulary of (of values seen twice or more).
            min_frequency: Tokens seen less often are unknown.
            vocabulary_size: Most tokens to keep, and most values of each attribute, the four
                special ones included.
            lowercase: Look tokens and pairs of them up in lower case.
            zero_digits: Look tokens and pairs of them up with every digit as 0.
            extra: Further tokens to know, seen or not.
        """
        tokens = Tokenizer.train(
            sequences,
            level=level,
            vocabulary_size=vocabulary_size,
            min_frequency=min_frequency,
            lowercase=lowercase,
            zero_digits=zero_digits,
            extra=extra,
        )
        return cls(tokens=tokens).completed(
            sequences,
            characters=characters,
            token_features=token_features,
            vocabulary_size=vocabulary_size,
            lowercase=lowercase,
            zero_digits=zero_digits,
        )

    def completed(
        self,
        sequences: Iterable[Sequence[str]],
        *,
        characters: bool,
        token_features: Iterable[TokenFeature],
        vocabulary_size: int | None = None,
        lowercase: bool = False,
        zero_digits: bool = False,
    ) -> Featurizer:
        """The same with the vocabularies that are wanted as well, learned from sentences.

        What it has already stays as it is, wanted or not; see `train` for the arguments.

        Args:
            sequences: The tokens of each sentence.
            characters: Whether the characters of words are read.
            token_features: What else is told of a token.
            vocabulary_size: Most tokens of a vocabulary; None for all.
            lowercase: Whether words are looked up in lower case.
            zero_digits: Whether words are looked up with every digit as 0.
        """
        spellings = self.characters
        if spellings is None and characters:
            words = {token for tokens in sequences for token in tokens}
            spellings = Tokenizer.train(words, level="character", min_frequency=_CHARACTERS_FROM)
        learned = {
            name: Tokenizer.train(
                (token_feature(name, tokens) for tokens in sequences),
                level="word",
                vocabulary_size=vocabulary_size,
                min_frequency=_TOKEN_FEATURES_FROM,
                lowercase=lowercase and name == "bigram",
                zero_digits=zero_digits and name == "bigram",
            )
            for name in in_order(token_features)
            if name not in self.token_features
        }
        return Featurizer(
            tokens=self.tokens, characters=spellings, token_features=self.token_features | learned
        )

    def extended(
        self,
        sequences: Iterable[Sequence[str]],
        *,
        vocabulary_size: int | None = None,
        min_frequency: int = 1,
    ) -> Featurizer:
        """The same vocabularies, each with what it lacks of further sentences behind it.

        The ids of what was known stay.

        Args:
            sequences: The tokens of each sentence; gone through once for each vocabulary.
            vocabulary_size: Largest size of each vocabulary but that of characters; None for no
                limit.
            min_frequency: Tokens seen less often stay unknown.

        Raises:
            ValueError: At a sub-word level, which knows every text already.
        """
        spellings = self.characters
        if spellings is not None:
            words = {token for tokens in sequences for token in tokens}
            spellings = spellings.extended(words, min_frequency=_CHARACTERS_FROM)
        return Featurizer(
            tokens=self.tokens.extended(
                sequences, vocabulary_size=vocabulary_size, min_frequency=min_frequency
            ),
            characters=spellings,
            token_features={
                name: vocabulary.extended(
                    (token_feature(name, tokens) for tokens in sequences),
                    vocabulary_size=vocabulary_size,
                    min_frequency=_TOKEN_FEATURES_FROM,
                )
                for name, vocabulary in self.token_features.items()
            },
        )

    @property
    def sizes(self) -> FeatureSizes:
        """Vocabulary sizes, which the embedding is built with."""
        return FeatureSizes(
            tokens=len(self.tokens),
            characters=0 if self.characters is None else len(self.characters),
            token_features=tuple(len(vocabulary) for vocabulary in self.token_features.values()),
        )

    @property
    def level(self) -> Level:
        """What a token is."""
        return self.tokens.level

    def split(self, text: str) -> Offsets:
        """Character offsets of the tokens of raw text."""
        return self.tokens.split(text)

    def encode(self, text: str) -> tuple[FeatureRow, Offsets]:
        """Ids of raw text, and the character offsets of its tokens; there may be none."""
        if self.level == "bpe":
            ids, offsets = self.tokens.encode(text)
            return FeatureRow(ids, None, None), offsets
        offsets = self.split(text)
        return self.row([text[start:end] for start, end in offsets]), offsets

    def row(self, tokens: Sequence[str], *, before: str | None = None) -> FeatureRow:
        """Ids of one sentence that is split already; sub-words want `encode` instead.

        Args:
            tokens: The sentence.
            before: The token before it, where it is the rest of a sentence.
        """
        return FeatureRow(
            self.tokens.ids(tokens),
            None if self.characters is None else [self._spelling(token) for token in tokens],
            [
                vocabulary.ids(token_feature(name, tokens, before=before))
                for name, vocabulary in self.token_features.items()
            ]
            or None,
        )

    def batch(self, sentences: Sequence[Sequence[str]]) -> TokenBatch:
        """Pads sentences of tokens to the longest of them."""
        return collate([self.row(tokens) for tokens in sentences])

    def save(self, folder: str | Path) -> None:
        """Writes one file for each vocabulary."""
        self.tokens.save(Path(folder, TOKENS_FILE))
        if self.characters is not None:
            self.characters.save(Path(folder, CHARACTERS_FILE))
        for name, vocabulary in self.token_features.items():
            vocabulary.save(Path(folder, TOKEN_FEATURE_FILES[name]))

    @classmethod
    def load(cls, folder: str | Path) -> Featurizer:
        """Reads what `save` wrote; a vocabulary without a file is not used."""
        characters = Path(folder, CHARACTERS_FILE)
        files = {name: Path(folder, file) for name, file in TOKEN_FEATURE_FILES.items()}
        return cls(
            tokens=Tokenizer.load(Path(folder, TOKENS_FILE)),
            characters=Tokenizer.load(characters) if characters.exists() else None,
            token_features={
                name: Tokenizer.load(file) for name, file in files.items() if file.exists()
            },
        )

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
    if not rows or not all(row.tokens for row in rows):
        raise ValueError(f"a batch needs sentences of at least one token, not lengths {lengths}")
    return TokenBatch(
        tokens=_padded([row.tokens for row in rows]),
        lengths=lengths,
        characters=None if rows[0].characters is None else _padded_words(rows, lengths),
        token_features=None
        if rows[0].token_features is None
        else np.stack(
            [
                _padded(feature)
                for feature in zip(*(row.token_features or () for row in rows), strict=True)
            ],
            axis=2,
        ),
    )


def _padded(rows: Sequence[Sequence[int]]) -> np.ndarray:
    """Rows as long as the longest of them, zeros after the end of each."""
    if len(rows) == 1:
        return np.array(rows, dtype=np.int64)
    lengths = np.array([len(row) for row in rows])
    array = np.zeros((len(rows), lengths.max()), dtype=np.int64)
    array[np.arange(lengths.max()) < lengths[:, None]] = np.fromiter(
        chain.from_iterable(rows), dtype=np.int64
    )
    return array


def _padded_words(rows: Sequence[FeatureRow], lengths: np.ndarray) -> np.ndarray:
    """The spellings of all words of a batch, [batch, time, width]."""
    words = _padded([word for row in rows for word in row.characters or ()])  # [words, width]
    if len(rows) == 1:
        return words[None]
    array = np.zeros((len(rows), lengths.max(), words.shape[1]), dtype=np.int64)
    array[np.arange(lengths.max()) < lengths[:, None]] = words
    return array
