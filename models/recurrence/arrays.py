"""A step of each cell on arrays: one token of a text that arrives token by token.

What torch does around a small operation takes longer than the operation, and a step has a dozen of
them: on arrays it takes a third of the time or less. The equations are those of the cells' own
files, and so is the order of gates and weights; `Cell.step` computes the same on tensors.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_LOWEST = -80.0  # below, s is 0 as far as float32 goes, and exp would be too large for it


class ArrayWeights(NamedTuple):
    """`Weights` of one direction of one layer, as arrays."""

    input: np.ndarray  # [gates * hidden_size, input_size]
    hidden: np.ndarray  # [gates * hidden_size, hidden_size]
    input_bias: np.ndarray  # [gates * hidden_size]
    hidden_bias: np.ndarray  # [gates * hidden_size]


class ArrayState(NamedTuple):
    """The `State` of one direction of one layer, as arrays."""

    hidden: np.ndarray  # [batch, hidden_size]
    cell: np.ndarray | None = None  # the same shape; LSTM only


def rnn(inputs: np.ndarray, weights: ArrayWeights, state: ArrayState) -> ArrayState:
    """Simple RNN with tanh.

    Args:
        inputs: One token of each text, `[batch, input_size]`.
        weights: Those of the layer.
        state: The state before it, `[batch, hidden_size]`.
    """
    return ArrayState(np.tanh(_of_input(inputs, weights) + _of_hidden(weights, state)))


def relu_rnn(inputs: np.ndarray, weights: ArrayWeights, state: ArrayState) -> ArrayState:
    """Simple RNN with ReLU.

    Args:
        inputs: One token of each text, `[batch, input_size]`.
        weights: Those of the layer.
        state: The state before it, `[batch, hidden_size]`.
    """
    return ArrayState(np.maximum(_of_input(inputs, weights) + _of_hidden(weights, state), 0))


def lstm(inputs: np.ndarray, weights: ArrayWeights, state: ArrayState) -> ArrayState:
    """LSTM; tanh(x) = 2 s(2x) - 1, so that one call serves all gates.

    Args:
        inputs: One token of each text, `[batch, input_size]`.
        weights: Those of the layer.
        state: The states before it, `[batch, hidden_size]` each.
    """
    gates = _of_input(inputs, weights)
    gates += _of_hidden(weights, state)
    i, f, g, o = _apart(gates, 4)
    g *= 2
    _sigmoid(gates)
    g *= 2
    g -= 1
    cell = f * state.cell
    i *= g
    cell += i
    return ArrayState(o * np.tanh(cell), cell)


def gru(inputs: np.ndarray, weights: ArrayWeights, state: ArrayState) -> ArrayState:
    """GRU.

    Args:
        inputs: One token of each text, `[batch, input_size]`.
        weights: Those of the layer.
        state: The state before it, `[batch, hidden_size]`.
    """
    gates, of_hidden = _of_input(inputs, weights), _of_hidden(weights, state)
    two = slice(2 * state.hidden.shape[1])  # the columns of r and z
    gates[:, two] += of_hidden[:, two]
    _sigmoid(gates[:, two])
    r, z, n = _apart(gates, 3)
    _, _, q = _apart(of_hidden, 3)
    n = np.tanh(n + r * q)
    return ArrayState(n + z * (state.hidden - n))


def mingru(inputs: np.ndarray, weights: ArrayWeights, state: ArrayState) -> ArrayState:
    """minGRU.

    Args:
        inputs: One token of each text, `[batch, input_size]`.
        weights: Those of the layer.
        state: The state before it, `[batch, hidden_size]`.
    """
    z, n = _apart(_of_input(inputs, weights), 2)
    return ArrayState(n + _sigmoid(z) * (state.hidden - n))


def _of_input(inputs: np.ndarray, weights: ArrayWeights) -> np.ndarray:
    sums: np.ndarray = inputs @ weights.input.T
    sums += weights.input_bias
    return sums


def _of_hidden(weights: ArrayWeights, state: ArrayState) -> np.ndarray:
    sums: np.ndarray = state.hidden @ weights.hidden.T
    sums += weights.hidden_bias
    return sums


def _apart(sums: np.ndarray, gates: int) -> np.ndarray:
    """Views of the gates, [gates, batch, hidden_size]."""
    return sums.reshape(len(sums), gates, -1).swapaxes(0, 1)


def _sigmoid(sums: np.ndarray) -> np.ndarray:
    """s of these numbers, which takes their place."""
    np.maximum(sums, _LOWEST, out=sums)
    np.negative(sums, out=sums)
    np.exp(sums, out=sums)
    sums += 1
    return np.reciprocal(sums, out=sums)
