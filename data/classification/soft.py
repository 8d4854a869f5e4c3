"""Soft labels: a probability a label in place of one label, as models and annotators give them.

A row of JSON lines states them as `rnnlp predict` prints them, under `scores` (or `probabilities`):
`{"good": 0.9, "bad": 0.1}`; as pipelines of transformers do, there or in place of the label:
`[{"label": "good", "score": 0.9}, ...]`; or as votes of several annotators, under `votes`:
`["good", "good", "bad"]`, or `{"good": 2, "bad": 1}`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, TypeAlias

from rnnlp.data.errors import InputError

SCORES, VOTES = ("scores", "probabilities"), "votes"
SLACK = 0.01  # of a sum that should be 1; rounding to 4 digits adds to it with many labels

Probabilities: TypeAlias = dict[str, float]


def soft_label(row: Mapping[str, Any], label: Any) -> Probabilities | None:
    """The probability of each label, the likeliest one first; None where a row has none.

    Args:
        row: The row.
        label: What stands in the place of its label; a list of names says that a text may have
            several labels, so that the probabilities need not sum to 1.

    Raises:
        InputError: The values are no probabilities, or no votes.
    """
    if VOTES in row:
        return _shares(row[VOTES])
    probabilities = next(
        (some for key in SCORES if (some := _named(row.get(key))) is not None), None
    )
    probabilities = _named(label) if probabilities is None else probabilities
    if probabilities is None:
        return None
    for name, value in probabilities.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise InputError(f"the probability of {name!r} is {value!r}: give numbers from 0 to 1")
    several = isinstance(label, list) and all(isinstance(name, str) for name in label)
    if not (several or sums_to_one(probabilities)):
        raise InputError(
            f"the probabilities of {', '.join(probabilities)} sum to "
            f"{sum(probabilities.values()):.4g}, not to 1: give those of all labels (top_k=None in "
            "transformers)"
        )
    if sums_to_one(probabilities):
        total = sum(probabilities.values())
        probabilities = {name: value / total for name, value in probabilities.items()}
    return _ranked(probabilities)


def sums_to_one(probabilities: Mapping[str, float]) -> bool:
    """Whether a text has one label of these, as far as rounding lets one tell."""
    slack = max(SLACK, 0.5e-4 * len(probabilities))
    return abs(sum(probabilities.values()) - 1.0) <= slack


def _named(value: Any) -> dict[str, Any] | None:
    """Labels with their scores, in either form."""
    if isinstance(value, dict):
        return value or None
    entries = value if isinstance(value, list) else []
    if not all(isinstance(one, dict) and {"label", "score"} <= one.keys() for one in entries):
        return None
    return {str(one["label"]): one["score"] for one in entries} or None


def _shares(votes: Any) -> Probabilities:
    counts: Mapping[Any, Any] = votes if isinstance(votes, dict) else {}
    if isinstance(votes, list):
        names = [vote for vote in votes if isinstance(vote, str | int) and vote != ""]
        counts = Counter(map(str, names)) if len(names) == len(votes) else {}
    whole = all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in counts.values())
    total = sum(counts.values()) if whole else 0
    if not total:
        raise InputError(
            f"`{VOTES}` is {votes!r}: give a list of labels, or how many chose each label"
        )
    return _ranked({str(name): count / total for name, count in counts.items()})


def _ranked(probabilities: Mapping[str, float]) -> Probabilities:
    return dict(sorted(probabilities.items(), key=lambda item: -item[1]))
