"""The three recurrences (simple RNN, LSTM, GRU) over sequences of different lengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

Cell = Literal["rnn", "rnn_relu", "lstm", "gru"]
CELLS: tuple[Cell, ...] = ("rnn", "rnn_relu", "lstm", "gru")
GATES: dict[Cell, int] = {"rnn": 1, "rnn_relu": 1, "lstm": 4, "gru": 3}


class Weights(NamedTuple):
    """The parameters of one direction of one layer, shaped and ordered as torch.nn has them."""

    input: Tensor  # [gates * hidden_size, input_size]
    hidden: Tensor  # [gates * hidden_size, hidden_size]
    input_bias: Tensor  # [gates * hidden_size]
    hidden_bias: Tensor  # [gates * hidden_size]


class State(NamedTuple):
    """What a recurrence carries from one token to the next."""

    hidden: Tensor  # [layers * directions, batch, hidden_size]
    cell: Tensor | None = None  # the same shape; LSTM only

    def reorder(self, index: Tensor) -> State:
        """The state with the rows of the batch picked (and repeated) by `index` [new batch]."""
        cell = None if self.cell is None else self.cell.index_select(1, index)
        return State(self.hidden.index_select(1, index), cell)


def recur(
    cell: Cell,
    inputs: Tensor,
    lengths: Tensor,
    weights: Sequence[Weights],
    initial: State | None = None,
) -> tuple[Tensor, State]:
    """Run one layer over a padded batch: one direction, or two when two weights are given."""
    packed = pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False)
    hidden_size = weights[0].hidden.shape[1]
    if initial is None:
        zeros = inputs.new_zeros(len(weights), inputs.shape[0], hidden_size)
        initial = State(zeros, zeros if cell == "lstm" else None)
    if packed.sorted_indices is not None:
        initial = initial.reorder(packed.sorted_indices)
    flat = [parameter for direction in weights for parameter in direction]
    kernel = {
        "rnn": torch._VF.rnn_tanh,
        "rnn_relu": torch._VF.rnn_relu,
        "lstm": torch._VF.lstm,
        "gru": torch._VF.gru,
    }[cell]
    start = (initial.hidden, initial.cell) if cell == "lstm" else initial.hidden
    data, *final = kernel(
        packed.data, packed.batch_sizes, start, flat, True, 1, 0.0, False, len(weights) == 2
    )
    outputs, _ = pad_packed_sequence(
        packed._replace(data=data), batch_first=True, total_length=inputs.shape[1]
    )
    state = State(*final)
    if packed.unsorted_indices is not None:
        state = state.reorder(packed.unsorted_indices)
    return outputs, state


def step(cell: Cell, inputs: Tensor, weights: Weights, state: State) -> State:
    """The state after one token: `inputs` [batch, input_size], state [1, batch, hidden_size]."""
    hidden = state.hidden[0]
    if cell == "lstm":
        assert state.cell is not None
        h, c = torch._VF.lstm_cell(inputs, (hidden, state.cell[0]), *weights)
        return State(h.unsqueeze(0), c.unsqueeze(0))
    kernel = {
        "rnn": torch._VF.rnn_tanh_cell,
        "rnn_relu": torch._VF.rnn_relu_cell,
        "gru": torch._VF.gru_cell,
    }[cell]
    return State(kernel(inputs, hidden, *weights).unsqueeze(0))
