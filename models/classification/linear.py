"""The linear classifier: n-grams straight to the classes, without embedding, encoder or pooling.

It trains in seconds and is hard to beat on plain classification (Wang and Manning 2012): the
control for everything deeper. Used like `Classifier`.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from rnnlp.models.encoders.incremental import Reading
from rnnlp.models.layers.ngrams import NGrams

from .classifier import Calibrated, Scores, TextSoFar
from .columns import ColumnScores


class LinearClassifier(Calibrated):
    """One class, or any number of them, for each text.

    Args:
        ngrams: gives the scores of the classes.
        classes: number of classes.
        multilabel: whether a text may have any number of classes.
        columns: adds scores of columns beside the text; None for none.

    Attributes:
        label_axes: the axes of weights that go over the classes, by name.
    """

    label_axes: ClassVar = {"bias": (0,), "ngrams.table.weight": (1,)}

    def __init__(
        self,
        *,
        ngrams: NGrams,
        classes: int,
        multilabel: bool = False,
        columns: ColumnScores | None = None,
    ) -> None:
        super().__init__(classes=classes, multilabel=multilabel)
        self.columns = columns
        self.ngrams = ngrams
        self.bias = nn.Parameter(torch.zeros(classes))

    def forward(
        self,
        tokens: Tensor,
        characters: Tensor | None,
        token_features: Tensor | None,
        lengths: Tensor,
        columns: Tensor | None = None,
    ) -> Scores:
        """Score every class for every text `[batch, time]`; what is no token id is not read.

        Args:
            tokens: Ids `[batch, time]`.
            characters: Not read.
            token_features: Not read.
            lengths: `[batch]`, on the CPU.
            columns: `[batch, columns]`; needed by a model that reads some beside the text.
        """
        logits = self.ngrams(tokens, lengths) + self.bias
        return Scores(logits if self.columns is None else logits + self.columns(columns), None)

    def read(
        self,
        tokens: np.ndarray,
        characters: np.ndarray | None,
        token_features: np.ndarray | None,
        so_far: TextSoFar | None,
    ) -> TextSoFar:
        """Read the next tokens of texts that are still arriving; `score` says what they come to.

        Args:
            tokens: Ids `[batch, time]`, none of them padding.
            characters: Not read.
            token_features: Not read.
            so_far: What this returned for the tokens before; None where texts begin.
        """
        counted = self.ngrams.read(
            torch.from_numpy(tokens), None if so_far is None else so_far.counted
        )
        return TextSoFar(Reading(), None, counted)

    def score(self, so_far: TextSoFar) -> Tensor:
        """The logits `[batch, classes]` of texts that end after what has been read."""
        assert so_far.counted is not None
        return so_far.counted.scores + self.bias
