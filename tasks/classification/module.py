"""Classification, N tokens to one label or several, as a LightningModule.

The network itself is `models/classification/classifier.py`, built by `config.py`; loss, scores and
calibration are in `objective.py`. Using a trained classifier needs
`pipeline.py` only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pytorch_lightning.cli import LightningArgumentParser

from rnnlp.models.classification.classifier import Classifier
from rnnlp.tasks.base.components import EmbeddingConfig, EncoderConfig
from rnnlp.tasks.base.module import Get, ModuleOptions, link_features
from rnnlp.tasks.base.objective import ObjectiveModule
from rnnlp.tasks.base.plain import part_of

from .config import ClassifierConfig, ClassifierTraining, check_pooling
from .objective import ClassificationObjective


@dataclass(frozen=True, kw_only=True)
class ClassificationSettings(ClassifierConfig, ClassifierTraining, ModuleOptions):
    """All that can be said about a classifier in training."""

    embedding: EmbeddingConfig = EmbeddingConfig(characters="none")
    encoder: EncoderConfig = EncoderConfig(cell="gru")


class Classification(ObjectiveModule):
    """Trains a classifier. The labels and `sizes` come from the training data.

    Args:
        class_counts: How many training texts have each label.
        options: Those of `ClassificationSettings`.
    """

    headline = ClassificationObjective.headline
    hub_name = "text-classification"
    network: Classifier
    settings: ClassifierConfig
    examples = ClassificationObjective.examples

    def __init__(self, *, class_counts: list[int], **options: Any) -> None:
        self.options = ClassificationSettings(**options)
        super().__init__()
        settings = self.options
        check_pooling(settings.pooling, "model.pooling")
        self.settings = part_of(settings, ClassifierConfig)
        self.network = self.settings.build()
        self.objective = ClassificationObjective(
            self.settings,
            class_counts=class_counts,
            training=part_of(settings, ClassifierTraining),
        )

    @staticmethod
    def link(parser: LightningArgumentParser) -> None:
        """Says which settings follow from which: labels from the data, features from the embedding,
        and how much of a text the data keeps from how the model reads it.
        """
        link_features(parser)
        for name in ("classes", "class_counts", "multilabel"):
            parser.link_arguments("data", f"model.{name}", Get(name), apply_on="instantiate")
        parser.link_arguments("data", "model.layout", Get("layout"), apply_on="instantiate")
        parser.link_arguments("data.label_separator", "model.label_separator")
        parser.link_arguments("data.label_before", "model.label_before")
        parser.link_arguments("model.max_length", "data.max_length")
        parser.link_arguments("model.long_texts", "data.long_texts")

    @property
    def reader(self) -> str:
        """What reads the tokens, in words."""
        return super().reader if self.settings.recurrent else "bag of embeddings"
