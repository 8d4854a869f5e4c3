"""Classification, N tokens to one label or several, as a LightningModule.

The network itself is `models/classification/classifier.py`, built by `config.py`; loss, scores and
calibration are in `objective.py`. Using a trained classifier needs
`pipeline.py` only.
"""

from __future__ import annotations

from typing import Literal

from pytorch_lightning.cli import LightningArgumentParser

from rnnlp.data.errors import InputError
from rnnlp.models.classification.classifier import Classifier
from rnnlp.models.classification.pooling import WAYS, Way
from rnnlp.tasks.base.components import EmbeddingConfig, EncoderConfig, Sizes
from rnnlp.tasks.base.module import Get, link_features
from rnnlp.tasks.base.objective import ObjectiveModule
from rnnlp.tasks.base.optimizer import OptimizerConfig

from .config import ClassifierConfig, LongTexts
from .objective import ClassificationObjective


class Classification(ObjectiveModule):
    """Trains a classifier. The labels and `sizes` come from the training data.

    Args:
        classes: The labels, in the order of the output layer.
        class_counts: How many training texts have each label.
        multilabel: Whether a text may have any number of labels.
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

    headline = ClassificationObjective.headline
    hub_name = "text-classification"
    network: Classifier
    settings: ClassifierConfig
    examples = ClassificationObjective.examples

    def __init__(
        self,
        *,
        classes: list[str],
        class_counts: list[int],
        multilabel: bool,
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
            multilabel=multilabel,
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
        self.network = self.settings.build()
        self.objective = ClassificationObjective(
            self.settings,
            class_counts=class_counts,
            label_smoothing=label_smoothing,
            class_weights=class_weights,
        )

    @staticmethod
    def link(parser: LightningArgumentParser) -> None:
        """Says which settings follow from which: labels from the data, features from the embedding,
        and how much of a text the data keeps from how the model reads it.
        """
        link_features(parser)
        for name in ("classes", "class_counts", "multilabel"):
            parser.link_arguments("data", f"model.{name}", Get(name), apply_on="instantiate")
        parser.link_arguments("data.label_separator", "model.label_separator")
        parser.link_arguments("data.label_before", "model.label_before")
        parser.link_arguments("model.max_length", "data.max_length")
        parser.link_arguments("model.long_texts", "data.long_texts")

    @property
    def reader(self) -> str:
        """What reads the tokens, in words."""
        return super().reader if self.settings.recurrent else "bag of embeddings"
