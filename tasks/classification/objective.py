"""What a classifier is trained towards: cross entropy, accuracy, F1, calibration."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from rnnlp.data.classification.collate import UNKNOWN_CLASS, ClassificationBatch
from rnnlp.data.errors import InputError
from rnnlp.models.classification.calibration import fit_temperature, fit_thresholds
from rnnlp.models.layers.losses import classification_loss, distillation_losses
from rnnlp.tasks.base.calibration import fits
from rnnlp.tasks.base.growing import FormerModel
from rnnlp.tasks.base.objective import BatchLoss, Objective
from rnnlp.tasks.model_folder.folder import CONFUSION
from rnnlp.tasks.reporting.confusion_matrix import draw_confusion

from .config import ClassifierConfig, ClassifierTraining
from .keeper import Keeper
from .scores import ClassScores
from .torch_engine import Network, run


class ClassificationObjective(Objective):
    """Loss, scores and calibration of a classifier.

    Args:
        settings: Its labels.
        class_counts: How many training texts have each label.
        training: Smoothing and weights.
        former: A classifier that training goes on from.
        lacking: Labels that no training text has: what the former classifier says of its labels is
            kept then.
        keep_old: How much that counts, from 0 to 1.
    """

    headline = ("accuracy", "macro_f1", "ece")
    examples = ("The room was not bad at all.", "房间一点也不差。")
    class_weights: Tensor | None

    def __init__(
        self,
        settings: ClassifierConfig,
        *,
        class_counts: Sequence[float],
        training: ClassifierTraining,
        former: FormerModel | None = None,
        lacking: Sequence[str] = (),
        keep_old: float = 1.0,
    ) -> None:
        super().__init__()
        self.keeper: Keeper | None = None
        if former is not None and lacking and keep_old > 0.0:
            self.keeper = Keeper(former, settings, lacking, training.soft_temperature, keep_old)
        self.settings = settings
        self.label_smoothing = training.label_smoothing
        self.soft_temperature = training.soft_temperature
        self.fit_thresholds = training.fit_thresholds
        weights = class_weights(training.class_weights, settings.classes, class_counts)
        self.register_buffer("class_weights", weights, persistent=False)

    def begin(self, network: Network, counts: Tensor, length: float) -> None:
        """Lets n-grams learn as naive Bayes weighs them.

        Args:
            network: Has n-grams.
            counts: Training texts of each class with each, `[rows, classes]`.
            length: Different n-grams of a text, in the mean.
        """
        assert network.ngrams is not None
        if self.class_weights is not None and not self.settings.multilabel:
            counts = counts * self.class_weights
        network.ngrams.begin(counts, length=length)

    @property
    def main(self) -> str:
        """Accuracy, or macro F1 where a text may have several labels."""
        return "macro_f1" if self.settings.multilabel else "accuracy"

    def describe(self) -> str:
        """What the head gives, as the end of a sentence."""
        settings = self.settings
        shown = ", ".join(settings.classes[:20]) + (", …" if len(settings.classes) > 20 else "")
        kind = "any of the labels" if settings.multilabel else "one of the labels"
        head = "a bias" if settings.linear else f"{' and '.join(settings.pooling)} pooling"
        return f"{head} that gives {kind} {shown}"

    def loss(self, network: Network, batch: ClassificationBatch) -> Tensor:
        """The loss of one batch, the mean over its texts, each with its weight and the class's."""
        logits = run(network, batch.features, batch.columns).logits
        if self.keeper is None:
            return self._batch_loss(logits, batch)
        loss = self._batch_loss(logits, self.keeper.completed(batch))
        return loss + self.keeper.loss(logits, batch)

    def _batch_loss(self, logits: Tensor, batch: ClassificationBatch) -> Tensor:
        if batch.weights is None and batch.soft is None:
            return self._loss(logits, batch.targets)
        losses = self._loss(logits, batch.targets, reduction="none")
        if batch.soft is not None:
            soft = distillation_losses(
                logits,
                batch.soft,
                multilabel=self.settings.multilabel,
                temperature=self.soft_temperature,
                smoothing=self.label_smoothing,
                class_weights=self.class_weights,
            )
            losses = torch.where(batch.soft.sum(1) > 0.0, soft, losses)
        if batch.weights is not None:
            losses = losses * batch.weights
        return losses.sum() / self._counts(batch).sum()

    def weight(self, batch: ClassificationBatch) -> float:
        """Texts, each with its weight and that of its class."""
        return float(self._counts(batch).sum())

    def _counts(self, batch: ClassificationBatch) -> Tensor:
        """How much each text counts `[batch]`."""
        counts = self._of_classes(batch.targets)
        weights = None if self.settings.multilabel else self.class_weights
        if batch.soft is not None and weights is not None:
            soft = batch.soft @ weights
            counts = torch.where(batch.soft.sum(1) > 0.0, soft, counts)
        return counts if batch.weights is None else counts * batch.weights

    def _of_classes(self, targets: Tensor) -> Tensor:
        """How much texts of these classes count `[batch]`."""
        if self.class_weights is None or self.settings.multilabel:
            return torch.ones(len(targets), device=targets.device)
        return self.class_weights[targets]

    def scores(self, *, final: bool = False, calibrated: bool = False) -> ClassScores:
        """Scores that nothing has been added to."""
        return ClassScores(
            self.settings.classes,
            multilabel=self.settings.multilabel,
            thresholds=self.settings.thresholds,
            calibrated=calibrated,
        )

    def add(self, scores: ClassScores, network: Network, batch: ClassificationBatch) -> BatchLoss:
        """Adds one batch to the scores, and gives its loss, over the texts with a known label.

        Args:
            scores: Those of the split so far; changed.
            network: The classifier, on the device of the batch.
            batch: Texts with their targets.
        """
        logits, targets = run(network, batch.features, batch.columns).logits, batch.targets
        probabilities = network.probabilities(logits).detach().float().cpu().numpy()
        scores.add(
            probabilities, batch.gold, numbers=batch.number.tolist(), unjudged=batch.unjudged
        )
        if not self.settings.multilabel:
            known = targets != UNKNOWN_CLASS
            logits, targets = logits[known], targets[known]
        return BatchLoss(self._loss(logits, targets), float(self._of_classes(targets).sum()))

    def extras(self, network: Network) -> dict[str, Any]:
        """The temperature."""
        return {"temperature": round(float(network.temperature), 4)}

    @torch.no_grad()
    def calibrate(self, network: Network, batches: Iterable[ClassificationBatch]) -> None:
        """Fits temperature and thresholds on one half of the validation split; the weights stay as
        they are.

        The other half is what the calibration error of this split is measured on.
        """
        network.eval()
        if network.ngrams is not None:
            network.ngrams.fold()
        classes = self.settings.classes
        judged: list[int] = []  # of several labels a text, those that the split is annotated with
        parts = []
        for b in batches:
            scores = run(network, b.features, b.columns)
            parts.append((scores.logits.cpu(), _goal(b, len(classes)), b.number))
            judged = [place for place, name in enumerate(classes) if name not in b.unjudged]
        logits, targets, numbers = (torch.cat(part) for part in zip(*parts, strict=True))
        if self.settings.multilabel:
            logits, targets = logits[:, judged], targets[:, judged]
        fitted = torch.from_numpy(fits(numbers.numpy()))
        if not fitted.any():
            return
        known = fitted if self.settings.multilabel else fitted & (targets.sum(1) > 0.0)
        logits, targets = logits[known], targets[known]
        temperature = fit_temperature(logits, targets, multilabel=self.settings.multilabel)
        network.temperature.fill_(temperature)
        if self.settings.multilabel and self.fit_thresholds:
            thresholds = fit_thresholds(network.probabilities(logits), targets)
            self.settings = replace(self.settings, thresholds=thresholds)

    def pictures(self, scores: Mapping[str, Any]) -> dict[str, Callable[[Path], object]]:
        """The confusion matrix of the last split that was scored: test, or else validation."""
        split = "test" if "test" in scores else "validation"
        table = scores[split].get("confusion")
        if table is None:
            return {}
        title = f"{split}, {sum(map(sum, table['counts'])):,} texts"
        return {CONFUSION: partial(_draw, table=table, title=title)}

    def _loss(
        self, logits: Tensor, targets: Tensor, *, reduction: Literal["mean", "none"] = "mean"
    ) -> Tensor:
        return classification_loss(
            logits,
            targets,
            smoothing=self.label_smoothing,
            class_weights=self.class_weights,
            reduction=reduction,
        )


