"""An ensemble of translators: at each step of a search the mean of the members' distributions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from rnnlp.models.search.hypotheses import Step

from .decoder import DecoderState
from .translator import Translator


class EnsembleState(NamedTuple):
    """The states of all members."""

    members: tuple[DecoderState, ...]

    def reorder(self, index: Tensor) -> EnsembleState:
        """The state of the rows picked (and repeated) by `index` [new rows]."""
        return EnsembleState(tuple(state.reorder(index) for state in self.members))


class TranslatorEnsemble(nn.Module):
    """Predicts each target token by the mean of what its members say; see `Translator`.

    Args:
        members: Translators of the same vocabularies.
    """

    def __init__(self, members: Sequence[Translator]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def encode(self, *sources: Any) -> EnsembleState:
        """The state before the first target token, one row a sentence."""
        states = (member.encode(*sources) for member in self.members)  # type: ignore[operator]
        return EnsembleState(tuple(states))

    def forward(
        self, state: EnsembleState, targets: Tensor, lengths: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Score given targets.

        Args:
            state: What `encode` made of the sources.
            targets: `[sentences, time]`, begin and end tokens included.
            lengths: Number of target tokens, both included, `[sentences]`, on the CPU.

        Returns:
            Log probabilities `[tokens, vocabulary]` of what follows each target token but the last,
            and the ids `[tokens]` that do follow: all positions that are not padding, sentence by
            sentence.
        """
        said = [
            member(own, targets, lengths)
            for member, own in zip(self.members, state.members, strict=True)
        ]
        return _mean([logits.log_softmax(1) for logits, _ in said]), said[0][1]

    def step(self, tokens: Tensor, state: EnsembleState) -> Step[EnsembleState]:
        """One step of a search: log probabilities of what follows `tokens` [rows]."""
        steps = [
            member.step(tokens, own)  # type: ignore[operator]
            for member, own in zip(self.members, state.members, strict=True)
        ]
        looked = [step.attention for step in steps]
        return Step(
            _mean([step.log_probs for step in steps]),
            EnsembleState(tuple(step.state for step in steps)),
            None if None in looked else torch.stack(looked).mean(0),
        )


def _mean(log_probs: Sequence[Tensor]) -> Tensor:
    """The logarithm of the mean of probabilities `[rows, vocabulary]`."""
    return torch.stack(list(log_probs)).logsumexp(0) - torch.tensor(float(len(log_probs))).log()
