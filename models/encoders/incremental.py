"""Reads texts that are still arriving: an encoder of any kind goes on where it stopped.

What is carried from one stretch of tokens to the next is returned and passed in again; its size
does not depend on how much has been read. Stretch by stretch the states are those of the whole
text. Only what reads from left to right alone can do this.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from rnnlp.models.recurrence.cell import State

from .bag import BagEncoder
from .recurrent import Encoder
from .windowed import WindowedEncoder


class Reading(NamedTuple):
    """Where an encoder has got to."""

    tokens: int = 0  # read: of the text, or of the present window
    final: State | None = None  # as in `EncoderOutput`; None before the first token


def read_on(
    encoder: Encoder | BagEncoder | WindowedEncoder, embedded: Tensor, so_far: Reading
) -> tuple[Tensor, Reading]:
    """Read the next tokens of texts.

    Args:
        encoder: What reads; recurrent layers must be of one direction.
        embedded: The tokens `[batch, time, input_size]`, at least one, none of them padding.
        so_far: What the call before returned; `Reading()` where texts begin.

    Returns:
        The states of these tokens `[batch, time, output_size]`, and what to pass on.

    Raises:
        ValueError: recurrent layers of two directions.
    """
    if isinstance(encoder, WindowedEncoder):
        read = []
        while embedded.shape[1]:
            if so_far.tokens == encoder.window:
                so_far = Reading()
            room = encoder.window - so_far.tokens
            states, so_far = read_on(encoder.encoder, embedded[:, :room], so_far)
            read.append(states)
            embedded = embedded[:, room:]
        return torch.cat(read, 1), so_far
    batch, time, _ = embedded.shape
    count = so_far.tokens + time
    if isinstance(encoder, BagEncoder):
        total = embedded.sum(1)
        if so_far.final is not None:
            total = total + so_far.final.hidden[0] * so_far.tokens
        return embedded, Reading(count, State((total / count).unsqueeze(0)))
    if encoder.bidirectional:
        raise ValueError("a bidirectional encoder needs the whole sequence: it cannot read on")
    state = encoder.start(batch) if so_far.final is None else so_far.final
    if time == 1:  # twice as fast as a sequence of one
        states, final = encoder.step(embedded[:, 0], state)
        return states.unsqueeze(1), Reading(count, final)
    states, final = encoder(embedded, torch.full((batch,), time), state)
    return states, Reading(count, final)
