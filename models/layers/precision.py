"""Full precision for what half of it would spoil, such as scores that add up over a text."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch


def full_precision(device: torch.device) -> AbstractContextManager[object, None]:
    """Switches autocast off, where it is on: even to switch off what is off takes as long as the
    scores of a token do.
    """
    on = torch.is_autocast_enabled(device.type)
    return torch.autocast(device.type, enabled=False) if on else nullcontext()
