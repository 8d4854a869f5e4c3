"""What a search takes and gives, and what a hypothesis is worth.

A search does not copy the tokens of a row when it branches: every step leaves its tokens and the
rows they came from (`Trail`), and a hypothesis is read off backwards once it is to be returned.

Hypotheses are ranked by (Wu et al. 2016, arXiv 1609.08144, equation 14)

    score(Y) = log P(Y) / ((5 + |Y|) / 6)^alpha + beta * sum_i log min(sum_j p_ij, 1)

where |Y| counts the end token, i runs over the source, j over the steps and p is the attention.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np

State = TypeVar("State", bound="Searchable")


class Searchable(Protocol):
    """What a state must offer."""

    def reorder(self: State, index: Any) -> State:
        """Return the state with the rows `index`; rows may be repeated, moved and left out."""
        ...


@dataclass(frozen=True)
class Step(Generic[State]):
    """What a model says about the next token, as arrays or as tensors."""

    log_probs: Any  # [rows, vocabulary], made anew by each step: the search writes into it
    state: State
    attention: Any = None  # [rows, source], of the same width at each step


StepFunction = Callable[[Any, State], Step[State]]  # (last tokens [rows], state before them)


class Hypothesis(NamedTuple):
    """A sequence that a search found."""

    tokens: list[int]  # without begin and end
    score: float  # what hypotheses are ranked by, see above
    log_prob: float  # of the tokens and the end
    attention: np.ndarray | None  # [tokens + 1, source], the last row is the end's


class Finished(NamedTuple):
    """A hypothesis that has got its end."""

    score: float
    log_prob: float
    time: int  # the step that gave the end
    row: int  # of that step


class Trail:
    """What each step has left, to read hypotheses from backwards.

    Args:
        source_lengths: Tokens of the sentences, `[sentences]`; None where all count.
    """

    def __init__(self, source_lengths: np.ndarray | None) -> None:
        self._source_lengths = source_lengths
        self._steps: list[tuple[list[int], list[int]]] = []
        self._attention: list[np.ndarray] = []

    def add(self, tokens: np.ndarray, rows: np.ndarray, attention: np.ndarray | None) -> None:
        """Keep a step: its attention, and for each row of the next its last token and origin.

        Args:
            tokens: The last token of each row of the next step, `[rows]`.
            rows: Which row of this step it goes on from, `[rows]`.
            attention: Of this step, `[rows before, source]`; None without it.
        """
        self._steps.append((tokens.tolist(), rows.tolist()))
        if attention is not None:
            self._attention.append(attention)

    def read(self, sentence: int, finished: Finished) -> Hypothesis:
        """Follow a hypothesis back to the begin."""
        rows = [finished.row]
        tokens: list[int] = []
        for last, origin in reversed(self._steps[: finished.time]):
            tokens.append(last[rows[-1]])
            rows.append(origin[rows[-1]])
        attention = None
        if self._attention:
            steps = zip(self._attention, reversed(rows), strict=False)  # it may have ended early
            attention = np.stack([weights[row] for weights, row in steps])
            if self._source_lengths is not None:
                attention = attention[:, : self._source_lengths[sentence]]
        return Hypothesis(tokens[::-1], finished.score, finished.log_prob, attention)


def length_penalty_at(time: Any, alpha: float) -> Any:
    """Return what divides the log-probability of a hypothesis that got its end at step `time`."""
    return ((6 + time) / 6) ** alpha
