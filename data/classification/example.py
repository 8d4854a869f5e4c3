"""What the reader gives: one labelled text each, before any token has become a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rnnlp.data.formats.probabilities import Probabilities


class ClassifiedExample(NamedTuple):
    """A text for a classifier.

    Args:
        text: The text, as its file has it.
        labels: Its labels: one, or where a text may have several, any number of them.
        line: The line of the file that it begins at, counted from 1.
        group: What else stays on one side of a cut with it; None for nothing.
        weight: How much it counts in the loss.
        soft: The probability of each label, where it is not simply 1 for its labels.
        features: The values of further columns.
        place: Where it stands, where that is no line of its file.
    """

    text: str
    labels: list[str]
    line: int
    group: str | None = None
    weight: float = 1.0
    soft: Probabilities | None = None
    features: Sequence[str] = ()
    place: str = ""

    def at(self, path: str) -> str:
        """Where it stands, for messages; `path` is its file."""
        return self.place or f"{path}:{self.line}"
