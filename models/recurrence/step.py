"""One step of a recurrence: one token of each sequence, for search and streams."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .cells import Cell, State, Weights


def step(cell: Cell, inputs: Tensor, weights: Weights, state: State) -> State:
    """The state after one token: `inputs` [batch, input_size], state [1, batch, hidden_size]."""
    before = state.hidden[0]
    of_input = F.linear(inputs, weights.input, weights.input_bias)
    if cell == "mingru":
        z, n = of_input.chunk(2, 1)
        return State(torch.lerp(n, before, z.sigmoid()).unsqueeze(0))
    of_hidden = F.linear(before, weights.hidden, weights.hidden_bias)
    if cell == "lstm":
        assert state.cell is not None
        i, f, g, o = (of_input + of_hidden).chunk(4, 1)
        c = f.sigmoid() * state.cell[0] + i.sigmoid() * g.tanh()
        return State((o.sigmoid() * c.tanh()).unsqueeze(0), c.unsqueeze(0))
    if cell == "gru":
        i_r, i_z, i_n = of_input.chunk(3, 1)
        h_r, h_z, q = of_hidden.chunk(3, 1)
        n = (i_n + (i_r + h_r).sigmoid() * q).tanh()
        return State(torch.lerp(n, before, (i_z + h_z).sigmoid()).unsqueeze(0))
    total = of_input + of_hidden
    return State((total.tanh() if cell == "rnn" else total.relu()).unsqueeze(0))
