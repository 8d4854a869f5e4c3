"""What the data modules of tagging and classification have in common beyond `base.py`.

The vocabularies of words, their characters and attributes, and the pretrained vectors. How examples
are read and what their labels are is the business of each task.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterable
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from rnnlp.data.corpus.arrow import Column, Corpus
from rnnlp.data.corpus.report import Notes
from rnnlp.data.corpus.source import Example
from rnnlp.data.errors import InputError
from rnnlp.data.formats.encodings import named_encoding
from rnnlp.data.text.featurizer import Featurizer
from rnnlp.data.text.pretrained_vectors import match, read_vectors
from rnnlp.data.text.tokenizer import splitter

from .base import Learned, SequenceData
from .options import LabelledOptions, at_least

Vocabularies: TypeAlias = tuple[Featurizer, np.ndarray | None]  # with pretrained vectors


class LabelledData(SequenceData[Example]):
    """Splits with a column `tokens`; what the options mean is said where they are declared."""

    options: LabelledOptions

    def __init__(self) -> None:
        super().__init__()
        at_least(self.options, vectors_limit=0)
        if self.options.vectors is not None and self.options.tokenizer_from is not None:
            raise InputError(
                "data.vectors is given, and the vocabulary comes from a trained model, which has "
                "vectors of its own: leave one of them out"
            )
        if self.options.extend_vocabulary and self.options.tokenizer_from is None:
            raise InputError("data.extend_vocabulary adds to that of data.tokenizer_from: name it")
        self.vocabularies: Vocabularies | None = None  # learned from `training_tokens`, or given
        self._lacking: dict[str, tuple[str, ...]] = {}  # by split

    def further_columns(self, path: str) -> dict[str, Any]:
        """What is read beside text and label of a file: of that which is trained on, if named."""
        names = ("group_column", "weight_column") if path == self.options.train else ()
        return {name: getattr(self.options, name) for name in names}

    @property
    def training_tokens(self) -> Column:
        """The tokens of each training sentence."""
        return self.read().corpora["train"].column("tokens")

    @property
    def lacking(self) -> list[str]:
        """Which of `further_labels` no training example has."""
        self.prepare()
        return list(self._lacking["train"])

    def _note_lacking(self, split: str, labels: Collection[str], notes: Notes) -> None:
        """Keeps which of `further_labels` a split has none of, given those that it has."""
        missing = tuple(name for name in self.options.further_labels if name not in labels)
        trained = self._lacking.setdefault("train", missing)
        self._lacking[split] = missing = tuple(name for name in missing if name in trained)
        if missing:
            notes.add(
                f"{split}: no example of {', '.join(missing)} (data.further_labels)"
                + (": what is predicted of these is not counted" if split != "train" else "")
            )

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
        if (reused := self._given_vocabularies()) is not None:
            self.note_unknown(reused, map(reused.tokens.ids, sentences), notes)
            if self.options.extend_vocabulary:
                before = len(reused.tokens)
                reused = reused.extended(
                    sentences,
                    vocabulary_size=self.options.vocabulary_size,
                    min_frequency=self.options.min_frequency,
                )
                added = len(reused.tokens) - before
                notes.add(f"{added:,} tokens of the training data are added to that vocabulary")
            featurizer = reused.completed(
                sentences,
                characters=self.options.characters,
                token_features=self.options.token_features,
                vocabulary_size=self.options.vocabulary_size,
                lowercase=self.options.lowercase,
                zero_digits=self.options.zero_digits,
            )
            return featurizer, None
        learn = partial(
            Featurizer.train,
            sentences,
            level=self.options.level,
            characters=self.options.characters,
            token_features=self.options.token_features,
            min_frequency=self.options.min_frequency,
            vocabulary_size=self.options.vocabulary_size,
            lowercase=self.options.lowercase,
            zero_digits=self.options.zero_digits,
        )
        featurizer = learn()
        if self.options.vectors is None:
            return featurizer, None
        read = partial(
            read_vectors,
            self.options.vectors,
            wanted=featurizer.tokens.vocabulary,
            limit=self.options.vectors_limit,
        )
        try:  # vectors are mostly UTF-8, also where the data is not
            vectors = read()
        except InputError:
            if self.options.encoding is None:
                raise
            with named_encoding(self.options.encoding):
                vectors = read()
        split = splitter(self.options.level)  # what is no single token is never looked up
        featurizer = learn(extra=[word for word in vectors.words if len(split(word)) == 1])
        frequencies = np.zeros(len(featurizer.tokens), dtype=np.int64)
        for tokens in sentences:
            np.add.at(frequencies, featurizer.tokens.ids(tokens), 1)
        matrix, coverage = match(vectors, featurizer.tokens.vocabulary, frequencies=frequencies)
        if not any(coverage.found_types.values()):
            raise InputError(
                f"has a vector for none of the {coverage.types:,} words of the training data: are "
                "they of another language, or spelt in another way (data.level)?",
                path=self.options.vectors,
            )
        notes.add(coverage.line())
        return featurizer, matrix

    def _given_vocabularies(self) -> Featurizer | None:
        featurizer = self.given_featurizer()
        if featurizer is None or featurizer.level == self.options.level:
            return featurizer
        if featurizer.level == "bpe":
            raise InputError(
                "reads sub-words, and tokens here are words or characters: reuse a model that was "
                "trained with data.level word or character",
                path=self.options.tokenizer_from,
            )
        raise InputError(
            f"its tokens are at {featurizer.level} level, and data.level is {self.options.level}: "
            f"set --data.level {featurizer.level}, or reuse another model",
            path=self.options.tokenizer_from,
        )


def note_weights(corpus: Corpus, notes: Notes) -> None:
    """Notes how much the training examples count in the loss, where not all count 1."""
    weights = np.fromiter(corpus.column("weight"), dtype=np.float64)
    if other := int((weights != 1.0).sum()):
        notes.add(
            f"train: {other:,} of {len(weights):,} examples have a weight other than 1 "
            f"({weights.min():g} to {weights.max():g}; all together count {weights.sum():,.1f})"
        )
