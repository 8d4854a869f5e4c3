"""An ensemble of taggers: the geometric mean of their distributions over tag sequences.

A CRF gives a sequence of tags the probability exp(score) / Z, so the mean of the members' scores
is, but for a constant, the mean of their log-probabilities; and it is a CRF again, whose emissions
and transitions are the members' means. So the search and the probabilities of spans stay exact.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .crf import CRF
from .softmax import ConstrainedSoftmax
from .tagger import Tagger


class TaggerEnsemble(nn.Module):
    """Tags by the mean of what its members say.

    Args:
        members: Taggers of the same vocabularies, tags, rules, and kind of output layer.

    Raises:
        ValueError: Some have a CRF and others do not.
    """

    def __init__(self, members: Sequence[Tagger]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.output = _mean([member.output for member in members])

    def emissions(
        self,
        tokens: Tensor,
        characters: Tensor | None,
        token_features: Tensor | None,
        lengths: Tensor,
    ) -> Tensor:
        """Score every tag for every token: the mean of the members' scores.

        Args:
            tokens: `[batch, time]`.
            characters: `[batch, time, width]`, or None.
            token_features: `[batch, time, features]`, or None.
            lengths: `[batch]`, on the CPU.

        Returns:
            `[batch, time, tags]`; at padding a constant.
        """
        of_each = [
            member.emissions(tokens, characters, token_features, lengths)  # type: ignore[operator]
            for member in self.members
        ]
        return torch.stack(of_each).mean(0)


def _mean(outputs: Sequence[CRF | ConstrainedSoftmax]) -> CRF | ConstrainedSoftmax:
    """The output layer whose parameters are the means of those of others."""
    if len({type(output) for output in outputs}) > 1:
        raise ValueError("a CRF and a softmax over tags have no mean")
    mean = copy.deepcopy(outputs[0])
    with torch.no_grad():
        for own, *others in zip(mean.parameters(), *(o.parameters() for o in outputs), strict=True):
            own.copy_(torch.stack(others).mean(0))
    return mean
