"""Labelled sentences from wherever they come into Arrow files that are mapped, not loaded.

A source is gone through twice: once to learn the scheme of its tags, once to write each sentence
with its gold labels as spans (or as plain tags, such as parts of speech). Memory does not grow with
the source. Vocabularies, tag ids and batches are made elsewhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from rnnlp.data.corpus.arrow import Corpus, write
from rnnlp.data.corpus.report import Notes
from rnnlp.data.corpus.source import Source
from rnnlp.data.errors import InputError, counted

from .example import TaggedExample
from .readers import spans_of
from .scheme_detection import SchemeDetector
from .schemes import Span, spans_to_tags, tags_to_spans

SPANS = "spans"  # labels that are stated as spans, not as tags

_SHARE = pa.struct([("tag", pa.string()), ("probability", pa.float64())])
_SPAN = pa.struct([("start", pa.int32()), ("end", pa.int32()), ("type", pa.string())])


def labelling(source: Source[TaggedExample], notes: Notes, *, scheme: str = "BIOES") -> str | None:
    """How a source states its labels: the scheme of its tags, `SPANS`, or None for plain tags.

    Args:
        source: The labelled sentences.
        notes: Takes how unusual tags are read.
        scheme: The scheme that tags with probabilities are in: one does not become another.

    Raises:
        InputError: Where the source is malformed, or its tags follow no known scheme.
    """
    detector = SchemeDetector(path=source.name)
    for example in source.read(Notes(skip_bad_rows=notes.skip_bad_rows)):
        if example.spans is not None:
            return SPANS
        if any(re.match("[BIESLUM]-", name) for one in example.soft or () for name in one):
            return scheme
        detector.add(example.tags or (), example.line)
    detected = detector.scheme()
    for remark in detector.remarks() if detected else ():
        notes.add(f"{source.name}: {remark}")
    return detected


def store(source: Source[TaggedExample], path: Path, *, labels: str | None, notes: Notes) -> Corpus:
    """Writes a source into an Arrow file and maps it.

    Args:
        source: The labelled sentences.
        path: The file to write.
        labels: What `labelling` says of the source.
        notes: Takes counts of what is legal but lossy.

    Raises:
        InputError: Where the source is malformed, or states its labels otherwise.
    """
    columns = {
        "tokens": pa.list_(pa.string()),
        "gold": pa.list_(pa.string() if labels is None else _SPAN),
        "index": pa.int64(),
        "line": pa.int64(),
        "group": pa.string(),
        "weight": pa.float64(),
        "soft": pa.list_(pa.list_(_SHARE)),
    }
    checked: set[str] = set()  # names of tags with a probability

    def rows() -> Iterator[dict[str, Any]]:
        for index, example in enumerate(source.read(notes)):
            if example.weight == 0.0:
                place = f"{source.name}:{example.line}"
                notes.count("training sentences of weight 0, left out", place)
                continue
            for name in {name for one in example.soft or () for name in one} - checked:
                _check_tag(name, labels, source.name, example.line)
                checked.add(name)
            yield {
                "tokens": example.tokens,
                "gold": _gold(example, labels, source.name, notes),
                "index": index,
                "line": example.line,
                "group": example.group,
                "weight": example.weight,
                "soft": None
                if example.soft is None
                else [
                    [{"tag": name, "probability": p} for name, p in one.items()]
                    for one in example.soft
                ],
            }

    return write(rows(), path, columns=columns, name=source.name, notes=notes)


def count_labels(corpus: Corpus, *, spans: bool) -> Counter[str]:
    """How often each entity type (or each plain tag) occurs."""
    counts: Counter[str] = Counter()
    for gold in corpus.column("gold"):
        counts.update(span["type"] for span in gold) if spans else counts.update(gold)
    return counts


def soft_labels(corpus: Corpus, *, spans: bool) -> set[str]:
    """The entity types, or plain tags, that have a probability somewhere."""
    names = {one["tag"] for row in corpus.column("soft") for each in row or () for one in each}
    return {name.partition("-")[2] for name in names} - {""} if spans else names


def _check_tag(name: str, scheme: str | None, path: str, line: int) -> None:
    """Refuses a tag with a probability that the scheme does not have."""
    if scheme in (None, SPANS):
        return
    try:
        tags_to_spans([name], scheme)
    except InputError as error:
        raise InputError(
            f"{error.message}; tags with probabilities are in the scheme of data.scheme",
            path=path,
            line=line,
        ) from error


def complete_tags(types: Iterable[str], scheme: str) -> list[str]:
    """Every tag that a scheme has for some entity types, in a fixed order."""
    tags = {
        tag
        for kind in types
        for tag in spans_to_tags([Span(0, 1, kind), Span(1, 4, kind)], 4, scheme)
    }
    return ["O", *sorted(tags)]


def describe(
    corpus: Corpus,
    split: str,
    *,
    known: Collection[str],
    spans: bool,
    max_tokens: int,
    notes: Notes,
) -> None:
    """Notes the size of a split, its over-long sentences, and labels that are not `known`.

    Args:
        corpus: The split.
        split: Its name.
        known: The labels of the training split.
        spans: Whether labels are spans, not plain tags.
        max_tokens: The token budget of a batch.
        notes: Gets the lines.
    """
    tokens = int(corpus.lengths.sum(dtype=np.int64))
    notes.add(f"{split}: {counted(len(corpus.lengths), 'sentence')}, {counted(tokens, 'token')}")
    notes.count(
        f"{split} sentences above the token budget, each a batch of its own",
        number=int((corpus.lengths > max_tokens).sum()),
    )
    counts = sorted(count_labels(corpus, spans=spans).items())
    if unseen := [f"{name} ({count:,})" for name, count in counts if name not in known]:
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
