"""Reads long sequences in windows: an encoder around another one.

Each window starts from a zero state and all of them run side by side, so that the time for a long
text grows with its number of windows only as far as memory and cores do. What a token means then
depends on its window alone; the pooling above still sees the whole text. Short sequences, of one
window, come out exactly as without this file.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnlp.models.recurrence.cell import State

from .bag import BagEncoder
from .base import EncoderOutput
from .recurrent import Encoder


class WindowedEncoder(nn.Module):
    """Cuts every sequence into windows of at most `window` tokens and encodes these.

    Args:
        encoder: Encodes a window.
        window: Tokens of a window; the last one of a sequence may be shorter.
    """

    def __init__(self, *, encoder: Encoder | BagEncoder, window: int) -> None:
        super().__init__()
        if window < 1:
            raise ValueError(f"a window holds at least 1 token, not {window}")
        self.encoder = encoder
        self.window = window

    @property
    def output_size(self) -> int:
        """Width of the states."""
        return self.encoder.output_size

    def forward(self, embedded: Tensor, lengths: Tensor) -> EncoderOutput:
        """Encode a padded batch.

        Args:
            embedded: `[batch, time, input_size]`.
            lengths: Number of tokens of each sequence `[batch]`, on the CPU, at least 1.

        Returns:
            States of the windows, one after the other. The final state of the forward direction is
            that of the last window, of the backward direction that of the first: in either case the
            end of what the direction reads.
        """
        batch, time, size = embedded.shape
        if time <= self.window:
            inner: EncoderOutput = self.encoder(embedded, lengths)
            return inner
        most = -(-time // self.window)
        windows = F.pad(embedded, (0, 0, 0, most * self.window - time))
        windows = windows.reshape(batch * most, self.window, size)
        starts = torch.arange(most) * self.window
        held = (lengths.unsqueeze(1) - starts).clamp(0, self.window).flatten()  # [batch * most]
        rows = held.nonzero().squeeze(1)  # windows that hold tokens
        encoded = self.encoder(windows[rows.to(windows.device)], held[rows])
        states = encoded.states.new_zeros(batch * most, self.window, encoded.states.shape[2])
        width = encoded.states.shape[1]
        states[rows.to(states.device), :width] = encoded.states
        states = states.reshape(batch, most * self.window, -1)[:, :time]
        counts = (held.reshape(batch, most) > 0).sum(1)
        ends = counts.cumsum(0)
        final = _ends(encoded.final, ends - counts, ends - 1, self.output_size)
        return EncoderOutput(states, final)


def _ends(final: State, first: Tensor, last: Tensor, output_size: int) -> State:
    """Picks the last window for the forward direction and the first for the backward one."""

    def pick(state: Tensor) -> Tensor:  # [layers * directions, windows, hidden_size]
        directions = output_size // state.shape[2]
        picked = [
            state[direction::directions].index_select(1, rows.to(state.device))
            for direction, rows in zip(range(directions), (last, first), strict=False)
        ]
        return torch.stack(picked, 1).flatten(0, 1)

    return State(pick(final.hidden), None if final.cell is None else pick(final.cell))
