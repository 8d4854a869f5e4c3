"""Simple RNN (Elman 1990): forward and backward over the tokens of a unit."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from . import arrays
from .cell import Block, Cell, Forward, State, Weights, blocks, receivers, step_of
from .matmul import Product, of_all_tokens

EQUATIONS = """\
h = {f}(W_i x + b_i + W_h h' + b_h)        hidden state
"""
#   da  = dh * f'(a)                         f' = 1 - h^2, or 1 where h > 0
#   dh' = da @ W_h


def rnn_forward(
    tanh: bool, inputs: Tensor, weights: Weights, start: Tensor | None, sizes: list[int]
) -> Forward:
    """Simple RNN over `inputs` [tokens, input_size] from state `start` [sequences, hidden_size].

    Args:
        tanh: tanh, or else ReLU.
        inputs: `[tokens, input_size]`, step by step.
        weights: Those of the layer and direction.
        start: The states before, `[sequences, hidden_size]`; None for zeros.
        sizes: Number of sequences at each step.
    """
    bias = weights.input_bias + weights.hidden_bias
    hidden = of_all_tokens(inputs, weights.input, bias)  # [tokens, hidden_size]
    product = Product(weights.hidden, sizes[0])
    minus_one = hidden.new_tensor(-1.0)
    before = start
    for h in hidden.split(sizes):
        if before is not None:
            product.add_to(h, before[: len(h)])
        if tanh:
            h.mul_(2).sigmoid_()
            torch.add(minus_one, h, alpha=2, out=h)
        else:
            h.relu_()
        before = h
    return Forward(hidden, None, (hidden,))


def rnn_backward(
    tanh: bool,
    grad: Tensor,
    grad_start: Tensor,
    saved: tuple[Tensor, ...],
    weights: Weights,
    sizes: list[int],
) -> Iterator[Block]:
    """Backward of `rnn_forward`, the last tokens first.

    Args:
        tanh: tanh, or else ReLU.
        grad: Gradient of h, `[tokens, hidden_size]`; overwritten.
        grad_start: What the gradient of the states before is added to, `[sequences, hidden_size]`.
        saved: What `rnn_forward` saved.
        weights: Those of the layer and direction.
        sizes: Number of sequences at each step.
    """
    (hidden,) = saved
    dh, leaving = grad.split(sizes), receivers(grad_start, grad, sizes)
    for steps, at in blocks(sizes):
        h = hidden[at]
        sums = (h * h).neg_().add_(1) if tanh else (h > 0).to(h.dtype)  # f'(a), then da
        da = sums.split(sizes[steps[-1] : steps[0] + 1])
        for t in steps:
            da_t = da[t - steps[-1]].mul_(dh[t])
            leaving[t].addmm_(da_t, weights.hidden)
        yield Block(at, sums, sums)


def rnn_values(tanh: bool, inputs: Tensor, weights: Weights, state: State) -> dict[str, Tensor]:
    """Simple RNN, one token: `inputs` [batch, input_size], state [1, batch, hidden_size].

    Args:
        tanh: tanh, or else ReLU.
        inputs: `[batch, input_size]`.
        weights: Those of the layer and direction.
        state: States before, each `[1, batch, hidden_size]`.
    """
    of_input = F.linear(inputs, weights.input, weights.input_bias)
    total = of_input + F.linear(state.hidden[0], weights.hidden, weights.hidden_bias)
    return {"h": total.tanh() if tanh else total.relu()}


def _cell(*, name: str, title: str, tanh: bool, library: Any) -> Cell:
    values = partial(rnn_values, tanh)
    return Cell(
        name=name,
        title=title,
        gates=1,
        step=step_of(values),
        on_arrays=arrays.rnn if tanh else arrays.relu_rnn,
        equations=EQUATIONS.format(f="tanh" if tanh else "relu"),
        values=values,
        forward=lambda inputs, weights, start, start_cell, sizes, last: rnn_forward(
            tanh, inputs, weights, start, sizes
        ),
        backward=lambda grad, grad_start, grad_cell, saved, weights, sizes, previous: rnn_backward(
            tanh, grad, grad_start, saved, weights, sizes
        ),
        library=library,
    )


RNN = _cell(name="rnn", title="RNN", tanh=True, library=torch.rnn_tanh)
RELU_RNN = _cell(name="rnn_relu", title="ReLU RNN", tanh=False, library=torch.rnn_relu)
