"""Confident learning against its definition, example by example; and on labels that are flipped."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlp.data.check.confident import mislabelled


def by_definition(probabilities, labels):
    """The same, as the docstring tells it."""
    classes = range(probabilities.shape[1])
    within, without = {}, {}
    for j in classes:
        inside = [p[j] for p, label in zip(probabilities, labels, strict=True) if label == j]
        outside = [p[j] for p, label in zip(probabilities, labels, strict=True) if label != j]
        if inside:
            within[j] = np.mean(inside)
        without[j] = np.mean(outside) if outside else 0.0
    wrong = []
    for row, (p, label) in enumerate(zip(probabilities, labels, strict=True)):
        confident = [j for j in within if p[j] >= within[j]]
        if not confident:
            continue
        believed = max(confident, key=lambda j: p[j])
        if believed != label and p[label] <= without[label]:
            wrong.append((row, believed))
    return wrong


@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(2, 5))
def test_by_definition(seed, count, classes):
    numbers = np.random.default_rng(seed)
    probabilities = numbers.dirichlet(np.ones(classes) / 3, size=count)
    labels = numbers.integers(classes, size=count)
    rows, believed = mislabelled(probabilities, labels)
    assert sorted(zip(rows.tolist(), believed.tolist(), strict=True)) == by_definition(
        probabilities, labels
    )
    own = probabilities[rows, labels[rows]]
    assert (np.diff(own) >= 0).all()  # the surest first


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_flipped_labels_are_found(noise):
    numbers = np.random.default_rng(1)
    truth = numbers.integers(4, size=2_000)
    probabilities = numbers.dirichlet(np.ones(4), size=2_000) * 0.4
    probabilities[np.arange(2_000), truth] += 0.6
    flipped = numbers.random(2_000) < noise
    labels = np.where(flipped, (truth + numbers.integers(1, 4, size=2_000)) % 4, truth)
    rows, believed = mislabelled(probabilities, labels)
    assert (believed == truth[rows]).all() and set(rows) <= set(np.flatnonzero(flipped))
    assert len(rows) >= 0.4 * flipped.sum()
