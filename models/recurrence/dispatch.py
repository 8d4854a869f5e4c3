"""Runs one recurrent layer over a padded batch by the fastest exact way there is.

`recur` is the one place where that way is chosen: our own layer (`models/recurrence/autograd.py`)
or a function of torch. Why not torch.nn's on a CPU: the backward pass of a packed sequence there
grows with the square of the length (pytorch#149194), and a padded one is wrong for the backward
direction. Where oneDNN's LSTM pays in training, torch's function is called so that padding changes
nothing.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext

import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from .autograd import PART_ROWS, UNIT_WORK, Recurrence, dividing, on_cores, parts_of, work_of
from .cell import Cell, Layer, State, Weights
from .matmul import one_dnn_serves
from .padded import run_padded
from .stepwise import run_stepwise
from .together import run_together

# Weights stay where `state_dict`, tied weights and optimisers have them. cuDNN packs them at each
# call, a copy of some megabytes on the GPU, and would warn of it.
warnings.filterwarnings("ignore", message="RNN module weights are not part of single contiguous")


def recur(
    cell: Cell,
    inputs: Tensor,
    lengths: Tensor,
    weights: Sequence[Weights],
    initial: State | None = None,
) -> tuple[Tensor, State]:
    """Run one layer over a padded batch.

    Args:
        cell: The recurrence.
        inputs: Tokens [batch, time, input_size]; what stands at padding is ignored.
        lengths: Number of tokens of each sequence [batch], int64 on the CPU, 1 to time.
        weights: One for each direction: forwards, or forwards and backwards.
        initial: State to start from, hidden (and cell) [directions, batch, hidden_size].

    Returns:
        The states [batch, time, directions * hidden_size], zeros at padding, and the state after
        the last token that each direction reads.
    """
    autocast = torch.is_autocast_enabled(inputs.device.type)
    if autocast:
        inputs = inputs.to(torch.get_autocast_dtype(inputs.device.type))
    dtype = inputs.dtype
    # bfloat16 and float16 lose what an LSTM's cell adds up over a sentence: on a CPU we compute in
    # float32 and give back what we were given.
    on_cpu = inputs.device.type == "cpu"
    compute = torch.float32 if on_cpu and dtype in (torch.bfloat16, torch.float16) else dtype
    inputs = inputs.to(compute)
    if weights[0].input.dtype != compute:
        weights = [Weights(*(parameter.to(compute) for parameter in one)) for one in weights]
    hidden, start_cell = initial if initial is not None else (None, None)
    hidden = None if hidden is None else hidden.to(compute)
    start_cell = None if start_cell is None else start_cell.to(compute)

    run = _way(cell, inputs, lengths, weights, initial is None)
    # To switch off what is off would take as long as some steps of one sentence.
    with torch.autocast(inputs.device.type, enabled=False) if autocast else nullcontext():
        states, hidden, last_cell = run(Layer(cell, inputs, lengths, weights, hidden, start_cell))
    if compute != dtype:
        states, hidden = states.to(dtype), hidden.to(dtype)
        last_cell = None if last_cell is None else last_cell.to(dtype)
    return states, State(hidden, last_cell)


LayerOutput = tuple[Tensor, Tensor, Tensor | None]  # states, last hidden, last cell


def _way(
    cell: Cell,
    inputs: Tensor,
    lengths: Tensor,
    weights: Sequence[Weights],
    from_zeros: bool,
) -> Callable[[Layer], LayerOutput]:
    """The choice: the first row that fits.

    | where | cell | batch | way |
    |---|---|---|---|
    | anywhere | of one's own | | step by step |
    | CPU | without a function of torch | | our own layer |
    | GPU | without a function of torch | | in parallel over time |
    | GPU | with one | without padding | cuDNN |
    | GPU | with one | padded | cuDNN, packed |
    | CPU, nothing learned | GRU | `_worth_one_core`, several rows or directions | all at once |
    | the same | LSTM from zeros | `_worth_one_core`, several rows | torch's function, padded |
    | CPU | LSTM; others where nothing is learned | few sequences of one length | torch's function |
    | the same, nothing learned | of both directions | `_worth_two` | it, a direction on each core |
    | CPU, learning | LSTM of float32 that oneDNN serves | `_worth_padding` | oneDNN, padded |
    | CPU | any | any | our own layer |
    """
    on_cpu, learning = inputs.device.type == "cpu", torch.is_grad_enabled()
    full = int(lengths.min()) == inputs.shape[1]
    if cell.forward is None:
        return run_stepwise
    if cell.library is None:
        return _own if on_cpu else _scanned
    if not on_cpu:
        return _library_full if full else _library_packed
    time, few = inputs.shape[1], full and len(lengths) < PART_ROWS
    if not learning and _worth_one_core(cell, lengths, time, weights):
        if cell.together is not None and (not few or (len(weights) == 2 and time >= 10)):
            return run_together
        if cell.keeping is not None and from_zeros and not few:
            return _library_padded
    # No padding, and no rows to share out: torch's functions are as good or better, but for the
    # backward pass of RNN and GRU.
    if few and (cell.keeping is not None or not learning):
        return _library_full if learning or not _worth_two(lengths, weights) else _library_apart
    serves = cell.keeping is not None and one_dnn_serves(weights[0].hidden)
    if learning and serves and parts_of(lengths, weights) == 1 and _worth_padding(lengths, time):
        return run_padded
    return _own


def _worth_one_core(cell: Cell, lengths: Tensor, time: int, weights: Sequence[Weights]) -> bool:
    """Whether all sequences at once on one core, padding and all, are faster than a core for each
    unit of our own layer: what a step takes around its products then matters more than these.

    Args:
        cell: The recurrence.
        lengths: Number of tokens of each sequence, `[batch]`.
        time: Padded length of the batch.
        weights: Of each direction.
    """
    cores = min(torch.get_num_threads(), len(weights) * parts_of(lengths, weights))
    most = UNIT_WORK * (4 if cell.together is None else 16)  # oneDNN has little around them
    return len(lengths) * time <= 1024 and (cores == 1 or work_of(lengths, weights) <= most)


def _worth_two(lengths: Tensor, weights: Sequence[Weights]) -> bool:
    """Whether two directions are worth a core each; torch has both share each small product."""
    enough = work_of(lengths, weights) >= 2 * UNIT_WORK
    return enough and len(weights) == 2 and torch.get_num_threads() > 1


def _worth_padding(lengths: Tensor, time: int) -> bool:
    """Whether oneDNN's LSTM over a padded batch trains faster than our own layer over its tokens.

    Both have one core for each direction (where our own layer would share a direction out among
    cores, it is taken). Below 16 steps both take as long, and with many sequences the products of
    our own layer are as large as oneDNN's, without padding. With few sequences two loops of small
    operations, one on each core, hinder each other, and more padding is worth it.
    """
    sequences, positions = len(lengths), len(lengths) * time
    filled = int(lengths.sum()) / positions
    enough = 0.7 if sequences <= 16 and torch.get_num_threads() > 1 else 0.9
    return time >= 16 and sequences <= 32 and positions <= 2048 and filled >= enough


def _own(layer: Layer) -> LayerOutput:
    """The cell's own functions, a unit for each core."""
    cell, inputs, lengths, weights, hidden, start_cell = layer
    parameters = [parameter for direction in weights for parameter in direction]
    tensors = [inputs, hidden, start_cell, *parameters]
    keep = torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors)
    states, last, last_cell = Recurrence.apply(
        cell, keep, lengths, inputs, hidden, start_cell, *parameters
    )
    return states, last, last_cell if cell.has_cell else None


