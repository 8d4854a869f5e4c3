"""Classification, N tokens to one label or several: loss, scores and calibration for Lightning.

The network itself is `models/classifier.py`, built by `classifier_config.py`; using a trained
classifier needs `classification_pipeline.py` only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from pytorch_lightning.cli import LightningArgumentParser
from torch import Tensor
from torchmetrics import MeanMetric, Metric, MetricCollection
from torchmetrics.classification import (
    BinaryAUROC,
    MulticlassCalibrationError,
    MulticlassF1Score,
    MultilabelF1Score,
)

from ..data.classification_batch import UNKNOWN_CLASS, ClassificationBatch
from ..data.errors import InputError
from ..models.classifier import Classifier, classification_loss, fit_temperature
from ..models.pooling import WAYS, Way
from .classification_pipeline import run
from .classification_scores import BINS, THRESHOLD, ClassScores
from .classifier_config import ClassifierConfig, LongTexts
from .confusion import draw_confusion
from .folder import CONFUSION
from .module import TaskModule, link_features
from .optimizer import OptimizerConfig
from .parts import EmbeddingConfig, EncoderConfig, Sizes


class Classification(TaskModule):
    """Trains a classifier. The labels and `sizes` come from the training data.

    Args:
        classes: The labels, in the order of the output layer.
        class_counts: How many training texts have each label.
        several: Whether a text may have any number of labels.
        sizes: Vocabulary sizes.
        embedding: How tokens become vectors.
        encoder: The recurrent layers.
        recurrent: Whether there are recurrent layers; false gives a bag of embeddings, a control.
        pooling: How the states of a text become one vector; several ways are put side by side.
        attention_size: Width of the layer that attention weights come from.
        max_length: Most tokens of a text that are read, or tokens of a window; null for no limit.
        long_texts: What is done with more tokens: keep head and tail, or read all in windows.
        state_dropout: Share of components of the states dropped before pooling, in training.
        dropout: Share of the pooled vector dropped in training.
        label_smoothing: Share of the target that is spread over all labels.
        class_weights: "balanced" lets rare labels count more in the loss, each label the same.
        label_separator: What parts the labels of a text in files.
        label_before: The mark up to which a label in a file counts.
        optimizer: The optimiser and its schedule.
        encoder_from: A trained model of any task, whose embedding, encoder and vocabulary are
            reused; or two in a list, that read in opposite directions.
        freeze_encoder: Whether what is reused stays as it is.
        unfreeze_epoch: Let it learn after so many epochs all the same; null for never.
        encoder_learning_rate_factor: Its learning rate, as a multiple of that of the other layers.
    """

    headline = ("accuracy", "macro_f1", "ece")
    hub_name = "text-classification"
    network: Classifier
    settings: ClassifierConfig
    class_weights: Tensor | None
    examples = ("The room was not bad at all.", "房间一点也不差。")

    def __init__(
        self,
        *,
        classes: list[str],
        class_counts: list[int],
        several: bool,
        sizes: Sizes,
        embedding: EmbeddingConfig = EmbeddingConfig(characters="none"),  # noqa: B008 (frozen)
        encoder: EncoderConfig = EncoderConfig(cell="gru"),  # noqa: B008
        recurrent: bool = True,
        pooling: list[Way] = ["max"],  # noqa: B006 (never changed)
        attention_size: int = 100,
        max_length: int | None = 512,
        long_texts: LongTexts = "head_tail",
        state_dropout: float = 0.0,
        dropout: float = 0.5,
        label_smoothing: float = 0.0,
        class_weights: Literal["none", "balanced"] = "none",
        label_separator: str | None = None,
        label_before: str | None = None,
        optimizer: OptimizerConfig = OptimizerConfig(),  # noqa: B008
        encoder_from: str | list[str] | None = None,
        freeze_encoder: bool = False,
        unfreeze_epoch: int | None = None,
        encoder_learning_rate_factor: float = 1.0,
    ) -> None:
        super().__init__(
            encoder_from=encoder_from,
            freeze_encoder=freeze_encoder,
            unfreeze_epoch=unfreeze_epoch,
            encoder_learning_rate_factor=encoder_learning_rate_factor,
        )
        if not pooling or len(set(pooling)) < len(pooling):
            raise InputError(
                f"model.pooling is {pooling}: name one or more of {', '.join(WAYS)}, each once"
            )
        self.settings = ClassifierConfig(
            classes=classes,
            several=several,
            sizes=sizes,
            embedding=embedding,
            encoder=encoder,
            recurrent=recurrent,
            pooling=pooling,
            attention_size=attention_size,
            max_length=max_length,
            long_texts=long_texts,
            state_dropout=state_dropout,
            dropout=dropout,
            label_separator=label_separator,
            label_before=label_before,
        )
        self.optimizer = optimizer
        self.label_smoothing = label_smoothing
        self.network = self.settings.build()
        counts = torch.tensor(class_counts, dtype=torch.float)
        weights = counts.mean() / counts if class_weights == "balanced" else None
        self.register_buffer("class_weights", weights, persistent=False)
        self.accuracy = MeanMetric()
        self.metrics = self._metrics(len(classes), several)

    @staticmethod
    def _metrics(count: int, several: bool) -> MetricCollection:
        if several:
            return MetricCollection({"macro_f1": MultilabelF1Score(count, threshold=THRESHOLD)})
        found: dict[str, Metric | MetricCollection] = {
            "macro_f1": MulticlassF1Score(count, average="macro"),
            "ece": MulticlassCalibrationError(count, n_bins=BINS),
        }
        if count == 2:
            found["auroc"] = BinaryAUROC()
        # Each needs other inputs, so they are updated one by one and not as groups.
        return MetricCollection(found, compute_groups=False)

    @staticmethod
    def link(parser: LightningArgumentParser) -> None:
        """Says which settings follow from which: labels from the data, features from the embedding,
        and how much of a text the data keeps from how the model reads it.
        """
        link_features(parser)
        for name in ("classes", "class_counts", "several"):
            parser.link_arguments("data", f"model.{name}", _Get(name), apply_on="instantiate")
        parser.link_arguments("data.label_separator", "model.label_separator")
        parser.link_arguments("data.label_before", "model.label_before")
        parser.link_arguments("model.max_length", "data.max_length")
        parser.link_arguments("model.long_texts", "data.long_texts")

    def training_step(self, batch: ClassificationBatch, batch_idx: int) -> Tensor:
        """The loss of one batch."""
        loss = self._loss(run(self.network, batch.features).logits, batch.targets)
        self.log("train_loss", loss.detach(), prog_bar=True, batch_size=len(batch.gold))
        return loss

    def validation_step(self, batch: ClassificationBatch, batch_idx: int) -> None:
        """Adds one batch to the validation scores."""
        logits = run(self.network, batch.features).logits
        probabilities = self.network.probabilities(logits)
        targets = batch.targets
        if self.settings.several:
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
        if len(targets):
            self.log("validation_loss", self._loss(logits, targets), batch_size=len(targets))

    def on_validation_epoch_end(self) -> None:
        """Logs the scores; `validation_score` is the one that decides."""
        scores = {"accuracy": self.accuracy.compute(), **self.metrics.compute()}
        main = scores["macro_f1" if self.settings.several else "accuracy"]
        self.log("validation_score", main, prog_bar=True)
        for name, value in scores.items():
            self.log(f"validation_{name}", value)
        self.accuracy.reset()
        self.metrics.reset()

    @torch.no_grad()
    def calibrate(self, batches: Iterable[ClassificationBatch]) -> None:
        """Fits the temperature on the validation split; the weights stay as they are."""
        self.network.eval()
        found = [(run(self.network, b.features).logits.cpu(), b.targets) for b in batches]
        logits, targets = (torch.cat(part) for part in zip(*found, strict=True))
        temperature = fit_temperature(logits, targets, several=self.settings.several)
        self.network.temperature.fill_(temperature)

    @property
    def policy(self) -> str:
        """How the scores are counted."""
        return ClassScores(self.settings.classes, several=self.settings.several).policy

    def summary(self) -> str:
        """What the model is, in a sentence."""
        settings = self.settings
        encoder = settings.encoder
        direction = "bidirectional " if encoder.bidirectional else ""
        what = f"{direction}{encoder.cell.upper()} ({encoder.layers} x {encoder.hidden_size})"
        if not settings.recurrent:
            what = "bag of embeddings"
        shown = ", ".join(settings.classes[:20]) + (", …" if len(settings.classes) > 20 else "")
        kind = "any of the labels" if settings.several else "one of the labels"
        return f"A {what} with {' and '.join(settings.pooling)} pooling that gives {kind} {shown}."

    def score(self, batches: Iterable[ClassificationBatch]) -> dict[str, Any]:
        """The scores of the present weights, as `evaluate` prints them."""
        scores = ClassScores(self.settings.classes, several=self.settings.several)
        with torch.inference_mode():
            self.network.eval()
            for batch in batches:
                logits = run(self.network, batch.features).logits
                scores.add(self.network.probabilities(logits), batch.gold)
        return {**scores.result(), "temperature": round(float(self.network.temperature), 4)}

    def pictures(self, scores: Mapping[str, Any]) -> dict[str, Callable[[Path], object]]:
        """The confusion matrix of the last split that was scored: test, or else validation."""
        split = "test" if "test" in scores else "validation"
        table = scores[split].get("confusion")
        if table is None:
            return {}
        title = f"{split}, {scores[split]['examples']:,} texts"
        return {CONFUSION: partial(_draw, table=table, title=title)}

    def _loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        return classification_loss(
            logits, targets, smoothing=self.label_smoothing, class_weights=self.class_weights
        )


class _Get:
    """Reads an attribute of the data; the name stands in `--help`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.__name__ = name

    def __call__(self, data: Any) -> Any:
        return getattr(data, self.name)


def _draw(picture: Path, *, table: Mapping[str, Any], title: str) -> None:
    draw_confusion(table["labels"], table["counts"], picture, title=title)
