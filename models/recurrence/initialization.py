"""What recurrent weights start from, where torch.nn's small random numbers are not wanted.

Three choices that matter for how long a fresh recurrence remembers: recurrent weights that neither
shrink nor stretch the state, and gates that start nearly open towards the old state, all alike or
each for a span of its own. It changes weights that are drawn already, and knows no layers.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from .cell import Cell, Weights


class Initial(NamedTuple):
    """The choices; the constructor of `Encoder` says what each of them means."""

    orthogonal: bool = False
    forget_bias: float | None = None
    memory_span: int | None = None

    def check(self, cell: Cell) -> None:
        """Refuses what the cell has no use for.

        Raises:
            ValueError: A choice that cannot be followed.
        """
        if self.orthogonal and not cell.recurrent:
            raise ValueError(
                f"orthogonal is true, but {cell.title} has no recurrent weights: set it to false"
            )
        for name in ("forget_bias", "memory_span"):
            value = getattr(self, name)
            if value is not None and cell.keeps is None:
                raise ValueError(
                    f"{name} is {value}, but a {cell.title} has no gate to start: leave it out, or "
                    "take lstm, gru, mingru or ssru"
                )
        if self.forget_bias is not None and self.memory_span is not None:
            raise ValueError("forget_bias and memory_span start the same gates: give one of them")
        if self.memory_span is not None and self.memory_span < 2:
            raise ValueError(f"memory_span must be at least 2 tokens, not {self.memory_span}")

    @torch.no_grad()
    def apply(self, cell: Cell, weights: Weights) -> None:
        """Changes the weights of one direction of one layer in place."""
        size = weights.hidden.shape[1]
        if self.orthogonal:
            for gate in weights.hidden.split(size):
                nn.init.orthogonal_(gate)
        if self.forget_bias is None and self.memory_span is None:
            return
        assert cell.keeps is not None
        rows = slice(cell.keeps * size, (cell.keeps + 1) * size)
        if len(weights.hidden_bias):
            weights.hidden_bias[rows] = 0.0
        if self.forget_bias is not None:
            weights.input_bias[rows] = self.forget_bias
        if self.memory_span is not None:
            # A gate of s(log v) = 1 - 1 / (1 + v) keeps its state for about v tokens.
            span = torch.rand(size, device=weights.input_bias.device) * (self.memory_span - 1) + 1
            weights.input_bias[rows] = span.log().to(weights.input_bias.dtype)
            if cell.has_cell:  # the input gate lets in as much as the forget gate lets go
                weights.input_bias[:size] = -weights.input_bias[rows]
                weights.hidden_bias[:size] = 0.0
