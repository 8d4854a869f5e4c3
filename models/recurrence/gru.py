"""GRU (Cho et al. 2014), in the form of torch.nn and cuDNN."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from .cells import Block, Forward, Weights, blocks, receivers, states_before
from .matmul import Product, of_all_tokens


def gru_forward(
    inputs: Tensor, weights: Weights, start: Tensor | None, sizes: list[int]
) -> Forward:
    """GRU over `inputs` [tokens, input_size] from state `start` [sequences, hidden_size]."""
    size = weights.hidden.shape[1]
    hidden = inputs.new_empty(inputs.shape[0], size)
    gates = inputs.new_empty(inputs.shape[0], 4 * size)
    gates[:, :size] = weights.hidden_bias[2 * size :]
    bias = torch.cat((weights.hidden_bias[: 2 * size], torch.zeros_like(weights.input_bias[:size])))
    gates[:, size:] = of_all_tokens(inputs, weights.input, bias + weights.input_bias)
    product = Product(weights.hidden.roll(size, 0), sizes[0])  # rows of n, r, z
    first = gates.new_zeros(sizes[0], size) if start is None else start
    q, _, _, n = gates.split(size, 1)
    steps = (
        gates[:, : 3 * size].split(sizes),
        gates[:, size : 3 * size].split(sizes),
        *(part.split(sizes) for part in gates.split(size, 1)),
        hidden.split(sizes),
    )
    before = first
    minus_one = gates.new_tensor(-1.0)
    for t, (a_qrz, a_rz, q, r, z, n, h) in enumerate(zip(*steps, strict=True)):
        before = before[: len(h)]
        if t or start is not None:
            product.add_to(a_qrz, before)
        a_rz.sigmoid_()
        n.addcmul_(r, q).mul_(2).sigmoid_()
        torch.add(minus_one, n, alpha=2, out=n)
        before = torch.lerp(n, before, z, out=h)
    return Forward(hidden, None, (hidden, gates, first))


def gru_backward(
    grad: Tensor,
    grad_start: Tensor,
    saved: tuple[Tensor, ...],
    weights: Weights,
    sizes: list[int],
    previous: Tensor,
) -> Iterator[Block]:
    """Backward of `gru_forward`, as `rnn_backward` is that of `rnn_forward`.

    The gates of `hidden_sums` come in the order n, r, z.
    """
    hidden, gates, first = saved
    size = hidden.shape[1]
    dh, leaving = grad.split(sizes), receivers(grad_start, grad, sizes)
    keep = gates[:, 2 * size : 3 * size].split(sizes)
    weight = weights.hidden.roll(size, 0)  # rows of n, r, z
    for steps, at in blocks(sizes):
        q, r, z, n = gates[at].split(size, 1)
        sums = torch.empty_like(gates[at])  # the factors of dq, da_r, da_z, da_n, then these
        s_q, s_r, s_z, s_n = sums.split(size, 1)
        torch.neg(z, out=s_q).add_(1)
        torch.mul(n, n, out=s_n)
        torch.addcmul(s_q, s_q, s_n, value=-1, out=s_n)
        torch.mul(s_n, r, out=s_q)
        torch.mul(s_q, q, out=s_r)
        s_r.addcmul_(s_r, r, value=-1)
        torch.addcmul(z, z, z, value=-1, out=s_z)
        s_z.mul_(states_before(first, hidden, previous, at) - n)
        here = sizes[steps[-1] : steps[0] + 1]
        da, da_qrz = sums.unflatten(1, (4, size)).split(here), sums[:, : 3 * size].split(here)
        for t in steps:
            k = t - steps[-1]
            da[k].mul_(dh[t].unsqueeze(1))
            leaving[t].addcmul_(dh[t], keep[t]).addmm_(da_qrz[k], weight)
        yield Block(at, sums[:, size:], sums[:, : 3 * size])
