"""Span posteriors: the probability that exactly these tokens form a span of a type.

Given the words, the tags of a sentence form a Markov chain. What is asked for is the sum over all
tag sequences in which the span stands, no longer and no shorter: over the tags that it may be made
of, without those before and after it that would make it longer. Tags come as ids; what they mean
is said by `SpanRules`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np


class Lattice(NamedTuple):
    """All that forward and backward sums say about a batch, as tensors or as arrays in float64.

    Time comes first, padding is junk.
    """

    log_partition: Any  # [batch]
    alpha: Any  # [time, batch, tags], normalised
    marginals: Any  # [time, batch, tags], p(y_t = j)
    arriving: Any  # [time - 1, batch, tags], b_t / z_t for t >= 1
    steps: Any  # [tags, tags], P up to a factor that cancels in all uses


class SpanRules(NamedTuple):
    """The tags that a span of one type is made of.

    Args:
        first: Of each tag that it may begin with, the tags that must not stand before it.
        inner: Of each of its tags, those that it may go on with.
        last: Of each tag that it may end with, the tags that must not follow.
    """

    first: Mapping[int, Sequence[int]]
    inner: Mapping[int, Sequence[int]]
    last: Mapping[int, Sequence[int]]


class SpanPosterior:
    """Probabilities of spans in a batch.

    Args:
        lattice: Of the batch.
    """

    def __init__(self, lattice: Lattice) -> None:
        self._alpha, self._marginals, self._arriving, self._steps = (
            part if isinstance(part, np.ndarray) else part.double().cpu().numpy()
            for part in (lattice.alpha, lattice.marginals, lattice.arriving, lattice.steps)
        )

    def probabilities(
        self, spans: Sequence[tuple[int, int, int, SpanRules]], lengths: Sequence[int]
    ) -> list[float]:
        """The probabilities of spans.

        Args:
            spans: Row, first token, end (exclusive) and the rules of its type, of each span.
            lengths: Tokens of each row.
        """
        return [
            self.probability(rules, row=row, start=start, end=end, length=lengths[row])
            for row, start, end, rules in spans
        ]

    def probability(
        self, rules: SpanRules, *, row: int, start: int, end: int, length: int
    ) -> float:
        """The probability of a span.

        Args:
            rules: Of its type.
            row: Of the batch.
            start: Its first token.
            end: The token after its last one.
            length: Tokens of the row.
        """
        mass = {
            tag: self._marginals[start, row, tag]
            - (sum(self._pair(row, start, other, tag) for other in banned) if start else 0.0)
            for tag, banned in rules.first.items()
        }
        for t in range(start + 1, end):
            following: dict[int, float] = {}
            for tag, value in mass.items():
                for other in rules.inner.get(tag, ()):
                    share = value * self._given(row, t, tag, other)
                    following[other] = following.get(other, 0.0) + share
            mass = following
        total = 0.0
        for tag, value in mass.items():
            if tag in rules.last:
                longer = sum(self._given(row, end, tag, other) for other in rules.last[tag])
                total += value * (1.0 - longer if end < length else 1.0)
        return min(max(float(total), 0.0), 1.0)  # a tenth of the time of np.clip

    def expected(self, rules: Iterable[SpanRules], lengths: Sequence[int]) -> list[float]:
        """How many spans each row has, on the average over all tag sequences.

        Args:
            rules: Of every type.
            lengths: Tokens of each row.
        """
        begins = np.zeros(self._marginals.shape[:2])  # [time, batch], p(a span begins here)
        for tag, banned in chain.from_iterable(each.first.items() for each in rules):
            begins += self._marginals[:, :, tag]
            for other in banned:
                pair = self._alpha[:-1, :, other] * self._arriving[:, :, tag]
                begins[1:] -= pair * self._steps[other, tag]
        return [float(begins[:length, row].sum()) for row, length in enumerate(lengths)]

    def _pair(self, row: int, t: int, before: int, tag: int) -> float:
        """p(y_(t-1) = before, y_t = tag)."""
        value: float = (
            self._alpha[t - 1, row, before]
            * self._arriving[t - 1, row, tag]
            * self._steps[before, tag]
        )
        return value

    def _given(self, row: int, t: int, before: int, tag: int) -> float:
        """p(y_t = tag | y_(t-1) = before)."""
        if t >= len(self._marginals):
            return 0.0
        alone: float = self._marginals[t - 1, row, before]
        return self._pair(row, t, before, tag) / alone if alone > 0.0 else 0.0
