"""The optimiser and the learning rate over time.

Schedules by step are pure functions of the step and the total number of steps; the total comes from
the data module and the trainer's limits. (`trainer.estimated_stepping_batches` is not read: it
builds the loaders early, and the position of a resumed loader is lost.) Gradient clipping belongs
to the trainer.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

Schedule = Literal["none", "plateau", "linear", "cosine", "inverse_root"]


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """The optimiser and its schedule.

    Args:
        name: The optimiser.
        learning_rate: The highest learning rate.
        weight_decay: Decay of weight matrices per step; biases and norms are left alone.
        momentum: Momentum of sgd.
        beta2: Memory of the squared gradient in adam and adamw.
        schedule: "none" stays at the rate, "plateau" lowers it when validation stops improving,
            "linear" and "cosine" fall to zero at the last step, "inverse_root" falls with the root.
        warmup_steps: Steps over which the rate first rises from zero.
        plateau_factor: What "plateau" multiplies the rate with.
        plateau_patience: Validations without improvement that "plateau" waits for.
    """

    name: Literal["adam", "adamw", "sgd"] = "adam"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    momentum: float = 0.9
    beta2: float = 0.999
    schedule: Schedule = "none"
    warmup_steps: int = 0
    plateau_factor: float = 0.5
    plateau_patience: int = 2

    def build(
        self,
        parameters: Iterable[torch.nn.Parameter],
        *,
        fused: bool = False,
        scaled: Collection[torch.nn.Parameter] = (),
        factor: float = 1.0,
    ) -> torch.optim.Optimizer:
        """The optimiser over the parameters that train.

        Args:
            parameters: The parameters; those that need no gradient are left out.
            fused: Whether all are updated by one kernel.
            scaled: Those among them that have a learning rate of their own.
            factor: What it is, as a multiple of that of the others.
        """
        trained = [parameter for parameter in parameters if parameter.requires_grad]
        apart = {id(parameter) for parameter in scaled} if factor != 1.0 else set()
        groups: list[dict[str, Any]] = [
            {
                "params": [
                    p for p in trained if (p.dim() >= 2) is matrix and (id(p) in apart) is own_rate
                ],
                "weight_decay": self.weight_decay if matrix else 0.0,
                "lr": self.learning_rate * (factor if own_rate else 1.0),
            }
            for own_rate in (False, True)
            for matrix in (True, False)
        ]
        groups = [group for group in groups if group["params"]]
        if self.name == "sgd":
            return torch.optim.SGD(
                groups, lr=self.learning_rate, momentum=self.momentum, fused=fused or None
            )
        kind = torch.optim.AdamW if self.name == "adamw" else torch.optim.Adam
        return kind(groups, lr=self.learning_rate, betas=(0.9, self.beta2), fused=fused or None)

    def build_schedule(
        self, optimizer: torch.optim.Optimizer, *, total_steps: int | None, higher_is_better: bool
    ) -> LambdaLR | ReduceLROnPlateau | None:
        """The schedule, or None where the rate never changes.

        Args:
            optimizer: What it steers.
            total_steps: Optimiser steps of the whole run; needed by "linear" and "cosine".
            higher_is_better: The direction of the validation score, for "plateau".
        """
        if self.schedule == "plateau":
            return ReduceLROnPlateau(
                optimizer,
                mode="max" if higher_is_better else "min",
                factor=self.plateau_factor,
                patience=self.plateau_patience,
            )
        if self.schedule == "none" and not self.warmup_steps:
            return None
        return LambdaLR(optimizer, lambda step: self.factor(step, total_steps))

    def factor(self, step: int, total_steps: int | None) -> float:
        """What the learning rate is multiplied with at a step, counted from 0."""
        if step < self.warmup_steps:
            return (step + 1) / self.warmup_steps
        if self.schedule == "inverse_root":
            return math.sqrt(max(1, self.warmup_steps) / max(1, step + 1, self.warmup_steps))
        if self.schedule not in ("linear", "cosine"):
            return 1.0
        if total_steps is None:
            raise ValueError(f"schedule {self.schedule!r} needs trainer.max_epochs or max_steps")
        done = (step - self.warmup_steps) / max(1, total_steps - self.warmup_steps)
        done = min(1.0, done)
        return 1.0 - done if self.schedule == "linear" else 0.5 * (1.0 + math.cos(math.pi * done))
