"""Scoring a classifier on a file: reads, labels, counts. No Lightning, and memory that does not
grow with the file.
"""

from __future__ import annotations

import time
from itertools import islice
from typing import Any

from rnnlp.data.classification.columns import check_values
from rnnlp.data.classification.readers import alike_across, read_classification, single_label
from rnnlp.data.corpus.report import Notes
from rnnlp.data.formats.columns import as_known

from .pipeline import ClassificationPipeline
from .scores import ClassScores

CHUNK = 2048  # texts that are in memory at once


def evaluate_classification(
    pipeline: ClassificationPipeline,
    path: str,
    *,
    format: str = "auto",
    text_column: str | int | None = None,
    label_column: str | int | None = None,
    skip_bad_rows: bool = False,
) -> tuple[dict[str, Any], str, list[str]]:
    """Scores a classifier on a file.

    Args:
        pipeline: The classifier.
        path: A file in any format that training accepts.
        format: The format, recognised from the content by default.
        text_column: Column of the text, by name or by number from 1.
        label_column: Column of the label, by name or by number from 1.
        skip_bad_rows: Whether rows that cannot be read are left out, with a note; else they are
            refused.

    Returns:
        The scores, the policy by which they were counted, and notes on the data.
    """
    settings = pipeline.settings
    notes = Notes(skip_bad_rows=skip_bad_rows)
    scores = ClassScores(
        settings.classes, multilabel=settings.multilabel, thresholds=settings.thresholds
    )
    names = [column.name for column in settings.columns]
    gold: set[str] = set()
    tokens = 0
    started = time.perf_counter()
    examples = read_classification(
        path,
        format=format,
        text_column=text_column,
        label_column=label_column,
        label_separator=settings.label_separator,
        label_before=settings.label_before,
        feature_columns=names,
        layout=settings.layout,
        notes=notes,
    )
    while chunk := list(islice(examples, CHUNK)):
        if not settings.multilabel:
            for example in chunk:
                single_label(example.labels, path=path, line=example.line)
        read = [pipeline.tokens(example.text) for example in chunk]
        labels: list[list[str]] = []
        for example, (_, offsets) in zip(chunk, read, strict=True):
            place = example.at(path)
            spelt = [as_known(label, settings.classes) for label in example.labels]
            notes.count(
                "labels True or False, read as training spells them", place, spelt != example.labels
            )
            labels.append(spelt)
            notes.count("texts without a token, read as <unk>", place, not offsets)
            gold.update(spelt)
            unseen = set(spelt).difference(settings.classes)
            notes.count(
                "texts of a label that training never saw, counted as misses", place, bool(unseen)
            )
        sentences = [words for words, _ in read]
        values = [example.features for example in chunk]
        places = ((path, example.line) for example in chunk)
        check_values(settings.columns, values, places, notes)
        scores.add(pipeline.probabilities(sentences, values), labels)
        tokens += sum(map(len, sentences))
    seconds = time.perf_counter() - started
    if alike := alike_across(settings.classes, gold):
        notes.add(f"{path}: labels that may mean the same as in training: {alike}")
    result = {
        **scores.result(),
        "examples": scores.texts,
        "seconds": round(seconds, 3),
        "tokens_per_second": round(tokens / seconds) if seconds else 0,
    }
    return result, scores.policy, notes.lines()
