"""Tagging data for Lightning: reads the splits, learns vocabularies and tags, yields batches.

What it shares with other tasks is in `data/datamodule/base.py` and `data/datamodule/labelled.py`.
Evaluation and prediction with a trained model do not need this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import datasets

from rnnlp.data.corpus.arrow import Corpus
from rnnlp.data.corpus.report import Notes
from rnnlp.data.corpus.source import Source
from rnnlp.data.datamodule.labelled import LabelledData
from rnnlp.data.errors import InputError
from rnnlp.data.formats.hub import Split
from rnnlp.data.text.token_features import TokenFeature

from .collate import TaggingCollate
from .corpus import complete_tags, count_labels, describe, labelling, store
from .example import TaggedExample
from .sample import sample_tagging
from .sources import file_source, hub_source


class TaggingData(LabelledData[TaggedExample]):
    """Sentences with a label for each token, from files, a hub, or a sample corpus.

    Files may be CoNLL columns, CoNLL-U or JSON lines, packed with gzip or not; their scheme is
    recognised and converted.

    Args:
        train: File to train on; without it and without `hub`, a sample corpus is made.
        validation: File that decides when to stop; without it, a share of `train` does.
        test: File to score when training is done.
        hub: Data set of the Hugging Face hub, or a local folder of such a data set.
        revision: Version of the hub's data set: a commit, a tag or a branch.
        tokenizer_from: Folder of a trained model whose vocabularies are used, all of them, instead
            of learning some; `model.encoder_from` sets it.
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
        token_features: Which attributes of a token to prepare (bigram, shape, prefix, suffix).
        min_frequency: Words seen less often in training are unknown.
        vocabulary_size: Most words to keep; all if not given.
        scheme: Scheme the model is trained in, whatever the scheme of the files.
        vectors: Text file of pretrained vectors (GloVe, word2vec, fastText).
        vectors_limit: How many of that file's first words to know though training has none.
        max_tokens: Most positions in a training batch, padding included.
        max_sentences: Most sentences in a training batch.
        evaluation_max_tokens: Most positions in a validation or test batch.
        num_workers: Processes that prepare batches ahead; 0 prepares them in the main one.
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
        tokenizer_from: str | None = None,
        validation_share: float = 0.1,
        level: Literal["word", "character"] = "word",
        lowercase: bool = False,
        zero_digits: bool = False,
        characters: bool = True,
        token_features: Sequence[TokenFeature] = (),
        min_frequency: int = 1,
        vocabulary_size: int | None = None,
        scheme: Literal["IOB1", "IOB2", "BIOES", "BILOU", "BMES"] = "BIOES",
        vectors: str | None = None,
        vectors_limit: int | None = 100_000,
        max_tokens: int = 1024,
        max_sentences: int | None = 32,
        evaluation_max_tokens: int = 8192,
        num_workers: int = 0,
        seed: int = 1,
    ) -> None:
        super().__init__(
            train=train,
            validation=validation,
            test=test,
            hub=hub,
            revision=revision,
            tokenizer_from=tokenizer_from,
            validation_share=validation_share,
            level=level,
            lowercase=lowercase,
            zero_digits=zero_digits,
            characters=characters,
            token_features=token_features,
            min_frequency=min_frequency,
            vocabulary_size=vocabulary_size,
            vectors=vectors,
            vectors_limit=vectors_limit,
            max_tokens=max_tokens,
            max_sentences=max_sentences,
            evaluation_max_tokens=evaluation_max_tokens,
            num_workers=num_workers,
            seed=seed,
        )
        self.format = format
        self.token_column = token_column
        self.tag_column = tag_column
        self.hub_tokens = hub_tokens
        self.hub_tags = hub_tags
        self.sample = sample
        self.training_scheme = scheme
        self._has_spans = False
        self._tags: list[str] = []

    @property
    def tags(self) -> list[str]:
        """All tags, in the order of their ids."""
        self.prepare()
        return self._tags

    @property
    def scheme(self) -> str | None:
        """The scheme of the tags, None for plain ones such as parts of speech."""
        self.prepare()
        return self.training_scheme if self._has_spans else None

    def _store(self, folder: Path, notes: Notes) -> dict[str, Corpus]:
        corpora: dict[str, Corpus] = {}
        sources = self._sources()
        training_labels = labelling(sources["train"])
        self._has_spans = training_labels is not None
        for split, source in sources.items():
            labels = training_labels
            if labels is not None and split != "train":
                labels = labelling(source)
                if labels is None:
                    raise InputError(
                        "its tags are plain, while training has entities: write B- and I- tags",
                        path=source.name,
                    )
            corpora[split] = store(source, folder / f"{split}.arrow", labels=labels, notes=notes)
        return corpora

    def _learn_labels(self, corpora: dict[str, Corpus], notes: Notes) -> None:
        spans = self._has_spans
        counts = count_labels(corpora["train"], spans=spans)
        if not counts:
            raise InputError(
                "no entity in the training data: every tag is O; check data.tag_column",
                path=corpora["train"].name,
            )
        for split, corpus in corpora.items():
            budget = self.max_tokens if split == "train" else self.evaluation_max_tokens
            describe(corpus, split, known=counts, spans=spans, max_tokens=budget, notes=notes)
        self._tags = complete_tags(counts, self.training_scheme) if spans else sorted(counts)

    def _collate(self, split: str) -> TaggingCollate:
        return TaggingCollate(featurizer=self.featurizer, tags=self.tags, scheme=self.scheme)

    def _file(self, path: str) -> Source[TaggedExample]:
        return file_source(
            path,
            format=self.format,
            level=self.level,
            token_column=self.token_column,
            tag_column=self.tag_column,
        )

    def _hub(self, rows: datasets.Dataset, name: str) -> Source[TaggedExample]:
        return hub_source(rows, name, tokens=self.hub_tokens, tags=self.hub_tags)

    def _sample(self, split: Split) -> Source[TaggedExample]:
        return Source(
            f"sample corpus ({self.sample}, {split})",
            lambda notes: sample_tagging(self.sample, split, seed=self.seed),
        )
