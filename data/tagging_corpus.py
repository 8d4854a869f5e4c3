"""Labelled sentences from wherever they come into Arrow files that are mapped, not loaded.

A source is gone through twice: once to learn the scheme of its tags, once to write each sentence
with its gold labels as spans (or as plain tags, such as parts of speech). Memory does not grow with
the source. Vocabularies, tag ids and batches are made elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import datasets
import numpy as np
import pyarrow as pa

from .errors import InputError
from .examples import TaggedExample
from .notes import Notes
from .scheme_detection import SchemeDetector
from .schemes import Span, spans_to_tags
from .tagging_readers import spans_of
from .tagging_sources import Source

SPANS = "spans"  # labels that are stated as spans, not as tags

_CHUNK = 1000  # sentences that are in memory at once
_SPAN = pa.struct([("start", pa.int32()), ("end", pa.int32()), ("type", pa.string())])


class Corpus(NamedTuple):
    """A split on disk: columns `tokens`, `gold` and `index`; lengths are [sentences]."""

    name: str
    rows: datasets.Dataset
    lengths: np.ndarray

    def select(self, rows: np.ndarray) -> Corpus:
        """The sentences with these numbers."""
        return Corpus(self.name, self.rows.select(rows), self.lengths[rows])

    def column(self, name: str) -> Column:
        """One column, to be gone through as often as needed."""
        return Column(self.rows.select_columns([name]), name)


class Column:
    """The values of one column, a chunk of them in memory at a time."""

    def __init__(self, rows: datasets.Dataset, name: str) -> None:
        self._rows = rows
        self._name = name

    def __iter__(self) -> Iterator[Any]:
        for chunk in self._rows.iter(batch_size=_CHUNK):
            yield from chunk[self._name]


def labelling(source: Source) -> str | None:
    """How a source states its labels: the scheme of its tags, `SPANS`, or None for plain tags.

    Raises:
        InputError: Where the source is malformed, or its tags follow no known scheme.
    """
    detector = SchemeDetector(path=source.name)
    for example in source.read(Notes()):
        if example.spans is not None:
            return SPANS
        detector.add(example.tags or (), example.line)
    return detector.scheme()


def store(source: Source, path: Path, *, labels: str | None, notes: Notes) -> Corpus:
    """Writes a source into an Arrow file and maps it.

    Args:
        source: The labelled sentences.
        path: The file to write.
        labels: What `labelling` says of the source.
        notes: Takes counts of what is legal but lossy.

    Raises:
        InputError: Where the source is malformed, or states its labels otherwise.
    """
    schema = pa.schema(
        [
            ("tokens", pa.list_(pa.string())),
            ("gold", pa.list_(pa.string() if labels is None else _SPAN)),
            ("index", pa.int64()),
        ]
    )
    lengths: list[np.ndarray] = []
    examples = enumerate(source.read(notes))
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, schema) as writer:
        while chunk := list(islice(examples, _CHUNK)):
            columns = {
                "tokens": [example.tokens for _, example in chunk],
                "gold": [_gold(example, labels, source.name, notes) for _, example in chunk],
                "index": [index for index, _ in chunk],
            }
            writer.write_batch(pa.RecordBatch.from_pydict(columns, schema=schema))
            lengths.append(np.array([len(e.tokens) for _, e in chunk], dtype=np.int32))
    if not lengths:
        raise InputError("no sentences", path=source.name)
    return Corpus(source.name, datasets.Dataset.from_file(str(path)), np.concatenate(lengths))


def count_labels(corpus: Corpus, *, spans: bool) -> Counter[str]:
    """How often each entity type (or each plain tag) occurs."""
    counts: Counter[str] = Counter()
    for gold in corpus.column("gold"):
        counts.update(span["type"] for span in gold) if spans else counts.update(gold)
    return counts


def complete_tags(types: Counter[str], scheme: str) -> list[str]:
    """Every tag that a scheme has for some entity types, in a fixed order."""
    tags = {
        tag
        for kind in types
        for tag in spans_to_tags([Span(0, 1, kind), Span(1, 4, kind)], 4, scheme)
    }
    return ["O", *sorted(tags)]


def cut(corpus: Corpus, *, share: float, seed: int) -> tuple[Corpus, Corpus]:
    """Takes a random share out of a corpus: what is left, and what was taken.

    Raises:
        InputError: Where nothing would be left.
    """
    total = len(corpus.lengths)
    count = max(1, round(total * share))
    if count >= total:
        raise InputError(
            f"{total:,} sentences are too few to validate on a part of them: set data.validation",
            path=corpus.name,
        )
    rows = np.random.default_rng(seed).permutation(total)
    return corpus.select(np.sort(rows[count:])), corpus.select(np.sort(rows[:count]))


def describe(
    corpus: Corpus,
    split: str,
    *,
    known: Collection[str],
    spans: bool,
    token_budget: int,
    notes: Notes,
) -> None:
    """Notes the size of a split, its over-long sentences, and labels that are not `known`."""
    tokens = int(corpus.lengths.sum(dtype=np.int64))
    notes.add(f"{split}: {len(corpus.lengths):,} sentences, {tokens:,} tokens")
    notes.count(
        f"{split} sentences above the token budget, each a batch of its own",
        number=int((corpus.lengths > token_budget).sum()),
    )
    found = sorted(count_labels(corpus, spans=spans).items())
    if unseen := [f"{name} ({count:,})" for name, count in found if name not in known]:
        kind = "entity types" if spans else "tags"
        notes.add(
            f"{split}: {kind} that training never saw, counted as misses: {', '.join(unseen)}"
        )


def _gold(
    example: TaggedExample, labels: str | None, path: str, notes: Notes
) -> list[dict[str, Any]] | list[str]:
    if labels is not None:
        return [span._asdict() for span in spans_of(example, labels, path=path, notes=notes)]
    if example.tags is None:
        raise InputError(
            "gives entities, the training data plain tags: use files of one kind",
            path=path,
            line=example.line,
        )
    return example.tags
