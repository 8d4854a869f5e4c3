"""What decoders of all kinds have on the target's side: its embeddings, starts and scores.

How a decoder gets from one to the other, and what it reads of the source, is each one's own.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnlp.models.encoders.base import EncoderOutput
from rnnlp.models.layers.dropout import Dropout, LockedDropout
from rnnlp.models.recurrence.cell import State
from rnnlp.models.recurrence.cells import find_cell

from .copying import Pointer

Tied = Literal["none", "output", "all"]


class Candidates(NamedTuple):
    """What scores the target tokens that a sentence may be translated with, a column each."""

    weights: Tensor  # [sentences, size, candidates]
    bias: Tensor  # [sentences, 1, candidates], -inf behind them

    def reorder(self, index: Tensor) -> Candidates:
        """Those of the sentences picked (and repeated) by `index` [new sentences]."""
        return Candidates(*(part.index_select(0, index) for part in self))


class TargetSide(nn.Module):
    """Vectors of target tokens, first states, and scores of what may be generated.

    Args:
        vocabulary_size: Number of target tokens.
        final_size: Width of what the encoder ends with, from which the decoder starts: all
            directions of its last layer.
        size: Width of target embeddings, and of the vector that predictions are made from.
        cell: The recurrence; see `Encoder`.
        hidden_size: Width of the state of each layer.
        num_layers: Number of layers.
        embedding_dropout: Share of components of the target embeddings dropped in training, the
            same ones at each position.
        dropout: Share of components dropped in training between the parts.
        tie_embeddings: The table of the embeddings is also that of the output layer ("output");
            "all" says the same, and that `embedding` is the source's table.
        embedding: The table shared with the source; "all" only.
        unknown: The token that stands for a copied word of no vocabulary where it is read.

    Raises:
        ValueError: Sizes that do not fit each other.
    """

    def __init__(
        self,
        *,
        vocabulary_size: int,
        final_size: int,
        size: int,
        cell: str,
        hidden_size: int,
        num_layers: int,
        embedding_dropout: float,
        dropout: float,
        tie_embeddings: Tied,
        embedding: nn.Embedding | None,
        unknown: int,
    ) -> None:
        super().__init__()
        if num_layers < 1:
            raise ValueError(f"layers must be at least 1, not {num_layers}")
        if (tie_embeddings == "all") != (embedding is not None):
            raise ValueError("an embedding is given where, and only where, all tables are tied")
        if embedding is None:
            self.embedding = nn.Embedding(vocabulary_size, size)
            nn.init.normal_(self.embedding.weight, std=size**-0.5)
        elif tuple(embedding.weight.shape) != (vocabulary_size, size):
            raise ValueError(
                f"the tied table is {list(embedding.weight.shape)}, and the decoder's would be "
                f"[{vocabulary_size}, {size}]"
            )
        # In a list, or the table would be one of the decoder's parameters a second time.
        self._tables = [self.embedding if embedding is None else embedding]
        self.tie_embeddings: Tied = tie_embeddings
        self.kind = find_cell(cell)
        self.num_layers = num_layers
        self.hidden_size = hidden_size
        self.unknown = unknown
        self.embedding_dropout = LockedDropout(embedding_dropout)
        self.dropout = Dropout(dropout)
        self.pointer: Pointer | None = None
        self.lexical: nn.Linear | None = (
            None  # reads source embeddings, behind the encoder's states
        )
        self.start = nn.Linear(
            final_size, num_layers * hidden_size * (2 if self.kind.has_cell else 1)
        )

    def make_output(self, *, width: int, copy: bool, copy_dropout: float) -> None:
        """Adds the layers that predictions are made with, after those that lead to them.

        Args:
            width: Of what predictions are made from.
            copy: Whether source words can be copied.
            copy_dropout: See `Pointer`.
        """
        vocabulary_size, size = self.table.weight.shape
        self.readout = nn.Linear(width, size)
        if self.tie_embeddings == "none":
            self.output = nn.Linear(size, vocabulary_size)
        else:
            self.output_bias = nn.Parameter(torch.zeros(vocabulary_size))
        if copy:
            self.pointer = Pointer(size=size, vocabulary_size=vocabulary_size, dropout=copy_dropout)

    @property
    def table(self) -> nn.Embedding:
        """The target embeddings."""
        return self._tables[0]

    def first_states(self, source: EncoderOutput) -> State:
        """The states of all layers before the first token, one row a sentence."""
        # s_0 = tanh(W [h_forwards; h_backwards]), for each layer on its own
        finals = source.final.hidden  # [layers * directions, sentences, size of each]
        directions = self.start.in_features // finals.shape[2]
        ends = finals[-directions:].transpose(0, 1).flatten(1)  # [sentences, final_size]
        parts = self.start(ends).tanh().unflatten(1, (-1, self.hidden_size)).transpose(0, 1)
        hidden = parts[: self.num_layers].contiguous()  # [layers, sentences, hidden_size]
        return State(hidden, parts[self.num_layers :].contiguous() if self.kind.has_cell else None)

    def embed(self, tokens: Tensor) -> Tensor:
        """Vectors of target tokens; copied words of no vocabulary are read as unknown."""
        if self.pointer is not None:
            tokens = tokens.masked_fill(tokens >= self.pointer.vocabulary_size, self.unknown)
        vectors: Tensor = self.table(tokens)
        return vectors

    @property
    def scorer(self) -> tuple[Tensor, Tensor]:
        """The output layer: weights `[vocabulary_size, size]` and bias `[vocabulary_size]`."""
        if self.tie_embeddings == "none":
            return self.output.weight, self.output.bias
        return self.table.weight, self.output_bias

    def candidates(self, ids: Tensor) -> Candidates:
        """Makes shortlists ready, once for all steps of a search.

        Args:
            ids: Target tokens `[sentences, candidates]`, none twice, 0 behind them.
        """
        weights, bias = self.scorer
        outside = (ids == 0).unsqueeze(1)
        return Candidates(
            weights[ids].transpose(1, 2).contiguous(),
            bias[ids].unsqueeze(1).masked_fill(outside, -torch.inf),
        )

    def among(self, readouts: Tensor, candidates: Candidates) -> Tensor:
        """Scores of the candidates alone; see `logits`.

        Args:
            readouts: What is predicted from, `[rows, size]`; the rows of a sentence lie side by
                side.
            candidates: Those of each sentence.

        Returns:
            `[rows, candidates]`, -inf behind them.
        """
        weights, bias = candidates
        rows = readouts.unflatten(0, (len(weights), -1))  # [sentences, rows of each, size]
        return torch.baddbmm(bias, rows, weights).flatten(0, 1)

    def logits(self, readouts: Tensor) -> Tensor:
        """Scores of generating every target token, `[…, size]` to `[…, vocabulary_size]`."""
        return F.linear(readouts, *self.scorer)
