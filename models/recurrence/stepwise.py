"""A layer step by step, by plain operations of torch: exact for every cell, and slow.

For cells that have no fast functions, and for derivatives of derivatives: autograd sees every
operation.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .cell import Layer, State


def run_stepwise(layer: Layer) -> tuple[Tensor, Tensor, Tensor | None]:
    """One layer over a padded batch; results are those of the ways in `dispatch.py`."""
    cell, inputs, lengths, weights, hidden, start_cell = layer
    batch, time, _ = inputs.shape
    size = weights[0].input.shape[0] // cell.gates
    inside = torch.arange(time, device=inputs.device) < lengths.to(inputs.device).unsqueeze(1)
    clean = inputs.masked_fill(~inside.unsqueeze(2), 0.0)
    states, finals = [], []
    for direction, weight in enumerate(weights):
        zeros = inputs.new_zeros(1, batch, size)
        state = State(
            zeros if hidden is None else hidden[direction : direction + 1],
            (zeros if start_cell is None else start_cell[direction : direction + 1])
            if cell.has_cell
            else None,
        )
        outputs: list[Tensor] = [inputs.new_empty(0)] * time
        for t in reversed(range(time)) if direction else range(time):
            here = inside[:, t].unsqueeze(1)  # [batch, 1]
            after = cell.step(clean[:, t], weight, state)
            outputs[t] = after.hidden[0].masked_fill(~here, 0.0)
            state = State(
                torch.where(here, after.hidden, state.hidden),
                None
                if after.cell is None or state.cell is None
                else torch.where(here, after.cell, state.cell),
            )
        states.append(torch.stack(outputs, 1))
        finals.append(state)
    cells = [final.cell for final in finals if final.cell is not None]
    return (
        torch.cat(states, 2),
        torch.cat([final.hidden for final in finals]),
        torch.cat(cells) if cells else None,
    )
