"""An ensemble of classifiers: the mean of their calibrated probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .classifier import Calibrated, Scores


class ClassifierEnsemble(Calibrated):
    """Labels by the mean of what its members say, of whatever kind each is.

    Args:
        members: Classifiers of the same vocabularies and classes.
    """

    def __init__(self, members: Sequence[Calibrated]) -> None:
        super().__init__(classes=members[0].classes, multilabel=members[0].multilabel)
        self.members = nn.ModuleList(members)

    def forward(
        self,
        tokens: Tensor,
        characters: Tensor | None,
        token_features: Tensor | None,
        lengths: Tensor,
        columns: Tensor | None = None,
    ) -> Scores:
        """Logits of the mean probability of every class for every text; see `Classifier`.

        The attention weights are the mean as well, where every member has some.

        Args:
            tokens: `[batch, time]`.
            characters: `[batch, time, width]`, or None.
            token_features: `[batch, time, features]`, or None.
            lengths: `[batch]`, on the CPU.
            columns: `[batch, columns]`; needed where a member reads some beside the text.
        """
        scores = [m(tokens, characters, token_features, lengths, columns) for m in self.members]
        probabilities = torch.stack(
            [
                member.probabilities(each.logits)  # type: ignore[operator]
                for member, each in zip(self.members, scores, strict=True)
            ]
        ).mean(0)
        weights = [each.weights for each in scores if each.weights is not None]
        return Scores(
            probabilities.logit() if self.multilabel else probabilities.log(),
            torch.stack(weights).mean(0) if len(weights) == len(scores) else None,
        )
