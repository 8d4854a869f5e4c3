"""What one head is trained towards: its loss, and its scores in and after training.

A task with one head is an `ObjectiveModule`; several heads on one encoder (`tasks/joint/module.py`)
have an objective each. An objective holds no network: it is given the one that is trained.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from .module import TaskModule


class Validated(NamedTuple):
    """What one batch of the validation split came to."""

    loss: Tensor
    examples: int  # that the loss is the mean of; 0 where no gold label is known


class Objective(nn.Module):
    """Loss and scores of a head.

    Attributes:
        headline: The scores that are shown when training is done.
        examples: A text to try, with words and by character.
    """

    headline: ClassVar[tuple[str, ...]]
    examples: ClassVar[tuple[str, str]]

    @property
    @abstractmethod
    def main(self) -> str:
        """The score that decides which weights are kept."""

    @property
    @abstractmethod
    def policy(self) -> str:
        """How the scores are counted."""

    @abstractmethod
    def describe(self) -> str:
        """What the head gives, as the end of a sentence."""

    @abstractmethod
    def loss(self, network: Any, batch: Any) -> Tensor:
        """The loss of one batch, a scalar."""

    @abstractmethod
    def validate(self, network: Any, batch: Any) -> Validated:
        """Adds one batch to the scores of the validation split."""

    @abstractmethod
    def validated(self) -> dict[str, Tensor]:
        """The scores of all batches since the last call."""

    @abstractmethod
    def counts(self) -> Any:
        """What `count` adds batches to."""

    @abstractmethod
    def count(self, counts: Any, network: Any, batch: Any) -> None:
        """Adds one batch to what the scores of a split are made of."""

    def result(self, counts: Any, network: Any) -> dict[str, Any]:
        """The scores, as `evaluate` prints them."""
        found: dict[str, Any] = counts.result()
        return found

    def calibrate(self, network: Any, batches: Iterable[Any]) -> None:
        """Fits on the validation split what comes after training; most heads have nothing."""

    def pictures(self, scores: Mapping[str, Any]) -> dict[str, Callable[[Path], object]]:
        """Pictures for the model folder: file name, and what draws it."""
        return {}


class ObjectiveModule(TaskModule):
    """A network with one head in training."""

    objective: Objective

    @property
    def reader(self) -> str:
        """What reads the tokens, in words."""
        return self.settings.encoder.describe()

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """The loss of one batch."""
        loss = self.objective.loss(self.network, batch)
        self.log("train_loss", loss.detach(), prog_bar=True, batch_size=len(batch.gold))
        return loss

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Adds one batch to the validation scores."""
        loss, examples = self.objective.validate(self.network, batch)
        if examples:
            self.log("validation_loss", loss, batch_size=examples)

    def on_validation_epoch_end(self) -> None:
        """Logs the scores; `validation_score` is the one that decides."""
        scores = self.objective.validated()
        self.log("validation_score", scores[self.objective.main], prog_bar=True)
        for name, value in scores.items():
            self.log(f"validation_{name}", value)

    @property
    def policy(self) -> str:
        """How the scores are counted."""
        return self.objective.policy

    def summary(self) -> str:
        """What the model is, in a sentence."""
        return f"A {self.reader} with {self.objective.describe()}."

    def score(self, batches: Iterable[Any]) -> dict[str, Any]:
        """The scores of the present weights, as `evaluate` prints them."""
        self.network.eval()
        counts = self.objective.counts()
        with torch.inference_mode():
            for batch in batches:
                self.objective.count(counts, self.network, batch)
        return self.objective.result(counts, self.network)

    def calibrate(self, batches: Iterable[Any]) -> None:
        """Fits on the validation split what comes after training."""
        self.objective.calibrate(self.network, batches)

    def pictures(self, scores: Mapping[str, Any]) -> dict[str, Callable[[Path], object]]:
        """Pictures for the model folder beside the curves."""
        return self.objective.pictures(scores)
