"""Perplexity and bits per character of texts, under a model that reads them in segments."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from rnnlp.data.generation.collate import GenerationBatch
from rnnlp.data.generation.labels import NOT_GIVEN
from rnnlp.data.text.tokenizer import EOS
from rnnlp.models.generation.language_model import LanguageModel
from rnnlp.models.layers.losses import token_loss
from rnnlp.models.recurrence.cell import State
from rnnlp.tasks.base.objective import BatchLoss

from .config import BANNED
from .segments import read

POLICY = (
    "bits of each whole text, its end included, divided by its characters (code points); an "
    "unknown character counts as the unknown token; perplexity per token of this model's "
    "vocabulary, ends included"
)
_LABELS = "; texts are scored for their labels, and without_labels as if they had none"
_EXACT = (
    "; exact match: texts, in per cent, that are written token by token, the likeliest each time"
)


@dataclass
class TextScores:
    """What has been summed up so far.

    Args:
        labelled: Whether texts have labels, so that it is worth scoring them without as well.
        from_vectors: Whether texts are written from vectors, so that just one is right.
    """

    labelled: bool
    from_vectors: bool = False
    nats: float = 0.0
    nats_without: float = 0.0
    tokens: int = 0
    characters: int = 0
    texts: int = 0
    exact: int = 0
    _states: list[State | None] = field(default_factory=lambda: [None, None])
    _right: Tensor | None = None  # [rows]: whether all so far was the likeliest

    @property
    def policy(self) -> str:
        """How the scores are counted."""
        return POLICY + self.labelled * _LABELS + self.from_vectors * _EXACT

    @torch.no_grad()
    def add(self, network: LanguageModel, batch: GenerationBatch) -> BatchLoss:
        """Scores a batch, and gives its loss; segments of a text must come one after the other."""
        if batch.idle:
            return BatchLoss(torch.zeros(()), 0)
        nats = self._nats(network, batch, 0, exact=self.from_vectors)
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
        self.exact += other.exact

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
        if self.from_vectors:
            result["exact_match"] = 100.0 * self.exact / max(1, self.texts)
        return result

    def _nats(
        self, network: LanguageModel, batch: GenerationBatch, which: int, *, exact: bool = False
    ) -> float:
        logits, targets, state = read(network, batch, self._states[which])
        self._states[which] = state
        nats = float(token_loss(logits, targets)) * len(targets)
        if exact:
            self._count_exact(batch, logits, targets)
        return nats

    def _count_exact(self, batch: GenerationBatch, logits: Tensor, targets: Tensor) -> None:
        """Counts texts that end here and are those that the likeliest tokens make: written or read,
        these are the same as long as each of them is right.
        """
        logits = logits.index_fill(1, torch.tensor(BANNED, device=logits.device), -torch.inf)
        lengths = batch.features.lengths.tolist()
        right = torch.stack([row.all() for row in (logits.argmax(1) == targets).split(lengths)])
        if batch.carried is not None:
            assert self._right is not None
            right &= self._right[batch.carried]
        self._right = right
        ends = torch.stack([row[-1] == EOS for row in targets.split(lengths)])
        self.exact += int((right & ends).sum())


def score_lines(result: Mapping[str, Any], policy: str) -> list[str]:
    """The scores as lines for people."""
    bits = f"bits per character {result['bits_per_character']:.4f}"
    if "bits_per_character_without_labels" in result:
        bits += f" (without labels {result['bits_per_character_without_labels']:.4f})"
    exact = f"  exact match {result['exact_match']:.2f}" if "exact_match" in result else ""
    return [f"{bits}  perplexity {result['perplexity']:.3f}{exact}", f"policy: {policy}"]
