"""Perplexity and bits per character of texts, under a model that reads them in segments."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

POLICY = (
    "bits of each whole text, its end included, divided by its characters (code points); an "
    "unknown character counts as the unknown token; perplexity per token of this model's "
    "vocabulary, ends included"
)
_LABELS = "; texts are scored for their labels, and without_labels as if they had none"
_EXACT = (
    "; exact match: texts, in per cent, that are written token by token, the likeliest each time"
)


class Reading(NamedTuple):
    """The next tokens of some texts, and what follows each of them."""

    tokens: np.ndarray  # [rows, time]
    following: np.ndarray  # [rows, time]
    lengths: np.ndarray  # [rows], at least 1
    labels: np.ndarray  # [rows, fields]
    vectors: np.ndarray | None  # [rows, components], of models that write from vectors
    carried: np.ndarray | None = None  # [rows], which rows before these go on from; None for all


class Costs(NamedTuple):
    """What a model says of the tokens that follow those of some segments, row after row."""

    nats: np.ndarray  # [tokens] float64
    likeliest: np.ndarray  # [tokens] bool, whether it is the token that would be written
    so_far: Any  # where the model stands after them


class Stretch(NamedTuple):
    """The segments of some texts that are scored together."""

    lengths: list[int]  # [rows], tokens that follow
    ends: list[bool]  # [rows], whether the text ends here
    gold: list[str]  # the texts that begin here
    carried: list[int] | None  # the rows of the segment before; None where texts begin


@dataclass
class TextScores:
    """What has been summed up so far.

    Args:
        labelled: Whether texts have labels, so that it is worth scoring them without as well.
        from_vectors: Whether texts are written from vectors, so that just one is right.
    """

    labelled: bool
    from_vectors: bool = False
    nats: float = 0.0
    nats_without: float = 0.0
    tokens: int = 0
    characters: int = 0
    texts: int = 0
    exact: int = 0
    _so_far: list[Any] = field(default_factory=lambda: [None, None])
    _right: np.ndarray | None = None  # [rows]: whether all so far was the likeliest

    @property
    def policy(self) -> str:
        """How the scores are counted."""
        return POLICY + self.labelled * _LABELS + self.from_vectors * _EXACT

    def add(self, stretch: Stretch, read: Callable[[bool, Any], Costs]) -> float:
        """Scores segments; those of a text must come one after the other.

        Args:
            stretch: The segments.
            read: Reads them: with their labels or without, from where the model stood after the
                segments before.

        Returns:
            What they cost in nats.
        """
        costs = self._read(read, labelled=True)
        nats = float(costs.nats.sum())
        self.nats += nats
        if self.labelled:
            self.nats_without += float(self._read(read, labelled=False).nats.sum())
        if self.from_vectors:
            self._count_exact(stretch, costs.likeliest)
        self.tokens += len(costs.nats)
        self.characters += sum(map(len, stretch.gold))
        self.texts += len(stretch.gold)
        return nats

    def merge(self, other: TextScores) -> None:
        """Adds what another process has counted."""
        self.nats += other.nats
        self.nats_without += other.nats_without
        self.tokens += other.tokens
        self.characters += other.characters
        self.texts += other.texts
        self.exact += other.exact

    @property
    def bits_per_character(self) -> float:
        """Of all texts so far."""
        return self.nats / math.log(2) / max(1, self.characters)

    def result(self) -> dict[str, float]:
        """The scores."""
        result = {
            "perplexity": math.exp(min(self.nats / max(1, self.tokens), 700.0)),
            "bits_per_character": self.bits_per_character,
        }
        if self.labelled:
            bits = self.nats_without / math.log(2) / max(1, self.characters)
            result["bits_per_character_without_labels"] = bits
        if self.from_vectors:
            result["exact_match"] = 100.0 * self.exact / max(1, self.texts)
        return result

    def _read(self, read: Callable[[bool, Any], Costs], *, labelled: bool) -> Costs:
        costs = read(labelled, self._so_far[labelled])
        self._so_far[labelled] = costs.so_far
        return costs

    def _count_exact(self, stretch: Stretch, likeliest: np.ndarray) -> None:
        """Counts texts that end here and are those that the likeliest tokens make: written or read,
        these are the same as long as each of them is right.
        """
        rows = np.split(likeliest, np.cumsum(stretch.lengths)[:-1])
        right = np.array([row.all() for row in rows])
        if stretch.carried is not None:
            assert self._right is not None
            right &= self._right[stretch.carried]
        self._right = right
        self.exact += int((right & stretch.ends).sum())


def score_lines(result: Mapping[str, Any], policy: str) -> list[str]:
    """The scores as lines for people."""
    bits = f"bits per character {result['bits_per_character']:.4f}"
    if "bits_per_character_without_labels" in result:
        bits += f" (without labels {result['bits_per_character_without_labels']:.4f})"
    exact = f"  exact match {result['exact_match']:.2f}" if "exact_match" in result else ""
    return [f"{bits}  perplexity {result['perplexity']:.3f}{exact}", f"policy: {policy}"]
