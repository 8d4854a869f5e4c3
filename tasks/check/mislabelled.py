"""Labels that are probably wrong, by what models believe that have not learned from them.

That is a model trained on other data, or the models of folds, each of which is asked about the
examples that were kept apart from its training. How beliefs are judged is said in
`data/check/confident.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rnnlp.data.check.confident import mislabelled
from rnnlp.data.check.items import Item
from rnnlp.data.classification.columns import check_values
from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.tagging.schemes import Span, spans_to_tags
from rnnlp.tasks.inference.load import load
from rnnlp.tasks.model_folder.files import read_json
from rnnlp.tasks.model_folder.folder import SPLITS
from rnnlp.tasks.registry import head_of

CHUNK = 1024  # examples that are in memory at once, but for what is believed of them
AROUND = 3  # tokens of a sentence that are shown before and after those that are in doubt


class Judge(NamedTuple):
    """A model, and the lines of the examples that it is asked about; None for all."""

    pipeline: Any
    lines: frozenset[int] | None


class Doubt(NamedTuple):
    """A label that is probably wrong.

    Args:
        place: The file and line of the text or sentence.
        text: The text, or neighbouring tokens of a sentence, in brackets.
        label: What it is labelled with, or they are.
        believed: What the model believes.
        score: The probability of that, of several tokens the least.
        own: The probability of the label, of several tokens the greatest.
    """

    place: str
    text: str
    label: str
    believed: str
    score: float
    own: float


def judges_of(model: str, path: str, task: str) -> list[Judge]:
    """The models that are asked about a file.

    Args:
        model: A model folder, or a folder of the models of folds (`fit --data.folds`).
        path: The file.
        task: What it is labelled for.

    Raises:
        InputError: There is no such model, or the folds are those of another file.
    """
    folds = sorted(Path(model).glob(f"fold_*/{SPLITS}"))
    if not folds:
        return [Judge(head_of(load(model), task), None)]
    judges = []
    for file in folds:
        splits = read_json(file)
        splits = splits.get(task, splits)  # of a model for two tasks those of each
        if os.path.basename(splits["train"]) != os.path.basename(path):
            raise InputError(
                f"are folds of {splits['train']}, not of {path}: train with --data.train {path} "
                "--data.folds 5",
                path=model,
            )
        pipeline = head_of(load(file.parent), task)
        judges.append(Judge(pipeline, frozenset(splits["validation_lines"])))
    return judges


def doubts(judges: Sequence[Judge], items: Iterable[Item], notes: Notes) -> tuple[list[Doubt], int]:
    """The labels that are probably wrong, the surest first; and how many were judged.

    Each model's examples are judged among themselves: some are surer of all than others.

    Args:
        judges: The models.
        items: The examples of a file.
        notes: Takes the count of what no model could be asked about.

    Raises:
        InputError: Texts have several labels, or there is nothing to judge.
    """
    settings = judges[0].pipeline.settings
    tagging = judges[0].pipeline.task == "tagging"
    if not tagging and settings.multilabel:
        raise InputError("texts with several labels are not judged: only those with one")
    names = sorted({name for judge in judges for name in _names(judge.pipeline)})
    places = {name: number for number, name in enumerate(names)}
    units: list[tuple[str, str, str]] = []  # place, text and label of what is judged
    beliefs: list[np.ndarray] = []
    judged_by: list[int] = []
    for chunk in _chunks(items):
        asked = 0
        for number, (pipeline, lines) in enumerate(judges):
            mine = [item for item in chunk if lines is None or item.line in lines]
            asked += len(mine)
            columns = [places[name] for name in _names(pipeline)]
            labelled = _tokens(pipeline, mine) if tagging else _texts(pipeline, mine, notes)
            for unit, row in labelled:
                if unit[2] not in places:
                    notes.count("labels that the model does not know, not judged", unit[0])
                    continue
                units.append(unit)
                judged_by.append(number)
                beliefs.append(np.zeros(len(names), np.float32))
                beliefs[-1][columns] = row
        notes.count("examples of no fold, not judged", chunk[0].place, max(len(chunk) - asked, 0))
    if not units:
        raise InputError("the model knows none of these examples or labels: nothing is judged")
    matrix = np.stack(beliefs)
    labels = np.array([places[label] for _, _, label in units])
    instead: dict[int, int] = {}  # the class believed, by unit
    for number in range(len(judges)):
        rows = np.flatnonzero(np.array(judged_by) == number)
        wrong, believed = mislabelled(matrix[rows], labels[rows])
        instead.update(zip(rows[wrong].tolist(), believed.tolist(), strict=True))
    runs: list[list[int]] = []
    for at in sorted(instead):
        if tagging and runs and runs[-1][-1] == at - 1 and units[at - 1][0] == units[at][0]:
            runs[-1].append(at)
        else:
            runs.append([at])
    every = [
        Doubt(
            place=units[run[0]][0],
            text=_in_sentence(units, run) if tagging else units[run[0]][1],
            label=" ".join(units[at][2] for at in run),
            believed=" ".join(names[instead[at]] for at in run),
            score=min(float(matrix[at, instead[at]]) for at in run),
            own=max(float(matrix[at, labels[at]]) for at in run),
        )
        for run in runs
    ]
    return sorted(every, key=lambda doubt: doubt.own), len(units)


def _in_sentence(units: Sequence[tuple[str, str, str]], run: Sequence[int]) -> str:
    """Neighbouring tokens in brackets, with some of their sentence around them."""
    near = range(max(run[0] - AROUND, 0), min(run[-1] + AROUND + 1, len(units)))
    words = {row: units[row][1] for row in near if units[row][0] == units[run[0]][0]}
    words[run[0]] = f"[{words[run[0]]}"
    words[run[-1]] = f"{words[run[-1]]}]"
    return " ".join(words.values())


def _names(pipeline: Any) -> list[str]:
    return list(pipeline.settings.tags if pipeline.task == "tagging" else pipeline.settings.classes)


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    rest = iter(items)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _texts(
    pipeline: Any, items: Sequence[Item], notes: Notes
) -> Iterator[tuple[tuple[str, str, str], np.ndarray]]:
    """Each text with its label, and the probability of each class [classes]."""
    columns = pipeline.settings.columns
    values = [item.features for item in items]
    places = ((item.place.rpartition(":")[0], item.line) for item in items)
    check_values(columns, values, places, notes)
    rows = pipeline.probabilities([pipeline.tokens(item.text)[0] for item in items], values)
    for item, row in zip(items, rows, strict=True):
        yield (item.place, item.text, " ".join(item.labels)), row


def _tokens(
    pipeline: Any, items: Sequence[Item]
) -> Iterator[tuple[tuple[str, str, str], np.ndarray]]:
    """Each token with its tag in the model's scheme, and the probability of each tag [tags]."""
    scheme = pipeline.settings.scheme
    marginals = pipeline.marginals([item.tokens for item in items])
    for item, rows in zip(items, marginals, strict=True):
        spans = [one for one in item.answer if isinstance(one, Span)]
        tags = item.labels if scheme is None else spans_to_tags(spans, len(item.tokens), scheme)
        for token, tag, row in zip(item.tokens, tags, rows, strict=True):
            yield (item.place, token, tag), row
