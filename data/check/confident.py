"""Confident learning: which labels are probably wrong, by what a model believes of them.

Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels" (2021).
The model must not have learned from the examples that it is asked about.
"""

from __future__ import annotations

import numpy as np


def mislabelled(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The examples whose labels are probably wrong, the surest first, and the labels believed.

    An example counts as one of class j where its probability of j is at least the mean of it over
    the examples labelled j; of several such classes, the likeliest. Those that count as another
    class than their label are the off-diagonals of the paper's confident joint. Where classes are
    hard to tell apart, many of them are examples of both: so the label must be improbable as well,
    at most the mean of its probability over the examples that are labelled otherwise.

    Args:
        probabilities: Of each class, [examples, classes].
        labels: The class that each example is labelled with, [examples].

    Returns:
        Their rows, by the probability of the label, and the classes believed, [wrong] int64 each.
    """
    count, classes = probabilities.shape
    labelled = np.bincount(labels, minlength=classes)
    own = probabilities[np.arange(count), labels]
    mass = np.bincount(labels, own, minlength=classes)
    within = mass / np.maximum(labelled, 1)
    without = (probabilities.sum(0) - mass) / np.maximum(count - labelled, 1)
    confident = (probabilities >= within) & (labelled > 0)  # no class that nobody was labelled with
    believed = np.where(confident, probabilities, -1.0).argmax(1)
    wrong = confident.any(1) & (believed != labels) & (own <= without[labels])
    rows = np.flatnonzero(wrong)
    rows = rows[np.argsort(own[rows], kind="stable")]
    return rows, believed[rows]
