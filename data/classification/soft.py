"""Soft labels: a probability a label in place of one label, as models and annotators give them.

A row of JSON lines states them as `rnnlp predict` prints them, under `scores` (or `probabilities`):
`{"good": 0.9, "bad": 0.1}`; as pipelines of transformers do, there or in place of the label:
`[{"label": "good", "score": 0.9}, ...]`; or as votes of several annotators, under `votes`:
`["good", "good", "bad"]`, or `{"good": 2, "bad": 1}`. Beside a label such keys may also be about
something else, as the likes of a post are: they count only where they name that label.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.formats.columns import is_missing
from rnnlp.data.formats.probabilities import (
    SCORES,
    Probabilities,
    label_name,
    probabilities,
    ranked,
    scores_of,
)

VOTES = "votes"


def soft_label(
    row: Mapping[str, Any], label: Any, stated: Sequence[str] | None, place: str, notes: Notes
) -> Probabilities | None:
    """The probability of each label, the likeliest one first; None where a row has none.

    Args:
        row: The row.
        label: What stands in the place of its label; a list of names says that a text may have
            several labels, so that the probabilities need not sum to 1.
        stated: The labels that it states; None for none.
        place: Where the row stands, for the notes.
        notes: Takes the count of what is about other things than the labels.

    Raises:
        InputError: The values are no probabilities, or no votes.
    """
    told = {key: row[key] for key in (VOTES, *SCORES) if key in row}
    for key, value in list(told.items()):
        if stated is not None and not {*stated} <= _names(value):
            del told[key]
            if value not in (None, ""):
                notes.count(f"`{key}` that do not name the label beside them, ignored", place)
    if VOTES in told:
        return _shares(told[VOTES])
    said = next((some for key in SCORES if (some := scores_of(told.get(key))) is not None), None)
    said = scores_of(label) if said is None else said
    if said is None:
        return None
    multilabel = isinstance(label, list) and all(isinstance(name, str) for name in label)
    return probabilities(said, multilabel=multilabel)


def _names(said: Any) -> set[str]:
    """What scores or votes name, whatever else is wrong with them."""
    named = said if isinstance(said, list | dict) else ()
    names = [one.get("label") if isinstance(one, dict) else one for one in named]
    return {
        label_name(name)
        for name in names
        if isinstance(name, str | int | float) and not is_missing(name)
    }


def _shares(votes: Any) -> Probabilities:
    counts: Mapping[Any, Any] = votes if isinstance(votes, dict) else {}
    if isinstance(votes, list):
        names = [label_name(vote) for vote in votes]
        counts = Counter(names) if all(names) else {}
    whole = all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in counts.values())
    total = sum(counts.values()) if whole else 0
    if not total:
        raise InputError(
            f"`{VOTES}` is {votes!r}: give a list of labels, or how many chose each label"
        )
    return ranked({label_name(name): count / total for name, count in counts.items()})
