"""Counts from which the scores of a classifier are made; needs neither torchmetrics nor sklearn.

Sums over batches, so that memory does not grow with the number of texts, but for one number a text
where there are two classes (the area under the curve needs them all). A gold label that training
never saw is counted as a miss.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from rnnlp.tasks.base.calibration import BINS, Calibration, fits
from rnnlp.tasks.base.ratios import (
    baseline_lines,
    interval_lines,
    precision_recall_f1,
    safe_ratio,
    wilson_interval,
)
from rnnlp.tasks.reporting.score_table import rate_lines

from .outputs import THRESHOLD

MIN_SCORES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)  # of the risk-coverage table
_LARGEST_TABLE = 60  # classes of a confusion matrix that is kept


class ClassScores:
    """Sums what the scores of a classifier need.

    Args:
        classes: The labels, in the order of the probabilities.
        multilabel: Whether a text may have any number of labels; accuracy counts the texts whose
            labels are all right, and calibration goes over every label of every text.
        thresholds: The probability from which each label is then given; None for a half.
        calibrated: Whether the temperature was fitted on a half of these texts (`fits`); the
            calibration error is then that of the others.
    """

    def __init__(
        self,
        classes: Sequence[str],
        *,
        multilabel: bool,
        thresholds: Sequence[float] | None = None,
        calibrated: bool = False,
    ) -> None:
        self.classes = list(classes)
        self.multilabel = multilabel
        self.thresholds = np.array(thresholds or [THRESHOLD] * len(self.classes))
        self.calibrated = calibrated
        self.texts = self.right = 0
        self.pairs: Counter[tuple[str, str]] = Counter()  # (gold, predicted), one label a text
        self.correct: Counter[str] = Counter()
        self.predicted: Counter[str] = Counter()
        self.gold: Counter[str] = Counter()
        self.calibration = Calibration()
        self._answered = np.zeros((2, len(MIN_SCORES)))  # texts of that score, right ones
        self._second = array("f")  # probability of the second of two classes
        self._is_second = array("b")

    def add(
        self,
        probabilities: np.ndarray,
        gold: Sequence[Sequence[str]],
        *,
        numbers: Sequence[int] | None = None,
        unjudged: Collection[str] = (),
    ) -> None:
        """Adds a batch.

        Args:
            probabilities: `[batch, classes]`.
            gold: The labels of each text; exactly one unless `multilabel`.
            numbers: The number of each text in its split; needed where `calibrated`.
            unjudged: Of several labels a text, those that nobody has annotated: left out.
        """
        if len(probabilities) != len(gold):
            raise ValueError(f"{len(probabilities)} predictions for {len(gold)} texts")
        probabilities = np.asarray(probabilities, dtype=np.float32)
        counted = np.ones(len(gold), dtype=bool)
        if self.calibrated:
            counted = ~fits(np.asarray(numbers))
        if self.multilabel:
            judged = np.array([name not in unjudged for name in self.classes])
            self._add_multilabel(probabilities, gold, counted, judged)
        else:
            self._add_single(probabilities, gold, counted)
        self.texts += len(gold)

    def merge(self, other: ClassScores) -> None:
        """Adds what was counted elsewhere."""
        self.texts += other.texts
        self.right += other.right
        self.pairs.update(other.pairs)
        self.correct.update(other.correct)
        self.predicted.update(other.predicted)
        self.gold.update(other.gold)
        self.calibration.merge(other.calibration)
        self._answered += other._answered
        self._second.extend(other._second)
        self._is_second.extend(other._is_second)

    def _add_single(
        self, probabilities: np.ndarray, gold: Sequence[Sequence[str]], counted: np.ndarray
    ) -> None:
        names = [self.classes[i] for i in probabilities.argmax(1)]
        truth = [labels[0] for labels in gold]
        self.pairs.update(zip(truth, names, strict=True))
        self.gold.update(truth)
        self.predicted.update(names)
        right = [name == label for name, label in zip(names, truth, strict=True)]
        self.correct.update(name for name, hit in zip(names, right, strict=True) if hit)
        self.right += sum(right)
        best, hits = probabilities.max(1), np.array(right, dtype=bool)
        answered = best[:, None] >= np.array(MIN_SCORES)  # [batch, thresholds]
        self._answered += answered.sum(0), (answered & hits[:, None]).sum(0)
        self.calibration.add(best[counted], hits[counted])
        if len(self.classes) == 2:
            for label, score in zip(truth, probabilities[:, 1].tolist(), strict=True):
                if label in self.classes:
                    self._second.append(score)
                    self._is_second.append(label == self.classes[1])

    def _add_multilabel(
        self,
        probabilities: np.ndarray,
        gold: Sequence[Sequence[str]],
        counted: np.ndarray,
        judged: np.ndarray,
    ) -> None:
        chosen = (probabilities >= self.thresholds) & judged
        is_gold = np.array([[name in labels for name in self.classes] for labels in gold])
        for row, labels in zip(chosen.tolist(), gold, strict=True):
            names = {name for name, yes in zip(self.classes, row, strict=True) if yes}
            self.right += names == set(labels)
            self.gold.update(set(labels))
            self.predicted.update(names)
            self.correct.update(names & set(labels))
        likely = probabilities >= 0.5
        confidence = np.where(likely, probabilities, 1.0 - probabilities)
        self.calibration.add(
            confidence[counted][:, judged].flatten(),
            (likely == is_gold)[counted][:, judged].flatten(),
        )

    @property
    def policy(self) -> str:
        """What is counted, in words."""
        texts = (
            f"labels of probability {self._least} and more; accuracy: share of texts whose labels "
            "are all right"
            if self.multilabel
            else "accuracy: share of texts whose label is right"
        )
        return (
            f"{texts}; macro F1: mean over the labels that occur, gold or predicted; a label "
            "unseen in training counts as a miss; ece: expected calibration error over "
            f"{BINS} bins; of the validation split that of the half which the temperature was not "
            "fitted on"
        )

    @property
    def _least(self) -> str:
        """The thresholds, in words."""
        if (self.thresholds == THRESHOLD).all():
            return str(THRESHOLD)
        low, high = self.thresholds.min(), self.thresholds.max()
        return f"{low:.2f} to {high:.2f}, each label its own,"

    def result(self) -> dict[str, Any]:
        """The scores under the names that `evaluate --json` prints."""
        names = sorted(set(self.gold) | set(self.predicted) | set(self.classes))
        per_class = {
            name: {
                **precision_recall_f1(self.correct[name], self.predicted[name], self.gold[name]),
                "support": self.gold[name],
            }
            for name in names
        }
        met = [name for name in names if self.gold[name] or self.predicted[name]]
        scores: dict[str, Any] = {
            "accuracy": (accuracy := safe_ratio(self.right, self.texts)),
            "interval": {"accuracy": wilson_interval(accuracy, self.texts)},
            "macro_f1": safe_ratio(sum(per_class[name]["f1"] for name in met), len(met)),
            "ece": self.calibration.error,
        }
        if self.multilabel:
            micro = precision_recall_f1(
                self.correct.total(), self.predicted.total(), self.gold.total()
            )
            scores["micro_f1"] = micro["f1"]
        area = area_under_curve(np.array(self._second), np.array(self._is_second, dtype=bool))
        if area is not None:
            scores["auroc"] = area
        if not self.multilabel:
            scores["baseline"] = safe_ratio(max(self.gold.values(), default=0), self.texts)
            scores["risk_coverage"] = [
                {
                    "min_score": least,
                    "coverage": safe_ratio(texts, self.texts),
                    "accuracy": safe_ratio(hits, texts),
                }
                for least, texts, hits in zip(MIN_SCORES, *self._answered.tolist(), strict=True)
                if texts
            ]
        scores["per_class"] = per_class
        if not self.multilabel and len(names) <= _LARGEST_TABLE:
            scores["confusion"] = {
                "labels": names,
                "counts": [[self.pairs[gold, guess] for guess in names] for gold in names],
            }
        return scores


def area_under_curve(scores: np.ndarray, positive: np.ndarray) -> float | None:
    """The probability that a positive example scores higher than another one, ties as a half.

    Args:
        scores: `[texts]`.
        positive: `[texts]` bool.

    Returns:
        The area under the ROC curve, or None where either kind is missing.
    """
    many, few = int(positive.sum()), int((~positive).sum())
    if not many or not few:
        return None
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[place]  # of equal scores the mean
    return float((ranks[positive].sum() - many * (many + 1) / 2.0) / (many * few))


def score_lines(result: Mapping[str, Any], policy: str) -> list[str]:
    """The scores as lines for people, in per cent."""
    names = {"accuracy": "accuracy", "macro_f1": "macro F1", "micro_f1": "micro F1"}
    names["auroc"] = "AUROC"
    shown = [f"{name} {100 * result[key]:.2f}" for key, name in names.items() if key in result]
    return [
        f"{'  '.join(shown)}  ece {result['ece']:.4f}",
        *interval_lines(result),
        *baseline_lines(result),
        *rate_lines(result["per_class"], "texts"),
        *_risk_lines(result.get("risk_coverage", [])),
        f"policy: {policy}",
    ]


def _risk_lines(rows: Sequence[Mapping[str, float]]) -> list[str]:
    """What is gained by answering only where the score is high: risk against coverage."""
    if not rows:
        return []
    return [
        "predict --min_score  answered  of them right",
        *(
            f"{row['min_score']:19.2f}  {100 * row['coverage']:8.2f}  {100 * row['accuracy']:13.2f}"
            for row in rows
        ),
    ]
