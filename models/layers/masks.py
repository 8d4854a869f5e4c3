"""Masks: which positions of a padded batch hold tokens."""

from __future__ import annotations

import torch
from torch import Tensor


def inside(lengths: Tensor, time: int, device: torch.device) -> Tensor:
    """Return the mask `[batch, time]` that is True at positions before the end of each row.

    Args:
        lengths: `[batch]`.
        time: Number of positions.
        device: Where the mask is wanted.
    """
    return torch.arange(time, device=device) < lengths.to(device)[:, None]
