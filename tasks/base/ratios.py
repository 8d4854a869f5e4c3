"""Ratios of counts: precision, recall, F1, how sure they are; and the mean of scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import mean, stdev
from typing import Any

_Z = 1.96  # standard deviations that hold 95 % of a normal distribution


def safe_ratio(part: float, whole: float) -> float:
    """`part / whole`, and 0 where there is nothing to divide by (the convention of seqeval)."""
    return part / whole if whole else 0.0


def precision_recall_f1(correct: int, predicted: int, gold: int) -> dict[str, float]:
    """Precision, recall and F1 from three counts.

    Args:
        correct: How many predictions are right.
        predicted: How many there are.
        gold: How many are asked for.
    """
    return {
        "f1": safe_ratio(2 * correct, predicted + gold),
        "precision": safe_ratio(correct, predicted),
        "recall": safe_ratio(correct, gold),
    }


def wilson_interval(share: float, count: float) -> tuple[float, float]:
    """Wilson's score interval (1927): where a share of so many trials lies with 95 % confidence.

    Args:
        share: From 0 to 1.
        count: Independent trials.

    Returns:
        Its lower and upper end; 0 and 1 where nothing was tried.
    """
    if not count:
        return 0.0, 1.0
    # (p + z²/2n ± z √(p (1 − p) / n + z²/4n²)) / (1 + z²/n)
    square = _Z**2 / count
    middle = share + square / 2.0
    width = _Z * math.sqrt(share * (1.0 - share) / count + square / (4.0 * count))
    low, high = (middle - width) / (1.0 + square), (middle + width) / (1.0 + square)
    return max(0.0, low), min(1.0, high)


class RatioSums:
    """A ratio of two sums over examples, such as F1 = Σ 2 correct / Σ (predicted + gold), and its
    interval: entities of one sentence are right together and wrong together, so sentences are the
    trials.

    The variance is that of the linearised ratio (Cochran 1977, section 6.4); Wilson's interval gets
    the number of trials that would have it, and so holds where all is right or all is wrong.
    """

    def __init__(self) -> None:
        self.part = self.whole = 0
        self._examples = 0
        self._squares = [0, 0, 0]  # Σ a², Σ a b, Σ b²

    def add(self, part: int, whole: int) -> None:
        """Adds one example."""
        self.part += part
        self.whole += whole
        self._examples += whole > 0
        for place, square in enumerate((part * part, part * whole, whole * whole)):
            self._squares[place] += square

    def merge(self, other: RatioSums) -> None:
        """Adds what was summed elsewhere."""
        self.part += other.part
        self.whole += other.whole
        self._examples += other._examples
        self._squares = [own + its for own, its in zip(self._squares, other._squares, strict=True)]

    @property
    def value(self) -> float:
        """The ratio."""
        return safe_ratio(self.part, self.whole)

    def interval(self) -> tuple[float, float]:
        """Where it lies with 95 % confidence on data of the same kind."""
        ratio, (parts, both, wholes) = self.value, self._squares
        variance = safe_ratio(parts - 2.0 * ratio * both + ratio**2 * wholes, self.whole**2)
        trials = ratio * (1.0 - ratio) / variance if variance > 1e-12 else self._examples
        return wilson_interval(ratio, trials)


def mean_and_spread(scores: Sequence[float]) -> str:
    """The mean of some scores, and their standard deviation where there are several."""
    spread = f" ± {stdev(scores):.4f}" if len(scores) > 1 else ""
    return f"{mean(scores):.4f}{spread}"


def baseline_lines(result: Mapping[str, Any]) -> list[str]:
    """What always giving the most frequent label would score, and whether the model is better.

    Args:
        result: Scores with `accuracy`, and `baseline` where there is one.
    """
    if (baseline := result.get("baseline")) is None:
        return []
    line = f"always the most frequent label: accuracy {100 * baseline:.2f}"
    if result["accuracy"] <= baseline:
        return [f"{line}, which this model does not beat"]
    low, _ = result.get("interval", {}).get("accuracy", (1.0, 1.0))
    return [f"{line}, which this model may beat by chance" if low <= baseline else line]


def interval_lines(result: Mapping[str, Any], *, percent: bool = True) -> list[str]:
    """How sure scores are, as lines for people.

    Args:
        result: Scores, and under `interval` the lower and upper ends of those that have them.
        percent: Whether scores from 0 to 1 are shown in per cent.
    """
    factor = 100.0 if percent else 1.0
    return [
        f"{name} between {factor * low:.4g} and {factor * high:.4g} with 95 % confidence"
        for name, (low, high) in result.get("interval", {}).items()
    ]
