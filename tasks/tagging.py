"""Tagging, N labels for N tokens, as a LightningModule: loss, validation scores, optimiser.

The network itself is `models/tagger.py`, built by `parts.TaggerConfig`; using a trained tagger
needs `tagging_pipeline.py` only.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.cli import LightningArgumentParser
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torchmetrics import MeanMetric

from ..data.errors import InputError
from ..data.schemes import is_valid, tags_to_spans
from ..data.tagging_batch import TaggingBatch
from .metrics import SpanF1
from .optimizer import OptimizerConfig
from .parts import EmbeddingConfig, EncoderConfig, Sizes, TaggerConfig
from .tagging_evaluation import TagScores, labels_of
from .tagging_pipeline import decode_tags


class Tagging(pl.LightningModule):
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
    """

    monitor = "validation_score"
    higher_is_better = True
    headline = ("f1", "accuracy")
    hub_name = "token-classification"

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
    ) -> None:
        super().__init__()
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
        parser.link_arguments("data", "model.sizes", vocabulary_sizes, apply_on="instantiate")
        parser.link_arguments("model.embedding.characters", "data.characters", uses_characters)
        parser.link_arguments("model.embedding.attributes", "data.attributes")

    def setup(self, stage: str) -> None:
        """Puts pretrained vectors into the embedding, once, before the first step."""
        matrix = self.trainer.datamodule.vectors_matrix  # type: ignore[attr-defined]
        if stage == "fit" and matrix is not None:
            size = self.settings.embedding.size
            if matrix.shape[1] != size:
                raise InputError(
                    f"the vectors have {matrix.shape[1]} components and model.embedding.size is "
                    f"{size}: set --model.embedding.size {matrix.shape[1]}"
                )
            self.network.embedding.load_vectors(torch.as_tensor(matrix))

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
        if scheme is None:
            right = [
                p == g
                for ps, gs in zip(predicted, batch.gold, strict=True)
                for p, g in zip(ps, gs, strict=True)
            ]
            self.accuracy.update(torch.tensor(right, dtype=torch.float, device=self.device))
        else:
            spans = [tags_to_spans(tags, scheme, strict=True) for tags in predicted]
            valid = [is_valid(tags, scheme) for tags in predicted]
            self.span_f1.update(spans, batch.gold, valid)

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

    def transfer_batch_to_device(
        self, batch: TaggingBatch, device: torch.device, dataloader_idx: int
    ) -> TaggingBatch:
        """Moves a batch, all but the lengths: packing wants them on the CPU."""
        features = batch.features
        moved = super().transfer_batch_to_device(batch, device, dataloader_idx)
        kept: TaggingBatch = moved._replace(
            features=moved.features._replace(lengths=features.lengths)
        )
        return kept

    def configure_optimizers(self) -> Any:
        """The optimiser, and its schedule where there is one."""
        optimizer = self.optimizer.build(self.parameters())
        schedule = self.optimizer.build_schedule(
            optimizer,
            total_steps=self.total_steps(),
            higher_is_better=self.higher_is_better,
        )
        if schedule is None:
            return optimizer
        plateau = isinstance(schedule, ReduceLROnPlateau)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {
                "scheduler": schedule,
                "interval": "epoch" if plateau else "step",
                "monitor": self.monitor,
                "strict": False,
            },
        }

    def lr_scheduler_step(self, scheduler: Any, metric: Any) -> None:
        """Steps schedules by step; "plateau" waits for `on_validation_end`."""
        if not isinstance(scheduler, ReduceLROnPlateau):
            scheduler.step()

    def on_validation_end(self) -> None:
        """Steps "plateau" here, since Lightning would leave it out in an epoch that was resumed."""
        schedule = self.lr_schedulers()
        if isinstance(schedule, ReduceLROnPlateau) and not self.trainer.sanity_checking:
            schedule.step(self.trainer.callback_metrics[self.monitor])

    def total_steps(self) -> int | None:
        """Optimiser steps of the whole run, from the data module and the trainer's limits."""
        trainer = self.trainer
        if trainer.max_steps != -1:
            return trainer.max_steps
        if trainer.max_epochs is None or trainer.max_epochs < 0:
            return None
        batches = len(trainer.datamodule.train_dataloader())  # type: ignore[attr-defined]
        limit = trainer.limit_train_batches
        if isinstance(limit, int):
            batches = min(batches, limit)
        elif limit is not None:
            batches = int(batches * limit)
        return trainer.max_epochs * math.ceil(batches / trainer.accumulate_grad_batches)

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

    def fingerprint(self) -> str:
        """Identifies architecture and labels, for refusing to resume something else."""
        text = json.dumps(self.settings.to_json(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

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


def vocabulary_sizes(data: Any) -> Sizes:
    """The sizes of the vocabularies that the data module has made."""
    sizes = data.featurizer.sizes
    return Sizes(tokens=sizes.tokens, characters=sizes.characters, attributes=sizes.attributes)


def uses_characters(reader: str) -> bool:
    """Whether the embedding reads characters."""
    return reader != "none"
