"""What the LightningModules of all tasks have in common: optimiser, schedule, vectors, devices.

A task adds its network, its loss and its scores. `tasks/fit/model_writer.py` and
`tasks/fit/lightning_cli.py` rely on nothing but what stands here.

Annotations here are real types, since LightningCLI reads those of inherited fields.
"""

import hashlib
import json
import math
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytorch_lightning as pl
import torch
from pytorch_lightning.cli import LightningArgumentParser
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from rnnlp.data.errors import InputError, note
from rnnlp.models.embeddings.token import Embedding

from .components import EmbeddingConfig, EncoderConfig, Sizes, TransferConfig, check_ranges
from .optimizer import OptimizerConfig
from .reused_encoder import read_encoder
from .transfer import load_encoder_weights


class Settings(Protocol):
    """What a network was built from; `config.json` keeps it."""

    @property
    def embedding(self) -> EmbeddingConfig:
        """How tokens become vectors."""

    @property
    def encoder(self) -> EncoderConfig:
        """The recurrent layers."""

    def to_json(self) -> dict[str, Any]:
        """Plain scalars, lists and dictionaries."""


@dataclass(frozen=True, kw_only=True)
class ModuleOptions(TransferConfig):
    """What every task's module can be told.

    Args:
        optimizer: The optimiser and its schedule.
    """

    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)

    def check(self) -> None:
        """Refuses settings that are out of their range.

        Raises:
            InputError: One is.
        """
        super().check()
        self.optimizer.check()


@dataclass(frozen=True, kw_only=True)
class GrowingOptions(ModuleOptions):
    """What the modules of tasks that a model can go on with can be told.

    Args:
        continue_from: Folder or hub id of a trained model of this task to go on with: its weights
            and settings are taken over, and its vocabulary and labels grow by those of the data.
        keep_old: How much what it says of its labels counts where the new data have none of them,
            from 0 (they are forgotten) to 1.
    """

    continue_from: str | None = None
    keep_old: float = 1.0

    @property
    def reuses(self) -> bool:
        """Whether there is an encoder that was trained before."""
        return self.continue_from is not None or self.encoder_from is not None

    def check(self) -> None:
        """Refuses settings that contradict each other.

        Raises:
            InputError: They do.
        """
        super().check()
        check_ranges(
            self, ("keep_old", 0.0 <= self.keep_old <= 1.0, "from 0 to 1"), prefix="model."
        )
        if self.continue_from is not None and self.encoder_from is not None:
            raise InputError(
                "model.continue_from takes the encoder along: leave out model.encoder_from"
            )


