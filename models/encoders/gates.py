"""An encoder step by step, with every gate that it computes on the way: for looking at.

The same equations as `Encoder.forward`, by plain operations (`Cell.values`), hence slow, and
without dropout.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rnnlp.models.recurrence.cell import Cell, State, Weights, state_of

from .bag import BagEncoder
from .recurrent import Encoder, states_before
from .windowed import WindowedEncoder


@torch.no_grad()
def gate_values(
    encoder: Encoder | BagEncoder | WindowedEncoder, embedded: Tensor
) -> list[dict[str, Tensor]]:
    """The values of the gates of one sequence, of all layers.

    Args:
        encoder: Reads it. Windows each begin at zero, as in its `forward`.
        embedded: `[time, input_size]`.

    Returns:
        For each layer, and within it each direction, what the equations of the cell name, each
        `[time, hidden_size]` in the order of the text, `h` among them; of a cell without
        `Cell.values` its states alone.

    Raises:
        ValueError: An encoder without recurrent layers.
    """
    if isinstance(encoder, WindowedEncoder) and isinstance(encoder.encoder, Encoder):
        windows = [gate_values(encoder.encoder, part) for part in embedded.split(encoder.window)]
        return [
            {name: torch.cat([one[name] for one in same]) for name in same[0]}
            for same in zip(*windows, strict=True)
        ]
    if not isinstance(encoder, Encoder):
        raise ValueError("an encoder without recurrent layers has no gates")
    values, states = [], embedded
    read, lengths = embedded, torch.tensor([len(embedded)])
    for layer in range(encoder.num_layers):
        both = [
            _one_way(encoder.kind, read, weights, encoder.start(1), backwards=bool(direction))
            for direction, weights in enumerate(encoder.weights(layer))
        ]
        values += both
        after = torch.cat([one["h"] for one in both], 1)
        states = read = encoder.finish(layer, states, after)
        if encoder.look_back and layer + 1 < encoder.num_layers:
            before = states_before(after.unsqueeze(0), lengths, None, encoder.directions)
            read = encoder.with_before(layer + 1, states, before[0])
    return values


def _one_way(
    cell: Cell, inputs: Tensor, weights: Weights, zeros: State, *, backwards: bool
) -> dict[str, Tensor]:
    """The values of one direction; `zeros` is any state of zeros."""
    state = State(zeros.hidden[:1], None if zeros.cell is None else zeros.cell[:1])
    steps = []
    for token in reversed(inputs.split(1)) if backwards else inputs.split(1):
        if cell.values is not None:
            named = cell.values(token, weights, state)
            state = state_of(named)
        else:
            state = cell.step(token, weights, state)
            named = {} if state.cell is None else {"c": state.cell[0]}
            named["h"] = state.hidden[0]
        steps.append(named)
    if backwards:
        steps.reverse()
    return {name: torch.cat([step[name] for step in steps]) for name in steps[0]}
