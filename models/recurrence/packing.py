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


def make_unit(lengths: Tensor, *, time: int, direction: int, part: int, parts: int) -> Unit:
    """Lay out one unit: every `parts`-th of the sequences sorted by length, so that units balance.

    Args:
        lengths: Number of tokens of each sequence [batch], on the CPU.
        time: Padded length of the batch.
        direction: 0 for left to right, 1 for right to left.
        part: Which unit of this direction, from 0.
        parts: Into how many units each direction is cut, at most batch.
    """
    ordered, order = lengths.sort(descending=True, stable=True)
    rows, size = order[part::parts], ordered[part::parts]  # [sequences]
    step = torch.arange(int(size[0])).unsqueeze(1)  # [steps, 1]
    inside = step < size  # [steps, sequences]
    sizes = inside.sum(1)  # [steps]
    begin = sizes.cumsum(0) - sizes  # [steps] where each step begins
    last = begin[size - 1] + torch.arange(rows.numel())
    after = torch.arange(rows.numel(), int(sizes.sum()))
    previous = after - sizes[:-1].repeat_interleave(sizes[1:])
    position = size - 1 - step if direction else step  # [steps, sequences] or [steps, 1]
    tokens = (rows * time + position)[inside]
    return Unit(direction, rows, sizes.tolist(), tokens, previous, last)
