"""Tagging data for Lightning: reads the splits, learns vocabularies and tags, yields batches.

What it shares with other tasks is in `data/datamodule/base.py` and `data/datamodule/labelled.py`.
Evaluation and prediction with a trained model do not need this file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import datasets

from rnnlp.data.corpus.arrow import Corpus
from rnnlp.data.corpus.cut import Kin
from rnnlp.data.corpus.duplicates import Fingerprints
from rnnlp.data.corpus.report import Notes
from rnnlp.data.corpus.source import Source
from rnnlp.data.datamodule.labelled import LabelledData, note_weights
from rnnlp.data.datamodule.options import Batches, GroupedFiles, LabelledOptions
from rnnlp.data.errors import InputError
from rnnlp.data.formats.hub import Split
from rnnlp.data.formats.layout import Layout

from .collate import TaggingCollate
from .corpus import complete_tags, count_labels, describe, labelling, soft_labels, store
from .example import TaggedExample
from .readers import no_characters, tagging_layout
from .sample import sample_tagging
from .sources import file_source, hub_source


@dataclass(frozen=True, kw_only=True)
class TaggingFiles(GroupedFiles, Batches):
    """Where sentences come from, and how many make a batch.

    Args:
        hub_tokens: Column of the hub's data set that holds lists of tokens.
        hub_tags: Column of the hub's data set that holds lists of tags.
        format: Format of the files: conll, conllu, jsonl, table, annotation, or a reader of your
            own, module.function; "auto" recognises it.
        token_column: Column of the tokens in column files and tables, from 1; recognised if not
            given.
        tag_column: Column of the tags in column files and tables, from 1; the last, UPOS in
            CoNLL-U, a usual name in tables.
        scheme: Scheme the model is trained in, whatever the scheme of the files.
    """

    hub_tokens: str = "tokens"
    hub_tags: str = "ner_tags"
    format: str = "auto"
    token_column: int | None = None
    tag_column: int | None = None
    scheme: Literal["IOB1", "IOB2", "BIOES", "BILOU", "BMES"] = "BIOES"
    max_tokens: int = 1024


@dataclass(frozen=True, kw_only=True)
class TaggingOptions(TaggingFiles, LabelledOptions):
    """All that can be said about data for tagging."""

    characters: bool = True


class TaggingData(LabelledData[TaggedExample]):
    """Sentences with a label for each token, from files, a hub, or a sample corpus.

    Files may be CoNLL columns, CoNLL-U or JSON lines, packed with gzip or not; their scheme is
    recognised and converted.

    Args:
        options: Those of `TaggingOptions`.
    """

    options: TaggingOptions

    def __init__(self, **options: Any) -> None:
        self.options = TaggingOptions(**options)
        super().__init__()
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
        return self.options.scheme if self._has_spans else None

    def _store(self, folder: Path, notes: Notes) -> dict[str, Corpus]:
        corpora: dict[str, Corpus] = {}
        sources = self._sources()
        training_labels = labelling(sources["train"], notes, scheme=self.options.scheme)
        self._has_spans = training_labels is not None
        if not self._has_spans:
            notes.add(
                "the tags are plain ones, such as parts of speech; if they mark entities, write B- "
                "and I- before their types, and O outside"
            )
        for split, source in sources.items():
            labels = training_labels
            if labels is not None and split != "train":
                labels = labelling(source, notes, scheme=self.options.scheme)
                if labels is None:
                    raise InputError(
                        "its tags are plain, while training has entities: write B- and I- tags",
                        path=source.name,
                    )
            corpora[split] = store(source, folder / f"{split}.arrow", labels=labels, notes=notes)
        return corpora

    def _kin(self, corpus: Corpus) -> Iterator[Kin]:
        columns = (corpus.column(name) for name in ("tokens", "gold", "group"))
        for tokens, gold, group in zip(*columns, strict=True):
            labels = [span["type"] for span in gold] if self._has_spans else gold
            yield Kin(" ".join(tokens), labels, group)

    def _learn_labels(self, corpora: dict[str, Corpus], notes: Notes) -> None:
        spans = self._has_spans
        counts = count_labels(corpora["train"], spans=spans)
        note_weights(corpora["train"], notes)
        if not counts:
            raise InputError(
                "no entity in the training data: every tag is O; check data.tag_column",
                path=corpora["train"].name,
            )
        soft = soft_labels(corpora["train"], spans=spans)
        known = {*counts, *soft, *self.options.further_labels}
        prints: dict[str, Fingerprints] = {}
        for split, corpus in corpora.items():
            has = {*count_labels(corpus, spans=spans), *soft_labels(corpus, spans=spans)}
            self._note_lacking(split, has, notes)
            prints[split] = Fingerprints()
            words = 0
            for tokens in corpus.column("tokens"):
                prints[split].add(" ".join(tokens), ())
                words += no_characters(tokens) if self.options.level == "character" else 0
            if words:
                notes.add(
                    f"{split}: {words:,} of {int(corpus.lengths.sum()):,} tokens are more than a "
                    "character, and texts will be read by characters: write one in each line, or "
                    "set data.level to word"
                )
            budget = (
                self.options.max_tokens if split == "train" else self.options.evaluation_max_tokens
            )
            describe(corpus, split, known=known, spans=spans, max_tokens=budget, notes=notes)
            if split != "train" and (count := prints[split].shared(prints["train"])):
                total = len(corpus.lengths)
                notes.add(
                    f"{split}: {count:,} of {total:,} sentences are in the training data as well"
                )
        self._tags = complete_tags(known, self.options.scheme) if spans else sorted(known)

    def _collate(self, split: str) -> TaggingCollate:
        return TaggingCollate(
            featurizer=self.featurizer,
            tags=self.tags,
            scheme=self.scheme,
            unjudged=self._lacking[split],
        )

    def _look(self, path: str) -> Layout:
        return tagging_layout(
            path,
            format=self.options.format,
            token_column=self.options.token_column,
            tag_column=self.options.tag_column,
        )

    def _file(self, path: str) -> Source[TaggedExample]:
        return file_source(
            path,
            format=self.options.format,
            level=self.options.level,
            layout=self.layout,
            **self.further_columns(path),
        )

    def _hub(self, rows: datasets.Dataset, name: str) -> Source[TaggedExample]:
        return hub_source(rows, name, tokens=self.options.hub_tokens, tags=self.options.hub_tags)

    def _sample(self, split: Split) -> Source[TaggedExample]:
        return Source(
            f"sample corpus ({self.options.sample}, {split})",
            lambda notes: sample_tagging(self.options.sample, split, seed=self.options.seed),
        )
