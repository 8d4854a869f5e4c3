"""What a classifier says, as plain values: labels and their scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .config import ClassifierConfig

THRESHOLD = 0.5  # of several labels a text, those of this probability and more


def label_of(probabilities: Sequence[float], settings: ClassifierConfig) -> dict[str, Any]:
    """`label`, `score` and `scores` of a text, from the probability of each class."""
    scores = dict(zip(settings.classes, probabilities, strict=True))
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    rounded = {name: round(score, 4) for name, score in scores.items()}
    if settings.multilabel:
        chosen = [name for name, score in ranked if score >= THRESHOLD]
        return {"label": chosen, "score": [rounded[name] for name in chosen], "scores": rounded}
    best = ranked[0][0]
    return {"label": best, "score": rounded[best], "scores": rounded}
