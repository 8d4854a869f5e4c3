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

import torch
from torch import Tensor

State = TypeVar("State", bound="Searchable")


class Searchable(Protocol):
    """What a state must offer."""

    def reorder(self: State, index: Tensor) -> State:
        """Return the state with the rows `index`; rows may be repeated, moved and left out."""
        ...


@dataclass(frozen=True)
class Step(Generic[State]):
    """What a model says about the next token."""

    log_probs: Tensor  # [rows, vocabulary], made anew by each step: the search writes into it
    state: State
    attention: Tensor | None = None  # [rows, source], of the same width at each step


StepFunction = Callable[[Tensor, State], Step[State]]  # (last tokens [rows], state before them)


class Hypothesis(NamedTuple):
    """A sequence that a search found."""

    tokens: list[int]  # without begin and end
    score: float  # what hypotheses are ranked by, see above
    log_prob: float  # of the tokens and the end
    attention: Tensor | None  # [tokens + 1, source], the last row is the end's


class Finished(NamedTuple):
    """A hypothesis that has got its end."""

    score: float
    log_prob: float
    time: int  # the step that gave the end
    row: int  # of that step


class Trail:
    """What each step has left, to read hypotheses from backwards."""

    def __init__(self, source_lengths: Tensor | None) -> None:
        self._source_lengths = None if source_lengths is None else source_lengths.tolist()
        self._tokens: list[list[int]] = []
        self._rows: list[list[int]] = []
        self._attention: list[Tensor] = []

    def add(self, tokens: Tensor, rows: Tensor, attention: Tensor | None) -> None:
        """Keep a step: its attention, and for each row of the next its last token and origin.

        Args:
            tokens: The last token of each row of the next step, `[rows]`.
            rows: Which row of this step it goes on from, `[rows]`.
            attention: Of this step, `[rows before, source]`; None without it.
        """
        self._tokens.append(tokens.tolist())
        self._rows.append(rows.tolist())
        if attention is not None:
            self._attention.append(attention)

    def read(self, sentence: int, finished: Finished) -> Hypothesis:
        """Follow a hypothesis back to the begin."""
        rows = [finished.row]
        tokens: list[int] = []
        for time in reversed(range(finished.time)):
            tokens.append(self._tokens[time][rows[-1]])
            rows.append(self._rows[time][rows[-1]])
        tokens.reverse()
        attention = None
        if self._attention:
            steps = zip(self._attention, reversed(rows), strict=False)  # it may have ended early
            attention = torch.stack([weights[row] for weights, row in steps])
            if self._source_lengths is not None:
                attention = attention[:, : self._source_lengths[sentence]]
        return Hypothesis(tokens, finished.score, finished.log_prob, attention)


def length_penalty_at(time: int | Tensor, alpha: float) -> Any:
    """Return what divides the log-probability of a hypothesis that got its end at step `time`."""
    return ((6 + time) / 6) ** alpha


def log_coverage(coverage: Tensor, sentences: Tensor, source_lengths: Tensor | None) -> Tensor:
    """Return sum_i log min(coverage_i, 1) of each row; `sentences` are the rows' numbers.

    Args:
        coverage: Attention summed over the steps, `[rows, source]`.
        sentences: Number of the sentence of each row, `[rows]`.
        source_lengths: Tokens of the sentences, `[sentences]`; None where all count.
    """
    logs = coverage.clamp(torch.finfo(coverage.dtype).tiny, 1.0).log()  # tiny: stay finite
    if source_lengths is not None:
        positions = torch.arange(coverage.shape[1], device=coverage.device)
        lengths = source_lengths.to(coverage.device)[sentences]
        logs = logs.masked_fill(positions >= lengths.unsqueeze(1), 0.0)
    return logs.sum(1)
