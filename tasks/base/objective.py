"""What one head is trained towards: its loss, and its scores in and after training.

A task with one head is an `ObjectiveModule`; several heads on one encoder (`tasks/joint/module.py`)
have an objective each. An objective holds no network: it is given the one that is trained.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from .growing import FormerModel
from .module import TaskModule
from .processes import everyone


class Scores(Protocol):
    """What the scores of a split are made of: the one scorer of a task, wherever it is scored."""

    @property
    def policy(self) -> str:
        """How the scores are counted."""

    def result(self) -> dict[str, Any]:
        """The scores, as `evaluate` prints them."""

    def merge(self, other: Any) -> None:
        """Adds what another process has counted."""


class BatchLoss(NamedTuple):
    """The loss of one batch of a split that is scored."""

    loss: Tensor
    weight: float  # what it is the mean of; 0 where no gold label is known


@dataclass
class Validation:
    """What a validation has counted so far.

    Args:
        scores: Scores that nothing has been added to.
    """

    scores: Any
    loss: float = 0.0  # sum over what the losses of the batches are means of
    weight: float = 0.0

    def add(self, part: BatchLoss) -> None:
        """Adds the loss of a batch."""
        if part.weight:
            self.loss += float(part.loss) * part.weight
            self.weight += part.weight

    def of_all(self) -> Validation:
        """What all processes have counted, the same in each of them."""
        first, *others = everyone(self)
        for other in others:
            first.scores.merge(other.scores)
            first.loss += other.loss
            first.weight += other.weight
        return first


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
    def policy(self) -> str:
        """How the scores are counted."""
        policy: str = self.scores(final=True).policy
        return policy

    @abstractmethod
    def describe(self) -> str:
        """What the head gives, as the end of a sentence."""

    @abstractmethod
    def loss(self, network: Any, batch: Any) -> Tensor:
        """The loss of one batch, a scalar."""

    def weight(self, batch: Any) -> float:
        """What the loss of a batch is the mean of: texts, where a task does not say otherwise."""
        return len(batch.gold)

    @abstractmethod
    def scores(self, *, final: bool = False, calibrated: bool = False) -> Any:
        """Scores that nothing has been added to.

        Args:
            final: Whether training is done: what would take too long at every validation, such as
                a beam search, is then done as well.
            calibrated: Whether the split is the one that `calibrate` has seen.
        """

    @abstractmethod
    def add(self, scores: Any, network: Any, batch: Any) -> BatchLoss:
        """Adds one batch to the scores, and gives its loss, from one encoding of it.

        Args:
            scores: Those of the split so far; changed.
            network: The network, on the device of the batch.
            batch: A batch of features and targets.
        """

    def extras(self, network: Any) -> dict[str, Any]:
        """What is told of the network beside the scores; most heads have nothing."""
        return {}

    def calibrate(self, network: Any, batches: Iterable[Any]) -> None:
        """Fits on the validation split what comes after training; most heads have nothing."""

    def pictures(self, scores: Mapping[str, Any]) -> dict[str, Callable[[Path], object]]:
        """Pictures for the model folder: file name, and what draws it."""
        return {}


class ObjectiveModule(TaskModule):
    """A network with one head in training."""

    objective: Objective
    former: FormerModel | None = None  # that training goes on from
    _validation: Validation

    def begin_as(
        self,
        former: FormerModel,
        own: Sequence[str],
        new: Sequence[str],
        *,
        labels: Iterable[str],
        kept: Sequence[str],
    ) -> None:
        """Gives the network the weights of a trained model, and tells so.

        Args:
            former: That model.
            own: What its output layer has a score for, in order.
            new: What that of the network has.
            labels: What these are called by people, all of them.
            kept: Those that are learned from what the former model says.
        """
        self.former = former
        former.begin(self.network, former.places(own, new))
        further = [label for label in labels if label not in former.labels]
        self._growth = [
            f"goes on from {former.name}: {len(former.labels)} labels as there, "
            + (f"new: {', '.join(further)}" if further else "none new")
        ]
        if kept:
            self._growth.append(f"kept by what {former.name} says of them: {', '.join(kept)}")

    def setup(self, stage: str) -> None:
        """Loads what is reused or pretrained; tells what training goes on from."""
        super().setup(stage)
        if stage == "fit" and self.former is not None:
            self.former.check(self.trainer.datamodule.featurizer)  # type: ignore[attr-defined]
            parts = (getattr(self.network, name, None) for name in ("embedding", "encoder"))
            parameters = [one for part in parts if part is not None for one in part.parameters()]
            self._reuse(parameters, self._growth)

    @property
    def reader(self) -> str:
        """What reads the tokens, in words."""
        return self.settings.encoder.describe()

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """The loss of one batch."""
        loss = self.objective.loss(self.network, batch)
        self.log("train_loss", loss.detach(), prog_bar=True, batch_size=len(batch.gold))
        return self.scale_loss(loss, self.objective.weight(batch))

    def on_validation_epoch_start(self) -> None:
        """Begins to count anew."""
        self._validation = Validation(self.objective.scores())

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Adds one batch to the validation scores."""
        self._validation.add(self.objective.add(self._validation.scores, self.network, batch))

    def on_validation_epoch_end(self) -> None:
        """Logs the scores; `validation_score` is the one that decides."""
        validation = self._validation.of_all()
        if validation.weight:
            self.log("validation_loss", validation.loss / validation.weight)
        result = validation.scores.result()
        self.log("validation_score", result[self.objective.main], prog_bar=True)
        shown = numbers(result)
        if self.objective.main != "accuracy":
            shown.pop("baseline", None)  # that of accuracy: nothing to hold another score against
        self.log_dict({f"validation_{name}": value for name, value in shown.items()})

    @property
    def policy(self) -> str:
        """How the scores are counted."""
        return self.objective.policy

    def summary(self) -> str:
        """What the model is, in a sentence."""
        return f"A {self.reader} with {self.objective.describe()}."

    def score(self, batches: Iterable[Any], *, calibrated: bool = False) -> dict[str, Any]:
        """The scores of the present weights, as `evaluate` prints them."""
        self.network.eval()
        scores = self.objective.scores(final=True, calibrated=calibrated)
        with torch.inference_mode():
            for batch in batches:
                self.objective.add(scores, self.network, batch)
        return {**scores.result(), **self.objective.extras(self.network)}

    def calibrate(self, batches: Iterable[Any]) -> None:
        """Fits on the validation split what comes after training."""
        self.objective.calibrate(self.network, batches)

    def pictures(self, scores: Mapping[str, Any]) -> dict[str, Callable[[Path], object]]:
        """Pictures for the model folder beside the curves."""
        return self.objective.pictures(scores)


def numbers(result: Mapping[str, Any]) -> dict[str, float]:
    """The single numbers among scores, without tables and texts."""
    return {name: value for name, value in result.items() if isinstance(value, int | float)}
