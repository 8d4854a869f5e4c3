"""What happens beside the training steps: the best weights, the point to resume from, Ctrl-C.

Lightning's ModelCheckpoint is not used for the best weights: with weight averaging it would have to
write the whole state of the training, several times the weights, whenever a score is the best.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint, Timer
from pytorch_lightning.utilities.rank_zero import rank_zero_only
from torch.nn.utils import get_total_norm

from rnnlp.tasks.base.processes import everyone
from rnnlp.tasks.model_folder.atomic import write_atomically
from rnnlp.tasks.model_folder.weights import read_weights, write_weights

RATE = "model.optimizer.learning_rate"


class Diverged(Exception):
    """The weights are no numbers any more."""


def check_finite(trainer: pl.Trainer, module: pl.LightningModule) -> None:
    """Ends a training that can come to nothing, before its weights are kept.

    Raises:
        Diverged: A weight is NaN or infinite.
    """
    if not get_total_norm(module.parameters()).isfinite():  # fast: no mask is made
        raise Diverged(f"training diverged before step {trainer.global_step:,} (NaN)")


@dataclass(frozen=True, kw_only=True)
class EarlyStopping:
    """When a training ends before its last epoch.

    Args:
        patience: Validations without a better one before training stops.
        min_steps: Optimizer steps that a run has at least, however few batches make an epoch.
    """

    patience: int = 10
    min_steps: int = 600


class KeepBest(Checkpoint):
    """Keeps the weights of the best validation, and stops a run that has none better for long.

    The copy is taken while validation runs, so what is kept is what was scored: the averaged
    weights where a callback averages them. The score decides; while it has not left its floor (F1
    0, the share of the most frequent label), as of short runs on hard data, the loss does.

    Args:
        path: The safetensors file that holds the best weights so far.
        monitor: Name of the logged score.
        higher_is_better: The direction of that score.
        weights: Gives the state dict to keep.
        floor: What the score is where nothing was learned; None where it always tells. A logged
            `validation_baseline` takes its place.
        stopping: When to stop; None for never.
    """

    def __init__(
        self,
        path: Path,
        *,
        monitor: str,
        higher_is_better: bool,
        weights: Callable[[], dict[str, torch.Tensor]],
        floor: float | None = None,
        stopping: EarlyStopping | None = None,
    ) -> None:
        self.path = path
        self.monitor = monitor
        self.higher_is_better = higher_is_better
        self.weights = weights
        self.floor = floor
        self.stopping = stopping
        self.score: float | None = None
        self.rank: tuple[bool, float] | None = None  # whether above the floor, and what decides
        self.waited = 0  # validations since the best one
        self.epoch = 0
        self.step = 0
        self._validated: dict[str, torch.Tensor] = {}

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Lightning's hook: copies the weights that are being validated."""
        if batch_idx == 0 and not trainer.sanity_checking:
            check_finite(trainer, pl_module)
            self._validated = {
                name: tensor.detach().to("cpu", copy=True)
                for name, tensor in self.weights().items()
            }

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Writes the copy where the score is the best so far."""
        value = trainer.callback_metrics.get(self.monitor)
        if value is None or not self._validated or is_dry_run(trainer):
            return
        score = float(value)
        rank = self._rank(score, trainer.callback_metrics)
        self.waited += 1
        if rank[1] == rank[1] and (self.rank is None or rank > self.rank):
            self.score, self.rank, self.waited = score, rank, 0
            self.epoch, self.step = trainer.current_epoch, trainer.global_step
            if trainer.is_global_zero:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(self.path, lambda part: write_weights(part, self._validated))
        self._validated = {}
        stopping = self.stopping
        if stopping is not None and self.waited >= stopping.patience:
            trainer.should_stop |= trainer.global_step >= stopping.min_steps

    def _rank(self, score: float, metrics: Mapping[str, torch.Tensor]) -> tuple[bool, float]:
        sign = 1.0 if self.higher_is_better else -1.0
        floor = metrics.get("validation_baseline", self.floor)
        loss = metrics.get("validation_loss")
        if floor is None or loss is None or sign * score > sign * float(floor):
            return True, sign * score
        return False, -float(loss)

    @property
    def learned(self) -> bool:
        """Whether the best score is above what it is where nothing was learned."""
        return self.rank is None or self.rank[0]

    def best_weights(self) -> dict[str, torch.Tensor]:
        """The best weights, or the present ones where validation never ran."""
        if self.score is None or not self.path.exists():
            return {name: tensor.detach().cpu() for name, tensor in self.weights().items()}
        return read_weights(self.path)

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs to know about the best weights."""
        return {
            "score": self.score,
            "rank": self.rank and list(self.rank),
            "waited": self.waited,
            "epoch": self.epoch,
            "step": self.step,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restores `state_dict`."""
        self.score, self.epoch = state_dict["score"], state_dict["epoch"]
        self.step, self.waited = state_dict["step"], state_dict["waited"]
        self.rank = state_dict["rank"] and tuple(state_dict["rank"])


class ResumePoint(Checkpoint):
    """Writes `last.ckpt` now and then, such that a killed run goes on as if nothing had happened.

    It is written between two training steps inside an epoch, never where a validation or the end of
    an epoch is about to follow: there is only one situation to restore, and it is exact (weights,
    optimiser, schedule, random numbers, position in the data, callbacks). A run stopped by time or
    Ctrl-C leaves the point before its last validation; a run that came to its end leaves its end.

    Args:
        path: The file.
        every_seconds: Time between two points.
        every_steps: Optimiser steps between two points, instead of time; None for time.
        fingerprint: Identifies data and model; a resumed run must have the same.
        settings: All settings by their dotted names; which of them a resumed run may change is
            decided in `resume.py`.
    """

    def __init__(
        self,
        path: Path,
        *,
        every_seconds: float,
        every_steps: int | None,
        fingerprint: Mapping[str, str],
        settings: Mapping[str, Any],
    ) -> None:
        self.path = path
        self.every_seconds = every_seconds
        self.every_steps = every_steps
        self.fingerprint = dict(fingerprint)
        self.settings = dict(settings)
        self._last_time = time.monotonic()
        self._last_step = 0
        self._random: dict[str, Any] | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Starts the clock."""
        self._last_time, self._last_step = time.monotonic(), trainer.global_step

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Lightning's hook: puts the random number generators where they stood.

        Setting up has used some numbers.
        """
        if self._random is not None:
            set_random_state(self._random)
            self._random = None

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Lightning's hook: saves if it is time, or if the run is about to stop here."""
        if trainer.global_step % trainer.log_every_n_steps == 0:  # type: ignore[attr-defined]
            check_finite(trainer, pl_module)
        gathering = (batch_idx + 1) % trainer.accumulate_grad_batches != 0
        if trainer.is_last_batch or is_dry_run(trainer) or gathering:
            return  # half-gathered gradients are not saved
        stopping = trainer.should_stop or trainer.global_step == trainer.max_steps
        if stopping or (self._due(trainer) and not validation_follows(trainer, batch_idx)):
            self._save(trainer, pl_module)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Saves the end of a run, so that it can be continued with more epochs."""
        ends = trainer.should_stop or trainer.current_epoch + 1 == trainer.max_epochs
        if ends and trainer.is_last_batch and not is_dry_run(trainer):
            self._save(trainer, pl_module)

    def state_dict(self) -> dict[str, Any]:
        """Random numbers, fingerprint and settings; the trainer adds everything else."""
        return {
            "random": everyone(random_state()),
            "fingerprint": self.fingerprint,
            "settings": self.settings,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keeps the random numbers until the first step."""
        self._random = state_dict["random"][rank_zero_only.rank]  # type: ignore[attr-defined]

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Lightning's hook: lets new settings win over what the checkpoint kept of the old ones.

        A time limit counts for each call of `fit`: the time already spent is forgotten.
        """
        states = checkpoint["callbacks"]
        states.pop(Timer().state_key, None)
        before = states[self.state_key]["settings"].get(RATE)
        if before and before != self.settings[RATE]:
            scale_learning_rate(checkpoint, self.settings[RATE] / before)

    def _due(self, trainer: pl.Trainer) -> bool:
        if self.every_steps is not None:
            return trainer.global_step - self._last_step >= self.every_steps
        due = time.monotonic() - self._last_time >= self.every_seconds
        return bool(trainer.strategy.broadcast(due))  # clocks differ

    def _save(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        check_finite(trainer, pl_module)
        if trainer.is_global_zero:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path, lambda part: trainer.save_checkpoint(part))
        else:  # adds its own random numbers
            trainer.save_checkpoint(self.path)
        self._last_time, self._last_step = time.monotonic(), trainer.global_step


def scale_learning_rate(checkpoint: dict[str, Any], factor: float) -> None:
    """Multiplies the learning rates in the states of optimisers and schedules."""
    for optimizer in checkpoint["optimizer_states"]:
        for group in optimizer["param_groups"]:
            group |= {name: group[name] * factor for name in ("lr", "initial_lr") if name in group}
    for schedule in checkpoint["lr_schedulers"]:
        for name in {"base_lrs", "_last_lr"} & schedule.keys():
            schedule[name] = [rate * factor for rate in schedule[name]]


def is_dry_run(trainer: pl.Trainer) -> bool:
    """Whether a few batches are run to try things out, and nothing is written."""
    return bool(trainer.fast_dev_run)  # type: ignore[attr-defined]


def validation_follows(trainer: pl.Trainer, batch_idx: int) -> bool:
    """Whether the trainer validates right after this training batch."""
    every = trainer.val_check_batch
    if not isinstance(every, int) or not trainer.enable_validation:
        return False
    if trainer.check_val_every_n_epoch is None:
        batch_idx = trainer.fit_loop.total_batch_idx
    return (batch_idx + 1) % every == 0


def random_state() -> dict[str, Any]:
    """The state of every random number generator, as tensors and plain values."""
    version, numbers, gauss = random.getstate()
    legacy: Any = np.random.get_state(legacy=True)
    name, keys, position, has_gauss, cached = legacy
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "python": [version, list(numbers), gauss],
        "numpy": [name, keys.tolist(), position, has_gauss, cached],
    }


def set_random_state(state: dict[str, Any]) -> None:
    """The inverse of `random_state`."""
    torch.set_rng_state(state["torch"])
    if state["cuda"] and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    name, keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state((name, np.array(keys, dtype=np.uint32), position, has_gauss, cached))
