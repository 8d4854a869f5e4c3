"""The recurrences themselves: simple RNN, LSTM and GRU, forward, backward and one step at a time.

`models/recurrence/mingru.py` has the fourth, whose gates do not read the state.

Every function here works on the tokens of one unit (`models/recurrence/packing.py`): step by step,
longest sequence first, no padding. The products with the inputs do not depend on the recurrence and
are taken for all tokens at once before the loop; the loop holds one product and a few element-wise
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
