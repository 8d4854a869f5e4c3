"""The text classifier: embedding, encoder, pooling, and a linear layer over the classes.
Perhaps n-grams of the tokens beside all of them (wide and deep, Cheng et al. 2016).

Label names, text and training loops are not its business: ids in, class scores out. It carries the
temperature with which its scores become probabilities, so that it is saved with the weights.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from rnnlp.models.embeddings.seen import SeenWords
from rnnlp.models.embeddings.token import Embedding
from rnnlp.models.encoders.bag import BagEncoder
from rnnlp.models.encoders.incremental import IncrementalEncoder, Reading
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.encoders.windowed import WindowedEncoder
from rnnlp.models.layers.dropout import Dropout, LockedDropout
from rnnlp.models.layers.ngrams import Counted, NGrams
from rnnlp.models.layers.precision import full_precision

from .columns import ColumnScores
from .pooling import PooledSoFar, Pooling


class Scores(NamedTuple):
    """What the classifier says of a batch of texts."""

    logits: Tensor  # [batch, classes], not yet divided by the temperature
    weights: Tensor | None  # [batch, time] attention over the tokens, where the pooling has it


class TextSoFar(NamedTuple):
    """All that is kept of texts that are read bit by bit."""

    reading: Reading
    pooled: PooledSoFar | None  # None before the first token
    counted: Counted | None = None  # of classifiers with n-grams
    layers: tuple[SeenWords, IncrementalEncoder] | None = None  # of those with an encoder


class Calibrated(nn.Module):
    """Logits to probabilities, by a temperature that is saved with the weights.

    Args:
        classes: number of classes.
        multilabel: whether a text may have any number of classes (a sigmoid each) instead of
            exactly one (a softmax over all).
    """

    temperature: Tensor

    def __init__(self, *, classes: int, multilabel: bool) -> None:
        super().__init__()
        if classes < 1 + (not multilabel):
            raise ValueError(f"{classes} classes leave nothing to decide")
        self.classes = classes
        self.multilabel = multilabel
        self.register_buffer("temperature", torch.ones(()))

    def probabilities(self, logits: Tensor) -> Tensor:
        """Calibrated probabilities `[batch, classes]` of logits of that shape."""
        scaled = logits / self.temperature
        return scaled.sigmoid() if self.multilabel else scaled.softmax(1)


class Classifier(Calibrated):
    """One class, or any number of them, for each text.

    Args:
        embedding: makes vectors of ids.
        encoder: any module that maps `(embedded, lengths)` to an `EncoderOutput`.
        pooling: makes one vector of the states.
        classes: number of classes.
        ngrams: adds scores of n-grams to the logits; None for no n-grams.
        multilabel: whether a text may have any number of classes.
        state_dropout: rate of locked dropout on the states, before pooling.
        dropout: rate of dropout on the pooled vector.
        columns: adds scores of columns beside the text to the logits; None for none.

    Attributes:
        label_axes: the axes of weights that go over the classes, by name.
    """

    label_axes: ClassVar = {
        "projection.weight": (0,),
        "projection.bias": (0,),
        "ngrams.table.weight": (1,),
    }

    def __init__(
        self,
        *,
        embedding: Embedding,
        encoder: Encoder | BagEncoder | WindowedEncoder,
        pooling: Pooling,
        classes: int,
        ngrams: NGrams | None = None,
        multilabel: bool = False,
        state_dropout: float = 0.0,
        dropout: float = 0.0,
        columns: ColumnScores | None = None,
    ) -> None:
        super().__init__(classes=classes, multilabel=multilabel)
        self.embedding = embedding
        self.encoder = encoder
        self.state_dropout = LockedDropout(state_dropout)
        self.pooling = pooling
        self.dropout = Dropout(dropout)
        self.projection = nn.Linear(pooling.output_size, classes)
        self.ngrams = ngrams
        self.columns = columns

    def forward(
        self,
        tokens: Tensor,
        characters: Tensor | None,
        token_features: Tensor | None,
        lengths: Tensor,
        columns: Tensor | None = None,
    ) -> Scores:
        """Score every class for every text, in full precision.

        Args:
            tokens: `[batch, time]`.
            characters: `[batch, time, width]`, or None.
            token_features: `[batch, time, features]`, or None.
            lengths: `[batch]`, on the CPU.
            columns: `[batch, columns]`; needed by a model that reads some beside the text.
        """
        encoded = self.encoder(self.embedding(tokens, characters, token_features), lengths)
        encoded = encoded._replace(states=self.state_dropout(encoded.states))
        vector, weights = self.pooling(encoded, lengths)
        logits = self._logits(vector)
        if self.ngrams is not None:
            logits = logits + self.ngrams(tokens, lengths)
        if self.columns is not None:
            logits = logits + self.columns(columns)
        return Scores(logits, weights)

    def read(
        self,
        tokens: np.ndarray,
        characters: np.ndarray | None,
        token_features: np.ndarray | None,
        so_far: TextSoFar | None,
    ) -> TextSoFar:
        """Read the next tokens of texts that are still arriving; `score` says what they come to.

        They are arrays, and so is what is kept, see `models/encoders/incremental.py`.

        Args:
            tokens: `[batch, time]`, none of them padding.
            characters: `[batch, time, width]`, or None.
            token_features: `[batch, time, features]`, or None.
            so_far: what this returned for the tokens before; None where texts begin.
        """
        reading, pooled, counted, layers = so_far or TextSoFar(Reading(), None)
        layers = layers or (SeenWords(self.embedding), IncrementalEncoder(self.encoder))
        words, encoder = layers
        states, reading = encoder.read(words(tokens, characters, token_features), reading)
        if self.ngrams is not None:
            counted = self.ngrams.read(torch.from_numpy(tokens), counted)
        return TextSoFar(reading, self.pooling.add(states, pooled), counted, layers)

    def score(self, so_far: TextSoFar) -> Tensor:
        """The logits `[batch, classes]` of texts that end after what has been read."""
        assert so_far.pooled is not None
        vector = self.pooling.so_far(so_far.pooled, so_far.reading.final[-1].hidden)
        logits = self._logits(torch.from_numpy(vector))
        return logits if so_far.counted is None else logits + so_far.counted.scores

    def _logits(self, vector: Tensor) -> Tensor:
        with full_precision(vector.device):
            logits: Tensor = self.projection(self.dropout(vector).to(self.projection.weight.dtype))
        return logits
