"""Tagging data for Lightning: reads the splits, learns vocabularies and tags, yields batches.

Everything is prepared on first use and kept in a temporary folder as long as the object lives.
Evaluation and prediction with a trained model do not need this file.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pytorch_lightning as pl

from .batching import BucketBatchSampler, ResumableLoader
from .errors import InputError
from .features import Featurizer
from .notes import Notes
from .tagging_batch import TaggingCollate
from .tagging_corpus import Corpus, complete_tags, count_labels, cut, describe, labelling, store
from .tagging_sources import Source, file_source, hub_sources, sample_sources
from .tokenizer import SPECIALS, splitter
from .vectors import match, read_vectors


class _Prepared(NamedTuple):
    corpora: dict[str, Corpus]
    featurizer: Featurizer
    tags: list[str]
    scheme: str | None
    vectors: np.ndarray | None
    notes: list[str]
    folder: tempfile.TemporaryDirectory  # holds the corpora; gone with the object


class TaggingData(pl.LightningDataModule):
    """Sentences with a label for each token, from files, a hub, or a sample corpus.

    Files may be CoNLL columns, CoNLL-U or JSON lines, packed with gzip or not; their scheme is
    recognised and converted.

    Args:
        train: File to train on; without it and without `hub`, a sample corpus is made.
        validation: File that decides when to stop; without it, a share of `train` does.
        test: File to score when training is done.
        hub: Data set of the Hugging Face hub, or a local folder of such a data set.
        revision: Version of the hub's data set: a commit, a tag or a branch.
        hub_tokens: Column of the hub's data set that holds lists of tokens.
        hub_tags: Column of the hub's data set that holds lists of tags.
        format: Format of the files; "auto" recognises it from the content.
        token_column: Column of the tokens in column files, from 1; recognised if not given.
        tag_column: Column of the tags in column files, from 1; the last, or UPOS in CoNLL-U.
        sample: Language of the sample corpus.
        validation_share: Share of `train` to validate on where `validation` is not given.
        level: Whether raw text is split into words or, as for Chinese, into characters.
        lowercase: Look words up in lower case; character features keep their case.
        zero_digits: Look words up with every digit as 0.
        characters: Prepare the characters of each word.
        bigrams: Prepare pairs of neighbouring tokens.
        min_frequency: Words seen less often in training are unknown.
        vocabulary_size: Most words to keep; all if not given.
        scheme: Scheme the model is trained in, whatever the scheme of the files.
        vectors: Text file of pretrained vectors (GloVe, word2vec, fastText).
        vectors_limit: How many of that file's first words to know though training has none.
        token_budget: Most positions in a training batch, padding included.
        max_sentences: Most sentences in a training batch.
        evaluation_token_budget: Most positions in a validation or test batch.
        workers: Processes that prepare batches ahead; 0 prepares them in the main one.
        seed: Decides the order of batches, the validation share and the sample corpus.
    """

    def __init__(
        self,
        *,
        train: str | None = None,
        validation: str | None = None,
        test: str | None = None,
        hub: str | None = None,
        revision: str | None = None,
        hub_tokens: str = "tokens",
        hub_tags: str = "ner_tags",
        format: Literal["auto", "conll", "conllu", "jsonl"] = "auto",
        token_column: int | None = None,
        tag_column: int | None = None,
        sample: Literal["english", "chinese"] = "english",
        validation_share: float = 0.1,
        level: Literal["word", "character"] = "word",
        lowercase: bool = False,
        zero_digits: bool = False,
        characters: bool = True,
        bigrams: bool = False,
        min_frequency: int = 1,
        vocabulary_size: int | None = None,
        scheme: Literal["IOB1", "IOB2", "BIOES", "BILOU", "BMES"] = "BIOES",
        vectors: str | None = None,
        vectors_limit: int | None = 100_000,
        token_budget: int = 1024,
        max_sentences: int | None = 32,
        evaluation_token_budget: int = 8192,
        workers: int = 0,
        seed: int = 1,
    ) -> None:
        super().__init__()
        if hub is not None and train is not None:
            raise InputError("data.train and data.hub are both given: choose one")
        if train is None and hub is None and (validation or test):
            raise InputError("data.validation or data.test without data.train: name it as well")
        if not 0.0 < validation_share < 1.0:
            raise InputError(
                f"data.validation_share is {validation_share}: give a share between 0 and 1"
            )
        for name, value, least in (
            ("min_frequency", min_frequency, 1),
            ("vocabulary_size", vocabulary_size, len(SPECIALS) + 1),
            ("vectors_limit", vectors_limit, 0),
            ("token_budget", token_budget, 1),
            ("max_sentences", max_sentences, 1),
            ("evaluation_token_budget", evaluation_token_budget, 1),
            ("workers", workers, 0),
        ):
            if value is not None and value < least:
                raise InputError(f"data.{name} is {value}: it must be {least} or more")
        self.files = {"train": train, "validation": validation, "test": test}
        self.format = format
        self.token_column = token_column
        self.tag_column = tag_column
        self.hub = hub
        self.revision = revision
        self.hub_tokens = hub_tokens
        self.hub_tags = hub_tags
        self.sample = sample
        self.validation_share = validation_share
        self.level = level
        self.lowercase = lowercase
        self.zero_digits = zero_digits
        self.characters = characters
        self.bigrams = bigrams
        self.min_frequency = min_frequency
        self.vocabulary_size = vocabulary_size
        self.training_scheme = scheme
        self.vectors = vectors
        self.vectors_limit = vectors_limit
        self.token_budget = token_budget
        self.max_sentences = max_sentences
        self.evaluation_token_budget = evaluation_token_budget
        self.workers = workers
        self.seed = seed
        self._prepared: _Prepared | None = None

    @property
    def featurizer(self) -> Featurizer:
        """The vocabularies, learned from the training split."""
        return self.prepare().featurizer

    @property
    def tags(self) -> list[str]:
        """All tags, in the order of their ids."""
        return self.prepare().tags

    @property
    def scheme(self) -> str | None:
        """The scheme of the tags, None for plain ones such as parts of speech."""
        return self.prepare().scheme

    @property
    def vectors_matrix(self) -> np.ndarray | None:
        """Pretrained vectors of the vocabulary, [tokens, dimension] float32."""
        return self.prepare().vectors

    @property
    def notes(self) -> list[str]:
        """What is worth telling about the data, one line each."""
        return self.prepare().notes

    @property
    def has_test(self) -> bool:
        """Whether there is a test split."""
        return "test" in self.prepare().corpora

    def prepare(self) -> _Prepared:
        """Reads everything, the first time it is called.

        Raises:
            InputError: Where the data is missing, malformed, or holds nothing to learn.
        """
        if self._prepared is None:
            self._prepared = self._read()
        return self._prepared

    def setup(self, stage: str) -> None:
        """Reads the data if nobody has asked for it yet."""
        self.prepare()

    def train_dataloader(self) -> ResumableLoader:
        """Shuffled batches, of type `TaggingBatch`."""
        return self._loader("train", self.token_budget, self.max_sentences)

    def val_dataloader(self) -> ResumableLoader:
        """Batches from short sentences to long ones."""
        return self._loader("validation", self.evaluation_token_budget, None)

    def test_dataloader(self) -> ResumableLoader:
        """Batches from short sentences to long ones.

        Raises:
            InputError: Where there is no test split.
        """
        if not self.has_test:
            raise InputError("there is no test data: set data.test")
        return self._loader("test", self.evaluation_token_budget, None)

    def _loader(self, split: str, token_budget: int, max_sentences: int | None) -> ResumableLoader:
        prepared = self.prepare()
        corpus = prepared.corpora[split]
        return ResumableLoader(
            corpus.rows,
            batches=BucketBatchSampler(
                lengths=corpus.lengths,
                token_budget=token_budget,
                max_sentences=max_sentences,
                seed=self.seed,
                shuffle=split == "train",
            ),
            collate=TaggingCollate(
                featurizer=prepared.featurizer, tags=prepared.tags, scheme=prepared.scheme
            ),
            workers=self.workers,
        )

    def _read(self) -> _Prepared:
        notes = Notes()
        folder = tempfile.TemporaryDirectory(prefix="rnnlp-")
        corpora: dict[str, Corpus] = {}
        sources = self._sources()
        training_labels = labelling(sources["train"])
        for split, source in sources.items():
            labels = training_labels
            if labels is not None and split != "train":
                labels = labelling(source)
                if labels is None:
                    raise InputError(
                        "its tags are plain, while training has entities: write B- and I- tags",
                        path=source.name,
                    )
            path = Path(folder.name, f"{split}.arrow")
            corpora[split] = store(source, path, labels=labels, notes=notes)
        if "validation" not in corpora:
            corpora["train"], corpora["validation"] = cut(
                corpora["train"], share=self.validation_share, seed=self.seed
            )
            notes.add("no validation data: a part of the training data is kept apart for it")
        spans = training_labels is not None
        counts = count_labels(corpora["train"], spans=spans)
        if not counts:
            raise InputError(
                "no entity in the training data: every tag is O; check data.tag_column",
                path=sources["train"].name,
            )
        scheme = self.training_scheme if spans else None
        for split, corpus in corpora.items():
            budget = self.token_budget if split == "train" else self.evaluation_token_budget
            describe(corpus, split, known=counts, spans=spans, token_budget=budget, notes=notes)
        featurizer, vectors = self._vocabularies(corpora["train"], notes)
        return _Prepared(
            corpora=corpora,
            featurizer=featurizer,
            tags=complete_tags(counts, scheme) if scheme else sorted(counts),
            scheme=scheme,
            vectors=vectors,
            notes=notes.lines(),
            folder=folder,
        )

    def _sources(self) -> dict[str, Source]:
        """The splits, the training split first."""
        files = {
            split: file_source(
                path,
                format=self.format,
                level=self.level,
                token_column=self.token_column,
                tag_column=self.tag_column,
            )
            for split, path in self.files.items()
            if path is not None
        }
        if self.hub is None:
            return files or sample_sources(self.sample, seed=self.seed)
        hub = hub_sources(
            self.hub, revision=self.revision, tokens=self.hub_tokens, tags=self.hub_tags
        )
        return hub | files

    def _vocabularies(self, train: Corpus, notes: Notes) -> tuple[Featurizer, np.ndarray | None]:
        sentences = train.column("tokens")
        learn = partial(
            Featurizer.train,
            sentences,
            level=self.level,
            characters=self.characters,
            bigrams=self.bigrams,
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
