"""Logits to what tokens cost."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .config import BANNED


@torch.no_grad()
def costs_of(logits: Tensor, targets: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """What tokens cost in nats, and whether each is the one that would be written.

    Args:
        logits: `[tokens, vocabulary]`; changed, since of many words a copy may be a gigabyte.
        targets: `[tokens]`.
    """
    nats = F.cross_entropy(logits, targets, reduction="none").double().cpu().numpy()
    logits[:, list(BANNED)] = -torch.inf
    return nats, (logits.argmax(1) == targets).cpu().numpy()