class TaskModule(pl.LightningModule):
    """A network in training.

    A task's module makes `options` of its arguments before it calls this.

    Attributes:
        levels: The values of `data.level` that are those of the encoder's tokens.
        one_direction: Whether the network needs an encoder that reads from start to end only.
        monitor: Name of the logged score that decides which weights are kept.
        higher_is_better: Its direction.
        score_floor: What it is where nothing was learned; None where it always tells.
        headline: The scores that are shown when training is done.
        hub_name: What hubs call the task.
        examples: A text to try, with words and by character.
    """

    monitor = "validation_score"
    levels: tuple[str, ...] = ("word", "character")
    one_direction = False
    higher_is_better = True
    score_floor: float | None = 0.0
    headline: tuple[str, ...] = ()
    hub_name = ""
    examples: tuple[str, str]
    network: nn.Module  # with an `embedding`
    settings: Settings
    options: ModuleOptions

    def __init__(self) -> None:
        super().__init__()
        self.options.check()
        self._reused: list[nn.Parameter] = []  # those that can learn

    @staticmethod
    @abstractmethod
    def link(parser: LightningArgumentParser) -> None:
        """Says which settings follow from which."""

    @property
    def leaves_out(self) -> bool:
        """Whether there are steps without some of the parameters: while they are frozen."""
        return self.options.unfreeze_epoch is not None

    @property
    @abstractmethod
    def policy(self) -> str | dict[str, str]:
        """How the scores are counted; where there are several heads, those of each."""

    @abstractmethod
    def summary(self) -> str:
        """What the model is, in a sentence."""

    @abstractmethod
    def score(self, batches: Iterable[Any], *, calibrated: bool = False) -> dict[str, Any]:
        """The scores of the present weights, as `evaluate` prints them.

        Args:
            batches: Of a split.
            calibrated: Whether `calibrate` has seen the same split.
        """

    def usage(self, example: str) -> tuple[str, str]:
        """What the model card tries: the argument in Python, and those of `rnnlp predict`."""
        quoted = '"' + example.replace('"', "'") + '"'
        return quoted, quoted

    def headlines(self, scores: Mapping[str, Any]) -> dict[str, float]:
        """The scores of a split that are shown when training is done."""
        return {name: value for name, value in scores.items() if name in self.headline}

    def calibrate(self, batches: Iterable[Any]) -> None:
        """Fits on the validation split what comes after training; most tasks have nothing."""

    def pictures(self, scores: Mapping[str, Any]) -> dict[str, Callable[[Path], object]]:
        """Pictures for the model folder beside the curves: file name, and what draws it."""
        return {}

    def setup(self, stage: str) -> None:
        """Loads what is reused or pretrained, once, before the first step."""
        if stage == "fit" and self.options.encoder_from is not None:
            self._load_encoder()
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

    def _load_encoder(self) -> None:
        assert self.options.encoder_from is not None
        reused = read_encoder(
            self.options.encoder_from,
            one_direction=self.one_direction,
            backward=bool(getattr(self.settings, "reverse", False)),
        )
        parameters, report = load_encoder_weights(
            reused,
            self.network,
            embedding=self.settings.embedding,
            encoder=self.settings.encoder,
            featurizer=self.trainer.datamodule.featurizer,  # type: ignore[attr-defined]
        )
        self._reuse(parameters, report)

    def _reuse(self, parameters: Iterable[nn.Parameter], report: list[str]) -> None:
        """Freezes or slows what was loaded, as the options say, and tells the report."""
        self._reused = [parameter for parameter in parameters if parameter.requires_grad]
        if self.options.freeze_encoder:
            until = (
                ""
                if self.options.unfreeze_epoch is None
                else f" for {self.options.unfreeze_epoch} epochs"
            )
            report.append(f"what was loaded stays as it is{until}")
            if self.options.unfreeze_epoch is None:  # the optimiser need not know them
                self._freeze(True)
        factor = self.options.encoder_learning_rate_factor
        if factor != 1.0 and any(parameter.requires_grad for parameter in self._reused):
            report.append(f"what was loaded learns at {factor:g} times the learning rate")
        for line in report:
            note(line)

    def _freeze(self, frozen: bool) -> None:
        for parameter in self._reused:
            parameter.requires_grad_(not frozen)

    def on_train_start(self) -> None:
        """Freezes what is reused, or not, as the epoch says from which training goes on."""
        self._freeze_or_not()

    def on_train_epoch_start(self) -> None:
        """Lets frozen layers learn from `unfreeze_epoch` on."""
        self._freeze_or_not()

    def _freeze_or_not(self) -> None:
        after = self.options.unfreeze_epoch
        self._freeze(self.options.freeze_encoder and (after is None or self.current_epoch < after))

    def transfer_batch_to_device(
        self, batch: Any, device: torch.device, dataloader_idx: int
    ) -> Any:
        """Lightning's hook: moves a batch, all but the lengths, which packing wants on the CPU."""
        features = batch.features
        moved = super().transfer_batch_to_device(batch, device, dataloader_idx)
        return moved._replace(features=moved.features._replace(lengths=features.lengths))

    def configure_optimizers(self) -> Any:
        """The optimiser, and its schedule where there is one."""
        # Several times as fast as operation after operation, most of all where there are vectors of
        # many rare words: their moments fade into numbers that are slow to compute with. Lightning
        # cannot clip gradients for it in mixed precision.
        fused = self.device.type in ("cpu", "cuda") and "mixed" not in str(self.trainer.precision)
        optimizer = self.options.optimizer.build(
            self.parameters(),
            fused=fused,
            scaled=self._reused,
            factor=self.options.encoder_learning_rate_factor,
        )
        schedule = self.options.optimizer.build_schedule(
            optimizer,
            total_steps=self.total_steps(),
            higher_is_better=self.higher_is_better,
        )
        if schedule is None:
            return optimizer
        return {
            "optimizer": optimizer,
            "lr_scheduler": {
                "scheduler": schedule,
                "interval": "step" if self.options.optimizer.by_step else "epoch",
                "monitor": self.monitor,
                "strict": False,
            },
        }

    def lr_scheduler_step(self, scheduler: Any, metric: Any) -> None:
        """Steps schedules by step; others wait for `on_validation_end`."""
        if self.options.optimizer.by_step:
            scheduler.step()

    def on_validation_end(self) -> None:
        """Steps other schedules, which Lightning would leave out in an epoch that was resumed."""
        schedule = self.lr_schedulers()
        if schedule is None or self.options.optimizer.by_step or self.trainer.sanity_checking:
            return
        if isinstance(schedule, ReduceLROnPlateau):
            schedule.step(self.trainer.callback_metrics[self.monitor])
        else:
            schedule.step()  # type: ignore[union-attr]

    def scale_loss(self, loss: Tensor, weight: float) -> Tensor:
        """The loss such that its mean over the processes is that of the whole batch.

        Args:
            loss: The mean over what this process has of the batch.
            weight: What it is the mean of.
        """
        if self.trainer.world_size == 1:
            return loss
        own = torch.tensor(weight, dtype=torch.float, device=self.device)
        total = self.trainer.strategy.reduce(own.clone(), reduce_op="sum")
        return loss * (own * self.trainer.world_size / total)

    def total_steps(self) -> int | None:
        """Optimiser steps of the whole run, from the data module and the trainer's limits."""
        trainer = self.trainer
        most = [] if trainer.max_steps == -1 else [trainer.max_steps]
        if trainer.max_epochs is not None and trainer.max_epochs >= 0:
            batches = len(trainer.datamodule.train_dataloader())  # type: ignore[attr-defined]
            limit = trainer.limit_train_batches
            if isinstance(limit, int):
                batches = min(batches, limit)
            elif limit is not None:
                batches = int(batches * limit)
            steps = math.ceil(batches / trainer.accumulate_grad_batches)
            most.append(trainer.max_epochs * steps)
        return min(most, default=None)

    def fingerprint(self) -> str:
        """Identifies architecture and labels, for refusing to resume something else."""
        text = json.dumps(self.settings.to_json(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def link_features(parser: LightningArgumentParser) -> None:
    """Links vocabulary sizes, and the features that the data prepares, to the embedding."""
    parser.link_arguments("data", "model.sizes", vocabulary_sizes, apply_on="instantiate")
    parser.link_arguments("model.embedding.characters", "data.characters", uses_characters)
    parser.link_arguments("model.embedding.token_features", "data.token_features")


def vocabulary_sizes(data: Any) -> Sizes:
    """The sizes of the vocabularies that the data module has made."""
    sizes = data.featurizer.sizes
    return Sizes(
        tokens=sizes.tokens, characters=sizes.characters, token_features=sizes.token_features
    )


def uses_characters(reader: str) -> bool:
    """Whether the embedding reads characters."""
    return reader != "none"


class Get:
    """Reads an attribute of the data; the name stands in `--help`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.__name__ = name

    def __call__(self, data: Any) -> Any:
        """The value of the attribute."""
        return getattr(data, self.name)
