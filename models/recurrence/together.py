"""A layer where nothing is learned, on a CPU: at each step all sequences and directions at once.

A step of a direction is a product and a handful of operations around it, and with few sequences
these take as long as the product. Side by side two directions need as many of them as one.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .autograd import dividing
from .cell import Layer

_KEEP = 1e4  # s is exactly 1 there, whatever the state adds to it


def run_together(layer: Layer) -> tuple[Tensor, Tensor, Tensor | None]:
    """One layer over a padded batch; results are those of the ways in `dispatch.py`.

    The backward direction reads the padded batch from its end. What stands at padding is read too,
    before the first token or after the last, with the gate shut that would let it into the state.
    """
    cell, inputs, lengths, weights, hidden, _ = layer
    (batch, time, _), size = inputs.shape, weights[0].hidden.shape[1]
    assert cell.together is not None and cell.keeps is not None
    steps = inputs.transpose(0, 1)  # [time, batch, input_size]
    outside = torch.arange(time).unsqueeze(1) >= lengths  # [time, batch]
    padded = bool(outside.any())
    of_input = inputs.new_empty(time, len(weights), batch, cell.gates * size)
    for direction, (own, sums) in enumerate(zip(weights, of_input.unbind(1), strict=True)):
        read = F.linear(steps, own.input, own.input_bias)
        if padded:
            read.masked_fill_(outside.unsqueeze(2), 0.0)
            keeping = read[:, :, cell.keeps * size : (cell.keeps + 1) * size]
            keeping.masked_fill_(outside.unsqueeze(2), _KEEP)
        sums.copy_(read.flip(0) if direction else read)
    with dividing(units=1):  # no step waits for another core
        states = cell.together(
            of_input,
            torch.stack([own.hidden for own in weights]).transpose(1, 2),
            torch.stack([own.hidden_bias for own in weights]).unsqueeze(1),
            inputs.new_zeros(len(weights), batch, size) if hidden is None else hidden,
        )  # [time, directions, batch, hidden_size]
    ahead = [own.flip(0) if back else own for back, own in enumerate(states.unbind(1))]
    joined = torch.cat([own.transpose(0, 1) for own in ahead], 2)
    if padded:
        joined.masked_fill_(outside.t().unsqueeze(2), 0.0)
    return joined, states[-1].clone(), None
