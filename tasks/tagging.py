"""Tagging, N labels for N tokens, as a LightningModule: loss, validation scores, optimiser.

The network itself is `models/tagger.py`, built by `parts.TaggerConfig`; using a trained tagger
needs `tagging_pipeline.py` only.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

import torch
from pytorch_lightning.cli import LightningArgumentParser
from torch import Tensor
from torchmetrics import MeanMetric

from ..data.schemes import is_valid, tags_to_spans
from ..data.tagging_batch import TaggingBatch
from ..models.tagger import Tagger
from .metrics import SpanF1
from .module import TaskModule, link_features
from .optimizer import OptimizerConfig
from .parts import EmbeddingConfig, EncoderConfig, Sizes, TaggerConfig
from .tagging_evaluation import TagScores, labels_of
from .tagging_pipeline import decode_tags


class Tagging(TaskModule):
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

    headline = ("f1", "accuracy")
    hub_name = "token-classification"
    examples = ("Barack Obama visited Berlin.", "她在北京大学读书。")
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
        types = sorted(labels_of(tags, scheme)) if scheme else []
        self.span_f1 = SpanF1(types)
        self.accuracy = MeanMetric()

    @staticmethod
    def link(parser: LightningArgumentParser) -> None:
        """Says which settings follow from which: the model's sizes from the data, and the features
        that the data prepares from the embedding that reads them.
        """
        parser.link_arguments("data", "model.tags", lambda d: d.tags, apply_on="instantiate")
        parser.link_arguments("data", "model.scheme", lambda d: d.scheme, apply_on="instantiate")
        link_features(parser)

    def training_step(self, batch: TaggingBatch, batch_idx: int) -> Tensor:
        """The loss of one batch."""
        loss = self._loss(batch)
        self.log("train_loss", loss.detach(), prog_bar=True, batch_size=len(batch.gold))
        return loss

    def validation_step(self, batch: TaggingBatch, batch_idx: int) -> None:
        """Adds one batch to the validation scores."""
        self.log("validation_loss", self._loss(batch), batch_size=len(batch.gold))
        predicted = decode_tags(self.network, batch.features, self.settings.tags)
        scheme = self.settings.scheme
        gold: Any = batch.gold  # spans with a scheme, tags without
        if scheme is None:
            pairs = zip(chain.from_iterable(predicted), chain.from_iterable(gold), strict=True)
            right = [guess == truth for guess, truth in pairs]
            self.accuracy.update(torch.tensor(right, dtype=torch.float, device=self.device))
        else:
            spans = [tags_to_spans(tags, scheme, strict=True) for tags in predicted]
            valid = [is_valid(tags, scheme) for tags in predicted]
            self.span_f1.update(spans, gold, valid)

    def on_validation_epoch_end(self) -> None:
        """Logs the scores; `validation_score` is the one that decides."""
        if self.settings.scheme is None:
            scores = {"accuracy": self.accuracy.compute()}
            self.accuracy.reset()
        else:
            scores = self.span_f1.compute()
            self.span_f1.reset()
        main = scores["accuracy" if self.settings.scheme is None else "f1"]
        self.log("validation_score", main, prog_bar=True)
        for name, value in scores.items():
            self.log(f"validation_{name}", value)

    @property
    def policy(self) -> str:
        """How the scores are counted."""
        return TagScores(self.settings.scheme).policy

    def summary(self) -> str:
        """What the model is, in a sentence."""
        settings = self.settings
        encoder = settings.encoder
        direction = "bidirectional " if encoder.bidirectional else ""
        output = "CRF" if settings.crf else "softmax"
        labels = sorted(labels_of(settings.tags, settings.scheme))
        kind = "entities" if settings.scheme else "tags"
        return (
            f"A {direction}{encoder.cell.upper()} ({encoder.layers} x {encoder.hidden_size}) with "
            f"{output} output for the {kind} {', '.join(labels)}."
        )

    def score(self, batches: Iterable[TaggingBatch]) -> dict[str, Any]:
        """The scores of the present weights, as `evaluate` prints them."""
        scores = TagScores(self.settings.scheme)
        with torch.inference_mode():
            self.network.eval()
            for batch in batches:
                scores.add(
                    decode_tags(self.network, batch.features, self.settings.tags), batch.gold
                )
        return scores.result()

    def _loss(self, batch: TaggingBatch) -> Tensor:
        features = batch.features
        loss: Tensor = self.network.loss(
            tokens=features.tokens,
            characters=features.characters,
            attributes=features.attributes,
            lengths=features.lengths,
            tags=batch.tags,
        )
        return loss
