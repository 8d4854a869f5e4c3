"""oneDNN's LSTM in training: exact over a padded batch, each direction on a core of its own.

`dispatch.py` says when it is worth its padding. Nothing private is called: torch's own function
takes oneDNN wherever that serves, and is as exact where it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from .autograd import dividing, on_cores
from .cell import Layer, Weights


def run_padded(layer: Layer) -> tuple[Tensor, Tensor, Tensor | None]:
    """torch's function for each direction by itself, every sequence as long as the longest.

    One further input says that a token is padding, and turns the gates by a weight at which they
    keep the state to the last bit (`Cell.keeping`): the last state is exact, and padding has no
    gradient. The backward direction reads sequences that are reversed within their lengths.
    """
    cell, inputs, lengths, weights, hidden, start_cell = layer
    (batch, time, _), size = inputs.shape, weights[0].hidden.shape[1]
    rows, steps = torch.arange(batch), torch.arange(time)
    inside = steps < lengths.unsqueeze(1)  # [batch, time]
    padding = ~inside.unsqueeze(2)
    mark = padding.to(inputs.dtype)
    turned = torch.where(inside, lengths.unsqueeze(1) - 1 - steps, steps)
    places = (rows.unsqueeze(1) * time + turned).flatten()  # turned twice is as before
    ends = rows * time + lengths - 1
    further = inputs.new_tensor(cell.keeping).repeat_interleave(size).unsqueeze(1)

    def run(direction: int, *tensors: Tensor) -> tuple[Tensor, ...]:
        read, hidden, start_cell, *flat = tensors
        weight = Weights(*flat[4 * direction :][:4])
        read = torch.cat((read.masked_fill(padding, 0.0), mark), 2)
        if direction:
            read = read.flatten(0, 1).index_select(0, places).view_as(read)
        one = slice(direction, direction + 1)
        states, _, last_cell = cell.library(
            read,
            (hidden[one], start_cell[one]),
            [torch.cat((weight.input, further), 1), *weight[1:]],
            True,  # biases
            1,  # layer
            0.0,  # dropout
            True,  # training
            False,  # one direction
            True,  # batch first
        )
        tokens = states.reshape(batch * time, size)
        last = tokens.index_select(0, ends).unsqueeze(0)
        if direction:
            states = tokens.index_select(0, places).view_as(states)
        return states.masked_fill(padding, 0.0), last, last_cell

    none = inputs.new_zeros(len(weights), batch, size)
    parts = EachOnACore.apply(
        run,
        len(weights),
        inputs,
        none if hidden is None else hidden,
        none if start_cell is None else start_cell,
        *(parameter for weight in weights for parameter in weight),
    )
    with dividing(units=1):  # a copy is not worth waking other cores
        states = torch.cat(parts[::3], 2)
    return states, torch.cat(parts[1::3]), torch.cat(parts[2::3])


Run = Callable[..., tuple[Tensor, ...]]


class EachOnACore(torch.autograd.Function):
    """`run(number, *tensors)` for each number below `count`, forwards and backwards side by side.

    autograd alone would go back through one after the other. Gives the outputs of all runs.
    """

    @staticmethod
    def forward(ctx: Any, run: Run, count: int, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Run all, and keep a graph for each.

        Args:
            ctx: What autograd hands on to `backward`.
            run: Takes its number and the tensors, and gives as many tensors whatever the number.
            count: How many runs there are.
            tensors: What every run is given.
        """
        needed = ctx.needs_input_grad[2:]

        def start(number: int) -> tuple[list[Tensor], tuple[Tensor, ...]]:
            leaves = [t.detach().requires_grad_(n) for t, n in zip(tensors, needed, strict=True)]
            with torch.enable_grad():
                return leaves, run(number, *leaves)

        with dividing(units=count) as cores:
            ctx.graphs = on_cores(start, range(count), cores)
        ctx.run = run
        ctx.save_for_backward(*tensors)
        ctx.set_materialize_grads(False)
        return tuple(output.detach() for _, outputs in ctx.graphs for output in outputs)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        """Sums the gradients of the runs; these have gradients themselves under create_graph."""
        further = torch.is_grad_enabled()
        tensors = ctx.saved_tensors

        def back(number: int) -> list[Tensor | None]:
            leaves, outputs = ctx.graphs[number]
            if further:
                leaves, outputs = tensors, ctx.run(number, *tensors)
            own = grads[number * len(outputs) :][: len(outputs)]
            pairs = [
                (output, grad)
                for output, grad in zip(outputs, own, strict=True)
                if grad is not None and output.requires_grad
            ]
            wanted = [t for t, n in zip(leaves, ctx.needs_input_grad[2:], strict=True) if n]
            if not pairs:
                return [None] * len(wanted)
            return list(
                torch.autograd.grad(
                    [output for output, _ in pairs],
                    wanted,
                    [grad for _, grad in pairs],
                    retain_graph=True,
                    create_graph=further,
                    allow_unused=True,
                )
            )

        numbers = range(len(ctx.graphs))
        with dividing(units=len(numbers)) as cores:
            parts = on_cores(back, numbers, 1 if further else cores)
            sums = iter([_sum(of_one) for of_one in zip(*parts, strict=True)])
        return None, None, *(next(sums) if n else None for n in ctx.needs_input_grad[2:])


def _sum(parts: Sequence[Tensor | None]) -> Tensor | None:
    there = [part for part in parts if part is not None]
    return sum(there[1:], there[0]) if there else None
