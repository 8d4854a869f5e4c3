"""Ratios of counts: precision, recall, F1; and the mean of scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, stdev
from typing import Any


def safe_ratio(part: float, whole: float) -> float:
    """`part / whole`, and 0 where there is nothing to divide by (the convention of seqeval)."""
    return part / whole if whole else 0.0


def precision_recall_f1(correct: int, predicted: int, gold: int) -> dict[str, float]:
    """Precision, recall and F1 from three counts."""
    return {
        "f1": safe_ratio(2 * correct, predicted + gold),
        "precision": safe_ratio(correct, predicted),
        "recall": safe_ratio(correct, gold),
    }


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
    better = result["accuracy"] > baseline
    return [line if better else f"{line}, which this model does not beat"]