def _scanned(layer: Layer) -> LayerOutput:
    """A cell whose gates do not read the state, in parallel over time."""
    cell, inputs, lengths, weights, hidden, _ = layer
    assert cell.scan is not None
    return *cell.scan(inputs, lengths, weights, hidden), None


def _library_full(layer: Layer) -> LayerOutput:
    """torch's function on a batch without padding."""
    cell, inputs, _, weights, *_ = layer
    flat, start = _library_arguments(layer)
    two = len(weights) == 2
    training = torch.is_grad_enabled()
    states, *last = cell.library(inputs, start, flat, True, 1, 0.0, training, two, True)
    return states, last[0], last[1] if cell.has_cell else None


def _library_padded(layer: Layer) -> LayerOutput:
    """torch's function on a padded batch whose sequences start from zeros, nothing being learned.

    As in `padded.py` one further input says that a token is padding, at which the cell keeps its
    state. The backward direction meets padding first, and zeros are what it keeps.
    """
    cell, inputs, lengths, weights, *_ = layer
    (batch, time, _), size = inputs.shape, weights[0].hidden.shape[1]
    padding = (torch.arange(time) >= lengths.unsqueeze(1)).unsqueeze(2)  # [batch, time, 1]
    keeping = inputs.new_tensor(cell.keeping).repeat_interleave(size).unsqueeze(1)
    with dividing(units=1):
        states, last, last_cell = _library_full(
            layer._replace(
                inputs=torch.cat((inputs.masked_fill(padding, 0.0), padding.to(inputs)), 2),
                weights=[own._replace(input=torch.cat((own.input, keeping), 1)) for own in weights],
            )
        )
        last[0] = states[torch.arange(batch), lengths - 1, :size]  # its output gate is not shut
        return states.masked_fill_(padding, 0.0), last, last_cell


