"""Arrays to tensors: what the featurizer gives becomes what a network on torch reads.

The one place where that happens, in training and in use; `data/text` itself knows no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from rnnlp.data.text.featurizer import TokenBatch


class TokenTensors(NamedTuple):
    """A `TokenBatch` as tensors; 0 stands at padding everywhere."""

    tokens: Tensor  # [batch, time] int64
    lengths: Tensor  # [batch] int64, on the CPU also where the rest is not
    characters: Tensor | None  # [batch, time, width] int64
    token_features: Tensor | None  # [batch, time, features] int64

    def to(self, device: torch.device) -> TokenTensors:
        """All but the lengths on a device."""
        tokens, characters, features = (
            None if ids is None else ids.to(device)
            for ids in (self.tokens, self.characters, self.token_features)
        )
        assert tokens is not None
        return TokenTensors(tokens, self.lengths, characters, features)


def as_tensors(batch: TokenBatch) -> TokenTensors:
    """The same numbers, without a copy."""
    tokens, lengths, *others = batch
    characters, features = (None if ids is None else torch.from_numpy(ids) for ids in others)
    return TokenTensors(torch.from_numpy(tokens), torch.from_numpy(lengths), characters, features)


def weights_of(weights: Sequence[float]) -> Tensor | None:
    """How much each example of a batch counts `[batch]`; None where all count 1."""
    return torch.tensor(weights) if any(weight != 1.0 for weight in weights) else None
