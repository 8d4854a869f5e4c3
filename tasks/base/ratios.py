"""Ratios of counts: precision, recall, F1."""

from __future__ import annotations


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