def _library_apart(layer: Layer) -> LayerOutput:
    """The same, each direction on a core of its own; nothing is kept for a backward pass."""

    def run(direction: int) -> LayerOutput:
        one = slice(direction, direction + 1)
        inputs, hidden, start_cell = layer.inputs, layer.hidden, layer.start_cell
        states, last, last_cell = _library_full(
            layer._replace(
                inputs=inputs.flip(1) if direction else inputs,
                weights=layer.weights[one],
                hidden=None if hidden is None else hidden[one],
                start_cell=None if start_cell is None else start_cell[one],
            )
        )
        return states.flip(1) if direction else states, last, last_cell

    with dividing(units=2):
        (ahead, last, last_cell), (back, other, other_cell) = on_cores(run, range(2), 2)
    if last_cell is not None and other_cell is not None:
        last_cell = torch.cat((last_cell, other_cell))
    return torch.cat((ahead, back), 2), torch.cat((last, other)), last_cell


def _library_packed(layer: Layer) -> LayerOutput:
    """torch's function on a packed sequence."""
    cell, inputs, lengths, weights, hidden, start_cell = layer
    packed = pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False)
    order, back = packed.sorted_indices, packed.unsorted_indices
    assert order is not None and back is not None
    flat, start = _library_arguments(
        layer._replace(
            hidden=None if hidden is None else hidden.index_select(1, order),
            start_cell=None if start_cell is None else start_cell.index_select(1, order),
        )
    )
    data, *last = cell.library(
        packed.data,
        packed.batch_sizes,
        start,
        flat,
        True,
        1,
        0.0,
        torch.is_grad_enabled(),
        len(weights) == 2,
    )
    states, _ = pad_packed_sequence(
        packed._replace(data=data), batch_first=True, total_length=inputs.shape[1]
    )
    last = [part.index_select(1, back) for part in last]
    return states, last[0], last[1] if cell.has_cell else None


def _library_arguments(
    layer: Layer,
) -> tuple[list[Tensor], Tensor | tuple[Tensor, Tensor]]:
    """The weights and the initial state as torch's functions take them."""
    cell, inputs, _, weights, hidden, start_cell = layer
    flat = [parameter for direction in weights for parameter in direction]
    if hidden is None:
        hidden = inputs.new_zeros(len(weights), inputs.shape[0], weights[0].hidden.shape[1])
    if not cell.has_cell:
        return flat, hidden
    return flat, (hidden, torch.zeros_like(hidden) if start_cell is None else start_cell)
