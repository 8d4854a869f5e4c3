"""The recurrences themselves: simple RNN, LSTM and GRU, forward, backward and one step at a time.

`models/recurrence/mingru.py` has the fourth, whose gates do not read the state.

Every function here works on the tokens of one unit (`models/recurrence/packing.py`): step by step, longest
sequence first, no padding. The products with the inputs do not depend on the recurrence and are
taken for all tokens at once before the loop; the loop holds one product and a few element-wise
operations, in place. The backward loops rest on one observation: what a step multiplies the
incoming gradient with is known from the forward pass alone, so these factors are computed for many
steps at once and the loop is left with one product and a multiplication or two. The weight
gradients are one product over all tokens after the loop. tanh(v) is taken as 2 s(2v) - 1, because
torch's tanh takes four times as long as its s; that is exact to the last bit or two of 1.0, which
is why these functions want float32 or float64.

Notation: `x` the token, `h` and `c` the state after it, `h'` and `c'` the state before it, `s` the
logistic function, `*` element by element, `@` a product with a matrix, `dv` the gradient of the
loss with respect to `v`. Which path runs when (these functions or a library's) is chosen in
`models/recurrence/dispatch.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from .matmul import Product, of_all_tokens

Cell = Literal["rnn", "rnn_relu", "lstm", "gru", "mingru"]
CELLS: tuple[Cell, ...] = ("rnn", "rnn_relu", "lstm", "gru", "mingru")
GATES: dict[Cell, int] = {"rnn": 1, "rnn_relu": 1, "lstm": 4, "gru": 3, "mingru": 2}

BLOCK_TOKENS = 512  # how many tokens a backward pass takes up at once: they stay in the cache


class Weights(NamedTuple):
    """The parameters of one direction of one layer, shaped and ordered as torch.nn has them.

    minGRU does not read the state: `hidden` and `hidden_bias` have no rows there.
    """

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


class Forward(NamedTuple):
    """What a forward pass over a unit leaves behind."""

    hidden: Tensor  # [tokens, hidden_size] the state after each token
    cell: Tensor | None  # [sequences, hidden_size] the last cell state of each sequence (LSTM)
    saved: tuple[Tensor, ...]  # what the backward pass reads, hidden first


class Block(NamedTuple):
    """What a backward pass has found for some tokens, good until the next block is asked for."""

    at: slice  # which tokens
    input_sums: Tensor  # [tokens of the block, gates * hidden_size] gradient of W_i x + b_i
    hidden_sums: Tensor  # [tokens of the block, gates * hidden_size] gradient of W_h h' + b_h


# Simple RNN (Elman 1990)
#
#   h = f(W_i x + b_i + W_h h' + b_h)        f = tanh or relu
#
#   da  = dh * f'(a)                         f' = 1 - h^2, or 1 where h > 0
#   dh' = da @ W_h


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


# LSTM (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000)
#
#   i = s(W_ii x + b_ii + W_hi h' + b_hi)      input gate
#   f = s(W_if x + b_if + W_hf h' + b_hf)      forget gate
#   g = tanh(W_ig x + b_ig + W_hg h' + b_hg)   candidate
#   o = s(W_io x + b_io + W_ho h' + b_ho)      output gate
#   c = f * c' + i * g
#   h = o * tanh(c)
#
#   dc += dh * o (1 - tanh(c)^2)               dc arrives from the next step as dc * f
#   da_i = dc * g i (1 - i)
#   da_f = dc * c' f (1 - f)
#   da_g = dc * i (1 - g^2)
#   da_o = dh * tanh(c) o (1 - o)
#   dh' = [da_i da_f da_g da_o] @ W_h
#   dc' = dc * f


def lstm_forward(
    inputs: Tensor,
    weights: Weights,
    start: Tensor | None,
    start_cell: Tensor | None,
    sizes: list[int],
    last: Tensor | None,
) -> Forward:
    """LSTM over `inputs` [tokens, input_size]; without `last` nothing is saved for a backward."""
    bias = weights.input_bias + weights.hidden_bias
    gates = of_all_tokens(inputs, weights.input, bias)  # [tokens, 4 * hidden_size]
    size = weights.hidden.shape[1]
    hidden = gates.new_empty(gates.shape[0], size)
    first = gates.new_zeros(sizes[0], size) if start_cell is None else start_cell
    if last is not None:
        cells, tanhs = torch.empty_like(hidden), torch.empty_like(hidden)
        after, tanh = cells.split(sizes), tanhs.split(sizes)
    else:
        cells, tanhs = first.clone(), torch.empty_like(first)
        after, tanh = [cells[:n] for n in sizes], [tanhs[:n] for n in sizes]
        first = cells
    steps = (
        gates.split(sizes),
        *(part.split(sizes) for part in gates.split(size, 1)),
        after,
        tanh,
        hidden.split(sizes),
    )
    product = Product(weights.hidden, sizes[0])
    before, c = start, first
    minus_one = gates.new_tensor(-1.0)
    for a, i, f, g, o, c_next, tanh_c, h in zip(*steps, strict=True):
        n = len(a)
        if before is not None:
            product.add_to(a, before[:n])
        g.mul_(2)
        a.sigmoid_()
        torch.add(minus_one, g, alpha=2, out=g)
        c = torch.mul(f, c[:n], out=c_next).addcmul_(i, g)
        torch.mul(c, 2, out=tanh_c).sigmoid_()
        torch.add(minus_one, tanh_c, alpha=2, out=tanh_c)
        before = torch.mul(o, tanh_c, out=h)
    if last is None:  # a sequence that has ended keeps its row
        return Forward(hidden, cells, ())
    return Forward(hidden, cells.index_select(0, last), (hidden, gates, cells, tanhs, first))


def lstm_infer(
    inputs: Tensor,
    weights: Weights,
    start: Tensor | None,
    start_cell: Tensor | None,
    sizes: list[int],
) -> Forward:
    """`lstm_forward` without a way back, by oneDNN's LSTM: one call for all steps.

    oneDNN wants every sequence as long as the longest and gives the cell state of the last step
    alone. So a sequence that has ended reads tokens that keep its cell state to the last bit: one
    further input says that the token is padding, and shuts the input gate and opens the forget
    gate by a weight at which s is exactly 0 and 1.
    """
    size, steps, sequences = weights.hidden.shape[1], len(sizes), sizes[0]
    inside = torch.arange(sequences) < torch.tensor(sizes).unsqueeze(1)  # [steps, sequences]
    places = inside.flatten().nonzero().squeeze(1)  # [tokens]
    padded = inputs.new_zeros(steps * sequences, inputs.shape[1] + 1)
    padded[:, -1] = 1.0
    padded.index_copy_(0, places, F.pad(inputs, (0, 1)))
    shut = weights.input.new_zeros(4 * size, 1)
    shut[:size], shut[size : 2 * size] = -1e4, 1e4
    zeros = inputs.new_zeros(sequences, size)
    states, _, cell, _ = torch.mkldnn_rnn_layer(
        padded.view(steps, sequences, -1),
        torch.cat((weights.input, shut), 1),
        weights.hidden,
        weights.input_bias,
        weights.hidden_bias,
        zeros if start is None else start,
        zeros if start_cell is None else start_cell,
        reverse=False,
        batch_sizes=[],
        mode=2,  # LSTM
        hidden_size=size,
        num_layers=1,
        has_biases=True,
        bidirectional=False,
        batch_first=False,
        train=False,
    )
    hidden = states.view(steps * sequences, size).index_select(0, places)
    return Forward(hidden, cell.view(sequences, size), ())


def lstm_backward(
    grad: Tensor,
    grad_start: Tensor,
    grad_cell: Tensor,
    saved: tuple[Tensor, ...],
    weights: Weights,
    sizes: list[int],
    previous: Tensor,
) -> Iterator[Block]:
    """Backward of `lstm_forward`, as `rnn_backward` is that of `rnn_forward`.

    `grad_cell` [sequences, hidden_size] holds the gradient of the last c, and at the end that of
    the cell state before the first token.
    """
    hidden, gates, cells, tanhs, first = saved
    size = hidden.shape[1]
    dh, leaving = grad.split(sizes), receivers(grad_start, grad, sizes)
    forget = gates[:, size : 2 * size].split(sizes)
    for steps, at in blocks(sizes):
        i, f, g, o = gates[at].split(size, 1)
        sums = torch.empty_like(gates[at])  # the factors of da_i ... da_o, then da_i ... da_o
        s_i, s_f, s_g, s_o = sums.split(size, 1)
        torch.addcmul(i, i, i, value=-1, out=s_i).mul_(g)
        torch.addcmul(f, f, f, value=-1, out=s_f).mul_(states_before(first, cells, previous, at))
        torch.mul(g, g, out=s_g)
        torch.addcmul(i, i, s_g, value=-1, out=s_g)
        torch.addcmul(o, o, o, value=-1, out=s_o).mul_(tanhs[at])
        inner = tanhs[at] * tanhs[at]
        torch.addcmul(o, o, inner, value=-1, out=inner)
        here = sizes[steps[-1] : steps[0] + 1]
        da, da_o, through = sums.split(here), s_o.split(here), inner.split(here)
        da_ifg = sums.unflatten(1, (4, size))[:, :3].split(here)
        for t in steps:
            k = t - steps[-1]
            dc = grad_cell[: sizes[t]]
            dc.addcmul_(dh[t], through[k])
            da_ifg[k].mul_(dc.unsqueeze(1))
            da_o[k].mul_(dh[t])
            dc.mul_(forget[t])
            leaving[t].addmm_(da[k], weights.hidden)
        yield Block(at, sums, sums)


# GRU (Cho et al. 2014), in the form of torch.nn and cuDNN
#
#   r = s(W_ir x + b_ir + W_hr h' + b_hr)      reset gate
#   z = s(W_iz x + b_iz + W_hz h' + b_hz)      update gate
#   q = W_hn h' + b_hn
#   n = tanh(W_in x + b_in + r * q)            candidate
#   h = (1 - z) * n + z * h'
#
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


def step(cell: Cell, inputs: Tensor, weights: Weights, state: State) -> State:
    """The state after one token: `inputs` [batch, input_size], state [1, batch, hidden_size]."""
    before = state.hidden[0]
    of_input = F.linear(inputs, weights.input, weights.input_bias)
    if cell == "mingru":
        z, n = of_input.chunk(2, 1)
        return State(torch.lerp(n, before, z.sigmoid()).unsqueeze(0))
    of_hidden = F.linear(before, weights.hidden, weights.hidden_bias)
    if cell == "lstm":
        assert state.cell is not None
        i, f, g, o = (of_input + of_hidden).chunk(4, 1)
        c = f.sigmoid() * state.cell[0] + i.sigmoid() * g.tanh()
        return State((o.sigmoid() * c.tanh()).unsqueeze(0), c.unsqueeze(0))
    if cell == "gru":
        i_r, i_z, i_n = of_input.chunk(3, 1)
        h_r, h_z, q = of_hidden.chunk(3, 1)
        n = (i_n + (i_r + h_r).sigmoid() * q).tanh()
        return State(torch.lerp(n, before, (i_z + h_z).sigmoid()).unsqueeze(0))
    total = of_input + of_hidden
    return State((total.tanh() if cell == "rnn" else total.relu()).unsqueeze(0))


def states_before(first: Tensor, states: Tensor, previous: Tensor, at: slice) -> Tensor:
    """The states [tokens of the block, hidden_size] before the tokens `at`.

    `first` [sequences, hidden_size] comes before the tokens of step 0, `states` [tokens,
    hidden_size] holds the state after each token.
    """
    after = slice(max(at.start - len(first), 0), max(at.stop - len(first), 0))
    return torch.cat((first[at], states.index_select(0, previous[after])))


def receivers(first: Tensor, grad: Tensor, sizes: list[int]) -> list[Tensor]:
    """Where each step adds the gradient of the state before it: to the step before, where it is.

    The first step adds to `first`, step t to those rows of step t - 1 which go on.
    """
    rows = grad.split(sizes)
    return [first, *(row[:n] for row, n in zip(rows[:-1], sizes[1:], strict=True))]


def blocks(sizes: list[int]) -> Iterator[tuple[range, slice]]:
    """From the last step to the first: ranges of steps (falling) and the tokens they cover."""
    stop, last = sum(sizes), len(sizes) - 1
    begin = stop
    for t in range(last, -1, -1):
        begin -= sizes[t]
        if stop - begin >= BLOCK_TOKENS or t == 0:
            yield range(last, t - 1, -1), slice(begin, stop)
            stop, last = begin, t - 1
