"""Hashed n-grams around a token straight to the scores of its tags: what a linear-chain CRF has.

    scores[t, y] = sum over the n-grams g near token t of table[row(g, where g begins), y]

("Direct connections", Huang et al. 2015, arXiv 1508.01991; wide and deep, Cheng et al. 2016.) Near
are n-grams of words that lie within `order` tokens of t, and n-grams of each attribute (shape,
prefix, suffix, bigram) within one less. A row is found by a hash, so that none is unknown and
nothing is counted beforehand; several n-grams share a row, and training finds what suits those
that matter.

The n-grams of texts, which count towards labels, are in `models/layers/ngrams.py`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnlp.models.layers.dropout import check_rate
from rnnlp.models.layers.ngrams import longer, spread
from rnnlp.models.layers.precision import full_precision

ROWS = 1 << 17  # of the table, beside one of zeros


class Neighbours(nn.Module):
    """Scores of tags from the n-grams around each token.

    Args:
        order: Tokens of the longest n-grams.
        columns: Ids that a token has: its own, and one for each attribute.
        tags: Number of tags.
        dropout: Share of the n-grams that are left out in training.
    """

    def __init__(self, *, order: int, columns: int, tags: int, dropout: float = 0.0) -> None:
        super().__init__()
        if order < 1:
            raise ValueError(f"n-grams of {order} tokens: there is 1 at least")
        self.order = order
        self.columns = columns
        self.dropout = check_rate(dropout)
        self.table = nn.EmbeddingBag(ROWS + 1, tags, mode="sum", padding_idx=0)
        nn.init.zeros_(self.table.weight)

    @property
    def reaches(self) -> list[int]:
        """How far from a token its n-grams reach, for each column."""
        return [self.order] + [self.order - 1] * (self.columns - 1)

    def forward(self, tokens: Tensor, token_features: Tensor | None) -> Tensor:
        """Scores `[batch, time, tags]`, zeros at padding.

        Args:
            tokens: `[batch, time]`, 0 at padding.
            token_features: `[batch, time, columns - 1]`; not needed where there is one column.
        """
        rows = self.rows(tokens, token_features)  # [batch, time, n-grams]
        if self.training and self.dropout:
            dropped = torch.rand(rows.shape, device=rows.device) < self.dropout
            rows = rows.masked_fill(dropped, 0)
        with full_precision(rows.device):
            scores: Tensor = self.table(rows.flatten(0, 1))
        return scores.unflatten(0, tokens.shape)

    def rows(self, tokens: Tensor, token_features: Tensor | None) -> Tensor:
        """The rows of the table that each token asks, `[batch, time, n-grams]`; 0 at padding.

        Args:
            tokens: As in `forward`, and so are the attributes.
            token_features: `[batch, time, columns - 1]`.
        """
        columns = [tokens]
        if self.columns > 1:
            assert token_features is not None  # the embedding has asked for them
            columns += token_features.unbind(2)
        near = []
        for ids, reach in zip(columns, self.reaches, strict=True):
            value = ids = F.pad(ids, (reach, reach)) + 1  # [batch, time + 2 reach]
            for length in range(1, self.order + 1):
                if length > 1:  # of the n-gram that begins at each place
                    value = longer(value[:, :-1], ids[:, length - 1 :])
                near.append(value.unfold(1, 2 * reach - length + 2, 1))
        values = torch.cat(near, 2)  # [batch, time, n-grams]
        place = torch.arange(values.shape[2], device=values.device)
        rows = spread(longer(values, place), ROWS) + 1
        return rows.masked_fill((tokens == 0).unsqueeze(2), 0)
