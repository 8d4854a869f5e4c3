"""GRU (Cho et al. 2014), in the form of torch.nn and cuDNN."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from . import arrays
from .cell import Block, Cell, Forward, State, Weights, blocks, receivers, states_before
from .matmul import Product, of_all_tokens

EQUATIONS = """\
r = s(W_ir x + b_ir + W_hr h' + b_hr)      reset gate
z = s(W_iz x + b_iz + W_hz h' + b_hz)      update gate
q = W_hn h' + b_hn                         what the reset gate scales
n = tanh(W_in x + b_in + r * q)            candidate
h = (1 - z) * n + z * h'                   hidden state
"""
# Two things differ from the common textbook form. The update gate z multiplies the OLD state here;
# Cho et al. also let z keep the old state, while most textbooks (after Chung et al. 2014) write
# h = z * n + (1 - z) * h'. And the reset gate acts AFTER the product (r * (W_hn h' + b_hn)), where
# the paper resets the state before it: W_hn (r * h'). Only the form after the product lets one
# product with h' serve all three gates.
#
#   da_n = dh * (1 - z) (1 - n^2)
#   dq   = dh * (1 - z) (1 - n^2) r
#   da_r = dh * (1 - z) (1 - n^2) q r (1 - r)
#   da_z = dh * (h' - n) z (1 - z)
#   dh'  = dh * z + [dq da_r da_z] @ [W_hn W_hr W_hz]
#
# One buffer holds q, r, z, n side by side: the hidden product adds to the first three, the input
# product fills the last three.


def gru_forward(
    inputs: Tensor, weights: Weights, start: Tensor | None, sizes: list[int]
) -> Forward:
    """GRU over `inputs` [tokens, input_size] from state `start` [sequences, hidden_size].

    Args:
        inputs: `[tokens, input_size]`, step by step.
        weights: Those of the layer and direction.
        start: The states before, `[sequences, hidden_size]`; None for zeros.
        sizes: Number of sequences at each step.
    """
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


def gru_infer(
    inputs: Tensor,
    weights: Weights,
    start: Tensor | None,
    start_cell: Tensor | None,
    sizes: list[int],
) -> Forward:
    """`gru_forward` without a way back: nothing is laid out for one.

    Args:
        inputs: `[tokens, input_size]`, step by step.
        weights: Those of the layer and direction.
        start: The states before, `[sequences, hidden_size]`; None for zeros.
        start_cell: Nothing.
        sizes: Number of sequences at each step.
    """
    size = weights.hidden.shape[1]
    # tanh(v) = 2 s(2 v) - 1: the rows of n are doubled once, so that no step doubles.
    double = torch.ones_like(weights.input_bias)
    double[2 * size :] = 2.0
    of_input = of_all_tokens(
        inputs, weights.input * double.unsqueeze(1), weights.input_bias * double
    )  # [tokens, 3 * hidden_size]
    product = Product(weights.hidden * double.unsqueeze(1), sizes[0])
    bias = weights.hidden_bias * double
    hidden = inputs.new_empty(inputs.shape[0], size)
    parts = (2 * size, size)
    steps = (*(part.split(sizes) for part in of_input.split(parts, 1)), hidden.split(sizes))
    before = inputs.new_zeros(sizes[0], size) if start is None else start
    minus_one = inputs.new_tensor(-1.0)
    for a_rz, n, h in zip(*steps, strict=True):
        before = before[: len(h)]
        of_gates, q = product.of(before, bias).split(parts, 1)
        r, z = a_rz.add_(of_gates).sigmoid_().split(size, 1)
        n.addcmul_(r, q).sigmoid_()
        torch.add(minus_one, n, alpha=2, out=n)
        before = torch.lerp(n, before, z, out=h)
    return Forward(hidden, None, ())


def gru_together(of_input: Tensor, weights: Tensor, bias: Tensor, start: Tensor) -> Tensor:
    """The states `[time, directions, batch, hidden_size]` of whole layers, for `together.py`.

    Args:
        of_input: W_i x + b_i `[time, directions, batch, 3 * hidden_size]`.
        weights: W_h of each direction, transposed, `[directions, hidden_size, 3 * hidden_size]`.
        bias: b_h `[directions, 1, 3 * hidden_size]`.
        start: The states before, `[directions, batch, hidden_size]`.
    """
    size = start.shape[2]
    states = of_input.new_empty(len(of_input), *start.shape)
    of_hidden, gates, n = (start.new_empty(*start.shape[:2], k * size) for k in (3, 2, 1))
    of_gates, q = of_hidden.split((2 * size, size), 2)
    r, z = gates.split(size, 2)
    before = start
    steps = (*of_input.split((2 * size, size), 3), states)
    for a_rz, a_n, h in zip(*(part.unbind(0) for part in steps), strict=True):
        torch.baddbmm(bias, before, weights, out=of_hidden)
        torch.add(a_rz, of_gates, out=gates).sigmoid_()
        torch.addcmul(a_n, r, q, out=n).tanh_()
        before = torch.lerp(n, before, z, out=h)
    return states


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

    Args:
        grad: Gradient of h, `[tokens, hidden_size]`; overwritten.
        grad_start: What the gradient of the states before is added to, `[sequences, hidden_size]`.
        saved: What `gru_forward` saved.
        weights: Those of the layer and direction.
        sizes: Number of sequences at each step.
        previous: For each token after step 0 the number of the one before it.
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


def gru_values(inputs: Tensor, weights: Weights, state: State) -> dict[str, Tensor]:
    """GRU, one token: `inputs` [batch, input_size], state [1, batch, hidden_size].

    Args:
        inputs: `[batch, input_size]`.
        weights: Those of the layer and direction.
        state: States before, each `[1, batch, hidden_size]`.
    """
    before = state.hidden[0]
    i_r, i_z, i_n = F.linear(inputs, weights.input, weights.input_bias).chunk(3, 1)
    h_r, h_z, q = F.linear(before, weights.hidden, weights.hidden_bias).chunk(3, 1)
    r, z = (i_r + h_r).sigmoid(), (i_z + h_z).sigmoid()
    n = (i_n + r * q).tanh()
    return {"r": r, "z": z, "q": q, "n": n, "h": torch.lerp(n, before, z)}


def gru_step(inputs: Tensor, weights: Weights, state: State) -> State:
    """The state after one token by torch's own function, sooner than by `gru_values`.

    Args:
        inputs: `[batch, input_size]`.
        weights: Those of the layer and direction.
        state: States before, each `[1, batch, hidden_size]`.
    """
    return State(torch.gru_cell(inputs, state.hidden[0], *weights).unsqueeze(0))


GRU = Cell(
    name="gru",
    title="GRU",
    gates=3,
    step=gru_step,
    on_arrays=arrays.gru,
    equations=EQUATIONS,
    values=gru_values,
    forward=lambda inputs, weights, start, start_cell, sizes, last: gru_forward(
        inputs, weights, start, sizes
    ),
    together=gru_together,
    backward=lambda grad, grad_start, grad_cell, saved, weights, sizes, previous: gru_backward(
        grad, grad_start, saved, weights, sizes, previous
    ),
    infer=gru_infer,
    library=torch.gru,
    keeps=1,
    turned=1,  # the rows of n come first there and last in torch.nn
    own_bias=True,
)