def _goal(batch: ClassificationBatch, classes: int) -> Tensor:
    """The probability of each class [batch, classes] as the data says; 0 where nothing is known."""
    goal = batch.targets.float()
    if goal.dim() == 1:
        one_hot = F.one_hot(batch.targets.clamp_min(0), classes)
        goal = one_hot * (goal >= 0.0).float()[:, None]
    if batch.soft is None:
        return goal
    return torch.where(batch.soft.sum(1, keepdim=True) > 0.0, batch.soft, goal)


def _draw(picture: Path, *, table: Mapping[str, Any], title: str) -> None:
    draw_confusion(table["labels"], table["counts"], picture, title=title)


def class_weights(
    said: str | Mapping[str, float], classes: Sequence[str], counts: Sequence[float]
) -> Tensor | None:
    """How much a text of each class counts, [classes]; None where all count once.

    Args:
        said: "none", "balanced", or numbers by label.
        classes: The labels.
        counts: How many training texts have each.

    Raises:
        InputError: A label that there is not, or a number that is not above 0.
    """
    if isinstance(said, str):
        many = torch.tensor(counts, dtype=torch.float)
        balanced = torch.where(many > 0.0, many.mean() / many, 0.0)
        return balanced if said == "balanced" else None
    said = {str(name): weight for name, weight in said.items()}  # YAML reads 1 as a number
    if odd := [name for name in said if name not in classes]:
        raise InputError(
            f"model.class_weights names {odd[0]!r}, and the labels are {', '.join(classes[:20])}"
        )
    for name, weight in said.items():
        if not 0.0 < weight < math.inf:
            raise InputError(f"model.class_weights of {name!r} is {weight}: it must be above 0")
    return torch.tensor([said.get(name, 1.0) for name in classes])
