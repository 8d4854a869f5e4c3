"""Classification, N tokens to one label or several, as a LightningModule.

The network itself is `models/classification/classifier.py`, built by `config.py`; loss, scores and
calibration are in `objective.py`. Using a trained classifier needs
`pipeline.py` only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from pytorch_lightning.cli import LightningArgumentParser
from torch import Tensor

from rnnlp.data.errors import InputError, note
from rnnlp.models.classification.classifier import Classifier
from rnnlp.models.classification.linear import LinearClassifier
from rnnlp.models.layers.ngrams import common_ngrams, counts_by_class
from rnnlp.tasks.base.components import EmbeddingConfig, EncoderConfig, check_ngrams
from rnnlp.tasks.base.growing import FormerModel
from rnnlp.tasks.base.module import Get, GrowingOptions, link_features
from rnnlp.tasks.base.objective import ObjectiveModule
from rnnlp.tasks.base.plain import part_of

from .config import ClassifierConfig, ClassifierTraining, check_pooling
from .objective import ClassificationObjective
from .pipeline import ClassificationPipeline


@dataclass(frozen=True, kw_only=True)
class ClassificationSettings(ClassifierConfig, ClassifierTraining, GrowingOptions):
    """All that can be said about a classifier in training."""

    embedding: EmbeddingConfig = EmbeddingConfig(characters="none")
    encoder: EncoderConfig = EncoderConfig(cell="gru")


class Classification(ObjectiveModule):
    """Trains a classifier. The labels and `sizes` come from the training data.

    Args:
        class_counts: How many training texts have each label.
        known_ngrams: The n-grams that count; see `known_ngrams`.
        lacking: Labels that no training text has.
        options: Those of `ClassificationSettings`.
    """

    headline = ClassificationObjective.headline
    hub_name = "text-classification"
    network: Classifier | LinearClassifier
    objective: ClassificationObjective
    settings: ClassifierConfig
    examples = ClassificationObjective.examples

    def __init__(
        self,
        *,
        class_counts: list[float],
        known_ngrams: Any = None,
        lacking: list[str] | tuple[str, ...] = (),
        **options: Any,
    ) -> None:
        self.options = ClassificationSettings(**options)
        super().__init__()
        settings = self.options
        check_pooling(settings.pooling, "model.pooling")
        check_ngrams(settings.ngrams, "model.ngrams")
        settings.check_training()
        self.settings = part_of(settings, ClassifierConfig)
        if self.settings.linear and settings.encoder_from is not None:
            raise InputError(
                "model.ngrams without recurrent layers is a linear model, which has no use for "
                "model.encoder_from: leave one of them out"
            )
        former = None
        if settings.continue_from is not None:
            former = FormerModel(settings.continue_from, ClassificationPipeline)
            if settings.columns or former.settings.columns:
                raise InputError(
                    "model.continue_from is for models of texts alone, without "
                    "data.feature_columns: train a new one"
                )
            if former.hashes is not None and known_ngrams is not None:
                hashes = torch.cat((former.hashes, known_ngrams.hashes)).unique()
                known_ngrams = known_ngrams._replace(hashes=hashes)
        if known_ngrams is not None:
            sizes = replace(settings.sizes, ngrams=len(known_ngrams.hashes))
            self.settings = replace(self.settings, sizes=sizes)
        self.network = self.settings.build()
        if self.network.ngrams is not None:
            self.network.ngrams.count_only(known_ngrams.hashes)
        if former is not None:
            if not (settings.multilabel or set(former.labels) - set(lacking)):
                note(
                    f"no text has a label that {former.name} knows: what tells these from the new "
                    "ones is not in the data; mix in some of its texts"
                )
            self.begin_as(
                former,
                former.settings.classes,
                settings.classes,
                labels=settings.classes,
                kept=lacking if settings.keep_old else (),
            )
        self.objective = ClassificationObjective(
            self.settings,
            former=former,
            lacking=lacking,
            keep_old=settings.keep_old,
            class_counts=class_counts,
            training=part_of(settings, ClassifierTraining),
        )
        if former is None and known_ngrams is not None:
            self.objective.begin(self.network, known_ngrams.counts, known_ngrams.length)

    @staticmethod
    def link(parser: LightningArgumentParser) -> None:
        """Says which settings follow from which: labels from the data, features from the embedding,
        and how much of a text the data keeps from how the model reads it.
        """
        link_features(parser)
        for name in ("classes", "class_counts", "multilabel"):
            parser.link_arguments("data", f"model.{name}", Get(name), apply_on="instantiate")
        parser.link_arguments("data", "model.lacking", Get("lacking"), apply_on="instantiate")
        parser.link_arguments("data", "model.columns", Get("columns"), apply_on="instantiate")
        parser.link_arguments("data", "model.layout", Get("layout"), apply_on="instantiate")
        parser.link_arguments("model.ngrams", "data.ngrams")
        parser.link_arguments("data", "model.known_ngrams", known_ngrams, apply_on="instantiate")
        parser.link_arguments("data.label_separator", "model.label_separator")
        parser.link_arguments("data.label_before", "model.label_before")
        parser.link_arguments("model.max_length", "data.max_length")
        parser.link_arguments("model.long_texts", "data.long_texts")

    def setup(self, stage: str) -> None:
        """Loads what is reused or pretrained; a linear model has no use for it."""
        if self.settings.linear and self.trainer.datamodule.vectors_matrix is not None:  # type: ignore[attr-defined]
            raise InputError("data.vectors is for embeddings, which a linear model has none of")
        super().setup(stage)

    def calibrate(self, batches: Iterable[Any]) -> None:
        """Fits on the validation split what comes after training; thresholds are settings."""
        super().calibrate(batches)
        self.settings = self.objective.settings

    @property
    def reader(self) -> str:
        """What reads the tokens, in words."""
        ngrams = f"n-grams of up to {self.settings.ngrams} tokens"
        if self.settings.linear:
            return f"linear model on {ngrams}"
        reader = super().reader if self.settings.recurrent else "bag of embeddings"
        return reader if self.settings.ngrams is None else f"{reader} beside {ngrams}"


class KnownNGrams(NamedTuple):
    """The n-grams that count towards labels."""

    hashes: Tensor  # [rows]
    counts: Tensor  # [rows, classes], of training texts
    length: float  # different n-grams of a text, in the mean


def known_ngrams(data: Any) -> KnownNGrams | None:
    """The n-grams of several training texts of a data module; None where none are wanted."""
    order, ids = data.options.ngrams, data.featurizer.tokens.ids
    if order is None:
        return None
    hashes = common_ngrams(map(ids, data.training_tokens), order)
    places = {name: place for place, name in enumerate(data.classes)}
    shares = (_share(text, places) for text in data.training_shares)
    texts = map(ids, data.training_tokens)
    counts = counts_by_class(texts, shares, hashes, order)
    return KnownNGrams(hashes, counts, float(counts.sum()) / max(sum(data.class_counts), 1.0))


def _share(text: list[tuple[str, float]], places: Mapping[str, int]) -> Tensor:
    share = torch.zeros(len(places))
    for label, part in text:
        share[places[label]] = part
    return share
