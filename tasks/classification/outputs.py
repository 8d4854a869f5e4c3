"""What a classifier says, as plain values: labels and their scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .config import ClassifierConfig

THRESHOLD = 0.5  # of several labels a text, those of this probability and more, unless it is fitted


def thresholds_of(settings: ClassifierConfig) -> list[float]:
    """Where a text may have several labels, the probability from which each is given."""
    return settings.thresholds or [THRESHOLD] * len(settings.classes)


def label_of(
    probabilities: Sequence[float], settings: ClassifierConfig, *, min_score: float | None = None
) -> dict[str, Any]:
    """`label`, `score` and `scores` of a text, from the probability of each class.

    Args:
        probabilities: Of each class.
        settings: The labels, and whether a text may have several.
        min_score: Where no label is as probable as this, `label` is None; of several labels a
            text, those that are.
    """
    scores = dict(zip(settings.classes, probabilities, strict=True))
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    rounded = {name: round(score, 4) for name, score in scores.items()}
    if settings.multilabel:
        least = [min_score] * len(scores) if min_score is not None else thresholds_of(settings)
        needed = dict(zip(settings.classes, least, strict=True))
        chosen = [name for name, score in ranked if score >= needed[name]]
        return {"label": chosen, "score": [rounded[name] for name in chosen], "scores": rounded}
    best, score = ranked[0]
    label = best if min_score is None or score >= min_score else None
    return {"label": label, "score": rounded[best], "scores": rounded}


def uncertainty_of(probabilities: np.ndarray, *, multilabel: bool) -> dict[str, float]:
    """`entropy` and `margin` of a text; see `ClassificationPipeline`.

    Args:
        probabilities: Of each class.
        multilabel: Whether a text may have several.
    """
    each = probabilities.astype(float)
    if multilabel:
        each = np.stack([each, 1.0 - each])  # [2, classes]: with the label, and without
        margin = np.abs(each[0] - each[1]).min()
    else:
        second, first = np.sort(each)[-2:]
        margin = first - second
    entropy = -(each * np.log(np.maximum(each, 1e-30))).sum()
    return {"entropy": round(float(entropy), 4), "margin": round(float(margin), 4)}
