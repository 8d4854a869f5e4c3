"""Temperature scaling (Guo et al. 2017): calibrated probabilities from trained logits."""

from __future__ import annotations

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
