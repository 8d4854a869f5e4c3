"""minGRU: a recurrence whose gates do not read the state, so that it can run in parallel over time.

Source: Feng et al. 2024, "Were RNNs All We Needed?" (arXiv 2410.01201). The update gate multiplies
the OLD state, as in our GRU; the paper's z is 1 - z here. The candidate is linear, as in the
paper's first form; the positive one of its second form is there for a scan over logarithms, and
learned less on our sample corpora. A gate sees one token: what words do to each other is seen from
a second layer on. The reset gate is gone, and so are the products with the state: all gates and
candidates of a batch are one matrix product, and what is left of the recurrence is h = a * h' + b
with known a and b. There are two ways through that, which give the same:

- On a CPU, one fused multiplication and addition a step over the tokens of a unit
  (`mingru_forward`, `mingru_backward`). That is less work than any scan does, and far less than
  the product before it.
- Elsewhere, where each small step would cost a launch, `scan`: in log2(time) rounds over the
  padded batch. All factors lie in (0, 1), so that no logarithms are needed to keep it in range.

Notation as in `models/recurrence/cells.py`; which way runs is chosen in
`models/recurrence/dispatch.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from . import arrays
from .cell import Block, Cell, Forward, State, Weights, blocks, receivers, states_before, step_of
from .matmul import of_all_tokens

EQUATIONS = """\
z = s(W_z x + b_z)                         update gate
n = W_n x + b_n                            candidate
h = (1 - z) * n + z * h'                   hidden state
"""
#   da_z = dh * (h' - n) z (1 - z)
#   dn   = dh * (1 - z)
#   dh'  = dh * z


def mingru_forward(
    inputs: Tensor, weights: Weights, start: Tensor | None, sizes: list[int]
) -> Forward:
    """minGRU over `inputs` [tokens, input_size] from state `start` [sequences, hidden_size].

    Args:
        inputs: `[tokens, input_size]`, step by step.
        weights: Those of the layer and direction.
        start: The states before, `[sequences, hidden_size]`; None for zeros.
        sizes: Number of sequences at each step.
    """
    gates = of_all_tokens(inputs, weights.input, weights.input_bias)  # [tokens, 2 * hidden_size]
    z, n = gates.chunk(2, 1)
    z.sigmoid_()
    hidden = inputs.new_empty(n.shape)
    first = hidden.new_zeros(sizes[0], n.shape[1]) if start is None else start
    before = first
    for z_t, n_t, h in zip(z.split(sizes), n.split(sizes), hidden.split(sizes), strict=True):
        before = torch.lerp(n_t, before[: len(h)], z_t, out=h)
    return Forward(hidden, None, (hidden, gates, first))


def mingru_backward(
    grad: Tensor,
    grad_start: Tensor,
    saved: tuple[Tensor, ...],
    sizes: list[int],
    previous: Tensor,
) -> Iterator[Block]:
    """Backward of `mingru_forward`, as `rnn_backward` is that of `rnn_forward`.

    Args:
        grad: Gradient of h, `[tokens, hidden_size]`; overwritten.
        grad_start: What the gradient of the states before is added to, `[sequences, hidden_size]`.
        saved: What `mingru_forward` saved.
        sizes: Number of sequences at each step.
        previous: For each token after step 0 the number of the one before it.
    """
    hidden, gates, first = saved
    z, n = gates.chunk(2, 1)
    dh, to_before, keep = grad.split(sizes), receivers(grad_start, grad, sizes), z.split(sizes)
    for steps, at in blocks(sizes):
        for t in steps:
            to_before[t].addcmul_(dh[t], keep[t])
        sums = torch.empty_like(gates[at])
        da_z, dn = sums.chunk(2, 1)
        torch.addcmul(grad[at], grad[at], z[at], value=-1, out=dn)
        torch.mul(states_before(first, hidden, previous, at) - n[at], dn, out=da_z).mul_(z[at])
        yield Block(at, sums, sums[:, :0])


def mingru_scanned(
    inputs: Tensor, lengths: Tensor, weights: Sequence[Weights], start: Tensor | None
) -> tuple[Tensor, Tensor]:
    """A whole layer of minGRU by `scan`. Padding keeps the state: there a is 1 and b is 0.

    Args:
        inputs: `[batch, time, input_size]`; what stands at padding is ignored.
        lengths: Number of tokens of each sequence, `[batch]`.
        weights: One for each direction.
        start: State to start from, `[directions, batch, hidden_size]`; None for zeros.

    Returns:
        The states `[batch, time, directions * hidden_size]`, zeros at padding, and the last ones
        `[directions, batch, hidden_size]`.
    """
    time = inputs.shape[1]
    position = torch.arange(time, device=inputs.device)
    ends = lengths.to(inputs.device).unsqueeze(1)  # [batch, 1]
    inside = (position < ends).unsqueeze(2)  # [batch, time, 1]
    backwards = torch.where(position < ends, ends - 1 - position, position)  # [batch, time]
    clean = inputs.masked_fill(~inside, 0.0)  # padding may hold anything, even nan
    states, finals = [], []
    for direction, weight in enumerate(weights):
        places = backwards.unsqueeze(2) if direction else None
        read = clean if places is None else clean.take_along_dim(places, 1)
        z, n = F.linear(read, weight.input, weight.input_bias).chunk(2, 2)
        z = z.sigmoid().masked_fill(~inside, 1.0)
        first = n.new_zeros(n.shape[0], n.shape[2]) if start is None else start[direction]
        hidden = scan(z, (1 - z) * n, first)
        finals.append(hidden[:, -1])
        hidden = hidden if places is None else hidden.take_along_dim(places, 1)
        states.append(hidden.masked_fill(~inside, 0.0))
    return torch.cat(states, 2), torch.stack(finals)


def scan(keep: Tensor, add: Tensor, first: Tensor) -> Tensor:
    """h_t = keep_t * h_(t-1) + add_t for all t, in log2(time) rounds.

    Args:
        keep: Factors [batch, time, size], in [0, 1].
        add: What comes in at each step [batch, time, size].
        first: The state before the first step [batch, size].

    Returns:
        The state after each step [batch, time, size].
    """
    states: Tensor = _Scan.apply(keep, add, first)
    return states


class _Scan(torch.autograd.Function):
    """`scan`, whose backward pass is a scan as well, from the last step to the first."""

    @staticmethod
    def forward(ctx: Any, keep: Tensor, add: Tensor, first: Tensor) -> Tensor:
        add = add.clone()
        add[:, 0].addcmul_(keep[:, 0], first)
        states = doubling(keep, add)
        ctx.save_for_backward(keep, states, first)
        return states

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        keep, states, first = ctx.saved_tensors
        # dh_t = grad_t + keep_(t+1) * dh_(t+1): the same recurrence, read from the end.
        after = F.pad(keep[:, 1:], (0, 0, 0, 1))
        total = doubling(after.flip(1), grad.flip(1)).flip(1)
        before = torch.cat((first.unsqueeze(1), states[:, :-1]), 1)
        return total * before, total, total[:, 0] * keep[:, 0]


def doubling(keep: Tensor, add: Tensor) -> Tensor:
    """The scan from a zero state (Hillis & Steele 1986).

    After a round with reach r, `add` holds what 2 r steps add up to and `keep` what is left of the
    state before them.
    """
    reach, time = 1, keep.shape[1]
    while reach < time:
        add = torch.cat(
            (add[:, :reach], torch.addcmul(add[:, reach:], keep[:, reach:], add[:, :-reach])), 1
        )
        keep = torch.cat((keep[:, :reach], keep[:, reach:] * keep[:, :-reach]), 1)
        reach *= 2
    return add


def mingru_values(inputs: Tensor, weights: Weights, state: State) -> dict[str, Tensor]:
    """minGRU, one token: `inputs` [batch, input_size], state [1, batch, hidden_size].

    Args:
        inputs: `[batch, input_size]`.
        weights: Those of the layer and direction.
        state: States before, each `[1, batch, hidden_size]`.
    """
    z, n = F.linear(inputs, weights.input, weights.input_bias).chunk(2, 1)
    z = z.sigmoid()
    return {"z": z, "n": n, "h": torch.lerp(n, state.hidden[0], z)}


MINGRU = Cell(
    name="mingru",
    title="minGRU",
    gates=2,
    step=step_of(mingru_values),
    on_arrays=arrays.mingru,
    equations=EQUATIONS,
    values=mingru_values,
    forward=lambda inputs, weights, start, start_cell, sizes, last: mingru_forward(
        inputs, weights, start, sizes
    ),
    backward=lambda grad, grad_start, grad_cell, saved, weights, sizes, previous: mingru_backward(
        grad, grad_start, saved, sizes, previous
    ),
    scan=mingru_scanned,
    keeps=0,
    recurrent=False,
)
