"""Whether scores are probabilities (of what is given with 0.8, are four in five right?), and the
temperature under which they are (Guo et al. 2017).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .ratios import safe_ratio

BINS = 15
_WIDEST = math.log(4.0)  # temperatures are sought from a quarter to 4
_STEPS = 14  # of that search, which then knows the temperature to half a per cent
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


class Calibration:
    """Sums what the expected calibration error needs (Guo et al. 2017, over bins of one width)."""

    def __init__(self) -> None:
        self._bins = np.zeros((3, BINS))  # decisions, summed confidence, right decisions

    def add(self, confidence: Any, right: Any) -> None:
        """Adds decisions.

        Args:
            confidence: Their probabilities, `[decisions]`.
            right: Whether each is right, `[decisions]`.
        """
        values, hits = np.asarray(confidence, dtype=float), np.asarray(right, dtype=float)
        bins = np.clip(np.ceil(values * BINS).astype(int) - 1, 0, BINS - 1)
        for row, weights in enumerate((np.ones_like(values), values, hits)):
            self._bins[row] += np.bincount(bins, weights=weights, minlength=BINS)

    def merge(self, other: Calibration) -> None:
        """Adds what was counted elsewhere."""
        self._bins += other._bins

    @property
    def error(self) -> float:
        """How far confidence and the share of right decisions are apart, on the average."""
        count, confidence, hits = self._bins
        return safe_ratio(float(np.abs(confidence - hits).sum()), float(count.sum()))


def fits(numbers: np.ndarray) -> np.ndarray:
    """Which examples of the validation split a temperature is fitted on: every second one.

    Args:
        numbers: Their numbers in the split, `[examples]`.
    """
    return numbers % 2 == 0


def best_temperature(loss: Callable[[float], float]) -> float:
    """The temperature of the lowest loss, by golden section search.

    Args:
        loss: What a temperature costs.

    Returns:
        A number from 0.25 to 4.
    """
    low, high = -_WIDEST, _WIDEST
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = loss(math.exp(left)), loss(math.exp(right))
    for _ in range(_STEPS):
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = loss(math.exp(left))
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = loss(math.exp(right))
    return math.exp((low + high) / 2.0)
