"""Classification data for Lightning: reads the splits, learns vocabularies and labels, batches.

What it shares with other tasks is in `data/datamodule/base.py` and `data/datamodule/labelled.py`,
how a text becomes tokens in `data/text/preprocessing.py`. Evaluation and prediction with a trained
model do not need this file.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import datasets
import pyarrow as pa

from rnnlp.data.corpus.arrow import CHUNK, Corpus, write
from rnnlp.data.corpus.cut import Kin
from rnnlp.data.corpus.duplicates import Fingerprints
from rnnlp.data.corpus.report import Notes
from rnnlp.data.corpus.source import Source
from rnnlp.data.datamodule.labelled import LabelledData, note_weights
from rnnlp.data.datamodule.options import Batches, GroupedFiles, LabelledOptions, at_least
from rnnlp.data.errors import InputError, counted
from rnnlp.data.formats.columns import is_missing
from rnnlp.data.formats.hub import Split
from rnnlp.data.formats.layout import Layout
from rnnlp.data.formats.probabilities import label_name, sums_to_one
from rnnlp.data.text.preprocessing import EMPTY, tokenise
from rnnlp.data.text.tokenizer import splitter

from .collate import ClassificationCollate
from .columns import FurtherColumn, check_names, check_values, learn_columns
from .example import ClassifiedExample
from .readers import (
    alike_across,
    alike_labels,
    classification_layout,
    read_classification,
    single_label,
)
from .sample import sample_classification

_FEW = 20  # texts: of so few, each may well have a label of its own
_COLUMNS = {
    "tokens": pa.list_(pa.string()),
    "gold": pa.list_(pa.string()),
    "index": pa.int64(),
    "line": pa.int64(),
    "group": pa.string(),
    "weight": pa.float64(),
    "features": pa.list_(pa.string()),
    "soft": pa.list_(pa.struct([("label", pa.string()), ("probability", pa.float64())])),
}


@dataclass(frozen=True, kw_only=True)
class ClassificationFiles(GroupedFiles, Batches):
    """Where texts come from, and how many make a batch.

    Args:
        hub_text: Column of the hub's data set that holds the texts.
        hub_label: Column of the hub's data set that holds a label, or a list of them.
        format: Format of the files: csv, tsv, jsonl, fasttext, lines, annotation, or a reader of
            your own, module.function; "auto" recognises it.
        text_column: Column of the text, by name or by number from 1; guessed if not given; of
            several with commas (title,body) the texts are joined.
        label_column: Column of the label, by name or by number from 1; guessed if not given.
        label_separator: What parts the labels where a column holds several of them; "" for nothing.
        label_before: Keep of a label only what stands before this mark: with ":" LOC of LOC:city.
        max_length: Most tokens of a text, or of a window; null for no limit.
        ngrams: Longest n-grams that the model counts; null for none.
    """

    hub_text: str = "text"
    hub_label: str = "label"
    format: str = "auto"
    text_column: str | int | None = None
    label_column: str | int | None = None
    label_separator: str = ""
    label_before: str = ""
    max_length: int | None = 512
    ngrams: int | None = None
    max_tokens: int = 2048


@dataclass(frozen=True, kw_only=True)
class ClassificationOptions(ClassificationFiles, LabelledOptions):
    """All that can be said about data for classification.

    Args:
        long_texts: Whether of longer texts head and tail are kept, or all, to be read in windows.
        multilabel: Whether a text may have several labels, also where none in training has.
        feature_columns: Columns or keys of tables and JSON lines that are read beside the text, as
            categories, or as numbers where all of training are.
    """

    feature_columns: list[str] | tuple[str, ...] = ()

    multilabel: bool = False
    long_texts: Literal["head_tail", "windows"] = "head_tail"


class ClassificationData(LabelledData[ClassifiedExample]):
    """Texts with a label, or several labels each, from files, a hub, or a sample corpus.

    Files may be CSV or TSV with or without a header, JSON lines, lines that begin with the label,
    or in the format of fastText, packed with gzip or not. HTML line breaks and Windows-1252
    punctuation that was read as Latin-1 are mended.

    Args:
        options: Those of `ClassificationOptions`.
    """

    options: ClassificationOptions

    def __init__(self, **options: Any) -> None:
        self.options = ClassificationOptions(**options)
        super().__init__()
        at_least(self.options, max_length=4)
        self._multilabel = self.options.multilabel
        self._counts: dict[str, float] = {}  # weighted
        self._columns: list[FurtherColumn] = []
        if self.options.feature_columns and self.options.train is None:
            raise InputError("data.feature_columns are columns of data.train: name that file")

    @property
    def classes(self) -> list[str]:
        """All labels, sorted, in the order of their ids."""
        self.prepare()
        return list(self._counts)

    @property
    def columns(self) -> list[FurtherColumn]:
        """What is read beside the text."""
        self.prepare()
        return self._columns

    @property
    def class_counts(self) -> list[float]:
        """How many training texts have each label, each text counted with its weight."""
        self.prepare()
        return list(self._counts.values())

    @property
    def training_shares(self) -> Iterator[list[tuple[str, float]]]:
        """How much each training text counts towards which labels."""
        return _shares(self.read().corpora["train"])

    @property
    def multilabel(self) -> bool:
        """Whether a text may have any number of labels."""
        self.prepare()
        return self._multilabel

    def _store(self, folder: Path, notes: Notes) -> dict[str, Corpus]:
        check_names(self.options.feature_columns, self.layout)
        corpora: dict[str, Corpus] = {}
        prints: dict[str, Fingerprints] = {}
        for split, source in self._sources().items():
            prints[split] = Fingerprints()
            rows = self._rows(split, source, prints[split], notes)
            path = folder / f"{split}.arrow"
            corpora[split] = write(rows, path, columns=_COLUMNS, name=source.name, notes=notes)
            if count := prints[split].contradictions():
                notes.add(f"{split}: {count:,} texts occur with different labels")
        for split, own in prints.items():
            if split != "train" and (count := own.shared(prints["train"])):
                total = len(corpora[split].lengths)
                notes.add(f"{split}: {count:,} of {total:,} texts are in the training data as well")
        return corpora

    def _rows(
        self, split: str, source: Source[ClassifiedExample], prints: Fingerprints, notes: Notes
    ) -> Iterator[dict[str, Any]]:
        offsets_of = splitter(self.options.level)
        most = self.options.max_length if self.options.long_texts == "head_tail" else None
        bare: ClassifiedExample | None = None  # the first training text without a label
        for index, example in enumerate(source.read(notes)):
            place = example.at(source.name)
            if split == "train":
                self._multilabel |= len(example.labels) > 1
                self._multilabel |= example.soft is not None and not sums_to_one(example.soft)
                bare = bare or (None if example.labels else example)
            elif not self._multilabel:
                try:
                    single_label(example.labels, path=source.name, line=example.line)
                except InputError as error:
                    notes.bad(error)
                    continue
            tokens, _, count = tokenise(example.text, offsets_of, max_length=most)
            if example.weight == 0.0:
                notes.count("training texts of weight 0, left out", place)
                continue
            if not tokens and split == "train":
                notes.count("training texts without a token, left out", place)
                continue
            stated = example.labels if example.soft is None else None
            prints.add("\n".join((example.text, *example.features)), stated)
            notes.count(f"{split} texts without a token, read as <unk>", place, not tokens)
            if self.options.max_length is not None and count > self.options.max_length:
                what = "middle left out" if most else "read in windows"
                kind = f"{split} texts of more than {self.options.max_length} tokens, {what}"
                notes.count(kind, place)
            yield {
                "tokens": tokens or EMPTY,
                "gold": example.labels,
                "index": index,
                "line": example.line,
                "group": example.group,
                "weight": example.weight,
                "soft": None
                if example.soft is None
                else [{"label": name, "probability": p} for name, p in example.soft.items()],
                "features": example.features,
            }
        if bare is not None and not self._multilabel:
            single_label([], path=source.name, line=bare.line)

    def _kin(self, corpus: Corpus) -> Iterator[Kin]:
        columns = (corpus.column(name) for name in ("tokens", "gold", "group"))
        for tokens, gold, group in zip(*columns, strict=True):
            yield Kin(" ".join(tokens), gold, group)

    def _learn_labels(self, corpora: dict[str, Corpus], notes: Notes) -> None:
        for split, corpus in corpora.items():
            counts = Counter(label for labels in corpus.column("gold") for label in labels)
            if split == "train":
                mass = {**dict.fromkeys(self.options.further_labels, 0.0), **_mass(corpus, notes)}
                self._counts = dict(sorted(mass.items()))
                note_weights(corpus, notes)
                if alike := alike_labels(self._counts):
                    shown = "; ".join(", ".join(names) for names in alike)
                    notes.add(f"train: labels that may mean the same are kept apart: {shown}")
            self._note_lacking(split, counts, notes)
            shown = ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())[:20])
            more = f" and {len(counts) - 20} more labels" if len(counts) > 20 else ""
            notes.add(f"{split}: {counted(len(corpus.lengths), 'text')} ({shown}{more})")
            budget = (
                self.options.max_tokens if split == "train" else self.options.evaluation_max_tokens
            )
            notes.count(
                f"{split} texts above the token budget, each a batch of its own",
                number=int((corpus.lengths > budget).sum()),
            )
            if unseen := [
                f"{name} ({n:,})" for name, n in counts.items() if name not in self._counts
            ]:
                notes.add(
                    f"{split}: labels that training never saw, counted as misses: "
                    f"{', '.join(sorted(unseen))}"
                )
            if others := alike_across(self._counts, counts):
                notes.add(f"{split}: labels that may mean the same as in training: {others}")
        self._learn_columns(corpora, notes)
        texts = len(corpora["train"].lengths)
        if len(self._counts) == texts > _FEW and not self._multilabel:
            raise InputError(
                f"each of the {texts:,} training texts has a label of its own, such as "
                f"{next(iter(self._counts))}: set data.label_column to the column of labels",
                path=corpora["train"].name,
            )
        if len(self._counts) < 1 + (not self._multilabel):
            raise InputError(
                f"only one label in the training data ({', '.join(self._counts) or 'none'}): there "
                "is nothing to tell apart; check data.label_column",
                path=corpora["train"].name,
            )
        if self._multilabel:
            why = "data.multilabel" if self.options.multilabel else "some in training have them"
            notes.add(f"a text may have several labels ({why})")

    def _learn_columns(self, corpora: dict[str, Corpus], notes: Notes) -> None:
        """Learns from the training split what further columns hold, and checks the others."""
        names = self.options.feature_columns
        self._columns = learn_columns(names, corpora["train"].column("features"))
        for split, corpus in corpora.items() if names else ():
            places = ((corpus.name, line) for line in corpus.column("line"))
            values = corpus.column("features")
            check_values(self._columns, values, places, notes, what=f"{split} texts")
        for column in self._columns:
            kind = "numbers" if column.categories is None else f"{len(column.categories):,} values"
            notes.add(f"beside the text: {column.name} ({kind})")

    def _collate(self, split: str) -> ClassificationCollate:
        return ClassificationCollate(
            featurizer=self.featurizer,
            classes=self.classes,
            multilabel=self.multilabel,
            unjudged=self._lacking[split],
            columns=self.columns,
        )

    def _look(self, path: str) -> Layout:
        return classification_layout(
            path,
            format=self.options.format,
            text_column=self.options.text_column,
            label_column=self.options.label_column,
        )

    def _file(self, path: str) -> Source[ClassifiedExample]:
        def read(notes: Notes) -> Iterator[ClassifiedExample]:
            return read_classification(
                path,
                format=self.options.format,
                layout=self.layout,
                label_separator=self.options.label_separator,
                label_before=self.options.label_before,
                feature_columns=self.options.feature_columns,
                **self.further_columns(path),
                notes=notes,
            )

        return Source(path, read)

    def _hub(self, rows: datasets.Dataset, name: str) -> Source[ClassifiedExample]:
        for column, option in (
            (self.options.hub_text, "hub_text"),
            (self.options.hub_label, "hub_label"),
        ):
            if column not in rows.column_names:
                raise InputError(
                    f"no column {column!r} among {', '.join(rows.column_names)}: set data.{option}",
                    path=name,
                )
        kind = rows.features[self.options.hub_label]
        kind = getattr(kind, "feature", kind)
        names = kind.names if isinstance(kind, datasets.ClassLabel) else None

        def read(notes: Notes) -> Iterator[ClassifiedExample]:
            columns = rows.select_columns([self.options.hub_text, self.options.hub_label])
            pairs = chain.from_iterable(
                zip(chunk[self.options.hub_text], chunk[self.options.hub_label], strict=True)
                for chunk in columns.iter(CHUNK)
            )
            for line, (text, label) in enumerate(pairs, start=1):
                labels = label if isinstance(label, list) else [label]
                if not isinstance(text, str) or -1 in labels or any(map(is_missing, labels)):
                    problem = (
                        f"text {text!r} with label {label!r}: both are needed; -1 stands for an "
                        "unlabelled text in hub data"
                    )
                    notes.bad(InputError(problem, path=name, line=line))
                    continue
                labels = [label_name(n) if names is None else names[n] for n in labels]
                if self.options.label_before:
                    labels = [label.split(self.options.label_before, 1)[0] for label in labels]
                yield ClassifiedExample(text, labels, line)

        return Source(name, read)

    def _sample(self, split: Split) -> Source[ClassifiedExample]:
        return Source(
            f"sample corpus ({self.options.sample}, {split})",
            lambda notes: sample_classification(self.options.sample, split, self.options.seed),
        )


def _mass(corpus: Corpus, notes: Notes) -> dict[str, float]:
    """How many texts have each label: each counts with its weight, and a probability as the
    share that it is.
    """
    mass: defaultdict[str, float] = defaultdict(float)
    for label, share in chain.from_iterable(_shares(corpus)):
        mass[label] += share
    soft = sum(probabilities is not None for probabilities in corpus.column("soft"))
    if soft:
        notes.add(
            f"train: {soft:,} of {len(corpus.lengths):,} texts are trained on the probability of "
            "each label; scores count the label"
        )
    return mass


def _shares(corpus: Corpus) -> Iterator[list[tuple[str, float]]]:
    """How much each text counts towards which labels: its weight, or probabilities times it."""
    columns = (corpus.column(name) for name in ("gold", "weight", "soft"))
    for labels, weight, probabilities in zip(*columns, strict=True):
        shares = dict.fromkeys(labels, 0.0 if probabilities else weight)
        for one in probabilities or ():
            if one["probability"] > 0.0:
                shares[one["label"]] = weight * one["probability"]
        yield list(shares.items())
