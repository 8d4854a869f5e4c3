"""What a classifier is trained and scored on: features and labels of some texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from rnnlp.data.datamodule.tensors import TokenTensors, as_tensors, weights_of
from rnnlp.data.text.featurizer import Featurizer

from .columns import FurtherColumn

UNKNOWN_CLASS = -1  # where training never saw the gold label


class ClassificationBatch(NamedTuple):
    """A padded batch with its labels."""

    features: TokenTensors
    targets: Tensor  # [batch] int64, or [batch, classes] float32; see `targets_of`
    gold: list[list[str]]  # the labels of each text, also those that training never saw
    number: Tensor  # [batch] int64, number of the text in its split, from 0
    weights: Tensor | None = None  # [batch] float32, in the loss; None where all are 1
    soft: Tensor | None = None  # [batch, classes] float32 probabilities; 0 in rows without
    unjudged: tuple[str, ...] = ()  # labels that the split is not annotated with
    columns: Tensor | None = None  # [batch, columns] float32, of what is read beside the texts


class ClassificationCollate:
    """Makes batches of stored texts.

    Args:
        featurizer: Looks the tokens up.
        classes: All labels, in the order of their ids.
        multilabel: Whether a text may have any number of labels.
        unjudged: Labels that the split is not annotated with.
        columns: What is read beside the texts.
    """

    def __init__(
        self,
        *,
        featurizer: Featurizer,
        classes: Sequence[str],
        multilabel: bool,
        unjudged: tuple[str, ...] = (),
        columns: Sequence[FurtherColumn] = (),
    ) -> None:
        self._columns = columns
        self._featurizer = featurizer
        self._unjudged = unjudged
        self._classes = list(classes)
        self._multilabel = multilabel

    def __call__(self, rows: Mapping[str, list[Any]]) -> ClassificationBatch:
        """Pads the columns `tokens`, `gold`, `index` and so on of some rows."""
        features = as_tensors(self._featurizer.batch(rows["tokens"]))
        targets = targets_of(rows["gold"], self._classes, multilabel=self._multilabel)
        numbers, weights = torch.tensor(rows["index"]), weights_of(rows["weight"])
        soft = None
        if any(row is not None for row in rows["soft"]):
            ids = {name: number for number, name in enumerate(self._classes)}
            soft = torch.zeros(len(rows["soft"]), len(ids))
            for place, row in enumerate(rows["soft"]):
                for one in row or ():
                    if one["label"] in ids:
                        soft[place, ids[one["label"]]] = one["probability"]
        return ClassificationBatch(
            features,
            targets,
            rows["gold"],
            numbers,
            weights,
            soft,
            self._unjudged,
            column_tensor(self._columns, rows["features"]) if self._columns else None,
        )


def column_tensor(columns: Sequence[FurtherColumn], rows: Sequence[Sequence[Any]]) -> Tensor:
    """What is read beside texts `[texts, columns]`, of their values in the order of the columns."""
    return torch.tensor(
        [[column.number(value) for column, value in zip(columns, row, strict=True)] for row in rows]
    )


def targets_of(
    gold: Sequence[Sequence[str]], classes: Sequence[str], *, multilabel: bool
) -> Tensor:
    """Labels as numbers.

    Args:
        gold: The labels of each text: exactly one unless `multilabel`.
        classes: All labels, in the order of their ids.
        multilabel: Whether a text may have any number of labels.

    Returns:
        `[texts]` int64 with `UNKNOWN_CLASS` for labels that are no class; with `multilabel`
        `[texts, classes]` float32 of 0 and 1, which such labels leave no trace in.
    """
    ids = {name: number for number, name in enumerate(classes)}
    if not multilabel:
        return torch.tensor([ids.get(labels[0], UNKNOWN_CLASS) for labels in gold])
    targets = torch.zeros(len(gold), len(classes))
    for row, labels in enumerate(gold):
        for label in labels:
            if label in ids:
                targets[row, ids[label]] = 1.0
    return targets
