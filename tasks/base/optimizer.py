"""The optimiser and the learning rate over time.

Schedules by step are pure functions of the step and the total number of steps; the total comes from
the data module and the trainer's limits. (`trainer.estimated_stepping_batches` is not read: it
builds the loaders early, and the position of a resumed loader is lost.) Gradient clipping belongs
to the trainer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, ReduceLROnPlateau

from rnnlp.data.errors import InputError

from .components import check_ranges

# Further ones are added by their class paths, when settings name them.
OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": torch.optim.SGD,
}
FUSED = tuple(OPTIMIZERS)
TO_ZERO = ("linear", "cosine")  # at the last step
BY_STEP = ("none", *TO_ZERO, "inverse_root")
SCHEDULES: dict[str, type[LRScheduler]] = {"plateau": ReduceLROnPlateau}


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """The optimiser and its schedule.

    Args:
        name: The optimiser: adam, adamw, sgd, or a class such as torch.optim.RMSprop.
        options: What else its class takes, such as {alpha: 0.9}.
        learning_rate: The highest learning rate.
        weight_decay: Decay of weight matrices per step; biases and norms are left alone.
        momentum: Momentum of sgd.
        beta2: Memory of the squared gradient in adam and adamw.
        schedule: "none" stays at the rate, "plateau" lowers it when validation stops improving,
            "linear" and "cosine" fall to zero at the last step, "inverse_root" falls with the root.
            Or a class such as torch.optim.lr_scheduler.StepLR, which goes on after each validation.
        schedule_options: What that class takes, such as {step_size: 3}.
        warmup_steps: Steps over which the rate first rises from zero.
        plateau_factor: What "plateau" multiplies the rate with.
        plateau_patience: Validations without improvement that "plateau" waits for.
    """

    name: str = "adam"
    options: dict[str, Any] = field(default_factory=dict)
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    momentum: float = 0.9
    beta2: float = 0.999
    schedule: str = "none"
    schedule_options: dict[str, Any] = field(default_factory=dict)
    warmup_steps: int = 0
    plateau_factor: float = 0.5
    plateau_patience: int = 2

    @property
    def by_step(self) -> bool:
        """Whether the schedule goes on with each step, and not with each validation."""
        return self.schedule in BY_STEP

    def check(self) -> None:
        """Refuses settings that are out of their range, and names that there are not.

        Raises:
            InputError: One is.
        """
        check_ranges(
            self,
            ("name", self.name in OPTIMIZERS, f"{_listed(OPTIMIZERS)} torch.optim.RMSprop"),
            (
                "schedule",
                self.schedule in (*BY_STEP, *SCHEDULES),
                f"{_listed((*BY_STEP, *SCHEDULES))} torch.optim.lr_scheduler.StepLR",
            ),
            ("learning_rate", self.learning_rate > 0, "above 0"),
            ("weight_decay", self.weight_decay >= 0, "0 or more"),
            ("momentum", 0 <= self.momentum < 1, "0 or more and below 1"),
            ("beta2", 0 <= self.beta2 < 1, "0 or more and below 1"),
            ("warmup_steps", self.warmup_steps >= 0, "0 or more"),
            (
                "warmup_steps",
                self.warmup_steps == 0 or self.by_step,
                f"0 with model.optimizer.schedule {self.schedule}",
            ),
            ("plateau_factor", 0 < self.plateau_factor < 1, "above 0 and below 1"),
            ("plateau_patience", self.plateau_patience >= 0, "0 or more"),
            prefix="model.optimizer.",
        )

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
        options: dict[str, Any] = {"lr": self.learning_rate}
        if self.name in FUSED:
            sgd = self.name == "sgd"
            memory = {"momentum": self.momentum} if sgd else {"betas": (0.9, self.beta2)}
            options |= {"fused": fused or None, **memory}
        optimizer: torch.optim.Optimizer = _made(
            OPTIMIZERS, self.name, "name", groups, {**options, **self.options}
        )
        if self.weight_decay and "weight_decay" not in optimizer.defaults:
            raise InputError(f"model.optimizer.weight_decay: {self.name} has none, set it to 0")
        return optimizer

    def build_schedule(
        self, optimizer: torch.optim.Optimizer, *, total_steps: int | None, higher_is_better: bool
    ) -> LRScheduler | None:
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
        if self.schedule in SCHEDULES:
            schedule: LRScheduler = _made(
                SCHEDULES, self.schedule, "schedule", optimizer, self.schedule_options
            )
            return schedule
        if self.schedule == "none" and not self.warmup_steps:
            return None
        if self.schedule in TO_ZERO and total_steps is None:
            raise InputError(
                f"model.optimizer.schedule {self.schedule} falls to zero at the last step, and "
                "nothing says which that is: set trainer.max_epochs or trainer.max_steps"
            )
        return LambdaLR(optimizer, lambda step: self.factor(step, total_steps))

    def factor(self, step: int, total_steps: int | None) -> float:
        """What the learning rate is multiplied with at a step, counted from 0."""
        if step < self.warmup_steps:
            return (step + 1) / self.warmup_steps
        if self.schedule == "inverse_root":
            return math.sqrt(max(1, self.warmup_steps) / max(1, step + 1, self.warmup_steps))
        if self.schedule not in TO_ZERO:
            return 1.0
        assert total_steps is not None  # `build_schedule` has seen to it
        done = (step - self.warmup_steps) / max(1, total_steps - self.warmup_steps)
        done = min(1.0, done)
        return 1.0 - done if self.schedule == "linear" else 0.5 * (1.0 + math.cos(math.pi * done))


def _listed(names: Iterable[str]) -> str:
    return f"one of {', '.join(names)}, or a class such as"


def _made(
    kinds: Mapping[str, Callable[..., Any]],
    name: str,
    key: str,
    of: Any,
    options: Mapping[str, Any],
) -> Any:
    """An object of the class of this name; what it does not take is named.

    Raises:
        InputError: It does not take these options, or what it is made of.
    """
    try:
        return kinds[name](of, **options)
    except (TypeError, ValueError) as error:
        raise InputError(f"model.optimizer.{key} {name}: {error}") from error
