"""Scoring a generator on a file: how many bits it needs for what stands there."""

from __future__ import annotations

import time
from itertools import islice
from typing import Any

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.generation.collate import GenerationCollate
from rnnlp.data.generation.labels import token_ids
from rnnlp.data.generation.readers import read_texts
from rnnlp.data.generation.segments import SegmentBatchSampler
from rnnlp.data.text.tokenizer import UNK
from rnnlp.tasks.base.length_batches import positions

from .pipeline import GenerationPipeline
from .scores import TextScores

CHUNK = 1024  # texts that are in memory at once
SEGMENT, TOKEN_BUDGET = 1024, 8192  # tokens of a text, and positions, that are read at once


def evaluate_generation(
    pipeline: GenerationPipeline,
    path: str,
    *,
    format: str = "auto",
    separator: str = "auto",
    text_column: str | int = "text",
    vector_column: str | int | None = None,
    skip_bad_rows: bool = False,
) -> tuple[dict[str, Any], str, list[str]]:
    """Scores a generator on a file.

    Args:
        pipeline: The generator.
        path: A file or folder in any format that training accepts.
        format: The format, recognised from name and content by default.
        separator: What parts the examples of plain text: "line", "blank", or "auto".
        text_column: JSON key of the text.
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
    collate = GenerationCollate(
        featurizer=featurizer, fields=settings.fields, reverse=settings.reverse
    )
    device = next(pipeline.network.parameters()).device
    examples = read_texts(
        path,
        format=format,
        separator=separator,
        text_column=str(text_column),
        labels=list(settings.fields),
        vector_column=vector,
        vector_size=settings.vector_size,
        strict=False,
        notes=notes,
    )
    # Logits and log probabilities of the whole vocabulary are held for each token.
    budget = positions(TOKEN_BUDGET, width=2 * pipeline.settings.sizes.tokens)
    started = time.perf_counter()
    while chunk := list(islice(examples, CHUNK)):
        lengths = []
        for example in chunk:
            ids = token_ids(featurizer, example.text, reverse=False)
            lengths.append(len(ids) + 1)
            place = f"{path}:{example.line}"
            notes.count("unknown tokens", place, ids.count(UNK))
            for field, label in example.labels.items():
                if label is None:
                    notes.count(f"texts without a label of {field}", place)
                elif label not in settings.fields[field]:
                    what = "that training never saw, read as if they had none"
                    notes.count(f"texts with a label of {field} {what}", place)
        sampler = SegmentBatchSampler(
            lengths=lengths, bptt=min(SEGMENT, budget), max_tokens=budget, shuffle=False
        )
        for segment in sampler:
            rows = [chunk[number] for number in segment.rows]
            columns: dict[str, list[Any]] = {
                "text": [row.text for row in rows],
                "labels": [list(row.labels.values()) for row in rows],
            }
            if vector is not None:
                columns["vector"] = [row.vector for row in rows]
            batch = collate((columns, segment))
            features = batch.features
            carried = None if batch.carried is None else batch.carried.to(device)
            scores.add(
                pipeline.network,
                batch._replace(
                    features=features._replace(tokens=features.tokens.to(device)),
                    following=batch.following.to(device),
                    labels=batch.labels.to(device),
                    carried=carried,
                    vectors=None if batch.vectors is None else batch.vectors.to(device),
                ),
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
