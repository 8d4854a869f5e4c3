"""The generator: a recurrent language model, with labels that all of a text is written for.

One token and a state in, scores of the next token and the state out. Embedding and encoder are
those of every other task, under the same names, so that they can be reused there. Tokenizers, the
cutting of long texts and training loops are not its business.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnlp.models.embeddings.token import Embedding
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.layers.dropout import LockedDropout
from rnnlp.models.recurrence.cell import State
from rnnlp.models.search.hypotheses import Step


class GeneratorState(NamedTuple):
    """What a generator carries from one token to the next, of every row."""

    recurrent: State
    labels: Tensor | None  # [rows, fields] int64

    def reorder(self, index: Tensor) -> GeneratorState:
        """The state of the rows picked (and repeated) by `index` [new rows]."""
        labels = None if self.labels is None else self.labels.index_select(0, index)
        return GeneratorState(self.recurrent.reorder(index), labels)


class LanguageModel(nn.Module):
    """Scores what comes next in a text.

    A text may have labels, one for each of some fields: the metre and the key of a tune. The vector
    of each label is added to the vector of every token that is read; the label 0 says that none is
    given, and its vector is zero.

    Args:
        embedding: Makes vectors of ids.
        encoder: Reads them, from the first to the last.
        vocabulary_size: Number of tokens.
        label_sizes: Number of labels of each field, the 0 among them.
        tie_embeddings: Whether the table of the embedding is also that of the output layer (Press
            and Wolf 2017).
        dropout: Share of components of the encoder's states dropped in training, the same ones at
            each position.

    Raises:
        ValueError: An encoder that also reads from the end to the start.
    """

    def __init__(
        self,
        *,
        embedding: Embedding,
        encoder: Encoder,
        vocabulary_size: int,
        label_sizes: Sequence[int] = (),
        tie_embeddings: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if encoder.bidirectional:
            raise ValueError(
                "a generator knows only what comes before: its encoder reads in one direction"
            )
        self.embedding = embedding
        self.encoder = encoder
        self.tie_embeddings = tie_embeddings
        self.dropout = LockedDropout(dropout)
        self.labels = nn.ModuleList(
            nn.Embedding(size, embedding.output_size, padding_idx=0) for size in label_sizes
        )
        for table in self.labels:
            assert isinstance(table, nn.Embedding)
            nn.init.normal_(table.weight, std=embedding.output_size**-0.5)
            with torch.no_grad():
                table.weight[0] = 0.0
        size = embedding.words.embedding_dim
        self.readout: nn.Module = nn.Identity()
        if tie_embeddings and encoder.output_size != size:
            self.readout = nn.Linear(encoder.output_size, size, bias=False)
        if tie_embeddings:
            self.output_bias = nn.Parameter(torch.zeros(vocabulary_size))
        else:
            self.output = nn.Linear(encoder.output_size, vocabulary_size)

    def forward(
        self,
        tokens: Tensor,
        following: Tensor,
        lengths: Tensor,
        labels: Tensor | None = None,
        state: State | None = None,
    ) -> tuple[Tensor, Tensor, State]:
        """Score given texts, or a piece of each.

        Args:
            tokens: `[rows, time]`; a text begins with its begin token.
            following: What comes after each of them, `[rows, time]`; a text ends with its end.
            lengths: Tokens of each row that are no padding, `[rows]`, on the CPU, at least 1.
            labels: `[rows, fields]`; None if none is given.
            state: The state after what comes before; None where texts begin.

        Returns:
            Logits `[tokens, vocabulary]` of what follows each token and the ids `[tokens]` that do
            follow, at all positions that are not padding, row by row; and the state after each
            row's last token.
        """
        states, final = self.encoder(self._embed(tokens, labels), lengths, state)
        position = torch.arange(tokens.shape[1], device=tokens.device)
        inside = position < lengths.to(tokens.device).unsqueeze(1)  # [rows, time]
        return self.logits(self.dropout(states)[inside]), following[inside], final

    def begin(self, tokens: Tensor, lengths: Tensor, labels: Tensor | None) -> GeneratorState:
        """The state after some tokens, from which `step` goes on.

        Args:
            tokens: `[rows, time]`.
            lengths: Tokens of each row that are no padding, `[rows]`, on the CPU; 0 is allowed.
            labels: `[rows, fields]`; None if none is given.
        """
        state = self.encoder.start(len(tokens))
        reading = (lengths > 0).nonzero().flatten()
        if len(reading):
            rows = reading.to(tokens.device)
            embedded = self._embed(tokens[rows], None if labels is None else labels[rows])
            _, final = self.encoder(embedded, lengths[reading])
            for whole, part in zip(state, final, strict=True):
                if whole is not None:
                    whole.index_copy_(1, rows, part)
        return GeneratorState(state, labels)

    def step(self, tokens: Tensor, state: GeneratorState) -> Step[GeneratorState]:
        """One step of a search: log probabilities of what follows `tokens` [rows]."""
        embedded = self._embed(tokens.unsqueeze(1), state.labels).squeeze(1)
        states, recurrent = self.encoder.step(embedded, state.recurrent)
        return Step(self.logits(states).log_softmax(1), GeneratorState(recurrent, state.labels))

    def logits(self, states: Tensor) -> Tensor:
        """Scores of every token, `[…, encoder.output_size]` to `[…, vocabulary]`."""
        if self.tie_embeddings:
            return F.linear(self.readout(states), self.embedding.words.weight, self.output_bias)
        scores: Tensor = self.output(states)
        return scores

    def _embed(self, tokens: Tensor, labels: Tensor | None) -> Tensor:
        """Vectors of tokens [rows, time] for labels [rows, fields]: [rows, time, size]."""
        embedded: Tensor = self.embedding(tokens)
        if labels is not None:
            for table, ids in zip(self.labels, labels.unbind(1), strict=True):
                embedded = embedded + table(ids).unsqueeze(1)
        return embedded
