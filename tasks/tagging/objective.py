"""What a tagger is trained towards: the loss of its output layer, and entity scores or accuracy."""

from __future__ import annotations

from itertools import chain
from typing import Any

import torch
from torch import Tensor
from torchmetrics import MeanMetric

from rnnlp.data.tagging.collate import TaggingBatch
from rnnlp.data.tagging.schemes import is_valid, tags_to_spans
from rnnlp.models.tagging.tagger import Tagger
from rnnlp.tasks.base.objective import Objective, Validated

from .config import TaggerConfig
from .metrics import SpanF1
from .outputs import decode_tags
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
        tags, scheme = settings.tags, settings.scheme
        self.span_f1 = SpanF1(sorted(labels_of(tags, scheme)) if scheme else [])
        self.accuracy = MeanMetric()

    @property
    def main(self) -> str:
        """F1 of entities, or accuracy of plain tags."""
        return "accuracy" if self.settings.scheme is None else "f1"

    @property
    def policy(self) -> str:
        """How the scores are counted."""
        return self.counts().policy

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
        )
        return loss

    def validate(self, network: Tagger, batch: TaggingBatch) -> Validated:
        """Adds one batch to the scores of the validation split."""
        predicted = decode_tags(network, batch.features, self.settings.tags)
        scheme = self.settings.scheme
        gold: Any = batch.gold  # spans with a scheme, tags without
        if scheme is None:
            pairs = zip(chain.from_iterable(predicted), chain.from_iterable(gold), strict=True)
            right = [guess == truth for guess, truth in pairs]
            self.accuracy.update(
                torch.tensor(right, dtype=torch.float, device=batch.features.tokens.device)
            )
        else:
            spans = [tags_to_spans(tags, scheme, strict=True) for tags in predicted]
            valid = [is_valid(tags, scheme) for tags in predicted]
            self.span_f1.update(spans, gold, valid)
        return Validated(self.loss(network, batch), len(gold))

    def validated(self) -> dict[str, Tensor]:
        """The scores of all batches since the last call."""
        if self.settings.scheme is None:
            scores = {"accuracy": self.accuracy.compute()}
            self.accuracy.reset()
        else:
            scores = self.span_f1.compute()
            self.span_f1.reset()
        return scores

    def counts(self) -> TagScores:
        """What `count` adds batches to."""
        return TagScores(self.settings.scheme)

    def count(self, counts: TagScores, network: Tagger, batch: TaggingBatch) -> None:
        """Adds one batch to what the scores of a split are made of."""
        counts.add(decode_tags(network, batch.features, self.settings.tags), batch.gold)
