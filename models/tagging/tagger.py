"""The tagger: embedding, recurrent encoder, and an output layer that knows which tags may follow.

Label names, text and training are not its business: ids in, tag ids and probabilities out.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from rnnlp.models.embeddings.token import Embedding
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.layers.dropout import LockedDropout
from rnnlp.models.layers.precision import full_precision

from .crf import CRF
from .neighbours import Neighbours
from .softmax import ConstrainedSoftmax


class Tagger(nn.Module):
    """One tag for every token.

    Args:
        embedding: makes vectors of ids.
        encoder: any module that maps `(embedded, lengths)` to an `EncoderOutput`.
        output: CRF or constrained softmax over the tags.
        dropout: rate of locked dropout on the encoder's states.
        neighbours: adds what the n-grams around a token say to its scores; None for nothing.

    Attributes:
        label_axes: the axes of weights that go over the tags, by name.
    """

    label_axes: ClassVar = {
        "projection.weight": (0,),
        "projection.bias": (0,),
        "neighbours.table.weight": (1,),
        "output.transitions": (0, 1),
        "output.start": (0,),
        "output.end": (0,),
    }

    def __init__(
        self,
        *,
        embedding: Embedding,
        encoder: Encoder,
        output: CRF | ConstrainedSoftmax,
        dropout: float = 0.0,
        neighbours: Neighbours | None = None,
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.encoder = encoder
        self.dropout = LockedDropout(dropout)
        self.projection = nn.Linear(encoder.output_size, output.tags)
        self.output = output
        self.neighbours = neighbours

    def emissions(
        self,
        tokens: Tensor,
        characters: Tensor | None,
        token_features: Tensor | None,
        lengths: Tensor,
    ) -> Tensor:
        """Score every tag for every token, in full precision.

        Args:
            tokens: `[batch, time]`.
            characters: `[batch, time, width]`, or None.
            token_features: `[batch, time, features]`, or None.
            lengths: `[batch]`, on the CPU.

        Returns:
            `[batch, time, tags]`; at padding a constant.
        """
        embedded = self.embedding(tokens, characters, token_features)
        scores = self._scores(self.encoder(embedded, lengths).states)
        if self.neighbours is not None:
            scores = scores + self.neighbours(tokens, token_features)
        return scores

    def loss(
        self,
        tokens: Tensor,
        characters: Tensor | None,
        token_features: Tensor | None,
        lengths: Tensor,
        tags: Tensor,
        weights: Tensor | None = None,
    ) -> Tensor:
        """Return the loss per token against gold tags `[batch, time]`, -1 where not known, each
        sentence counted as often as its weight `[batch]` says.

        Args:
            tokens: Ids `[batch, time]`.
            characters: `[batch, time, width]`, or None.
            token_features: `[batch, time, features]`, or None.
            lengths: `[batch]`, on the CPU.
            tags: Gold tags `[batch, time]`, -1 where not known.
            weights: How often each sentence counts, `[batch]`; None for once.
        """
        return self.output.loss(
            self.emissions(tokens, characters, token_features, lengths), tags, lengths, weights
        )

    @torch.no_grad()
    def scale(self, factor: float) -> None:
        """Multiply the scores of all tag sequences: the best stay the best, and their probabilities
        change, as by a temperature of 1 / factor (Guo et al. 2017).
        """
        self.projection.weight.mul_(factor)
        self.projection.bias.mul_(factor)
        if self.neighbours is not None:
            self.neighbours.table.weight.mul_(factor)
        self.output.scale(factor)

    @torch.no_grad()
    def decode(
        self,
        tokens: Tensor,
        characters: Tensor | None,
        token_features: Tensor | None,
        lengths: Tensor,
    ) -> Tensor:
        """Return the best legal tags of every row `[batch, time]`, -1 at padding.

        Args:
            tokens: Ids `[batch, time]`.
            characters: `[batch, time, width]`, or None.
            token_features: `[batch, time, features]`, or None.
            lengths: `[batch]`, on the CPU.
        """
        emissions = self.emissions(tokens, characters, token_features, lengths)
        return self.output.decode(emissions, lengths)

    def _scores(self, states: Tensor) -> Tensor:
        """The tags' scores `[batch, time, tags]` for states `[batch, time, size]`."""
        states = self.dropout(states)
        with full_precision(states.device):
            return self.projection(states.to(self.projection.weight.dtype))
