"""Tagging, N labels for N tokens, as a LightningModule.

The network itself is `models/tagging/tagger.py`, built by `config.TaggerConfig`; loss and scores
are in `objective.py`. Using a trained tagger needs `pipeline.py` only.
"""

from __future__ import annotations

from pytorch_lightning.cli import LightningArgumentParser

from rnnlp.models.tagging.tagger import Tagger
from rnnlp.tasks.base.components import EmbeddingConfig, EncoderConfig, Sizes
from rnnlp.tasks.base.module import link_features
from rnnlp.tasks.base.objective import ObjectiveModule
from rnnlp.tasks.base.optimizer import OptimizerConfig

from .config import TaggerConfig
from .objective import TaggingObjective


class Tagging(ObjectiveModule):
    """Trains a tagger. `tags`, `scheme` and `sizes` come from the training data.

    Args:
        tags: The tags, in the order of the output layer.
        scheme: The scheme that the tags follow; None for plain tags such as parts of speech.
        sizes: Vocabulary sizes.
        embedding: How tokens become vectors.
        encoder: The recurrent layers.
        crf: Whether a CRF scores whole sequences; otherwise each tag by softmax.
        dropout: Share of encoder outputs dropped before the tag scores.
        optimizer: The optimiser and its schedule.
        encoder_from: A trained model of any task, whose embedding, encoder and vocabulary are
            reused; or two in a list, that read in opposite directions.
        freeze_encoder: Whether what is reused stays as it is.
        unfreeze_epoch: Let it learn after so many epochs all the same; null for never.
        encoder_learning_rate_factor: Its learning rate, as a multiple of that of the other layers.
    """

    headline = TaggingObjective.headline
    hub_name = "token-classification"
    examples = TaggingObjective.examples
    network: Tagger
    settings: TaggerConfig

    def __init__(
        self,
        *,
        tags: list[str],
        scheme: str | None,
        sizes: Sizes,
        embedding: EmbeddingConfig = EmbeddingConfig(),  # noqa: B008 (frozen)
        encoder: EncoderConfig = EncoderConfig(),  # noqa: B008
        crf: bool = True,
        dropout: float = 0.3,
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
        self.settings = TaggerConfig(
            tags=tags,
            scheme=scheme,
            sizes=sizes,
            embedding=embedding,
            encoder=encoder,
            crf=crf,
            dropout=dropout,
        )
        self.optimizer = optimizer
        self.network = self.settings.build()
        self.objective = TaggingObjective(self.settings)

    @staticmethod
    def link(parser: LightningArgumentParser) -> None:
        """Says which settings follow from which: the model's sizes from the data, and the features
        that the data prepares from the embedding that reads them.
        """
        parser.link_arguments("data", "model.tags", lambda d: d.tags, apply_on="instantiate")
        parser.link_arguments("data", "model.scheme", lambda d: d.scheme, apply_on="instantiate")
        link_features(parser)
