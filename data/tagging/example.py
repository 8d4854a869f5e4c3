"""What the readers give: one labelled example each, before any token has become a number."""

from __future__ import annotations

from typing import NamedTuple

from rnnlp.data.formats.probabilities import Probabilities

from .schemes import Span


class TaggedExample(NamedTuple):
    """A sentence for a tagger; `tags` or `spans` is set, or neither where nothing is labelled.

    Args:
        tokens: The tokens, at least one.
        tags: One tag a token, in the scheme of its file.
        spans: Entities as token spans, sorted, without overlaps.
        line: The line of the file that the sentence begins at, counted from 1.
        group: What else stays on one side of a cut with it; None for nothing.
        weight: How much it counts in the loss.
        soft: The probability of each tag of each token, where that is stated.
        place: Where it stands, where that is no line of its file.
    """

    tokens: list[str]
    tags: list[str] | None
    spans: list[Span] | None
    line: int
    group: str | None = None
    weight: float = 1.0
    soft: list[Probabilities] | None = None
    place: str = ""

    def at(self, path: str) -> str:
        """Where it stands, for messages; `path` is its file."""
        return self.place or f"{path}:{self.line}"
