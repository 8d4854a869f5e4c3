"""The processor's cores, and how many processes or threads they carry.

Imports nothing that takes time.
"""

from __future__ import annotations

import os

from rnnlp.data.errors import InputError


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_parallel(count: int, key: str) -> None:
    """Refuses more processes or threads than there are cores; two can be tried everywhere.

    Args:
        count: How many are wanted on this machine.
        key: Where that is said.

    Raises:
        InputError: They are fewer than one, or would only wait for each other.
    """
    if not 1 <= count <= max(2, cores()):
        raise InputError(
            f"{key} is {count:,}: give 1 to {max(2, cores())}, as this machine has {cores()} "
            f"core{'' if cores() == 1 else 's'}"
        )
