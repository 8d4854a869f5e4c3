"""Several processes that train one model: who this one is, and what all of them have.

Lightning starts them and averages their gradients; batches are dealt out by
`data/datamodule/samplers.py`. Nothing here knows what is trained, and importing it costs nothing.
"""

from __future__ import annotations

import os
from typing import TypeVar

Value = TypeVar("Value")


def is_first() -> bool:
    """Whether this process is the one that writes and speaks, also before Lightning is there."""
    names = ("RANK", "LOCAL_RANK", "SLURM_PROCID")
    return next((os.environ[name] for name in names if name in os.environ), "0") == "0"


def everyone(value: Value) -> list[Value]:
    """What each process has, by rank; all must ask for it at once.

    Args:
        value: What this process has; anything that can be pickled.
    """
    import torch.distributed

    if not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return [value]
    values: list[Value] = [value] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(values, value)
    return values
