"""Scores of classifiers against torchmetrics and against counting by hand."""

import math

import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import (
    binary_auroc,
    multiclass_accuracy,
    multiclass_calibration_error,
    multiclass_f1_score,
    multilabel_exact_match,
    multilabel_f1_score,
)

from rnnlp.tasks.classification.scores import ClassScores, area_under_curve


def random_texts(classes, count=400, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(count, classes, generator=generator)
    targets = torch.multinomial((logits / 2).softmax(1), 1, generator=generator)[:, 0]
    return logits, targets


@pytest.mark.parametrize("classes", [2, 5])
def test_one_label_against_torchmetrics(classes):
    logits, targets = random_texts(classes)
    probabilities = logits.softmax(1)
    names = [f"c{i}" for i in range(classes)]
    scores = ClassScores(names, multilabel=False)
    for start in range(0, 400, 70):  # batches of unequal size
        rows = slice(start, start + 70)
        scores.add(probabilities[rows], [[names[i]] for i in targets[rows].tolist()])
    actual = scores.result()
    options = {"num_classes": classes}
    for name, expected in (
        ("accuracy", multiclass_accuracy(probabilities, targets, average="micro", **options)),
        ("macro_f1", multiclass_f1_score(probabilities, targets, average="macro", **options)),
        ("ece", multiclass_calibration_error(probabilities, targets, n_bins=15, **options)),
    ):
        assert actual[name] == pytest.approx(float(expected), abs=1e-5), name
    table = np.array(actual["confusion"]["counts"])
    assert table.sum() == 400
    assert np.trace(table) / 400 == pytest.approx(actual["accuracy"])
    assert [row["support"] for row in actual["per_class"].values()] == table.sum(1).tolist()
    if classes == 2:
        assert actual["auroc"] == pytest.approx(float(binary_auroc(probabilities[:, 1], targets)))
    else:
        assert "auroc" not in actual


def test_several_labels_against_torchmetrics():
    logits, _ = random_texts(4)
    targets = (torch.rand(400, 4, generator=torch.Generator().manual_seed(1)) < 0.4).long()
    names = list("abcd")
    scores = ClassScores(names, multilabel=True)
    gold = [[n for n, yes in zip(names, row, strict=True) if yes] for row in targets.tolist()]
    scores.add(logits.sigmoid(), gold)
    actual = scores.result()
    probabilities = logits.sigmoid()
    for name, expected in (
        ("accuracy", multilabel_exact_match(probabilities, targets, num_labels=4)),
        ("macro_f1", multilabel_f1_score(probabilities, targets, num_labels=4)),
        ("micro_f1", multilabel_f1_score(probabilities, targets, num_labels=4, average="micro")),
    ):
        assert actual[name] == pytest.approx(float(expected), abs=1e-6), name
    assert 0 < actual["ece"] < 1


def test_a_label_unseen_in_training_is_a_miss():
    scores = ClassScores(["a", "b"], multilabel=False)
    scores.add(torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]), [["a"], ["b"], ["c"]])
    actual = scores.result()
    assert actual["accuracy"] == pytest.approx(2 / 3)
    assert actual["per_class"]["c"] == {"f1": 0.0, "precision": 0.0, "recall": 0.0, "support": 1}
    assert actual["macro_f1"] == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert actual["auroc"] == 1.0
    multilabel = ClassScores(["a", "b"], multilabel=True)
    multilabel.add(torch.tensor([[0.9, 0.1]]), [["a", "c"]])
    assert multilabel.result()["accuracy"] == 0.0


def test_area_counts_ties_as_half():
    scores, positive = np.array([0.1, 0.5, 0.5, 0.9]), np.array([False, True, False, True])
    assert area_under_curve(scores, positive) == pytest.approx(3.5 / 4)
    assert area_under_curve(scores, np.ones(4, dtype=bool)) is None
    assert not math.isnan(area_under_curve(np.zeros(4), positive))


def test_nothing_scored():
    actual = ClassScores(["a", "b"], multilabel=False).result()
    assert actual["accuracy"] == actual["macro_f1"] == actual["ece"] == 0.0
