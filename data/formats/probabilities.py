"""Probabilities of labels as models print them, in place of one label: how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from rnnlp.data.errors import InputError

from .columns import cell_text, is_missing

SCORES = ("scores", "probabilities")  # the keys that they stand under
SLACK = 0.01  # of a sum that should be 1; rounding to 4 digits adds to it with many labels

Probabilities: TypeAlias = dict[str, float]


def label_name(value: Any) -> str:
    """The name of a label that JSON states: a text, a number, true or false.

    Raises:
        InputError: There is none, as NaN says, too.
    """
    if is_missing(value):
        what = "null" if value is None else "NaN"
        raise InputError(f"the label is {what}; give one or drop the line")
    if not isinstance(value, str | int | float):
        raise InputError(f"the label {value!r} is neither a name nor a number")
    return cell_text(value)


def scores_of(value: Any) -> dict[str, Any] | None:
    """Labels with their scores: `{"a": 0.9, …}`, or `[{"label": "a", "score": 0.9}, …]`."""
    if isinstance(value, dict):
        return value or None
    entries = value if isinstance(value, list) else []
    if not all(isinstance(one, dict) and {"label", "score"} <= one.keys() for one in entries):
        return None
    return {label_name(one["label"]): one["score"] for one in entries} or None


def probabilities(scores: Mapping[str, Any], *, multilabel: bool = False) -> Probabilities:
    """The probability of each label, the likeliest one first.

    Args:
        scores: The labels with what is said of them.
        multilabel: Whether the labels do not exclude each other, so that the sum need not be 1.

    Raises:
        InputError: The values are no probabilities.
    """
    for name, value in scores.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise InputError(f"the probability of {name!r} is {value!r}: give numbers from 0 to 1")
    if sums_to_one(scores):
        total = sum(scores.values())
        scores = {name: value / total for name, value in scores.items()}
    elif not multilabel:
        raise InputError(
            f"the probabilities of {', '.join(scores)} sum to "
            f"{sum(scores.values()):.4g}, not to 1: give those of all labels (top_k=None in "
            "transformers)"
        )
    return ranked(scores)


def sums_to_one(scores: Mapping[str, float]) -> bool:
    """Whether a text has one label of these, as far as rounding lets one tell."""
    slack = max(SLACK, 0.5e-4 * len(scores))
    return abs(sum(scores.values()) - 1.0) <= slack


def ranked(scores: Mapping[str, float]) -> Probabilities:
    """The same, the likeliest one first."""
    return dict(sorted(scores.items(), key=lambda item: -item[1]))
