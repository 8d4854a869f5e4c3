"""LSTM (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from . import arrays
from .cell import Block, Cell, Forward, State, Weights, blocks, receivers, states_before
from .matmul import Product, of_all_tokens

EQUATIONS = """\
i = s(W_ii x + b_ii + W_hi h' + b_hi)      input gate
f = s(W_if x + b_if + W_hf h' + b_hf)      forget gate
g = tanh(W_ig x + b_ig + W_hg h' + b_hg)   candidate
o = s(W_io x + b_io + W_ho h' + b_ho)      output gate
c = f * c' + i * g                         cell state
h = o * tanh(c)                            hidden state
"""
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
    """LSTM over `inputs` [tokens, input_size]; without `last` nothing is saved for a backward.

    Args:
        inputs: `[tokens, input_size]`, step by step.
        weights: Those of the layer and direction.
        start: The states before, `[sequences, hidden_size]`; None for zeros.
        start_cell: The cell states before, `[sequences, hidden_size]`; None for zeros.
        sizes: Number of sequences at each step.
        last: For each sequence the place of its last token; None where no backward pass follows.
    """
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

    Args:
        inputs: `[tokens, input_size]`, step by step.
        weights: Those of the layer and direction.
        start: The states before, `[sequences, hidden_size]`; None for zeros.
        start_cell: The cell states before, `[sequences, hidden_size]`; None for zeros.
        sizes: Number of sequences at each step.
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

    Args:
        grad: Gradient of h, `[tokens, hidden_size]`; overwritten.
        grad_start: What the gradient of the states before is added to, `[sequences, hidden_size]`.
        grad_cell: Gradient of the last c, `[sequences, hidden_size]`; at the end it holds that of
            the cell states before the first token.
        saved: What `lstm_forward` saved.
        weights: Those of the layer and direction.
        sizes: Number of sequences at each step.
        previous: For each token after step 0 the number of the one before it.
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


def lstm_values(inputs: Tensor, weights: Weights, state: State) -> dict[str, Tensor]:
    """LSTM, one token: `inputs` [batch, input_size], states [1, batch, hidden_size].

    Args:
        inputs: `[batch, input_size]`.
        weights: Those of the layer and direction.
        state: States before, each `[1, batch, hidden_size]`.
    """
    assert state.cell is not None
    of_input = F.linear(inputs, weights.input, weights.input_bias)
    of_hidden = F.linear(state.hidden[0], weights.hidden, weights.hidden_bias)
    i, f, g, o = (of_input + of_hidden).chunk(4, 1)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    c = f * state.cell[0] + i * g
    return {"i": i, "f": f, "g": g, "o": o, "c": c, "h": o * c.tanh()}


def lstm_step(inputs: Tensor, weights: Weights, state: State) -> State:
    """The state after one token by torch's own function, in half the time of `lstm_values`.

    Args:
        inputs: `[batch, input_size]`.
        weights: Those of the layer and direction.
        state: States before, each `[1, batch, hidden_size]`.
    """
    assert state.cell is not None
    hidden, cell = torch.lstm_cell(inputs, (state.hidden[0], state.cell[0]), *weights)
    return State(hidden.unsqueeze(0), cell.unsqueeze(0))


LSTM = Cell(
    name="lstm",
    title="LSTM",
    gates=4,
    step=lstm_step,
    on_arrays=arrays.lstm,
    equations=EQUATIONS,
    values=lstm_values,
    forward=lstm_forward,
    backward=lstm_backward,
    infer=lstm_infer,
    library=torch.lstm,
    keeps=1,
    keeping=(-1e4, 1e4, 0.0, 0.0),  # s is exactly 0 and 1 there
    has_cell=True,
)
