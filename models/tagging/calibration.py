"""What the scores of tag sequences are to be divided by to be calibrated (Guo et al. 2017)."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .crf import CRF
from .softmax import ConstrainedSoftmax

_STEPS = 14  # of the search, which then knows the temperature to half a per cent
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


@torch.no_grad()
def fit_temperature(
    output: CRF | ConstrainedSoftmax, known: Sequence[tuple[Tensor, Tensor, Tensor]]
) -> float:
    """The temperature under which known tags are most probable.

    The loss is convex in the inverse temperature, so that a golden section search finds it.

    Args:
        output: The output layer.
        known: Emissions `[batch, time, tags]`, tags `[batch, time]` and lengths `[batch]` of some
            batches.

    Returns:
        A number between 0.25 and 4.
    """

    def loss(log_inverse: float) -> float:
        factor = math.exp(log_inverse)
        scaled = copy.deepcopy(output)
        scaled.scale(factor)
        return sum(
            float(scaled.loss(emissions * factor, tags, lengths)) * float(lengths.sum())
            for emissions, tags, lengths in known
        )

    low, high = -math.log(4.0), math.log(4.0)
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = loss(left), loss(right)
    for _ in range(_STEPS):
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = loss(right)
    return math.exp(-(low + high) / 2.0)
