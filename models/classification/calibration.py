"""What is fitted after training: the temperature (Guo et al. 2017), and thresholds of labels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def fit_temperature(logits: Tensor, targets: Tensor, *, multilabel: bool) -> float:
    """The temperature under which known labels are most probable (Guo et al. 2017).

    The loss is convex in the inverse temperature; its derivative is brought to zero by bisection.

    Args:
        logits: `[texts, classes]`.
        targets: As for `classification_loss`, or the probability of each class; texts of class -1
            are left out.
        multilabel: Whether a text may have several classes.

    Returns:
        A number between 0.05 and 20; 1 where there is nothing to fit on.
    """
    logits = logits.double()
    if targets.dim() == 1:
        logits, targets = logits[targets >= 0], targets[targets >= 0]
        targets = F.one_hot(targets, logits.shape[1])
    if not len(logits):
        return 1.0
    known = targets.double()

    def slope(inverse: float) -> float:
        scaled = logits * inverse
        probabilities = scaled.sigmoid() if multilabel else scaled.softmax(1)
        return float(((probabilities - known) * logits).sum())

    low, high = 0.05, 20.0
    for _ in range(60):
        middle = (low * high) ** 0.5
        low, high = (low, middle) if slope(middle) > 0 else (middle, high)
    return 1.0 / (low * high) ** 0.5


def fit_thresholds(probabilities: Tensor, targets: Tensor, *, least: int = 5) -> list[float]:
    """The probability from which each label is to be given, so that its F1 is best.

    Args:
        probabilities: `[texts, classes]`.
        targets: Whether a text has a label `[texts, classes]`.
        least: Texts that a label needs; of one with fewer nothing can be learned.

    Returns:
        For each label a number half-way between two probabilities, or 0.5.
    """
    thresholds = []
    for scores, gold in zip(probabilities.double().t(), targets.double().t(), strict=True):
        if gold.sum() < least:
            thresholds.append(0.5)
            continue
        scores, order = scores.sort(descending=True)
        predicted = torch.arange(1, len(scores) + 1)
        f1 = 2.0 * gold[order].cumsum(0) / (predicted + gold.sum())
        below = torch.cat((scores[1:], scores.new_zeros(1)))
        f1[scores == below] = -1.0  # equal probabilities are on one side
        best = int(f1.argmax())
        thresholds.append(float(scores[best] + below[best]) / 2.0)
    return thresholds
