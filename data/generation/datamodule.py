"""Generation data for Lightning: reads the splits, learns tokenizer and labels, cuts and batches.

What it shares with other tasks is in `data/datamodule/base.py`; how texts are cut for truncated
back-propagation is in `segments.py`. Evaluation and prediction with a trained model do not need
this file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import datasets
import numpy as np
import pyarrow as pa

from rnnlp.data.corpus.arrow import CHUNK, Corpus, write
from rnnlp.data.corpus.cut import Kin
from rnnlp.data.corpus.duplicates import Fingerprints
from rnnlp.data.corpus.report import Notes
from rnnlp.data.corpus.source import Source
from rnnlp.data.datamodule.base import Learned, SequenceData
from rnnlp.data.datamodule.options import SequenceOptions, check_subwords
from rnnlp.data.errors import InputError, counted
from rnnlp.data.formats.hub import Split
from rnnlp.data.formats.layout import Layout
from rnnlp.data.text.featurizer import Featurizer
from rnnlp.data.text.tokenizer import Tokenizer

from .collate import GenerationCollate
from .labels import token_ids
from .readers import TEXT, TextExample, labels_of, read_texts, text_layout
from .sample import sample_generation
from .sample_scenes import sample_scenes
from .segments import SegmentBatchSampler, SegmentRows
from .vectors import VectorScale, scale_of, vector_in, vector_of

EVALUATION_SEGMENT = 1024  # tokens that are scored at once; their number changes no score
_COLUMNS = {
    "text": pa.string(),
    "labels": pa.list_(pa.string()),
    "index": pa.int64(),
    "line": pa.int64(),
}
_VECTOR = {"vector": pa.list_(pa.float32())}
_NAMES = {"bpe": "sub-words", "word": "words", "character": "characters"}


@dataclass(frozen=True, kw_only=True)
class GenerationOptions(SequenceOptions):
    """All that can be said about data for generation.

    Args:
        format: Format of the files: text, abc, jsonl, table, or a reader of your own,
            module.function; "auto" recognises it.
        separator: What parts the examples of plain text: the end of a line, or blank lines; "auto"
            takes blank lines where the training file has enough of them.
        text_column: JSON key of the text, or column of a table or of the hub's data set; a table
            without a column "text" may have another usual name.
        labels: Fields that texts are written for: fields of the header of a tune, JSON keys,
            columns of the hub's data set. [] for none; null for metre and key of tunes (M and K),
            the kind of a text of the sample corpus, and none elsewhere.
        vector_column: Key of the vector that a text is written from in JSON lines, or its column in
            parquet or the hub's data set: a list of numbers, as many in each. null for none.
            Without data, the sample corpus is then scenes and what is to be seen in them.
        sample: Language of the sample corpus.
        level: What a token is: characters, words, or sub-words (bpe).
        vocabulary_size: Most tokens; null for all, or for 8000 sub-words.
        min_frequency: Tokens seen less often in training are unknown; of sub-words, pairs that are
            seen less often are not merged.
        lowercase: Read texts in lower case; then they are written in lower case, too.
        reverse: Read texts from the end to the start. Such a model and one without it together make
            an encoder that reads in both directions.
        bptt: Most tokens that are learned from at once: longer texts are cut, and the state is
            carried on (truncated back-propagation through time); null for whole texts.
    """

    format: str = "auto"
    separator: Literal["auto", "line", "blank"] = "auto"
    text_column: str = "text"
    labels: list[str] | None = None
    vector_column: str | None = None
    sample: Literal["english", "chinese"] = "english"
    level: Literal["character", "word", "bpe"] = "character"
    reverse: bool = False
    bptt: int | None = 200


class GenerationData(SequenceData[TextExample]):
    """Texts, each perhaps with labels, from files, a hub, or a sample corpus.

    Files may be plain text, tunes in ABC notation, JSON lines or tables with a header, packed with
    gzip or not; a folder stands for the files in it.

    Args:
        options: Those of `GenerationOptions`.
    """

    options: GenerationOptions

    def __init__(self, **options: Any) -> None:
        self.options = GenerationOptions(**options)
        super().__init__()
        check_subwords(self.options)
        bptt, labels = self.options.bptt, self.options.labels
        if bptt is not None and bptt < 1:
            raise InputError(f"data.bptt is {bptt}: it must be 1 or more, or null")
        if labels is not None and len(set(labels)) < len(labels):
            raise InputError(f"data.labels names a field twice: {', '.join(labels)}")
        self._fields: dict[str, list[str]] = {}
        self._scale: VectorScale | None = None

    @property
    def fields(self) -> dict[str, list[str]]:
        """The labels of each field that training texts have, sorted."""
        self.prepare()
        return self._fields

    @property
    def vector_scale(self) -> VectorScale | None:
        """Mean and deviation of each component of training vectors; None without vectors."""
        self.prepare()
        return self._scale

    @property
    def vector_size(self) -> int:
        """Components of the vectors that texts are written from; 0 without vectors."""
        return 0 if self.vector_scale is None else len(self.vector_scale.mean)

    def _store(self, folder: Path, notes: Notes) -> dict[str, Corpus]:
        sources = self._sources()
        first = next(sources["train"].read(Notes(skip_bad_rows=notes.skip_bad_rows)), None)
        self._fields = {field: [] for field in (first.labels if first else ())}
        size = None if first is None or first.vector is None else len(first.vector)
        corpora: dict[str, Corpus] = {}
        for split, source in sources.items():
            corpora[split] = write(
                self._rows(source, notes, size),
                folder / f"{split}.arrow",
                columns=_COLUMNS if size is None else _COLUMNS | _VECTOR,
                name=source.name,
                length=lambda row: 0,  # not known before the tokenizer is
            )
        return corpora

    def _rows(
        self, source: Source[TextExample], notes: Notes, size: int | None
    ) -> Iterator[dict[str, Any]]:
        fields = list(self._fields)
        for index, example in enumerate(source.read(notes)):
            if list(example.labels) != fields:
                raise InputError(
                    f"a text with the labels {', '.join(example.labels) or 'none'}, where training "
                    f"texts have {', '.join(fields) or 'none'}: set data.labels",
                    path=source.name,
                    line=example.line,
                )
            try:
                vector = example.vector
                if vector is not None:  # of another split, which may be wider than training's
                    vector = vector_of(vector, name=repr(self.options.vector_column), size=size)
            except InputError as error:
                raise InputError(error.message, path=source.name, line=example.line) from error
            yield {
                "text": example.text,
                "labels": list(example.labels.values()),
                "index": index,
                "line": example.line,
                "vector": vector,
            }

    def _kin(self, corpus: Corpus) -> Iterator[Kin]:
        for text, labels in zip(corpus.column("text"), corpus.column("labels"), strict=True):
            yield Kin(text, [label for label in labels if label is not None])

    def _learn(self, corpora: dict[str, Corpus], notes: Notes) -> Learned:
        featurizer = self._learn_vocabulary(corpora["train"], notes)
        measured: dict[str, Corpus] = {}
        prints: dict[str, Fingerprints] = {}
        for split, corpus in corpora.items():
            lengths, prints[split] = _measure(corpus, featurizer)
            measured[split] = corpus._replace(lengths=lengths)
            notes.add(
                f"{split}: {counted(len(lengths), 'text')}, on average {lengths.mean() - 1:.1f} "
                f"{_NAMES[featurizer.level]}, the longest {lengths.max() - 1:,}"
            )
            if split != "train" and (count := prints[split].shared(prints["train"])):
                notes.add(
                    f"{split}: {count:,} of {len(lengths):,} texts are in the training data as well"
                )
            self._learn_labels(split, corpus, notes)
        if self.options.vector_column is not None:
            self._scale = scale_of(corpora["train"].column("vector"))
            same = int((self._scale.deviation == 0).sum())
            notes.add(
                f"each text is written from {self.options.vector_column}, a vector of "
                f"{len(self._scale.mean):,} numbers"
                + (f"; {same:,} of them are the same in all training texts" if same else "")
            )
        return Learned(measured, featurizer, None)

    def _learn_vocabulary(self, train: Corpus, notes: Notes) -> Featurizer:
        texts = train.column("text")
        if (reused := self.given_featurizer()) is not None:
            rows = (token_ids(reused, text, reverse=False) for text in texts)
            self.note_unknown(reused, rows, notes)
            return reused
        tokenizer = Tokenizer.train(
            texts,
            level=self.options.level,
            vocabulary_size=self.options.vocabulary_size,
            min_frequency=self.options.min_frequency,
            lowercase=self.options.lowercase,
        )
        notes.add(f"vocabulary: {len(tokenizer):,} {_NAMES[self.options.level]}")
        return Featurizer(tokens=tokenizer)

    def _learn_labels(self, split: str, corpus: Corpus, notes: Notes) -> None:
        """Learns the labels from the training split, and notes what others have beyond it."""
        counts = [Counter[str | None]() for _ in self._fields]
        for labels in corpus.column("labels"):
            for counter, label in zip(counts, labels, strict=True):
                counter[label] += 1
        for (field, known), counter in zip(self._fields.items(), counts, strict=True):
            if without := counter.pop(None, 0):
                notes.add(f"{split}: {without:,} texts without a label of {field}")
            if split == "train":
                known.extend(sorted(label for label in counter if label is not None))
                if not known:
                    raise InputError(
                        f"no training text has a label of {field}: leave it out of data.labels",
                        path=corpus.name,
                    )
                shown = ", ".join(f"{label} {n:,}" for label, n in counter.most_common(20))
                notes.add(f"{field}: {len(known):,} labels ({shown})")
            elif unseen := sum(n for label, n in counter.items() if label not in known):
                notes.add(
                    f"{split}: {unseen:,} texts with a label of {field} that training never saw, "
                    "read as if they had none"
                )

    def _dataset(self, corpus: Corpus) -> SegmentRows:
        return SegmentRows(corpus.rows)

    def _sampler(self, split: str) -> Callable[..., SegmentBatchSampler]:
        bptt = self.options.bptt if split == "train" else EVALUATION_SEGMENT
        return partial(SegmentBatchSampler, bptt=bptt)

    def _collate(self, split: str) -> GenerationCollate:
        return GenerationCollate(
            featurizer=self.featurizer, fields=self.fields, reverse=self.options.reverse
        )

    @property
    def _text_column(self) -> str | None:
        return None if self.options.text_column == TEXT else self.options.text_column

    def _look(self, path: str) -> Layout:
        return text_layout(
            path,
            format=self.options.format,
            separator=self.options.separator,
            text_column=self._text_column,
        )

    def _file(self, path: str) -> Source[TextExample]:
        def read(notes: Notes) -> Iterator[TextExample]:
            return read_texts(
                path,
                format=self.options.format,
                separator=self.options.separator,
                text_column=self._text_column,
                labels=self.options.labels,
                vector_column=self.options.vector_column,
                layout=self.layout,
                notes=notes,
            )

        return Source(path, read)

    def _hub(self, rows: datasets.Dataset, name: str) -> Source[TextExample]:
        text_column, vector_column = self.options.text_column, self.options.vector_column
        fields = self.options.labels or []
        options = {**dict.fromkeys(fields, "labels"), text_column: "text_column"}
        if vector_column is not None:
            options[vector_column] = "vector_column"
        for column, option in options.items():
            if column not in rows.column_names:
                raise InputError(
                    f"no column {column!r} among {', '.join(rows.column_names)}: set data.{option}",
                    path=name,
                )

        def read(notes: Notes) -> Iterator[TextExample]:
            chunks = rows.select_columns([*options]).iter(CHUNK)
            each = chain.from_iterable(zip(*chunk.values(), strict=True) for chunk in chunks)
            for line, values in enumerate(each, start=1):
                row = dict(zip(options, values, strict=True))
                text = row[text_column]
                if text is None or (isinstance(text, str) and not text.strip()):
                    notes.count("blank texts, left out", f"{name}:{line}")
                    continue
                try:
                    if not isinstance(text, str):
                        raise InputError(
                            f"{text_column!r} is {text!r}, not a text: set data.text_column"
                        )
                    labels = labels_of(row, fields)
                    vector = None if vector_column is None else vector_in(row, vector_column)
                except InputError as error:
                    raise InputError(error.message, path=name, line=line) from error
                yield TextExample(text, labels, line, vector)

        return Source(name, read)

    def _sample(self, split: Split) -> Source[TextExample]:
        make = sample_generation if self.options.vector_column is None else sample_scenes
        return Source(
            f"sample corpus ({self.options.sample}, {split})",
            lambda notes: make(
                self.options.sample, split, seed=self.options.seed, labels=self.options.labels
            ),
        )


def _measure(corpus: Corpus, featurizer: Featurizer) -> tuple[np.ndarray, Fingerprints]:
    """Positions of each text, one more than its tokens, and its fingerprint."""
    prints = Fingerprints()
    lengths: list[int] = []
    for text in corpus.column("text"):
        prints.add(text, [])
        lengths.append(len(token_ids(featurizer, text, reverse=False)) + 1)
    return np.array(lengths, dtype=np.int32), prints
