"""Writes what a model predicts as annotation tools take it for a start: tasks with pre-annotations.

Needs no model: it goes by the answers of a pipeline, which have `entities`, a `label`, or both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from rnnlp.data.errors import InputError, note_once

Row = Mapping[str, Any]


class Writer(NamedTuple):
    """A file of one JSON object for each answer; by default one a line.

    Args:
        row: Makes the object of an answer and of what else stood beside its text.
        hint: What the tool that imports it has to be told besides; "" for nothing.
        begin: Stands before the first object.
        between: Stands before each further one.
        after: Stands after each.
        end: Stands at the end.
    """

    row: Callable[[Row, Row], Row]
    hint: str = ""
    begin: str = ""
    between: str = ""
    after: str = "\n"
    end: str = ""


def _labels(answer: Row) -> list[str]:
    """The labels of a text: one, several, or none where the model left it open."""
    label = answer.get("label")
    return [] if label is None else [label] if isinstance(label, str) else list(label)


def _label_studio(answer: Row, others: Row) -> dict[str, Any]:
    """A task with a prediction; offsets count UTF-16 units, as in JavaScript."""
    text = check_answer(answer)["text"]
    results: list[dict[str, Any]] = []
    for number, entity in enumerate(answer.get("entities", ())):
        start, end = (len(text[: entity[end]].encode("utf-16-le")) // 2 for end in ("start", "end"))
        results.append(
            {
                "id": f"span{number}",
                "from_name": "label",
                "to_name": "text",
                "type": "labels",
                "score": entity["score"],
                "value": {
                    "start": start,
                    "end": end,
                    "text": entity["word"],
                    "labels": [entity["entity_group"]],
                },
            }
        )
    if labels := _labels(answer):
        results.append(
            {
                "id": "choice",
                "from_name": "choice",
                "to_name": "text",
                "type": "choices",
                "value": {"choices": labels},
            }
        )
    score = min(_scores(answer), default=1.0)
    prediction = {"model_version": "rnnlp", "score": score, "result": results}
    return {"data": {**_apart(others, "text"), "text": text}, "predictions": [prediction]}


def _doccano(answer: Row, others: Row) -> dict[str, Any]:
    """A line with spans as lists, or with the names of labels."""
    entities = check_answer(answer).get("entities", ())
    marks: list[Any] = [[one["start"], one["end"], one["entity_group"]] for one in entities]
    own: dict[str, Any] = {"text": answer["text"], "label": marks or _labels(answer)}
    if "label" in answer and "entities" in answer:  # a project for both
        own = {"text": answer["text"], "entities": marks, "cats": _labels(answer)}
    return {**_apart(others, *own), **own}


def _prodigy(answer: Row, others: Row) -> dict[str, Any]:
    """A line with spans, and with options of which the model's choice is accepted."""
    row: dict[str, Any] = {"text": check_answer(answer)["text"]}
    if "entities" in answer:
        row["spans"] = [
            {"start": one["start"], "end": one["end"], "label": one["entity_group"]}
            for one in answer["entities"]
        ]
    if "label" in answer:
        row["options"] = [{"id": label, "text": label} for label in answer["scores"]]
        row["accept"] = _labels(answer)
    scores = _scores(answer)
    said = {"score": min(scores)} if scores else {}
    return {**row, "meta": {**_apart(others, *said), **said}}


def _apart(others: Row, *taken: str) -> Row:
    """What stood beside a text; what has a name that is taken gets another, so that it stays."""
    kept = {}
    for name, value in others.items():
        free = name
        while free in taken or (free != name and free in others):
            free = f"given_{free}"
        if free != name:
            note_once(f"the input's own {name!r} is kept as {free!r}")
        kept[free] = value
    return kept


def _scores(answer: Row) -> list[float]:
    """Every score, of entities and of labels."""
    score = answer.get("score", [])
    own = score if isinstance(score, list) else [score]
    return [*(one["score"] for one in answer.get("entities", ())), *own]


def check_answer(answer: Row) -> Row:
    """The answer, of a model that labels texts or marks entities.

    Raises:
        InputError: It is of another model.
    """
    if not {"entities", "label"} & set(answer):
        raise InputError("--format is for models that label texts or mark entities in them")
    return answer


PLAIN = Writer(lambda answer, others: {**answer, "row": others} if others else answer)
WRITERS = {
    "label_studio": Writer(
        _label_studio,
        hint='the project needs <Text name="text" value="$text"/> with <Labels name="label" '
        'toName="text"> for entities and <Choices name="choice" toName="text"> for labels',
        begin="[\n",
        between=",\n",
        after="",
        end="\n]\n",
    ),
    "doccano": Writer(_doccano),
    "prodigy": Writer(_prodigy),
}
