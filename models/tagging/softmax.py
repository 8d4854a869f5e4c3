"""Softmax output for tags: each token on its own in training, legal sequences in decoding.

The same methods as the CRF (`crf.py`), so that a tagger takes either. It learns no transitions:
the rules only keep the search from illegal paths.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from rnnlp.models.layers.masks import inside

from .transitions import FORBIDDEN, Belief, LegalTags, mean_loss
from .viterbi import viterbi


class ConstrainedSoftmax(LegalTags):
    """Independent tag probabilities, decoded to the best legal sequence.

    Args:
        tags: number of tags.
        allowed: `allowed[i][j]` says whether tag j may follow tag i; None allows everything.
        start: `start[j]` says whether a sequence may begin with tag j; None allows all.
        end: `end[i]` says whether a sequence may finish with tag i; None allows all.
    """

    crf = False

    def path_scores(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return transition, start and end scores: 0, and `-inf` where the rules forbid."""
        free = torch.zeros(self.tags, self.tags, device=self.allowed.device)
        return self.restrict(free, free[0], free[0])

    def loss(
        self, emissions: Tensor, tags: Tensor, lengths: Tensor, weights: Tensor | None = None
    ) -> Tensor:
        """Cross entropy of the gold tags, divided by the number of tokens.

        Args:
            emissions: `[batch, time, tags]`.
            tags: gold tags `[batch, time]`; a token whose tag is -1 (not known) adds nothing.
            lengths: `[batch]`.
            weights: how often each sentence counts `[batch]`; None for once.

        Returns:
            A scalar.

        Raises:
            ValueError: shapes do not fit, or the gold tags break the rules.
        """
        scores = self.check_batch(emissions, lengths)
        valid = inside(lengths, scores.shape[1], scores.device)
        self.check_gold(tags, valid)
        gold = tags.masked_fill(~valid, -1).flatten()
        losses = F.cross_entropy(scores.flatten(0, 1), gold, ignore_index=-1, reduction="none")
        return mean_loss(losses.view(valid.shape).sum(1), lengths, weights)

    def soft_loss(
        self,
        emissions: Tensor,
        belief: Belief,
        lengths: Tensor,
        weights: Tensor | None = None,
        among: Tensor | None = None,
    ) -> Tensor:
        """Cross entropy with what is believed of the tags, divided by the number of tokens.

        Args:
            emissions: `[batch, time, tags]`.
            belief: for these tags.
            lengths: `[batch]`.
            weights: how often each sentence counts `[batch]`; None for once.
            among: mask `[batch, time, tags]` of the tags that there are; None for all.
        """
        scores = self.check_batch(emissions, lengths)
        if among is not None:
            scores = scores.masked_fill(~among, FORBIDDEN)
        return mean_loss(belief.loss_of(scores.log_softmax(2)), lengths, weights)

    @torch.no_grad()
    def believed(
        self, emissions: Tensor, lengths: Tensor, *, meaning: Tensor, possible: Tensor
    ) -> Belief:
        """Return what this layer believes of tags that are named otherwise; see `CRF.believed`.

        Args:
            emissions: `[batch, time, tags]`, of this layer's tags.
            lengths: `[batch]`.
            meaning: `[others]`: which of its tags each of the other ones is to it.
            possible: mask `[batch, time, others]` of those that there can be.
        """
        scores = self.check_batch(emissions, lengths)
        shares = scores.softmax(2)[:, :, meaning] * possible
        shares = shares / shares.sum(2, keepdim=True).clamp_min(1e-30)
        return Belief(shares * inside(lengths, scores.shape[1], scores.device)[:, :, None], None)

    def decode(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Return the most probable legal tags `[batch, time]`, -1 at padding."""
        scores = self.check_batch(emissions, lengths)
        return viterbi(scores, *self.path_scores(), lengths)

    @torch.no_grad()
    def marginals(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Return p(y_t = j) as `[batch, time, tags]`, zeros at padding."""
        scores = self.check_batch(emissions, lengths)
        return scores.softmax(2) * inside(lengths, scores.shape[1], scores.device)[:, :, None]
