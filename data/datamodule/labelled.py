"""What the data modules of tagging and classification have in common beyond `base.py`.

The vocabularies of words, their characters and attributes, and the pretrained vectors. How examples
are read and what their labels are is the business of each task.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Literal, TypeAlias

import numpy as np

from rnnlp.data.corpus.arrow import Column, Corpus
from rnnlp.data.corpus.report import Notes
from rnnlp.data.corpus.source import Example
from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import Featurizer
from rnnlp.data.text.pretrained_vectors import match, read_vectors
from rnnlp.data.text.token_features import TokenFeature
from rnnlp.data.text.tokenizer import splitter

from .base import Learned, SequenceData

Vocabularies: TypeAlias = tuple[Featurizer, np.ndarray | None]  # with pretrained vectors


class LabelledData(SequenceData[Example]):
    """Splits with a column `tokens`; the options mean what the tasks say of them."""

    def __init__(
        self,
        *,
        train: str | None,
        validation: str | None,
        test: str | None,
        hub: str | None,
        revision: str | None,
        tokenizer_from: str | None,
        validation_share: float,
        level: Literal["word", "character"],
        lowercase: bool,
        zero_digits: bool,
        characters: bool,
        token_features: Sequence[TokenFeature],
        min_frequency: int,
        vocabulary_size: int | None,
        vectors: str | None,
        vectors_limit: int | None,
        max_tokens: int,
        max_sentences: int | None,
        evaluation_max_tokens: int,
        num_workers: int,
        seed: int,
    ) -> None:
        super().__init__(
            train=train,
            validation=validation,
            test=test,
            hub=hub,
            revision=revision,
            tokenizer_from=tokenizer_from,
            validation_share=validation_share,
            lowercase=lowercase,
            min_frequency=min_frequency,
            vocabulary_size=vocabulary_size,
            max_tokens=max_tokens,
            max_sentences=max_sentences,
            evaluation_max_tokens=evaluation_max_tokens,
            num_workers=num_workers,
            seed=seed,
        )
        if vectors_limit is not None and vectors_limit < 0:
            raise InputError(f"data.vectors_limit is {vectors_limit}: it must be 0 or more")
        if vectors is not None and tokenizer_from is not None:
            raise InputError(
                "data.vectors is given, and the vocabulary comes from a trained model, which has "
                "vectors of its own: leave one of them out"
            )
        self.level = level
        self.zero_digits = zero_digits
        self.characters = characters
        self.token_features = token_features
        self.vectors = vectors
        self.vectors_limit = vectors_limit
        self.vocabularies: Vocabularies | None = None  # learned from `training_tokens`, or given

    @property
    def training_tokens(self) -> Column:
        """The tokens of each training sentence."""
        return self.read().corpora["train"].column("tokens")

    @abstractmethod
    def _learn_labels(self, corpora: dict[str, Corpus], notes: Notes) -> None:
        """Learns the labels from the training split, and notes what the splits hold."""

    def _learn(self, corpora: dict[str, Corpus], notes: Notes) -> Learned:
        self._learn_labels(corpora, notes)
        if self.vocabularies is None:
            self.vocabularies = self.learn_vocabularies(self.training_tokens, notes)
        return Learned(corpora, *self.vocabularies)

    def learn_vocabularies(self, sentences: Iterable[list[str]], notes: Notes) -> Vocabularies:
        """Learns vocabularies as the options say, beyond those that `tokenizer_from` has.

        Args:
            sentences: The tokens of each sentence, to be gone through several times.
            notes: Takes what is worth telling.
        """
        if (given := self._given_vocabularies()) is not None:
            self.note_unknown(given, map(given.tokens.ids, sentences), notes)
            featurizer = given.completed(
                sentences,
                characters=self.characters,
                token_features=self.token_features,
                vocabulary_size=self.vocabulary_size,
                lowercase=self.lowercase,
                zero_digits=self.zero_digits,
            )
            return featurizer, None
        learn = partial(
            Featurizer.train,
            sentences,
            level=self.level,
            characters=self.characters,
            token_features=self.token_features,
            min_frequency=self.min_frequency,
            vocabulary_size=self.vocabulary_size,
            lowercase=self.lowercase,
            zero_digits=self.zero_digits,
        )
        featurizer = learn()
        if self.vectors is None:
            return featurizer, None
        vectors = read_vectors(
            self.vectors, wanted=featurizer.tokens.vocabulary, limit=self.vectors_limit
        )
        split = splitter(self.level)  # what is no single token is never looked up
        featurizer = learn(extra=[word for word in vectors.words if len(split(word)) == 1])
        frequencies = np.zeros(len(featurizer.tokens), dtype=np.int64)
        for tokens in sentences:
            np.add.at(frequencies, featurizer.tokens.ids(tokens), 1)
        matrix, coverage = match(
            vectors, featurizer.tokens.vocabulary, frequencies=frequencies, seed=self.seed
        )
        notes.add(coverage.line())
        return featurizer, matrix

    def _given_vocabularies(self) -> Featurizer | None:
        given = self.given_featurizer()
        if given is None or given.level == self.level:
            return given
        if given.level == "bpe":
            raise InputError(
                "reads sub-words, and tokens here are words or characters: reuse a model that was "
                "trained with data.level word or character",
                path=self.tokenizer_from,
            )
        raise InputError(
            f"its tokens are at {given.level} level, and data.level is {self.level}: set "
            f"--data.level {given.level}, or reuse another model",
            path=self.tokenizer_from,
        )
