"""Scoring a generator on a file: how many bits it needs for what stands there."""

from __future__ import annotations

import time
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.generation.labels import NOT_GIVEN, label_ids, token_ids
from rnnlp.data.generation.readers import read_texts
from rnnlp.data.text.tokenizer import BOS, EOS, UNK
from rnnlp.tasks.base.length_batches import TOKEN_BUDGET, by_length, positions

from .pipeline import Engine, GenerationPipeline
from .scores import Costs, Reading, Stretch, TextScores

CHUNK = 1024  # texts that are in memory at once
SEGMENT = 1024  # tokens of a text that are read at once


def evaluate_generation(
    pipeline: GenerationPipeline,
    path: str,
    *,
    format: str = "auto",
    separator: str = "auto",
    text_column: str | int | None = None,
    vector_column: str | int | None = None,
    skip_bad_rows: bool = False,
) -> tuple[dict[str, Any], str, list[str]]:
    """Scores a generator on a file.

    Args:
        pipeline: The generator.
        path: A file or folder in any format that training accepts.
        format: The format, recognised from name and content by default.
        separator: What parts the examples of plain text: "line", "blank", or "auto" for that of the
            training data.
        text_column: JSON key of the text, or its column of a table; None for that of the training
            data.
        vector_column: JSON key of the vector that a text is written from; None for that of the
            training data.
        skip_bad_rows: Whether rows that cannot be read are left out, with a note; else they are
            refused.

    Returns:
        The scores, the policy by which they were counted, and notes on the data.

    Raises:
        InputError: The file cannot be read, or holds no texts.
    """
    settings, featurizer = pipeline.settings, pipeline.featurizer
    notes = Notes(skip_bad_rows=skip_bad_rows)
    if vector_column is not None and settings.vector_column is None:
        raise InputError("the model writes without vectors: leave vector_column out")
    vector = settings.vector_column if vector_column is None else str(vector_column)
    scores = TextScores(labelled=bool(settings.fields), from_vectors=vector is not None)
    examples = read_texts(
        path,
        format=format,
        separator=separator,
        text_column=None if text_column is None else str(text_column),
        labels=list(settings.fields),
        vector_column=vector,
        vector_size=settings.vector_size,
        strict=False,
        layout=settings.layout,
        notes=notes,
    )
    # Logits and log probabilities of the whole vocabulary are held for each token.
    budget = positions(TOKEN_BUDGET, width=2 * pipeline.settings.sizes.tokens)
    started = time.perf_counter()
    known = label_ids(settings.fields)
    while chunk := list(islice(examples, CHUNK)):
        encoded = []
        for example in chunk:
            ids = token_ids(featurizer, example.text, reverse=settings.reverse)
            encoded.append(ids)
            place = f"{path}:{example.line}"
            notes.count("unknown tokens", place, ids.count(UNK))
            for field, label in example.labels.items():
                if label is None:
                    notes.count(f"texts without a label of {field}", place)
                elif label not in settings.fields[field]:
                    what = "that training never saw, read as if they had none"
                    notes.count(f"texts with a label of {field} {what}", place)
        segment = min(SEGMENT, budget)
        for rows in by_length([min(len(ids) + 1, segment) for ids in encoded], budget=budget):
            some = [chunk[row] for row in rows]
            labels = [
                [
                    ids.get(label, NOT_GIVEN)
                    for ids, label in zip(known, row.labels.values(), strict=True)
                ]
                for row in some
            ]
            _score(
                scores,
                pipeline.engine,
                [encoded[row] for row in rows],
                [row.text for row in some],
                np.array(labels, np.int64).reshape(len(rows), len(known)),
                np.array([row.vector for row in some], np.float32) if vector is not None else None,
                segment,
            )
    if not scores.texts:
        raise InputError("no texts to score", path=path)
    seconds = time.perf_counter() - started
    result = {
        **scores.result(),
        "examples": scores.texts,
        "seconds": round(seconds, 3),
        "tokens_per_second": round(scores.tokens / seconds) if seconds else 0,
    }
    return result, scores.policy, notes.lines()


def _read(
    engine: Engine, reading: Reading, unlabelled: Reading, labelled: bool, so_far: Any
) -> Costs:
    """Reads a segment, with labels or without; what is known of other texts before is not used."""
    before = None if reading.carried is None else so_far
    return engine.costs(reading if labelled else unlabelled, before)


def _score(
    scores: TextScores,
    engine: Engine,
    encoded: list[list[int]],
    texts: list[str],
    labels: np.ndarray,
    vectors: np.ndarray | None,
    segment: int,
) -> None:
    """Scores some texts side by side, segment by segment.

    Args:
        scores: What they are added to.
        engine: Reads them.
        encoded: The ids of each.
        texts: The texts.
        labels: The ids of their labels, `[texts, fields]`.
        vectors: What they are written from, `[texts, components]`.
        segment: Tokens of a text that are read at once.
    """
    lengths = np.array([len(ids) + 1 for ids in encoded])
    before = np.arange(len(texts))  # the texts of the segment before
    for start in range(0, int(lengths.max()), segment):
        rows = np.flatnonzero(lengths > start)
        sizes = np.minimum(lengths[rows] - start, segment)
        whole = [[BOS, *encoded[row], EOS][start : start + segment + 1] for row in rows]
        tokens = np.zeros((len(rows), int(sizes.max()) + 1), np.int64)
        for target, ids in zip(tokens, whole, strict=True):
            target[: len(ids)] = ids
        reading = Reading(
            tokens=np.ascontiguousarray(tokens[:, :-1]),
            following=np.ascontiguousarray(tokens[:, 1:]),
            lengths=sizes,
            labels=labels[rows],
            vectors=None if vectors is None else vectors[rows],
            carried=np.searchsorted(before, rows) if start else None,
        )
        stretch = Stretch(
            lengths=sizes.tolist(),
            ends=(lengths[rows] == start + sizes).tolist(),
            gold=[] if start else texts,
            carried=None if reading.carried is None else reading.carried.tolist(),
        )
        unlabelled = reading._replace(labels=np.full_like(reading.labels, NOT_GIVEN))

        scores.add(stretch, partial(_read, engine, reading, unlabelled))
        before = rows
