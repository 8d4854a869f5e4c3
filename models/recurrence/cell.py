"""What a recurrence is: its cell as one object, and what its functions take and give.

Each cell has a file of its own with its equations (`rnn.py`, `lstm.py`, `gru.py`, `mingru.py`,
`ssru.py`) and a row in `cells.py`; nothing else in the package tells cells apart.

Forward and backward functions work on the tokens of one unit (`packing.py`): step by step, longest
sequence first, no padding. The products with the inputs do not depend on the recurrence and
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

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .arrays import ArrayState, ArrayWeights

BLOCK_TOKENS = 512  # how many tokens a backward pass takes up at once: they stay in the cache


class Weights(NamedTuple):
    """The parameters of one direction of one layer, shaped and ordered as torch.nn has them.

    minGRU and SSRU do not read the state: `hidden` and `hidden_bias` have no rows there.
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


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A recurrence: its functions, and what the layers around it must know.

    A cell of one's own needs `name`, `title`, `gates` and `step` alone: it then runs step by step
    (`stepwise.py`), which is exact and slow.

    Args:
        name: As configs write it.
        title: As people write it.
        equations: How it computes a step, for people; each line `name = ...`.
        gates: Blocks of `hidden_size` rows that its weights have.
        step: `(inputs, weights, state)` to the state after one token: inputs `[batch, input_size]`,
            states `[1, batch, hidden_size]`.
        on_arrays: The same for arrays, `[batch, hidden_size]` the states; see `arrays.py`.
        values: The same to what `equations` name, each `[batch, hidden_size]`, in their order; the
            state after the token is among them, `h` (and `c`).
        forward: `(inputs, weights, start, start_cell, sizes, last)` over the tokens of a unit;
            nothing is saved for a backward pass where `last` is None.
        backward: `(grad, grad_start, grad_cell, saved, weights, sizes, previous)`, the blocks of
            the unit, the last tokens first.
        infer: `forward` without a way back, where oneDNN serves.
        together: `(of_input, weights, bias, start)`, the states of all directions at once.
        scan: `(inputs, lengths, weights, start)`, a whole layer in parallel over time.
        library: torch's function for the whole layer.
        output: What a layer gives of its states, where that is not the states themselves.
        keeps: Which gate keeps the old state.
        keeping: A number for each gate that, added to its sum, keeps the state to the last bit.
        recurrent: Whether the gates read the state.
        has_cell: Whether a second state is carried, as the LSTM's.
        turned: By how many gates the rows of `hidden_sums` are turned against those of torch.nn.
        own_bias: Whether the two biases have gradients of their own.
    """

    name: str
    title: str
    gates: int
    step: Callable[[Tensor, Weights, State], State]
    equations: str = ""
    on_arrays: Callable[[np.ndarray, ArrayWeights, ArrayState], ArrayState] | None = None
    values: Callable[[Tensor, Weights, State], dict[str, Tensor]] | None = None
    forward: Callable[..., Forward] | None = None
    backward: Callable[..., Iterator[Block]] | None = None
    infer: Callable[..., Forward] | None = None
    together: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor] | None = None
    scan: Callable[..., tuple[Tensor, Tensor]] | None = None
    library: Any = None
    output: Callable[[Tensor], Tensor] | None = None
    keeps: int | None = None
    keeping: tuple[float, ...] | None = None
    recurrent: bool = True
    has_cell: bool = False
    turned: int = 0
    own_bias: bool = False


class Layer(NamedTuple):
    """One layer over a padded batch: what each way of running it is given."""

    cell: Cell
    inputs: Tensor  # [batch, time, input_size]; what stands at padding is ignored
    lengths: Tensor  # [batch], on the CPU
    weights: Sequence[Weights]  # one for each direction
    hidden: Tensor | None  # initial state [directions, batch, hidden_size]; None for zeros
    start_cell: Tensor | None  # the same of the second state


def state_of(values: Mapping[str, Tensor]) -> State:
    """The state among the values of a step; see `Cell.values`."""
    cell = values.get("c")
    return State(values["h"].unsqueeze(0), None if cell is None else cell.unsqueeze(0))


def step_of(
    values: Callable[[Tensor, Weights, State], dict[str, Tensor]],
) -> Callable[[Tensor, Weights, State], State]:
    """The `Cell.step` that computes `values`, and keeps the state among them."""
    return lambda inputs, weights, state: state_of(values(inputs, weights, state))


def states_before(first: Tensor, states: Tensor, previous: Tensor, at: slice) -> Tensor:
    """The states [tokens of the block, hidden_size] before the tokens `at`.

    `first` [sequences, hidden_size] comes before the tokens of step 0, `states` [tokens,
    hidden_size] holds the state after each token.

    Args:
        first: The states before step 0, `[sequences, hidden_size]`.
        states: The states after each token, `[tokens, hidden_size]`.
        previous: For each token after step 0 the number of the one before it.
        at: Which tokens.
    """
    after = slice(max(at.start - len(first), 0), max(at.stop - len(first), 0))
    return torch.cat((first[at], states.index_select(0, previous[after])))


def receivers(first: Tensor, grad: Tensor, sizes: list[int]) -> list[Tensor]:
    """Where each step adds the gradient of the state before it: to the step before, where it is.

    The first step adds to `first`, step t to those rows of step t - 1 which go on.

    Args:
        first: Gradient of the states before step 0, `[sequences, hidden_size]`.
        grad: Gradient of the state after each token, `[tokens, hidden_size]`.
        sizes: Number of sequences at each step.
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
