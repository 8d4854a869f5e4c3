"""What a tagger is trained towards: the loss of its output layer, and entity scores or accuracy."""

from __future__ import annotations

from torch import Tensor

from rnnlp.data.tagging.collate import TaggingBatch
from rnnlp.models.tagging.tagger import Tagger
from rnnlp.tasks.base.objective import BatchLoss, Objective

from .config import TaggerConfig
from .outputs import names_of
from .scores import TagScores, labels_of


class TaggingObjective(Objective):
    """Loss and scores of a tagger.

    Args:
        settings: Its tags and their scheme.
    """

    headline = ("f1", "accuracy")
    examples = ("Barack Obama visited Berlin.", "她在北京大学读书。")

    def __init__(self, settings: TaggerConfig) -> None:
        super().__init__()
        self.settings = settings

    @property
    def main(self) -> str:
        """F1 of entities, or accuracy of plain tags."""
        return "accuracy" if self.settings.scheme is None else "f1"

    def describe(self) -> str:
        """What the head gives, as the end of a sentence."""
        settings = self.settings
        output = "CRF" if settings.crf else "softmax"
        labels = sorted(labels_of(settings.tags, settings.scheme))
        kind = "entities" if settings.scheme else "tags"
        return f"{output} output for the {kind} {', '.join(labels)}"

    def loss(self, network: Tagger, batch: TaggingBatch) -> Tensor:
        """The loss of one batch, per token."""
        features = batch.features
        loss: Tensor = network.loss(
            tokens=features.tokens,
            characters=features.characters,
            token_features=features.token_features,
            lengths=features.lengths,
            tags=batch.tags,
            weights=batch.weights,
        )
        return loss

    def weight(self, batch: TaggingBatch) -> float:
        """Tokens, each with the weight of its sentence."""
        lengths = batch.features.lengths
        weights = batch.weights
        return float(lengths.sum() if weights is None else (lengths * weights.cpu()).sum())

    def scores(self, *, final: bool = False, calibrated: bool = False) -> TagScores:
        """Entity scores, or accuracy of plain tags, that nothing has been added to."""
        return TagScores(self.settings.scheme)

    def add(self, scores: TagScores, network: Tagger, batch: TaggingBatch) -> BatchLoss:
        """Adds one batch to the scores, and gives its loss, from one encoding of it."""
        features = batch.features
        emissions = network.emissions(
            features.tokens, features.characters, features.token_features, features.lengths
        )
        tags = network.output.decode(emissions, features.lengths)
        scores.add(names_of(tags, features.lengths, self.settings.tags), batch.gold)
        loss = network.output.loss(emissions, batch.tags, features.lengths)
        return BatchLoss(loss, int(features.lengths.sum()))
