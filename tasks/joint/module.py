"""Tagging and classification on one encoder, as a LightningModule.

The network is `models/joint.py`, built by `config.py`; loss and scores of either head are its
objective's. A training step sees a batch of each task, and the loss is the sum of both. Using a
trained model needs `pipeline.py` only.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.cli import LightningArgumentParser
from torch import Tensor, nn

from rnnlp.data.classification.collate import ClassificationBatch
from rnnlp.data.errors import InputError
from rnnlp.data.formats.layout import Layout
from rnnlp.data.joint.datamodule import JointBatch
from rnnlp.data.tagging.collate import TaggingBatch
from rnnlp.models.joint import JointNetwork
from rnnlp.tasks.base.components import EmbeddingConfig, EncoderConfig, ModelConfig, check_ngrams
from rnnlp.tasks.base.module import Get, ModuleOptions, TaskModule, link_features
from rnnlp.tasks.base.objective import Objective, Validation, numbers
from rnnlp.tasks.base.plain import part_of
from rnnlp.tasks.classification.config import (
    ClassifierConfig,
    ClassifierHead,
    ClassifierTraining,
    check_pooling,
)
from rnnlp.tasks.classification.module import KnownNGrams, known_ngrams
from rnnlp.tasks.classification.objective import ClassificationObjective
from rnnlp.tasks.tagging.config import TaggerConfig, TaggerHead, TaggerTraining
from rnnlp.tasks.tagging.objective import TaggingObjective

from .config import JointConfig

TAGGING, CLASSIFICATION = "tagging", "classification"


@dataclass(frozen=True, kw_only=True)
class TaggerOptions(TaggerHead, TaggerTraining):
    """What stands above the encoder for tagging.

    Args:
        loss_weight: What the loss, a mean over tokens, is multiplied with before it is added to
            that of classification, a mean over texts.
    """

    loss_weight: float = 5.0


@dataclass(frozen=True, kw_only=True)
class ClassifierOptions(ClassifierHead, ClassifierTraining):
    """What stands above the encoder for classification."""


@dataclass(frozen=True, kw_only=True)
class JointSettings(ModelConfig, ModuleOptions):
    """All that can be said about a tagger and a classifier in training.

    Args:
        tags: The tags, in the order of the tagger's output layer.
        scheme: The scheme that the tags follow; None for plain tags such as parts of speech.
        classes: The labels, in the order of the classifier's output layer.
        class_counts: How many training texts have each label.
        multilabel: Whether a text may have any number of labels.
        tagging_layout: How the file of sentences was laid out.
        classification_layout: How the file of texts was laid out.
        tagging: What stands above the encoder for tagging.
        classification: What stands above it for classification.
    """

    tags: list[str]
    scheme: str | None
    classes: list[str]
    class_counts: list[float]
    multilabel: bool
    tagging_layout: Layout = field(default_factory=Layout)
    classification_layout: Layout = field(default_factory=Layout)
    embedding: EmbeddingConfig = EmbeddingConfig()
    encoder: EncoderConfig = EncoderConfig()
    tagging: TaggerOptions = TaggerOptions()
    classification: ClassifierOptions = field(default_factory=ClassifierOptions)


class Joint(TaskModule):
    """Trains a tagger and a classifier that share embedding and encoder.

    Args:
        known_ngrams: The n-grams that count towards labels.
        options: Those of `JointSettings`.
    """

    hub_name = "token-classification"
    examples = TaggingObjective.examples
    network: JointNetwork
    settings: JointConfig

    def __init__(self, *, known_ngrams: Any = None, **options: Any) -> None:
        self.options = JointSettings(**options)
        super().__init__()
        settings = self.options
        tagging, classification = settings.tagging, settings.classification
        check_pooling(classification.pooling, "model.classification.pooling")
        check_ngrams(classification.ngrams, "model.classification.ngrams")
        tagging.check_head(settings.encoder, "model.tagging.")
        classification.check_training("model.classification.")
        if not tagging.loss_weight > 0.0:
            raise InputError(
                f"model.tagging.loss_weight is {tagging.loss_weight}: it must be above 0"
            )
        self.weights = {TAGGING: tagging.loss_weight, CLASSIFICATION: 1.0}
        shared = vars(part_of(settings, ModelConfig)).copy()
        if known_ngrams is not None:
            shared["sizes"] = replace(settings.sizes, ngrams=len(known_ngrams.hashes))
        self.settings = JointConfig(
            tagging=TaggerConfig(
                tags=settings.tags,
                scheme=settings.scheme,
                layout=settings.tagging_layout,
                **vars(part_of(tagging, TaggerHead)),
                **shared,
            ),
            classification=ClassifierConfig(
                classes=settings.classes,
                multilabel=settings.multilabel,
                layout=settings.classification_layout,
                **vars(part_of(classification, ClassifierHead)),
                **shared,
            ),
        )
        self.network = self.settings.build()
        if (ngrams := self.network.classifier.ngrams) is not None:
            ngrams.count_only(known_ngrams.hashes)
        self.tagging = TaggingObjective(
            self.settings.tagging, training=part_of(tagging, TaggerTraining)
        )
        self.classification = ClassificationObjective(
            self.settings.classification,
            class_counts=settings.class_counts,
            training=part_of(classification, ClassifierTraining),
        )
        if known_ngrams is not None:
            self.classification.begin(
                self.network.classifier, known_ngrams.counts, known_ngrams.length
            )
        self._validations: dict[str, Validation] = {}

    @staticmethod
    def link(parser: LightningArgumentParser) -> None:
        """Says which settings follow from which, as for either task alone."""
        link_features(parser)
        for name in (
            *("tags", "scheme", "tagging_layout"),
            *("classes", "class_counts", "multilabel", "classification_layout"),
        ):
            parser.link_arguments("data", f"model.{name}", Get(name), apply_on="instantiate")
        for name in ("label_separator", "label_before"):
            parser.link_arguments(f"data.{CLASSIFICATION}.{name}", f"model.{CLASSIFICATION}.{name}")
        for name in ("max_length", "ngrams"):
            name = f"{CLASSIFICATION}.{name}"
            parser.link_arguments(f"model.{name}", f"data.{name}")
        parser.link_arguments("data", "model.known_ngrams", ngrams_of, apply_on="instantiate")

    @property
    def heads(self) -> dict[str, tuple[Objective, nn.Module]]:
        """The objective and the network of each task."""
        return {
            TAGGING: (self.tagging, self.network.tagger),
            CLASSIFICATION: (self.classification, self.network.classifier),
        }

    def transfer_batch_to_device(
        self, batch: Any, device: torch.device, dataloader_idx: int
    ) -> Any:
        """Lightning's hook: moves a batch of one task or of both."""
        move = super().transfer_batch_to_device
        if isinstance(batch, JointBatch):
            return JointBatch(*(move(part, device, dataloader_idx) for part in batch))
        return move(batch, device, dataloader_idx)

    def training_step(self, batch: JointBatch, batch_idx: int) -> Tensor:
        """The weighted sum of the losses of both batches."""
        total = torch.zeros((), device=self.device)
        for (task, (objective, head)), part in zip(self.heads.items(), batch, strict=True):
            loss = objective.loss(head, part)
            self.log(f"train_{task}_loss", loss.detach(), batch_size=1)
            loss = self.scale_loss(loss, objective.weight(part))
            total = total + self.weights[task] * loss
        self.log("train_loss", total.detach(), prog_bar=True, batch_size=1)
        return total

    def on_validation_epoch_start(self) -> None:
        """Begins to count anew."""
        self._validations = {
            task: Validation(objective.scores()) for task, (objective, _) in self.heads.items()
        }

    def validation_step(self, batch: TaggingBatch | ClassificationBatch, batch_idx: int) -> None:
        """Adds one batch to the validation scores of its task."""
        task = task_of(batch)
        objective, head = self.heads[task]
        validation = self._validations[task]
        validation.add(objective.add(validation.scores, head, batch))

    def on_validation_epoch_end(self) -> None:
        """Logs the scores of both; `validation_score`, the mean of the main ones, decides."""
        losses, mains = [], []
        for task, (objective, _) in self.heads.items():
            validation = self._validations[task].of_all()
            if not validation.weight:  # limit_val_batches: nothing of this task
                continue
            result = validation.scores.result()
            mains.append(result[objective.main])
            loss = validation.loss / validation.weight
            losses.append(self.weights[task] * loss)
            for name, value in {**numbers(result), "loss": loss}.items():
                self.log(f"validation_{task}_{name}", value)
        self.log("validation_loss", sum(losses))
        self.log("validation_score", statistics.fmean(mains), prog_bar=True)

    @property
    def policy(self) -> dict[str, str]:
        """How the scores of each task are counted."""
        return {task: objective.policy for task, (objective, _) in self.heads.items()}

    def summary(self) -> str:
        """What the model is, in a sentence."""
        outputs = [objective.describe() for objective, _ in self.heads.values()]
        return f"A {self.settings.encoder.describe()} with {', and with '.join(outputs)}."

    def score(
        self, batches: Iterable[TaggingBatch | ClassificationBatch], *, calibrated: bool = False
    ) -> dict[str, Any]:
        """The scores of each task, as `evaluate` prints them, and the mean of the main ones."""
        self.network.eval()
        scores = {
            task: objective.scores(final=True, calibrated=calibrated)
            for task, (objective, _) in self.heads.items()
        }
        examples = dict.fromkeys(scores, 0)
        with torch.inference_mode():
            for batch in batches:
                task = task_of(batch)
                objective, head = self.heads[task]
                objective.add(scores[task], head, batch)
                examples[task] += len(batch.gold)
        results = {
            task: {**scores[task].result(), **objective.extras(head), "examples": examples[task]}
            for task, (objective, head) in self.heads.items()
            if examples[task]
        }
        mains = [result[self.heads[task][0].main] for task, result in results.items()]
        return {**results, "score": statistics.fmean(mains)}

    def headlines(self, scores: Mapping[str, Any]) -> dict[str, float]:
        """The scores of a split that are shown when training is done."""
        return {
            f"{task} {name}": scores[task][name]
            for task, (objective, _) in self.heads.items()
            for name in objective.headline
            if name in scores.get(task, {})
        }

    def calibrate(self, batches: Iterable[TaggingBatch | ClassificationBatch]) -> None:
        """Fits the temperature of each head on the validation split."""
        batches = list(batches)
        for task, (objective, head) in self.heads.items():
            objective.calibrate(head, (batch for batch in batches if task_of(batch) == task))
        self.settings = replace(self.settings, classification=self.classification.settings)

    def pictures(self, scores: Mapping[str, Any]) -> dict[str, Callable[[Path], object]]:
        """The pictures of the classifier."""
        labels = {
            split: result[CLASSIFICATION]
            for split, result in scores.items()
            if CLASSIFICATION in result
        }
        return self.classification.pictures(labels)


def ngrams_of(data: Any) -> KnownNGrams | None:
    """The n-grams that count towards labels."""
    data.prepare()
    return known_ngrams(data.classification)


def task_of(batch: TaggingBatch | ClassificationBatch) -> str:
    """The task that a batch belongs to."""
    return TAGGING if isinstance(batch, TaggingBatch) else CLASSIFICATION
