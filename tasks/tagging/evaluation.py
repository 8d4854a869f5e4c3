"""Scoring a tagger on a file: reads, tags, counts. No Lightning, and memory that does not grow with
the file (but for the labels found in it).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.tagging.readers import TaggedExample, no_characters, read_tagging, spans_of
from rnnlp.data.tagging.scheme_detection import SchemeDetector
from rnnlp.data.tagging.schemes import Span

from .pipeline import TaggingPipeline
from .scores import TagScores, labels_of

CHUNK = 4096  # sentences that are in memory at once


def evaluate_tagging(
    pipeline: TaggingPipeline,
    path: str,
    *,
    format: str = "auto",
    token_column: int | None = None,
    tag_column: int | None = None,
    skip_bad_rows: bool = False,
) -> tuple[dict[str, Any], str, list[str]]:
    """Scores a tagger on a file.

    Args:
        pipeline: The tagger.
        path: A file in any format that training accepts.
        format: The format, recognised from the content by default.
        token_column: Column of the tokens in column formats.
        tag_column: Column of the tags in column formats.
        skip_bad_rows: Whether rows that cannot be read are left out, with a note; else they are
            refused.

    Returns:
        The scores, the policy by which they were counted, and notes on the data.
    """
    notes = Notes(skip_bad_rows=skip_bad_rows)
    scheme = pipeline.settings.scheme

    def examples() -> Iterator[TaggedExample]:
        return read_tagging(
            path,
            format=format,
            split=pipeline.featurizer.split,
            token_column=token_column,
            tag_column=tag_column,
            layout=pipeline.settings.layout,
            notes=notes,
        )

    file_scheme, remarks = gold_scheme(examples(), path) if scheme else (None, [])
    notes = Notes(skip_bad_rows=skip_bad_rows)  # the first pass has filled the other one
    for remark in remarks:
        notes.add(remark)
    scores = TagScores(scheme)
    known = labels_of(pipeline.settings.tags, scheme)
    unseen: set[str] = set()
    sentences = tokens = 0
    started = time.perf_counter()
    stream = examples()
    while chunk := list(islice(stream, CHUNK)):
        for example in chunk if pipeline.featurizer.level == "character" else ():
            words = no_characters(example.tokens)
            place = example.at(path)
            notes.count("tokens of more than a character, as the model reads none", place, words)
        gold = [gold_of(example, scheme, file_scheme, path, notes) for example in chunk]
        labels = {item.type if isinstance(item, Span) else item for row in gold for item in row}
        unseen |= labels - known
        tagged = pipeline.tags_and_spans([example.tokens for example in chunk], scored=bool(scheme))
        spans = [spans for _, spans in tagged] if scheme else None
        scores.add([tags for tags, _ in tagged], gold, spans=spans)
        sentences += len(chunk)
        tokens += sum(len(example.tokens) for example in chunk)
    seconds = time.perf_counter() - started
    lines = notes.lines()
    if unseen:
        names = ", ".join(sorted(unseen))
        lines.append(f"labels that training never saw, counted as misses: {names}")
    result = {
        **scores.result(),
        "examples": sentences,
        "seconds": round(seconds, 3),
        "tokens_per_second": round(tokens / seconds) if seconds else 0,
    }
    return result, scores.policy, lines


def gold_scheme(examples: Iterator[TaggedExample], path: str) -> tuple[str | None, list[str]]:
    """The scheme of the tags in a file, None where it gives spans; and how odd tags are read."""
    detector = SchemeDetector(path=path)
    for example in examples:
        if example.spans is not None:
            return None, []
        detector.add(example.tags or (), example.line)
    scheme = detector.scheme()
    if scheme is None:
        raise InputError(
            "has plain tags, but the model finds entities: tags need prefixes such as B- and I-",
            path=path,
        )
    return scheme, detector.remarks()


def gold_of(
    example: TaggedExample, scheme: str | None, file_scheme: str | None, path: str, notes: Notes
) -> Sequence[Any]:
    """Gold spans for a model with a scheme, gold tags for one without.

    Args:
        example: A sentence of the file.
        scheme: That of the model's tags; None where each token has a tag of its own.
        file_scheme: That of the file's tags; None for the model's.
        path: The file, for messages.
        notes: Takes what was read with a repair.
    """
    if scheme is not None:
        return spans_of(example, file_scheme or scheme, path=path, notes=notes)
    if example.tags is None:
        raise InputError(
            "gives entities, but the model gives each token a tag", path=path, line=example.line
        )
    return example.tags
