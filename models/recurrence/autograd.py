"""One recurrent layer as an autograd function, each core with work of its own.

`torch.nn` shares each small product out among all cores and waits for it at every step. Here a unit
(a direction, or a share of its sequences) stays on one core from the first step to the last. The
equations are in the file of each cell, the layout of a unit in
`models/recurrence/packing.py`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import torch
from torch import Tensor

from .cell import Cell, Layer, Weights, states_before
from .matmul import one_dnn_serves
from .packing import Unit, make_unit
from .stepwise import run_stepwise

PART_ROWS = 8  # a core gets no fewer sequences than this: smaller products waste it
UNIT_WORK = 5_000_000  # nor fewer multiplications: handing a unit over takes a tenth of that
# Nor are there so few multiplications in a step of a gate: between so small products all cores wait
# for Python, which one has at a time.
STEP_WORK = 170_000

Item = TypeVar("Item")
Result = TypeVar("Result")


class Recurrence(torch.autograd.Function):
    """One layer, all its units.

    Derivatives of derivatives are taken through plain operations (`stepwise.py`).
    """

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
        """Give the states, the last hidden and the last cell.

        Args:
            ctx: What autograd hands on to `backward`.
            cell: The recurrence.
            keep: Whether a backward pass follows, and what it needs is saved.
            lengths: Number of tokens of each sequence, `[batch]`, on the CPU.
            inputs: `[batch, time, input_size]`; what stands at padding is ignored.
            hidden: State to start from, `[directions, batch, hidden_size]`; None for zeros.
            start_cell: The same of the second state.
            parameters: The four of `Weights` for each direction, one direction after the other.

        Returns:
            The states `[batch, time, directions * hidden_size]`, zeros at padding, and the last
            hidden and cell `[directions, batch, hidden_size]`; the cell is empty where the
            recurrence has none.
        """
        weights = [Weights(*parameters[at : at + 4]) for at in range(0, len(parameters), 4)]
        (batch, time, _), size = inputs.shape, weights[0].hidden.shape[1]
        directions = len(weights)
        parts = parts_of(lengths, weights)
        places = [(direction, part) for part in range(parts) for direction in range(directions)]
        with dividing(units=1 if _tiny_steps(lengths, weights) else len(places)) as cores:
            flat = inputs.reshape(batch * time, -1)
            states = inputs.new_zeros(batch * time, directions * size)
            last = inputs.new_empty(directions, batch, size)
            last_cell = inputs.new_empty((directions, batch, size) if cell.has_cell else 0)

            def run(place: tuple[int, int]) -> tuple[Unit, tuple[Tensor, ...]]:
                direction, part = place
                unit = make_unit(lengths, time=time, direction=direction, part=part, parts=parts)
                rows = unit.rows
                tokens = flat.index_select(0, unit.tokens)  # [unit tokens, input_size]
                weight = weights[direction]
                start = None if hidden is None else hidden[direction].index_select(0, rows)
                first_cell = (
                    None if start_cell is None else start_cell[direction].index_select(0, rows)
                )
                if cell.infer is not None and not keep and one_dnn_serves(weight.hidden):
                    out = cell.infer(tokens, weight, start, first_cell, unit.sizes)
                else:
                    assert cell.forward is not None
                    out = cell.forward(
                        tokens, weight, start, first_cell, unit.sizes, unit.last if keep else None
                    )
                _columns(states, direction, size).index_copy_(0, unit.tokens, out.hidden)
                last[direction].index_copy_(0, rows, out.hidden.index_select(0, unit.last))
                if out.cell is not None:
                    last_cell[direction].index_copy_(0, rows, out.cell)
                return unit, out.saved if keep else ()

            done = on_cores(run, places, cores)
        if keep:
            ctx.save_for_backward(
                inputs,
                hidden,
                start_cell,
                lengths,
                *parameters,
                *(tensor for _, saved in done for tensor in saved),
            )
            ctx.cell, ctx.units = cell, [unit for unit, _ in done]
            ctx.counts = len(parameters), len(done[0][1])
        ctx.set_materialize_grads(False)
        return states.view(batch, time, -1), last, last_cell

    @staticmethod
    def backward(
        ctx: Any, grad_states: Tensor | None, grad_last: Tensor | None, grad_cell: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        """Give the gradients of what `forward` took, None for what has none.

        Args:
            ctx: What `forward` saved.
            grad_states: Gradient of the states, `[batch, time, directions * hidden_size]`; None
                for zeros, here and below.
            grad_last: Gradient of the last hidden, `[directions, batch, hidden_size]`.
            grad_cell: Gradient of the last cell, of the same shape.
        """
        inputs, hidden, start_cell, lengths, *others = ctx.saved_tensors
        parameters, saved = others[: ctx.counts[0]], others[ctx.counts[0] :]
        weights = [Weights(*parameters[at : at + 4]) for at in range(0, len(parameters), 4)]
        (batch, time, width), size = inputs.shape, weights[0].hidden.shape[1]
        directions, cell = len(weights), ctx.cell
        if torch.is_grad_enabled():  # create_graph: the gradient is to have a gradient itself
            arguments = (inputs, hidden, start_cell, *parameters)
            outputs = run_stepwise(Layer(cell, inputs, lengths, weights, hidden, start_cell))
            wanted = [a for a, n in zip(arguments, ctx.needs_input_grad[3:], strict=True) if n]
            pairs = [
                (output, grad)
                for output, grad in zip(outputs, (grad_states, grad_last, grad_cell), strict=True)
                if output is not None and grad is not None
            ]
            grads_of = iter(
                torch.autograd.grad(
                    [output for output, _ in pairs],
                    wanted,
                    [grad for _, grad in pairs],
                    create_graph=True,
                    allow_unused=True,
                )
            )
            taken = [next(grads_of) if needed else None for needed in ctx.needs_input_grad[3:]]
            return None, None, None, *taken
        wants_inputs, wants_hidden, wants_cell = ctx.needs_input_grad[3:6]
        with dividing(units=1 if _tiny_steps(lengths, weights) else len(ctx.units)) as cores:
            flat = inputs.reshape(batch * time, width)
            grads = None if grad_states is None else grad_states.reshape(batch * time, -1)
            to_inputs = None
            if wants_inputs:
                to_inputs = inputs.new_zeros(directions, batch * time, width)
            to_hidden = inputs.new_empty(directions, batch, size) if wants_hidden else None
            to_cell = inputs.new_empty(directions, batch, size) if wants_cell else None

            def run(numbered: tuple[int, Unit]) -> Weights:
                number, unit = numbered
                direction, rows = unit.direction, unit.rows
                own = tuple(saved[number * ctx.counts[1] :][: ctx.counts[1]])
                states, weight = own[0], weights[direction]
                if grads is None:
                    grad = torch.zeros_like(states)
                else:
                    grad = _columns(grads, direction, size).index_select(0, unit.tokens)
                if grad_last is not None:
                    grad.index_add_(0, unit.last, grad_last[direction].index_select(0, rows))
                first = inputs.new_zeros(len(rows), size)
                to_first, to_first_cell = torch.zeros_like(first), torch.zeros_like(first)
                if hidden is not None:
                    first = hidden[direction].index_select(0, rows)
                if grad_cell is not None:
                    to_first_cell = grad_cell[direction].index_select(0, rows)
                gradients = Weights(*(torch.zeros_like(parameter) for parameter in weight))
                assert cell.backward is not None
                for at, input_sums, hidden_sums in cell.backward(
                    grad, to_first, to_first_cell, own, weight, unit.sizes, unit.previous
                ):
                    places = unit.tokens[at]
                    gradients.input.addmm_(input_sums.t(), flat.index_select(0, places))
                    gradients.input_bias.add_(input_sums.sum(0))
                    if cell.recurrent:
                        before = states_before(first, states, unit.previous, at)
                        gradients.hidden.addmm_(hidden_sums.t(), before)
                    if cell.own_bias:
                        gradients.hidden_bias.add_(hidden_sums.sum(0))
                    if to_inputs is not None:
                        to_inputs[direction].index_copy_(0, places, input_sums @ weight.input)
                if to_hidden is not None:
                    to_hidden[direction].index_copy_(0, rows, to_first)
                if to_cell is not None:
                    to_cell[direction].index_copy_(0, rows, to_first_cell)
                if cell.turned:
                    turn = -cell.turned * size
                    gradients = gradients._replace(
                        hidden=gradients.hidden.roll(turn, 0),
                        hidden_bias=gradients.hidden_bias.roll(turn, 0),
                    )
                if cell.recurrent and not cell.own_bias:
                    return gradients._replace(hidden_bias=gradients.input_bias.clone())
                return gradients

            parts = on_cores(run, list(enumerate(ctx.units)), cores)
            to_weights: list[Tensor | None] = []
            for direction in range(directions):
                # The units of a direction are every `directions`-th.
                for tensors in zip(*parts[direction::directions], strict=True):
                    to_weights.append(
                        tensors[0] if len(tensors) == 1 else sum(tensors[1:], tensors[0])
                    )
            total = None
            if to_inputs is not None:
                total = to_inputs[0] if directions == 1 else to_inputs[0].add_(to_inputs[1])
                total = total.view(batch, time, width)
            return None, None, None, total, to_hidden, to_cell, *to_weights


def _columns(states: Tensor, direction: int, size: int) -> Tensor:
    """The columns of one direction in states [tokens, directions * size]."""
    return states[:, direction * size : (direction + 1) * size]


def parts_of(lengths: Tensor, weights: Sequence[Weights]) -> int:
    """Into how many units each direction is cut: one unit for each core, if large enough."""
    cores = torch.get_num_threads() // len(weights)
    if _tiny_steps(lengths, weights):
        return 1
    return max(1, min(cores, len(lengths) // PART_ROWS, work_of(lengths, weights) // UNIT_WORK))


def _tiny_steps(lengths: Tensor, weights: Sequence[Weights]) -> bool:
    """Whether all units are better on one core; see STEP_WORK.

    Not so where the gates do not read the state: no product keeps such steps apart.
    """
    hidden = weights[0].hidden
    return hidden.numel() > 0 and len(lengths) * hidden.shape[1] ** 2 < STEP_WORK


def work_of(lengths: Tensor, weights: Sequence[Weights]) -> int:
    """How many multiplications each direction takes."""
    return int(lengths.sum()) * (weights[0].input.numel() + weights[0].hidden.numel())


@contextmanager
def dividing(*, units: int) -> Iterator[int]:
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


def on_cores(run: Callable[[Item], Result], items: Sequence[Item], cores: int) -> list[Result]:
    """`[run(item) for item in items]`, spread over the cores: this thread and some workers.

    Threads do, because torch lets go of the interpreter in every operation.

    Args:
        run: What is done with each.
        items: The items.
        cores: How many are worked on at a time.
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


def _in_child() -> None:
    """A fork has none of its parent's threads, and OpenMP would wait for them: one thread it is."""
    torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


@cache
def _workers(process: int, count: int) -> ThreadPoolExecutor:
    """The worker threads of this process (a fork has none of its parent's)."""
    return ThreadPoolExecutor(count, thread_name_prefix="recurrence")
