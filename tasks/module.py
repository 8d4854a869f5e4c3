"""What the LightningModules of all tasks have in common: optimiser, schedule, vectors, devices.

A task adds its network, its loss and its scores. `finish.py` and `fit_settings.py` rely on nothing
but what stands here.
"""

from __future__ import annotations

import hashlib
import json
import math
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import pytorch_lightning as pl
import torch
from pytorch_lightning.cli import LightningArgumentParser
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from ..data.errors import InputError
from ..models.embedding import Embedding
from .optimizer import OptimizerConfig
from .parts import EmbeddingConfig, Sizes


class Settings(Protocol):
    """What a network was built from; `config.json` keeps it."""

    @property
    def embedding(self) -> EmbeddingConfig:
        """How tokens become vectors."""

    def to_json(self) -> dict[str, Any]:
        """Plain scalars, lists and dictionaries."""


class TaskModule(pl.LightningModule):
    """A network in training.

    Attributes:
        monitor: Name of the logged score that decides which weights are kept.
        higher_is_better: Its direction.
        headline: The scores that are shown when training is done.
        hub_name: What hubs call the task.
        examples: A text to try, with words and by character.
    """

    monitor = "validation_score"
    higher_is_better = True
    headline: tuple[str, ...] = ()
    hub_name = ""
    examples: tuple[str, str]
    network: nn.Module  # with an `embedding`
    settings: Settings
    optimizer: OptimizerConfig

    @staticmethod
    @abstractmethod
    def link(parser: LightningArgumentParser) -> None:
        """Says which settings follow from which."""

    @property
    @abstractmethod
    def policy(self) -> str:
        """How the scores are counted."""

    @abstractmethod
    def summary(self) -> str:
        """What the model is, in a sentence."""

    @abstractmethod
    def score(self, batches: Iterable[Any]) -> dict[str, Any]:
        """The scores of the present weights, as `evaluate` prints them."""

    def calibrate(self, batches: Iterable[Any]) -> None:
        """Fits on the validation split what comes after training; most tasks have nothing."""

    def pictures(self, scores: Mapping[str, Any]) -> dict[str, Callable[[Path], object]]:
        """Pictures for the model folder beside the curves: file name, and what draws it."""
        return {}

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
            embedding = self.network.embedding
            assert isinstance(embedding, Embedding)
            embedding.load_vectors(torch.as_tensor(matrix))

    def transfer_batch_to_device(
        self, batch: Any, device: torch.device, dataloader_idx: int
    ) -> Any:
        """Moves a batch, all but the lengths: packing wants them on the CPU."""
        features = batch.features
        moved = super().transfer_batch_to_device(batch, device, dataloader_idx)
        return moved._replace(features=moved.features._replace(lengths=features.lengths))

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

    def fingerprint(self) -> str:
        """Identifies architecture and labels, for refusing to resume something else."""
        text = json.dumps(self.settings.to_json(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def link_features(parser: LightningArgumentParser) -> None:
    """Links vocabulary sizes, and the features that the data prepares, to the embedding."""
    parser.link_arguments("data", "model.sizes", vocabulary_sizes, apply_on="instantiate")
    parser.link_arguments("model.embedding.characters", "data.characters", uses_characters)
    parser.link_arguments("model.embedding.attributes", "data.attributes")


def vocabulary_sizes(data: Any) -> Sizes:
    """The sizes of the vocabularies that the data module has made."""
    sizes = data.featurizer.sizes
    return Sizes(tokens=sizes.tokens, characters=sizes.characters, attributes=sizes.attributes)


def uses_characters(reader: str) -> bool:
    """Whether the embedding reads characters."""
    return reader != "none"
