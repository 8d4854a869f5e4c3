"""Intervals: known values, resampling as the oracle, and the edges where all is right or wrong."""

import numpy as np
import pytest

from rnnlp.tasks.base.ratios import RatioSums, wilson_interval


def test_wilson_interval_has_known_values_and_stays_in_range() -> None:
    assert wilson_interval(0.5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson_interval(0.9, 100) == pytest.approx((0.8256, 0.9448), abs=1e-4)
    assert wilson_interval(1.0, 20) == pytest.approx((0.8389, 1.0), abs=1e-4)
    assert wilson_interval(0.0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson_interval(0.0, 0) == (0.0, 1.0)


def sums(rows: np.ndarray) -> RatioSums:
    ratio = RatioSums()
    for part, whole in rows.tolist():
        ratio.add(part, whole)
    return ratio


def test_the_interval_of_clustered_counts_is_that_of_the_bootstrap_over_sentences() -> None:
    draw = np.random.default_rng(3)
    entities = draw.integers(0, 6, size=400)
    correct = draw.binomial(entities, draw.beta(1.5, 0.7, size=400))  # sentences differ in ease
    rows = np.stack([2 * correct, entities + draw.integers(0, 2, 400) + correct], 1)
    picks = draw.integers(0, 400, size=(4000, 400))
    resampled = rows[picks].sum(1)
    low, high = np.percentile(resampled[:, 0] / resampled[:, 1], [2.5, 97.5])
    assert sums(rows).interval() == pytest.approx((low, high), abs=0.006)
    alone = wilson_interval(sums(rows).value, int(rows[:, 1].sum()))
    assert alone[1] - alone[0] < 0.8 * (high - low)  # entities taken for trials: far too sure


def test_all_right_is_not_certain() -> None:
    low, high = sums(np.array([[2, 2]] * 30)).interval()
    assert (low, high) == pytest.approx(wilson_interval(1.0, 30))
    assert sums(np.zeros((5, 2), int)).interval() == (0.0, 1.0)


def test_sums_of_parts_are_those_of_the_whole() -> None:
    rows = np.array([[2, 5], [0, 3], [4, 4], [0, 0], [6, 9]])
    first, second = sums(rows[:2]), sums(rows[2:])
    first.merge(second)
    assert vars(first) == vars(sums(rows))
