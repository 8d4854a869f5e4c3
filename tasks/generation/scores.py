"""Perplexity and bits per character of texts, under a model that reads them in segments."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from rnnlp.data.generation.collate import GenerationBatch
from rnnlp.data.generation.labels import NOT_GIVEN
from rnnlp.models.generation.language_model import LanguageModel
from rnnlp.models.layers.losses import token_loss
from rnnlp.models.recurrence.cell import State
from rnnlp.tasks.base.objective import BatchLoss

from .segments import read

POLICY = (
    "bits of each whole text, its end included, divided by its characters (code points); an "
    "unknown character counts as the unknown token; perplexity per token of this model's "
    "vocabulary, ends included"
)
_LABELS = "; texts are scored for their labels, and without_labels as if they had none"


@dataclass
class TextScores:
    """What has been summed up so far.

    Args:
        labelled: Whether texts have labels, so that it is worth scoring them without as well.
    """

    labelled: bool
    nats: float = 0.0
    nats_without: float = 0.0
    tokens: int = 0
    characters: int = 0
    texts: int = 0
    _states: list[State | None] = field(default_factory=lambda: [None, None])

    @property
    def policy(self) -> str:
        """How the scores are counted."""
        return policy_of(self.labelled)

    @torch.no_grad()
    def add(self, network: LanguageModel, batch: GenerationBatch) -> BatchLoss:
        """Scores a batch, and gives its loss; segments of a text must come one after the other."""
        if batch.idle:
            return BatchLoss(torch.zeros(()), 0)
        nats = self._nats(network, batch, 0)
        self.nats += nats
        if self.labelled:
            unlabelled = torch.full_like(batch.labels, NOT_GIVEN)
            self.nats_without += self._nats(network, batch._replace(labels=unlabelled), 1)
        tokens = int(batch.features.lengths.sum())
        self.tokens += tokens
        self.characters += sum(map(len, batch.gold))
        self.texts += len(batch.gold)
        return BatchLoss(torch.tensor(nats / tokens), tokens)

    def merge(self, other: TextScores) -> None:
        """Adds what another process has counted."""
        self.nats += other.nats
        self.nats_without += other.nats_without
        self.tokens += other.tokens
        self.characters += other.characters
        self.texts += other.texts

    @property
    def bits_per_character(self) -> float:
        """Of all texts so far."""
        return self.nats / math.log(2) / max(1, self.characters)

    def result(self) -> dict[str, float]:
        """The scores."""
        result = {
            "perplexity": math.exp(min(self.nats / max(1, self.tokens), 700.0)),
            "bits_per_character": self.bits_per_character,
        }
        if self.labelled:
            bits = self.nats_without / math.log(2) / max(1, self.characters)
            result["bits_per_character_without_labels"] = bits
        return result

    def _nats(self, network: LanguageModel, batch: GenerationBatch, which: int) -> float:
        logits, targets, state = read(network, batch, self._states[which])
        self._states[which] = state
        return float(token_loss(logits, targets)) * len(targets)


def policy_of(labelled: bool) -> str:
    """How scores are counted, of texts with labels or without."""
    return POLICY + (_LABELS if labelled else "")


def score_lines(result: Mapping[str, Any], policy: str) -> list[str]:
    """The scores as lines for people."""
    bits = f"bits per character {result['bits_per_character']:.4f}"
    if "bits_per_character_without_labels" in result:
        bits += f" (without labels {result['bits_per_character_without_labels']:.4f})"
    return [f"{bits}  perplexity {result['perplexity']:.3f}", f"policy: {policy}"]
