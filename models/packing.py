"""Where each token of a padded batch lies once the padding is taken out.

A unit is what one recurrence reads on its own: one direction over some sequences of the batch.
Its tokens lie step by step, the longest sequence first, so that step t holds the first
`sizes[t]` sequences and nothing else (the layout of torch.nn's PackedSequence). The backward
direction is the same layout over sequences that are reversed within their lengths; no recurrence
needs to know which way it reads.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Unit(NamedTuple):
    """One direction over some sequences of the batch."""

    direction: int  # 0 reads from left to right, 1 from right to left
    rows: Tensor  # [sequences] their places in the batch, longest first
    sizes: list[int]  # how many sequences have a step t; never grows
    tokens: Tensor  # [unit tokens] place of each token in the flattened padded batch
    previous: Tensor  # [unit tokens - sequences] for tokens after step 0: where step t - 1 lies
    last: Tensor  # [sequences] where the last token of each sequence lies


def make_units(lengths: Tensor, *, time: int, directions: int, parts: int) -> list[Unit]:
    """Split a batch into `directions * parts` units of nearly the same number of tokens.

    Args:
        lengths: Number of tokens of each sequence [batch], on the CPU.
        time: Padded length of the batch.
        directions: 1 or 2.
        parts: Into how many units each direction is cut, at most batch.
    """
    ordered, order = lengths.sort(descending=True, stable=True)
    units = []
    for part in range(parts):
        rows, size = order[part::parts], ordered[part::parts]  # [sequences]
        step = torch.arange(int(size[0])).unsqueeze(1)  # [steps, 1]
        inside = step < size  # [steps, sequences]
        counts = inside.sum(1)  # [steps]
        begin = counts.cumsum(0) - counts  # [steps] where each step begins
        last = begin[size - 1] + torch.arange(rows.numel())
        after = torch.arange(rows.numel(), int(counts.sum()))
        previous = after - counts[:-1].repeat_interleave(counts[1:])
        for direction in range(directions):
            position = size - 1 - step if direction else step  # [steps, sequences] or [steps, 1]
            tokens = (rows * time + position)[inside]
            units.append(Unit(direction, rows, counts.tolist(), tokens, previous, last))
    return units
