"""Scores of classes from columns beside a text: categories and numbers.

A category has a vector, a number its value and whether there is one; all together go through a
layer of their own, and what it says is added to what is said of the text.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rnnlp.models.layers.dropout import Dropout

SIZE, HIDDEN = 8, 32  # of a category's vector, and of the layer


class ColumnScores(nn.Module):
    """Scores of classes from further columns.

    Args:
        categories: how many categories each column has; 0 for a column of numbers.
        classes: number of classes.
        dropout: rate of dropout on the layer.
    """

    def __init__(self, *, categories: Sequence[int], classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.categories = list(categories)
        tables = [nn.Embedding(count + 1, SIZE) for count in categories if count]
        for table in tables:  # other categories than those of training say nothing
            nn.init.zeros_(table.weight[0])
        self.tables = nn.ModuleList(tables)
        width = sum(SIZE if count else 2 for count in categories)
        self.hidden = nn.Linear(width, HIDDEN)
        self.dropout = Dropout(dropout)
        self.output = nn.Linear(HIDDEN, classes, bias=False)

    def forward(self, columns: Tensor) -> Tensor:
        """Score every class `[batch, classes]`.

        Args:
            columns: `[batch, columns]`: ids of categories from 1 (0 for others), and numbers, NaN
                where there is none.
        """
        tables = iter(self.tables)
        parts = []
        for count, column in zip(self.categories, columns.unbind(1), strict=True):
            if count:
                parts.append(next(tables)(column.long()))
            else:
                known = ~column.isnan()
                parts.append(torch.stack((column.nan_to_num(0.0), known.to(column.dtype)), 1))
        scores: Tensor = self.output(self.dropout(self.hidden(torch.cat(parts, 1)).tanh()))
        return scores
