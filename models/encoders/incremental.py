"""Reads texts that are still arriving: an encoder of any kind goes on where it stopped.

What is carried from one stretch of tokens to the next is returned and passed in again; its size
does not depend on how much has been read. Stretch by stretch the states are those of the whole
text. Only what reads from left to right alone can do this.

All that goes in and out are arrays: for a single token torch takes longer than its arithmetic
(`models/recurrence/arrays.py`). Of longer stretches the encoder itself makes states.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from rnnlp.models.recurrence.arrays import ArrayState, ArrayWeights
from rnnlp.models.recurrence.cell import State
from rnnlp.models.search.tensors import array

from .bag import BagEncoder
from .recurrent import Encoder
from .windowed import WindowedEncoder


class Reading(NamedTuple):
    """Where an encoder has got to."""

    tokens: int = 0  # read: of the text, or of the present window
    final: tuple[ArrayState, ...] = ()  # of each layer; none before the first token


class IncrementalEncoder:
    """An encoder whose weights stay as they are while texts are read.

    Args:
        encoder: What reads; recurrent layers must be of one direction.

    Raises:
        ValueError: Recurrent layers of two directions.
    """

    def __init__(self, encoder: Encoder | BagEncoder | WindowedEncoder) -> None:
        self._window = encoder.window if isinstance(encoder, WindowedEncoder) else None
        self._encoder = encoder.encoder if isinstance(encoder, WindowedEncoder) else encoder
        self._layers: list[ArrayWeights] = []
        if isinstance(self._encoder, Encoder):
            if self._encoder.bidirectional:
                raise ValueError(
                    "a bidirectional encoder needs the whole sequence: it cannot read on"
                )
            layers = range(self._encoder.num_layers)
            weights = [self._encoder.weights(layer)[0] for layer in layers]
            self._layers = [ArrayWeights(*(array(one.detach()) for one in w)) for w in weights]

    def read(self, embedded: np.ndarray, so_far: Reading) -> tuple[np.ndarray, Reading]:
        """Read the next tokens of texts.

        Args:
            embedded: The tokens `[batch, time, input_size]`, at least one, none of them padding.
            so_far: What the call before returned; `Reading()` where texts begin.

        Returns:
            The states of these tokens `[batch, time, output_size]`, and what to pass on.
        """
        if self._window is None:
            return self._read(embedded, so_far)
        read = []
        while embedded.shape[1]:
            if so_far.tokens == self._window:
                so_far = Reading()
            room = self._window - so_far.tokens
            states, so_far = self._read(embedded[:, :room], so_far)
            read.append(states)
            embedded = embedded[:, room:]
        return np.concatenate(read, 1), so_far

    def _read(self, embedded: np.ndarray, so_far: Reading) -> tuple[np.ndarray, Reading]:
        time = embedded.shape[1]
        count = so_far.tokens + time
        if isinstance(self._encoder, BagEncoder):
            total = embedded.sum(1)
            if so_far.final:
                total += so_far.final[0].hidden * so_far.tokens
            return embedded, Reading(count, (ArrayState(total / np.float32(count)),))
        read = _token if time == 1 and self._encoder.kind.on_arrays else _stretch
        states, final = read(self._encoder, self._layers, embedded, so_far.final)
        return states, Reading(count, final)


def _token(
    encoder: Encoder,
    weights: Sequence[ArrayWeights],
    embedded: np.ndarray,
    final: tuple[ArrayState, ...],
) -> tuple[np.ndarray, tuple[ArrayState, ...]]:
    """Reads one token of each text.

    Args:
        encoder: Whose layers they are.
        weights: Of each layer.
        embedded: The tokens `[batch, 1, input_size]`.
        final: The state of each layer before them; none where texts begin.
    """
    if not final:
        zeros = [np.zeros((len(embedded), w.hidden.shape[1]), embedded.dtype) for w in weights]
        final = tuple(ArrayState(each, each) for each in zeros)
    step = encoder.kind.on_arrays
    assert step is not None
    states, after = embedded[:, 0], []
    for layer, (own, before) in enumerate(zip(weights, final, strict=True)):
        inputs = read = states
        if layer and encoder.look_back:
            weight = array(encoder.before_weight(layer).detach())
            read = inputs + weight * final[layer - 1].hidden
        after.append(step(read, own, before))
        states = after[-1].hidden
        if encoder.finishes:
            with torch.inference_mode():
                states = array(encoder.finish(layer, *_tensors(encoder, inputs, states)))
    return states[:, None], tuple(after)


@torch.inference_mode()
def _stretch(
    encoder: Encoder,
    weights: Sequence[ArrayWeights],
    embedded: np.ndarray,
    final: tuple[ArrayState, ...],
) -> tuple[np.ndarray, tuple[ArrayState, ...]]:
    """Reads several tokens at once, or those of a cell that knows no arrays; see `_token`."""
    begin = None
    if final:
        stacked = (np.stack(each) for each in zip(*final, strict=True) if each[0] is not None)
        begin = State(*_tensors(encoder, *stacked))
    batch, time, _ = embedded.shape
    states, last = encoder(*_tensors(encoder, embedded), torch.full((batch,), time), begin)
    layers = zip(*(array(each) for each in last if each is not None), strict=True)
    return array(states), tuple(ArrayState(*each) for each in layers)


def _tensors(encoder: Encoder, *arrays: np.ndarray) -> list[Tensor]:
    """The same numbers in the encoder's precision, where it is."""
    like = encoder.weights(0)[0].input
    return [torch.from_numpy(each).to(like) for each in arrays]
