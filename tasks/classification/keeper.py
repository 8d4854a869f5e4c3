"""What a classifier that training goes on from says of labels that the new data lack."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from rnnlp.data.classification.collate import ClassificationBatch
from rnnlp.models.layers.losses import distillation_losses
from rnnlp.tasks.base.growing import FormerModel

from .config import ClassifierConfig
from .torch_engine import run


class Keeper:
    """Adds to what the data say what the former classifier says (Li and Hoiem 2016).

    Where a text may have several labels, that is how probable it takes those that nobody has
    annotated. Where it has one, which is given, it is which of the former labels would be the
    likeliest of them.

    Args:
        former: The classifier that training goes on from.
        settings: Of the classifier that is trained.
        lacking: Labels that no training text has.
        temperature: What softens both sides.
        share: How much it counts, from 0 to 1.
    """

    def __init__(
        self,
        former: FormerModel,
        settings: ClassifierConfig,
        lacking: Sequence[str],
        temperature: float,
        share: float,
    ) -> None:
        self.former = former
        self.multilabel = settings.multilabel
        self.temperature, self.share = temperature, share
        places = former.places(former.settings.classes, settings.classes)
        if self.multilabel:
            wanted = torch.tensor([name in lacking for name in settings.classes])
            places = torch.where(wanted, places, -1)
        self.columns = torch.nonzero(places >= 0)[:, 0]  # of the new labels that are kept
        self.places = places[self.columns]  # of the same among the former ones

    def _logits(self, batch: ClassificationBatch) -> Tensor:
        with torch.no_grad():
            logits = run(self.former.network, self.former.known(batch.features)).logits
        return logits[:, self.places.to(logits.device)]

    def completed(self, batch: ClassificationBatch) -> ClassificationBatch:
        """The batch with the probabilities of several labels that nobody has annotated."""
        if not self.multilabel:
            return batch
        said = self._logits(batch).sigmoid() * self.share
        columns = self.columns.to(said.device)
        targets = batch.targets.index_copy(1, columns, said)
        soft = batch.soft
        if soft is not None:  # a row of zeros says that there are only hard labels
            soft = torch.where(soft.sum(1, keepdim=True) > 0, soft.index_copy(1, columns, said), 0)
        return batch._replace(targets=targets, soft=soft)

    def loss(self, logits: Tensor, batch: ClassificationBatch) -> Tensor:
        """What the former one says of texts with one label, as a loss on the logits of a batch."""
        if self.multilabel:
            return logits.new_zeros(())
        losses = distillation_losses(
            logits[:, self.columns.to(logits.device)],
            self._logits(batch).softmax(1),
            multilabel=False,
            temperature=self.temperature,
        )
        weights = torch.ones_like(losses) if batch.weights is None else batch.weights
        return self.share * (losses * weights).sum() / weights.sum()
