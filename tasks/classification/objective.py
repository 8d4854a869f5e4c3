"""What a classifier is trained towards: cross entropy, accuracy, F1, calibration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torchmetrics import MeanMetric, Metric, MetricCollection
from torchmetrics.classification import (
    BinaryAUROC,
    MulticlassCalibrationError,
    MulticlassF1Score,
    MultilabelF1Score,
)

from rnnlp.data.classification.collate import UNKNOWN_CLASS, ClassificationBatch
from rnnlp.models.classification.calibration import fit_temperature
from rnnlp.models.classification.classifier import Classifier
from rnnlp.models.layers.losses import classification_loss
from rnnlp.tasks.base.objective import Objective, Validated
from rnnlp.tasks.model_folder.folder import CONFUSION
from rnnlp.tasks.reporting.confusion_matrix import draw_confusion

from .config import ClassifierConfig, ClassifierTraining
from .outputs import run
from .scores import BINS, THRESHOLD, ClassScores


class ClassificationObjective(Objective):
    """Loss, scores and calibration of a classifier.

    Args:
        settings: Its labels.
        class_counts: How many training texts have each label.
        training: Smoothing and weights.
    """

    headline = ("accuracy", "macro_f1", "ece")
    examples = ("The room was not bad at all.", "房间一点也不差。")
    class_weights: Tensor | None

    def __init__(
        self,
        settings: ClassifierConfig,
        *,
        class_counts: Sequence[int],
        training: ClassifierTraining,
    ) -> None:
        super().__init__()
        self.settings = settings
        self.label_smoothing = training.label_smoothing
        counts = torch.tensor(class_counts, dtype=torch.float)
        weights = counts.mean() / counts if training.class_weights == "balanced" else None
        self.register_buffer("class_weights", weights, persistent=False)
        self.accuracy = MeanMetric()
        self.metrics = self._metrics(len(settings.classes), settings.multilabel)

    @staticmethod
    def _metrics(count: int, multilabel: bool) -> MetricCollection:
        if multilabel:
            return MetricCollection({"macro_f1": MultilabelF1Score(count, threshold=THRESHOLD)})
        found: dict[str, Metric | MetricCollection] = {
            "macro_f1": MulticlassF1Score(count, average="macro"),
            "ece": MulticlassCalibrationError(count, n_bins=BINS),
        }
        if count == 2:
            found["auroc"] = BinaryAUROC()
        # Each needs other inputs, so they are updated one by one and not as groups.
        return MetricCollection(found, compute_groups=False)

    @property
    def main(self) -> str:
        """Accuracy, or macro F1 where a text may have several labels."""
        return "macro_f1" if self.settings.multilabel else "accuracy"

    @property
    def policy(self) -> str:
        """How the scores are counted."""
        return self.counts().policy

    def describe(self) -> str:
        """What the head gives, as the end of a sentence."""
        settings = self.settings
        shown = ", ".join(settings.classes[:20]) + (", …" if len(settings.classes) > 20 else "")
        kind = "any of the labels" if settings.multilabel else "one of the labels"
        return f"{' and '.join(settings.pooling)} pooling that gives {kind} {shown}"

    def loss(self, network: Classifier, batch: ClassificationBatch) -> Tensor:
        """The loss of one batch, the mean over its texts."""
        return self._loss(run(network, batch.features).logits, batch.targets)

    def validate(self, network: Classifier, batch: ClassificationBatch) -> Validated:
        """Adds one batch to the scores of the validation split."""
        logits = run(network, batch.features).logits
        probabilities = network.probabilities(logits)
        targets = batch.targets
        if self.settings.multilabel:
            right = ((probabilities >= THRESHOLD) == (targets >= THRESHOLD)).all(1)
            unseen = [not set(gold) <= set(self.settings.classes) for gold in batch.gold]
            right &= ~torch.tensor(unseen, device=right.device)
            self.metrics.update(probabilities, targets.long())
        else:
            right = probabilities.argmax(1) == targets
            known = targets != UNKNOWN_CLASS
            logits, targets = logits[known], targets[known]
            probabilities = probabilities[known]
            for name, metric in self.metrics.items():
                if len(targets):
                    metric.update(
                        probabilities[:, 1] if name == "auroc" else probabilities, targets
                    )
        self.accuracy.update(right.float())
        return Validated(self._loss(logits, targets), len(targets))

    def validated(self) -> dict[str, Tensor]:
        """The scores of all batches since the last call."""
        scores = {"accuracy": self.accuracy.compute(), **self.metrics.compute()}
        self.accuracy.reset()
        self.metrics.reset()
        return scores

    def counts(self) -> ClassScores:
        """What `count` adds batches to."""
        return ClassScores(self.settings.classes, multilabel=self.settings.multilabel)

    def count(self, counts: ClassScores, network: Classifier, batch: ClassificationBatch) -> None:
        """Adds one batch to what the scores of a split are made of."""
        counts.add(network.probabilities(run(network, batch.features).logits), batch.gold)

    def result(self, counts: ClassScores, network: Classifier) -> dict[str, Any]:
        """The scores, as `evaluate` prints them, and the temperature."""
        return {**counts.result(), "temperature": round(float(network.temperature), 4)}

    @torch.no_grad()
    def calibrate(self, network: Classifier, batches: Iterable[ClassificationBatch]) -> None:
        """Fits the temperature on the validation split; the weights stay as they are."""
        network.eval()
        found = [(run(network, b.features).logits.cpu(), b.targets) for b in batches]
        logits, targets = (torch.cat(part) for part in zip(*found, strict=True))
        temperature = fit_temperature(logits, targets, multilabel=self.settings.multilabel)
        network.temperature.fill_(temperature)

    def pictures(self, scores: Mapping[str, Any]) -> dict[str, Callable[[Path], object]]:
        """The confusion matrix of the last split that was scored: test, or else validation."""
        split = "test" if "test" in scores else "validation"
        table = scores[split].get("confusion")
        if table is None:
            return {}
        title = f"{split}, {sum(map(sum, table['counts'])):,} texts"
        return {CONFUSION: partial(_draw, table=table, title=title)}

    def _loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        return classification_loss(
            logits, targets, smoothing=self.label_smoothing, class_weights=self.class_weights
        )


def _draw(picture: Path, *, table: Mapping[str, Any], title: str) -> None:
    draw_confusion(table["labels"], table["counts"], picture, title=title)
