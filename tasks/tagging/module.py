"""Tagging, N labels for N tokens, as a LightningModule.

The network itself is `models/tagging/tagger.py`, built by `config.TaggerConfig`; loss and scores
are in `objective.py`. Using a trained tagger needs `pipeline.py` only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pytorch_lightning.cli import LightningArgumentParser

from rnnlp.models.tagging.tagger import Tagger
from rnnlp.tasks.base.components import EmbeddingConfig, EncoderConfig
from rnnlp.tasks.base.growing import FormerModel
from rnnlp.tasks.base.module import Get, GrowingOptions, link_features
from rnnlp.tasks.base.objective import ObjectiveModule
from rnnlp.tasks.base.plain import part_of

from .config import TaggerConfig, TaggerTraining
from .objective import TaggingObjective
from .pipeline import TaggingPipeline
from .scores import labels_of


@dataclass(frozen=True, kw_only=True)
class TaggingSettings(TaggerConfig, TaggerTraining, GrowingOptions):
    """All that can be said about a tagger in training."""

    embedding: EmbeddingConfig = EmbeddingConfig()
    encoder: EncoderConfig = EncoderConfig()


class Tagging(ObjectiveModule):
    """Trains a tagger. `tags`, `scheme` and `sizes` come from the training data.

    Args:
        lacking: Entity types, or plain tags, that no training example has.
        options: Those of `TaggingSettings`.
    """

    headline = TaggingObjective.headline
    hub_name = "token-classification"
    examples = TaggingObjective.examples
    network: Tagger
    settings: TaggerConfig

    def __init__(self, *, lacking: list[str] | tuple[str, ...] = (), **options: Any) -> None:
        self.options = TaggingSettings(**options)
        super().__init__()
        settings = self.options
        settings.check_head(settings.encoder, "model.")
        self.settings = part_of(settings, TaggerConfig)
        self.network = self.settings.build()
        former = None
        if settings.continue_from is not None:
            former = FormerModel(settings.continue_from, TaggingPipeline)
            self.begin_as(
                former,
                former.settings.tags,
                settings.tags,
                labels=sorted(labels_of(settings.tags, settings.scheme)),
                kept=lacking if settings.keep_old else (),
            )
        self.objective = TaggingObjective(
            self.settings,
            training=part_of(settings, TaggerTraining),
            former=former,
            lacking=lacking,
            keep_old=settings.keep_old,
        )

    @staticmethod
    def link(parser: LightningArgumentParser) -> None:
        """Says which settings follow from which: the model's sizes from the data, and the features
        that the data prepares from the embedding that reads them.
        """
        parser.link_arguments("data", "model.tags", lambda d: d.tags, apply_on="instantiate")
        parser.link_arguments("data", "model.scheme", lambda d: d.scheme, apply_on="instantiate")
        parser.link_arguments("data", "model.lacking", Get("lacking"), apply_on="instantiate")
        parser.link_arguments("data", "model.layout", Get("layout"), apply_on="instantiate")
        link_features(parser)
