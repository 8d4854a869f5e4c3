"""The encoder protocol: (embedded, lengths) to EncoderOutput(states, final), with `output_size`."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from rnnlp.models.recurrence.cell import State


class EncoderOutput(NamedTuple):
    """What every encoder returns.

    `final` is the raw recurrent state after the last token that each direction reads: position
    `length - 1` forwards, position 0 backwards. Its first dimension runs over the layers and
    within them over the directions, as in torch.nn: `final.hidden[-1]` is the last layer (its
    backward direction where there are two). Dropout, residual connections and layer norm act on
    `states`, not on `final`.
    """

    states: Tensor  # [batch, time, output_size], zeros at padding
    final: State  # hidden (and cell): [layers * directions, batch, hidden_size]
