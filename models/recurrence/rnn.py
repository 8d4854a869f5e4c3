"""Simple RNN (Elman 1990): forward and backward over the tokens of a unit."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from .cells import Block, Cell, Forward, Weights, blocks, receivers
from .matmul import Product, of_all_tokens


def rnn_forward(
    cell: Cell, inputs: Tensor, weights: Weights, start: Tensor | None, sizes: list[int]
) -> Forward:
    """Simple RNN over `inputs` [tokens, input_size] from state `start` [sequences, hidden_size]."""
    bias = weights.input_bias + weights.hidden_bias
    hidden = of_all_tokens(inputs, weights.input, bias)  # [tokens, hidden_size]
    product = Product(weights.hidden, sizes[0])
    minus_one = hidden.new_tensor(-1.0)
    before = start
    for h in hidden.split(sizes):
        if before is not None:
            product.add_to(h, before[: len(h)])
        if cell == "rnn":
            h.mul_(2).sigmoid_()
            torch.add(minus_one, h, alpha=2, out=h)
        else:
            h.relu_()
        before = h
    return Forward(hidden, None, (hidden,))


def rnn_backward(
    cell: Cell,
    grad: Tensor,
    grad_start: Tensor,
    saved: tuple[Tensor, ...],
    weights: Weights,
    sizes: list[int],
) -> Iterator[Block]:
    """Backward of `rnn_forward`, the last tokens first.

    `grad` [tokens, hidden_size] is the gradient of h and is overwritten; that of the state before
    the first token is added to `grad_start` [sequences, hidden_size].
    """
    (hidden,) = saved
    dh, leaving = grad.split(sizes), receivers(grad_start, grad, sizes)
    for steps, at in blocks(sizes):
        h = hidden[at]
        sums = (h * h).neg_().add_(1) if cell == "rnn" else (h > 0).to(h.dtype)  # f'(a), then da
        da = sums.split(sizes[steps[-1] : steps[0] + 1])
        for t in steps:
            da_t = da[t - steps[-1]].mul_(dh[t])
            leaving[t].addmm_(da_t, weights.hidden)
        yield Block(at, sums, sums)
