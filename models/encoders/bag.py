"""The encoder that reads no order at all: each token for itself.

With mean pooling it makes the bag-of-embeddings classifier (fastText, Joulin et al. 2017; deep
averaging networks, Iyyer et al. 2015), which is hard to beat on sentiment and shows what
recurrence adds. Same protocol as the recurrent encoder.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnnlp.models.recurrence.cell import State

from .base import EncoderOutput


class BagEncoder(nn.Module):
    """Gives the embedded tokens back as states; the final state is their mean.

    Args:
        input_size: Width of an embedded token.
    """

    def __init__(self, *, input_size: int) -> None:
        super().__init__()
        if input_size < 1:
            raise ValueError(f"input_size must be at least 1, not {input_size}")
        self.input_size = input_size

    @property
    def output_size(self) -> int:
        """Width of the states: that of the embedded tokens."""
        return self.input_size

    def forward(self, embedded: Tensor, lengths: Tensor) -> EncoderOutput:
        """Encode a padded batch.

        Args:
            embedded: `[batch, time, input_size]`; what stands at padding is ignored.
            lengths: Number of tokens of each sequence `[batch]`, at least 1.

        Raises:
            ValueError: Embedded tokens of another width.
        """
        if embedded.shape[2] != self.input_size:
            raise ValueError(f"tokens of width {self.input_size} expected, got {embedded.shape[2]}")
        lengths = lengths.to(embedded.device)
        inside = torch.arange(embedded.shape[1], device=embedded.device) < lengths.unsqueeze(1)
        states = embedded * inside.unsqueeze(2)
        mean = states.sum(1) / lengths.unsqueeze(1).to(states.dtype)
        return EncoderOutput(states, State(mean.unsqueeze(0)))
