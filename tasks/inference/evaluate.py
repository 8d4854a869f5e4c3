"""`rnnlp.evaluate`: the scores of a trained model on a file."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from rnnlp.data.errors import note
from rnnlp.data.formats.encodings import named_encoding
from rnnlp.tasks.base.own_parts import attribute, import_parts
from rnnlp.tasks.registry import head_of, task_spec
from rnnlp.tasks.reporting.score_table import score_table

from .load import load


class Evaluation(NamedTuple):
    """What came of it."""

    scores: dict[str, Any]  # as `rnnlp evaluate --json` prints them
    policy: str  # how they were counted
    notes: list[str]  # what is worth telling about the data
    table: str  # the scores for people


def evaluate_model(
    model: Any,
    data: str | os.PathLike[str],
    *,
    format: str = "auto",
    encoding: str | None = None,
    **options: Any,
) -> Evaluation:
    """Scores a loaded model, which is for one task, on a file.

    Args:
        model: The pipeline.
        data: A file in any format that training accepts.
        format: Its format, or a reader of your own, "module.function"; "auto" recognises it.
        encoding: Its encoding; None for UTF-8 and what is recognised.
        options: What the task's evaluation can be told, such as `tag_column`.

    Raises:
        InputError: The file does not fit the model.
    """
    import_parts([("data.format", format)])
    spec = task_spec(model.task)
    assert spec.evaluation is not None  # a model for several tasks is scored head by head
    with named_encoding(encoding):
        scores, policy, notes = attribute(spec.evaluation)(
            model, os.fspath(data), format=format, **options
        )
    table = score_table(scores, policy, attribute(spec.score_lines), unit=spec.unit)
    return Evaluation(scores, policy, notes, table)


def evaluate(
    model: Any,
    data: str | os.PathLike[str],
    *,
    task: str | None = None,
    format: str = "auto",
    **options: Any,
) -> dict[str, Any]:
    """The scores of a trained model on a file, as `rnnlp evaluate --json` prints them.

    Args:
        model: A model folder, a hub id, or a loaded model.
        data: A file in any format that training accepts.
        task: Of a model for several tasks, the one to score.
        format: The format of the file; "auto" recognises it.
        options: What the task's evaluation can be told, such as `tag_column`, and `encoding`.

    Raises:
        InputError: There is no such model, or the file does not fit it.
    """
    pipeline = load(model) if isinstance(model, str | os.PathLike) else model
    evaluation = evaluate_model(head_of(pipeline, task), data, format=format, **options)
    for line in evaluation.notes:
        note(line)
    return evaluation.scores
