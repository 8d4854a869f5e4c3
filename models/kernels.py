"""Runs one recurrent layer over a padded batch by the fastest exact way there is.

`recur` is the one place where that way is chosen. The equations are in `models/recurrence.py`,
the layout in `models/packing.py`; this module joins them to autograd and to the cores.

Why not `torch.nn` on a CPU: the backward pass of a packed sequence there grows with the square of
the length (pytorch#149194), and each small product is shared out among all cores and waited for.
Here each core has work of its own, a direction or a share of the sequences, from the first step to
the last.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from . import recurrence
from .packing import Unit, make_unit
from .products import one_dnn_serves
from .recurrence import Backward, Cell, Forward, State, Weights

PART_ROWS = 8  # a core gets no fewer sequences than this: smaller products waste it
UNIT_WORK = 5_000_000  # nor fewer multiplications: handing a unit over takes a tenth of that

Item = TypeVar("Item")
Result = TypeVar("Result")


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
    if torch.is_autocast_enabled(inputs.device.type):
        inputs = inputs.to(torch.get_autocast_dtype(inputs.device.type))
    dtype = inputs.dtype
    # bfloat16 and float16 lose what an LSTM's cell adds up over a sentence: a CPU, which gains
    # little from them, computes in float32 and gives back what it was given.
    on_cpu = inputs.device.type == "cpu"
    compute = torch.float32 if on_cpu and dtype in (torch.bfloat16, torch.float16) else dtype
    inputs = inputs.to(compute)
    weights = [Weights(*(parameter.to(compute) for parameter in one)) for one in weights]
    hidden, start_cell = initial if initial is not None else (None, None)
    hidden = None if hidden is None else hidden.to(compute)
    start_cell = None if start_cell is None else start_cell.to(compute)

    # The choice.
    full = int(lengths.min()) == inputs.shape[1]
    if not on_cpu:  # cuDNN
        run = _library_full if full else _library_packed
    elif (
        not torch.is_grad_enabled() and full and inputs.shape[0] < PART_ROWS
    ):  # one sentence: no padding
        run = _library_full
    else:
        run = _own
    with torch.autocast(inputs.device.type, enabled=False):
        states, hidden, last_cell = run(cell, inputs, lengths, weights, hidden, start_cell)
    if compute != dtype:
        states, hidden = states.to(dtype), hidden.to(dtype)
        last_cell = None if last_cell is None else last_cell.to(dtype)
    return states, State(hidden, last_cell)


Found = tuple[Tensor, Tensor, Tensor | None]  # states, last hidden, last cell


def _own(
    cell: Cell,
    inputs: Tensor,
    lengths: Tensor,
    weights: Sequence[Weights],
    hidden: Tensor | None,
    start_cell: Tensor | None,
) -> Found:
    """The equations of `models/recurrence.py`, a unit for each core."""
    parameters = [parameter for direction in weights for parameter in direction]
    tensors = [inputs, hidden, start_cell, *parameters]
    keep = torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors)
    states, last, last_cell = _Recurrence.apply(
        cell, keep, lengths, inputs, hidden, start_cell, *parameters
    )
    return states, last, last_cell if cell == "lstm" else None


class _Recurrence(torch.autograd.Function):
    """One layer, all its units; differentiable once."""

    @staticmethod
    def forward(
        ctx: Any,
        cell: Cell,
        keep: bool,
        lengths: Tensor,
        inputs: Tensor,
        hidden: Tensor | None,
        start_cell: Tensor | None,
        *parameters: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        weights = [Weights(*parameters[at : at + 4]) for at in range(0, len(parameters), 4)]
        (batch, time, _), size = inputs.shape, weights[0].hidden.shape[1]
        directions = len(weights)
        parts = _parts(lengths, weights)
        places = [(direction, part) for part in range(parts) for direction in range(directions)]
        with _dividing(units=len(places)) as cores:
            flat = inputs.reshape(batch * time, -1)
            states = inputs.new_zeros(batch * time, directions * size)
            last = inputs.new_empty(directions, batch, size)
            last_cell = inputs.new_empty((directions, batch, size) if cell == "lstm" else 0)

            def run(place: tuple[int, int]) -> tuple[Unit, tuple[Tensor, ...]]:
                direction, part = place
                unit = make_unit(lengths, time=time, direction=direction, part=part, parts=parts)
                rows = unit.rows
                tokens = flat.index_select(0, unit.tokens)  # [unit tokens, input_size]
                found = _forward(
                    cell,
                    tokens,
                    weights[direction],
                    None if hidden is None else hidden[direction].index_select(0, rows),
                    None if start_cell is None else start_cell[direction].index_select(0, rows),
                    unit,
                    keep,
                )
                _columns(states, direction, size).index_copy_(0, unit.tokens, found.hidden)
                last[direction].index_copy_(0, rows, found.hidden.index_select(0, unit.last))
                if found.cell is not None:
                    last_cell[direction].index_copy_(0, rows, found.cell)
                return unit, found.saved if keep else ()

            done = _on_cores(run, places, cores)
        if keep:
            ctx.save_for_backward(
                inputs, hidden, *parameters, *(tensor for _, saved in done for tensor in saved)
            )
            ctx.cell, ctx.units = cell, [unit for unit, _ in done]
            ctx.counts = len(parameters), len(done[0][1])
        ctx.set_materialize_grads(False)
        return states.view(batch, time, -1), last, last_cell

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad_states: Tensor | None, grad_last: Tensor | None, grad_cell: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        inputs, hidden, *others = ctx.saved_tensors
        parameters, saved = others[: ctx.counts[0]], others[ctx.counts[0] :]
        weights = [Weights(*parameters[at : at + 4]) for at in range(0, len(parameters), 4)]
        (batch, time, width), size = inputs.shape, weights[0].hidden.shape[1]
        directions, cell = len(weights), ctx.cell
        wants_inputs, wants_hidden, wants_cell = ctx.needs_input_grad[3:6]
        with _dividing(units=len(ctx.units)) as cores:
            flat = inputs.reshape(batch * time, width)
            grads = None if grad_states is None else grad_states.reshape(batch * time, -1)
            to_inputs = inputs.new_zeros(directions if wants_inputs else 0, batch * time, width)
            to_hidden = inputs.new_empty(directions, batch, size) if wants_hidden else None
            to_cell = inputs.new_empty(directions, batch, size) if wants_cell else None

            def run(numbered: tuple[int, Unit]) -> Weights:
                number, unit = numbered
                direction, rows = unit.direction, unit.rows
                own = tuple(saved[number * ctx.counts[1] :][: ctx.counts[1]])
                states = own[0]
                if grads is None:
                    grad = torch.zeros_like(states)
                else:
                    grad = _columns(grads, direction, size).index_select(0, unit.tokens)
                if grad_last is not None:
                    grad.index_add_(0, unit.last, grad_last[direction].index_select(0, rows))
                last_cell = (
                    None if grad_cell is None else grad_cell[direction].index_select(0, rows)
                )
                found = _backward(cell, grad, last_cell, own, weights[direction], unit)
                if to_hidden is not None:
                    to_hidden[direction].index_copy_(0, rows, found.start)
                if to_cell is not None and found.start_cell is not None:
                    to_cell[direction].index_copy_(0, rows, found.start_cell)
                if wants_inputs:
                    to_tokens = found.input_sums @ weights[direction].input
                    to_inputs[direction].index_copy_(0, unit.tokens, to_tokens)
                before, sums = states.index_select(0, unit.previous), found.hidden_sums
                if hidden is None:  # the state before the first step is zero
                    sums = sums[len(rows) :]
                else:
                    before = torch.cat((hidden[direction].index_select(0, rows), before))
                to_bias = found.input_sums.sum(0)
                to_hidden_bias = to_bias
                if found.hidden_sums is not found.input_sums:
                    to_hidden_bias = found.hidden_sums.sum(0)
                to_weight = sums.t() @ before
                if cell == "gru":  # the rows of n come first there and last in torch.nn
                    to_weight, to_hidden_bias = (
                        to_weight.roll(-size, 0),
                        to_hidden_bias.roll(-size, 0),
                    )
                tokens = flat.index_select(0, unit.tokens)
                return Weights(found.input_sums.t() @ tokens, to_weight, to_bias, to_hidden_bias)

            parts = _on_cores(run, list(enumerate(ctx.units)), cores)
            to_weights: list[Tensor | None] = []
            for direction in range(directions):
                # The units of a direction are every `directions`-th.
                for tensors in zip(*parts[direction::directions], strict=True):
                    to_weights.append(
                        tensors[0] if len(tensors) == 1 else sum(tensors[1:], tensors[0])
                    )
            total = None
            if wants_inputs:
                total = to_inputs[0] if directions == 1 else to_inputs[0].add_(to_inputs[1])
                total = total.view(batch, time, width)
            return None, None, None, total, to_hidden, to_cell, *to_weights


def _forward(
    cell: Cell,
    tokens: Tensor,
    weights: Weights,
    start: Tensor | None,
    start_cell: Tensor | None,
    unit: Unit,
    keep: bool,
) -> Forward:
    """The forward pass of a cell over a unit."""
    if cell == "lstm":
        if not keep and one_dnn_serves(weights.hidden):
            return recurrence.lstm_infer(tokens, weights, start, start_cell, unit.sizes)
        return recurrence.lstm_forward(
            tokens, weights, start, start_cell, unit.sizes, unit.last if keep else None
        )
    if cell == "gru":
        return recurrence.gru_forward(tokens, weights, start, unit.sizes)
    return recurrence.rnn_forward(cell, tokens, weights, start, unit.sizes)


def _backward(
    cell: Cell,
    grad: Tensor,
    grad_cell: Tensor | None,
    saved: tuple[Tensor, ...],
    weights: Weights,
    unit: Unit,
) -> Backward:
    """The backward pass of a cell over a unit."""
    if cell == "lstm":
        return recurrence.lstm_backward(grad, grad_cell, saved, weights, unit.sizes, unit.previous)
    if cell == "gru":
        return recurrence.gru_backward(grad, saved, weights, unit.sizes, unit.previous)
    return recurrence.rnn_backward(cell, grad, saved, weights, unit.sizes)


def _columns(states: Tensor, direction: int, size: int) -> Tensor:
    """The columns of one direction in states [tokens, directions * size]."""
    return states[:, direction * size : (direction + 1) * size]


def _parts(lengths: Tensor, weights: Sequence[Weights]) -> int:
    """Into how many units each direction is cut: one unit for each core, if large enough."""
    work = int(lengths.sum()) * (weights[0].input.numel() + weights[0].hidden.numel())
    cores = torch.get_num_threads() // len(weights)
    return max(1, min(cores, len(lengths) // PART_ROWS, work // UNIT_WORK))


@contextmanager
def _dividing(*, units: int) -> Iterator[int]:
    """Gives the number of cores that the units are spread over.

    Meanwhile torch computes with one thread: what it does is then as parallel as there are units,
    no small operation waits for other cores, and no idle OpenMP thread spins on a core that a unit
    needs.
    """
    cores = torch.get_num_threads()
    with torch.autocast("cpu", enabled=False):
        torch.set_num_threads(1)
        try:
            yield min(units, cores)
        finally:
            torch.set_num_threads(cores)


def _on_cores(run: Callable[[Item], Result], items: Sequence[Item], cores: int) -> list[Result]:
    """`[run(item) for item in items]`, spread over the cores: this thread and some workers.

    Threads do, because torch lets go of the interpreter in every operation.
    """
    if cores == 1:
        return [run(item) for item in items]
    inference = torch.is_inference_mode_enabled()

    def elsewhere(item: Item) -> Result:
        torch.set_num_threads(1)  # for that thread
        with torch.inference_mode(inference), torch.no_grad():
            return run(item)

    workers = _workers(os.getpid(), cores - 1)
    futures = [workers.submit(elsewhere, item) for item in items[1:]]
    try:
        first = run(items[0])
    finally:
        wait(futures)
    return [first, *(future.result() for future in futures)]


@lru_cache(maxsize=1)
def _workers(process: int, count: int) -> ThreadPoolExecutor:
    """The worker threads of this process (a fork has none of its parent's)."""
    return ThreadPoolExecutor(count, thread_name_prefix="recurrence")


def _library_full(
    cell: Cell,
    inputs: Tensor,
    lengths: Tensor,
    weights: Sequence[Weights],
    hidden: Tensor | None,
    start_cell: Tensor | None,
) -> Found:
    """torch's function on a batch without padding."""
    flat, start = _library_arguments(cell, inputs, weights, hidden, start_cell)
    two = len(weights) == 2
    training = torch.is_grad_enabled()
    states, *last = _library(cell)(inputs, start, flat, True, 1, 0.0, training, two, True)
    return states, last[0], last[1] if cell == "lstm" else None


def _library_packed(
    cell: Cell,
    inputs: Tensor,
    lengths: Tensor,
    weights: Sequence[Weights],
    hidden: Tensor | None,
    start_cell: Tensor | None,
) -> Found:
    """torch's function on a packed sequence."""
    packed = pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False)
    order, back = packed.sorted_indices, packed.unsorted_indices
    assert order is not None and back is not None
    hidden = None if hidden is None else hidden.index_select(1, order)
    start_cell = None if start_cell is None else start_cell.index_select(1, order)
    flat, start = _library_arguments(cell, inputs, weights, hidden, start_cell)
    data, *last = _library(cell)(
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
    return states, last[0], last[1] if cell == "lstm" else None


def _library(cell: Cell) -> Any:
    """The function behind torch.nn's module for this cell."""
    functions: dict[Cell, Any] = {
        "rnn": torch.rnn_tanh,
        "rnn_relu": torch.rnn_relu,
        "lstm": torch.lstm,
        "gru": torch.gru,
    }
    return functions[cell]


def _library_arguments(
    cell: Cell,
    inputs: Tensor,
    weights: Sequence[Weights],
    hidden: Tensor | None,
    start_cell: Tensor | None,
) -> tuple[list[Tensor], Tensor | tuple[Tensor, Tensor]]:
    """The weights and the initial state as torch's functions take them."""
    flat = [parameter for direction in weights for parameter in direction]
    if hidden is None:
        hidden = inputs.new_zeros(len(weights), inputs.shape[0], weights[0].hidden.shape[1])
    if cell != "lstm":
        return flat, hidden
    return flat, (hidden, torch.zeros_like(hidden) if start_cell is None else start_cell)
