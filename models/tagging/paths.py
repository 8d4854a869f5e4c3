"""Tag sequences on arrays: the best one, and sums over all of them, for answers in use.

What `crf.py`, `softmax.py` and `viterbi.py` do on tensors, where a network trains, and explain; it
stands here once more because what has left the workshop does without torch, and because for one
sentence a step on arrays takes half the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from .spans import Lattice, SpanPosterior, SpanRules

_PAIRS = 1 << 18  # pairs of tags, of all rows, that are looked at at once: they stay in the cache
_TINY = np.finfo(np.float64).tiny


class Paths:
    """What scores sequences of tags, besides emissions; `-inf` forbids.

    Args:
        steps: Of a tag after another, `[tags, tags]`.
        start: Of the first tag, `[tags]`.
        end: Of the last tag, `[tags]`.
        crf: Whether they say how probable a sequence is; else its tokens are independent, and they
            only keep the search from illegal paths.
    """

    def __init__(self, steps: np.ndarray, start: np.ndarray, end: np.ndarray, *, crf: bool) -> None:
        self.steps, self.start, self.end = (
            np.asarray(part, np.float64) for part in (steps, start, end)
        )
        self.crf = crf

    def decode(self, emissions: np.ndarray, lengths: np.ndarray) -> Decoded:
        """The best tags of a batch `[batch, time, tags]`, and on demand how sure they are."""
        emissions = emissions.astype(np.float64)
        return Decoded(self.best(emissions, lengths), emissions, lengths, self)

    def best(self, emissions: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """The tags `[batch, time]` of the highest total score, -1 at padding; the lower wins a tie.

        Args:
            emissions: `[batch, time, tags]`, in float64: long sums lose too much in float32.
            lengths: `[batch]`, at least 1 each.
        """
        batch, time, size = emissions.shape
        at_once = max(1, _PAIRS // size**2)
        if batch > at_once:
            places = range(at_once, batch, at_once)
            parts = zip(np.split(emissions, places), np.split(lengths, places), strict=True)
            return np.concatenate([self.best(some, own) for some, own in parts])
        best = np.array(emissions.swapaxes(0, 1), order="C")  # [time, batch, tags]
        best[0] += self.start
        steps, routes = self.steps[:, None], np.empty((size, batch, size))  # [from, batch, to]
        peak = np.empty((batch, size))
        for before, here in pairwise(list(best)):
            np.add(before.T[:, :, None], steps, out=routes)
            np.maximum.reduce(routes, axis=0, out=peak)
            np.add(here, peak, out=here)
        last, arrivals = lengths - 1, self._arrivals
        ragged = bool((last != time - 1).any())
        if batch == 1 and not ragged:  # numbers take half the time of arrays of one
            path = [int((best[-1, 0] + self.end).argmax())]
            for here in best[-2::-1, 0]:
                path.append(int((here + arrivals[path[-1]]).argmax()))
            return np.array([path[::-1]])
        final = tag = (best[last, np.arange(batch)] + self.end).argmax(1)
        tags = np.empty((time, batch), np.int64)
        tags[-1] = tag
        for t in range(time - 2, -1, -1):
            tag = (best[t] + arrivals[tag]).argmax(1)
            if ragged:
                tag = np.where(last > t, tag, final)
            tags[t] = tag
        if ragged:
            tags[np.arange(time)[:, None] > last] = -1
        return tags.T

    def lattice(
        self,
        emissions: np.ndarray,
        lengths: np.ndarray,
        *,
        before: np.ndarray | None = None,
        goes_on: bool = False,
    ) -> Lattice:
        """What forward and backward sums say of a batch; `crf.py` explains them.

        Args:
            emissions: `[batch, time, tags]`, in float64.
            lengths: `[batch]`, at least 1 each.
            before: `[tags]`: the log of the summed scores of all that may come before the first
                position, for each tag there; None where sentences begin.
            goes_on: Whether sentences may go on after the last position, so that no tag is asked to
                be a legal last one.
        """
        batch, time, _ = emissions.shape
        ahead = np.exp(emissions.swapaxes(0, 1) - emissions.swapaxes(0, 1).max(2, keepdims=True))
        if not self.crf:
            shares = _normalised(ahead)
            return Lattice(None, shares, shares, shares[1:], np.ones_like(self.steps))
        clock, rows = np.arange(time)[:, None], np.arange(batch)
        mirror = np.where(clock < lengths, lengths - 1 - clock, clock)  # undoes itself
        weights = np.stack((ahead, ahead[mirror, rows]), 1)  # [time, 2, batch, tags]
        steps, start, end = self._exponentials
        products = np.stack((steps, steps.T))
        into, out = np.empty_like(weights), np.empty_like(weights)
        into[0, 0] = start if before is None else np.exp(before - before.max())
        into[0, 1] = np.ones_like(end) if goes_on else end
        total = np.empty((2, batch, 1))
        previous = None
        for arrived, here, weight in zip(into, out, weights, strict=True):
            if previous is not None:
                np.matmul(previous, products, out=arrived)
            np.multiply(arrived, weight, out=here)
            np.add.reduce(here, axis=2, keepdims=True, out=total, initial=_TINY)
            np.divide(here, total, out=here)
            previous = here
        alpha = out[:, 0]
        marginals = _normalised(into[:, 1][mirror, rows] * alpha)
        arriving = out[:, 1][mirror, rows][1:]
        between = (into[1:, 0] * arriving).sum(2, keepdims=True)
        return Lattice(None, alpha, marginals, arriving / np.maximum(between, _TINY), steps)

    def arriving(self, sums: np.ndarray) -> np.ndarray:
        """What a step adds up to, but for a constant.

        Args:
            sums: The log of the summed scores of all that ends with each tag, `[tags]`.

        Returns:
            The same of all that may come before each tag of the next token.
        """
        mass = np.exp(sums - sums.max()) @ self._exponentials[0]
        return np.log(np.maximum(mass, _TINY))

    @cached_property
    def _arrivals(self) -> np.ndarray:
        return np.ascontiguousarray(self.steps.T)  # [to, from]

    @cached_property
    def _exponentials(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        steps, start, end = (
            np.exp(part - part.max()) for part in (self.steps, self.start, self.end)
        )
        return steps, start, end


class Decoded(NamedTuple):
    """The best tags of a batch, and on demand how sure the model is of them."""

    tags: np.ndarray  # [batch, time], -1 at padding
    emissions: np.ndarray  # [batch, time, tags]
    lengths: np.ndarray  # [batch]
    paths: Paths

    def span_scores(self, spans: Sequence[tuple[int, int, int, SpanRules]]) -> list[float]:
        """The exact probabilities of spans, each the sum over all tag sequences with it.

        Args:
            spans: Row, first token, end (exclusive) and the rules of its type, of each span.
        """
        return self._posterior().probabilities(spans, self.lengths.tolist()) if spans else []

    def expected_spans(self, rules: Iterable[SpanRules]) -> list[float]:
        """How many spans each row has, on the average over all tag sequences.

        Args:
            rules: Of every type.
        """
        return self._posterior().expected(rules, self.lengths.tolist())

    def marginals(self) -> np.ndarray:
        """The probability of each tag of each token, [batch, time, tags], junk at padding."""
        marginals = self.paths.lattice(self.emissions, self.lengths).marginals
        return np.asarray(marginals).transpose(1, 0, 2)

    def _posterior(self) -> SpanPosterior:
        return SpanPosterior(self.paths.lattice(self.emissions, self.lengths))


def _normalised(values: np.ndarray) -> np.ndarray:
    return values / np.maximum(values.sum(-1, keepdims=True), _TINY)
