"""From the states of a text to one vector of fixed size, whatever its length.

Any of four ways, others of one's own, and their concatenation; padding never takes part. Which
token weighed how much is given back where attention is one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from rnnlp.models.encoders.base import EncoderOutput
from rnnlp.models.recurrence.cell import State
from rnnlp.models.search.tensors import array

from .ways import WAYS

# Ways of one's own by name, behind those. One is made with the width of a state, has an
# `output_size`, and takes states [batch, time, size] and lengths [batch] to [batch, output_size].
POOLINGS: dict[str, Any] = {}


def can_pool(ways: Sequence[str]) -> bool:
    """Whether there is at least one way, each of them known and named once."""
    return bool(ways) and set(ways) <= {*WAYS, *POOLINGS} and len(set(ways)) == len(ways)


class Pooled(NamedTuple):
    """What is left of a text."""

    vector: Tensor  # [batch, output_size]
    weights: Tensor | None  # [batch, time] attention, sums to 1, 0 at padding; None without it


class PooledSoFar(NamedTuple):
    """All that pooling keeps of the states of texts that go on; its size does not grow."""

    tokens: int  # how many
    largest: np.ndarray  # [batch, size]
    total: np.ndarray  # [batch, size], in float64
    peak: np.ndarray | None  # [batch, 1] the highest attention score; None without attention
    mass: np.ndarray | None  # [batch, 1] sum of exp(score - peak)
    weighted: np.ndarray | None  # [batch, size] sum of exp(score - peak) * state


class Pooling(nn.Module):
    """Pools the states of an encoder.

    "last" takes the final state of the last layer: for each direction the one after the last token
    that it reads. "max" and "mean" go over all states, number by number. "attention" is a weighted
    mean with weights softmax(v . tanh(W state + b)) (Yang et al. 2016, Lin et al. 2017).

    Args:
        size: Width of a state.
        ways: One or more of `WAYS` and `POOLINGS`; their vectors lie side by side, in the order of
            `WAYS` first.
        attention_size: Width of the hidden layer that attention weights come from.
    """

    def __init__(self, *, size: int, ways: Sequence[str], attention_size: int = 100) -> None:
        super().__init__()
        if not can_pool(ways):
            raise ValueError(
                f"pooling takes each of {', '.join([*WAYS, *POOLINGS])} at most once and at least "
                f"one of them, not {list(ways)}"
            )
        own = [POOLINGS[way](size) for way in ways if way in POOLINGS]
        self.own = nn.ModuleList(own)
        self.ways = tuple(way for way in WAYS if way in ways)
        self.size = size
        self.output_size = size * len(self.ways) + sum(one.output_size for one in own)
        self.attention: nn.Sequential | None = None
        if "attention" in ways:
            self.attention = nn.Sequential(
                nn.Linear(size, attention_size), nn.Tanh(), nn.Linear(attention_size, 1, bias=False)
            )

    def forward(self, encoded: EncoderOutput, lengths: Tensor) -> Pooled:
        """Pool each text.

        Args:
            encoded: What an encoder gave: states `[batch, time, size]` and final states.
            lengths: Number of tokens `[batch]`, at least 1.
        """
        states = encoded.states
        lengths = lengths.to(states.device)
        steps = torch.arange(states.shape[1], device=states.device)
        padding = (steps >= lengths.unsqueeze(1)).unsqueeze(2)  # [batch, time, 1]
        parts, weights = [], None
        for way in self.ways:
            if way == "last":
                parts.append(self._last(encoded.final))
            elif way == "max":
                parts.append(states.masked_fill(padding, -torch.inf).amax(1))
            elif way == "mean":
                total = states.masked_fill(padding, 0.0).sum(1)
                parts.append(total / lengths.unsqueeze(1).to(total.dtype))
            elif self.attention is not None:
                scores = self.attention(states).masked_fill(padding, -torch.inf)
                exact = torch.promote_types(scores.dtype, torch.float32)
                weights = scores.softmax(1, dtype=exact)  # [batch, time, 1]
                parts.append((states * weights.to(states.dtype)).sum(1))
        parts += [one(states, lengths) for one in self.own]
        vector = torch.cat(parts, 1)
        return Pooled(vector, None if weights is None else weights.squeeze(2))

    def add(self, states: np.ndarray, so_far: PooledSoFar | None) -> PooledSoFar:
        """Take in the next tokens of texts that are read bit by bit; `so_far` gives the pooled.

        Args:
            states: `[batch, time, size]`, none of them padding.
            so_far: What this returned for the tokens before; None for the first ones.

        Raises:
            ValueError: There is a way of one's own, which knows whole texts only.
        """
        if len(self.own):
            raise ValueError("a pooling of one's own cannot read a text bit by bit")
        largest, total = states.max(1), states.sum(1, dtype=np.float64)
        count = states.shape[1]
        peak, mass, weighted = None, None, None
        if self.attention is not None:
            weight = next(self.attention.parameters())
            scores = array(self.attention(torch.from_numpy(states).to(weight)))  # [batch, time, 1]
            peak = scores.max(1)
            shares = np.exp(scores - peak[:, None])
            mass, weighted = shares.sum(1), (states * shares).sum(1)
        if so_far is not None:
            largest = np.maximum(largest, so_far.largest)
            total, count = total + so_far.total, count + so_far.tokens
            if peak is not None and so_far.peak is not None:
                higher = np.maximum(peak, so_far.peak)
                new, old = np.exp(peak - higher), np.exp(so_far.peak - higher)
                peak = higher
                mass = mass * new + so_far.mass * old
                weighted = weighted * new + so_far.weighted * old
        return PooledSoFar(count, largest, total, peak, mass, weighted)

    def so_far(self, pooled: PooledSoFar, final: np.ndarray) -> np.ndarray:
        """The vector `[batch, output_size]` of texts up to the last token taken in.

        Args:
            pooled: What `add` returned for it.
            final: The state of the last layer after it, `[batch, size]`.
        """
        parts = []
        for way in self.ways:
            if way == "last":
                parts.append(final)
            elif way == "max":
                parts.append(pooled.largest)
            elif way == "mean":
                parts.append((pooled.total / pooled.tokens).astype(pooled.largest.dtype))
            elif pooled.weighted is not None:
                parts.append(pooled.weighted / pooled.mass)
        return np.concatenate(parts, 1)

    def _last(self, final: State) -> Tensor:
        hidden = final.hidden  # [layers * directions, batch, hidden_size]
        directions = self.size // hidden.shape[2]
        return hidden[-directions:].transpose(0, 1).flatten(1)

    def extra_repr(self) -> str:
        """Show the ways in `print(model)`."""
        return f"{self.size}, ways={'+'.join(self.ways)}"
