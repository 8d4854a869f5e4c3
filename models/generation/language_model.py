"""The generator: a recurrent language model, with labels, or a vector, that a text is written for.

One token and a state in, scores of the next token and the state out. Embedding and encoder are
those of every other task, under the same names, so that they can be reused there. Tokenizers, the
cutting of long texts and training loops are not its business.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnlp.models.embeddings.token import Embedding
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.layers.dropout import LockedDropout
from rnnlp.models.layers.sampled_softmax import draw_candidates
from rnnlp.models.recurrence.cell import State
from rnnlp.models.search.hypotheses import Step


class GeneratorState(NamedTuple):
    """What a generator carries from one token to the next, of every row."""

    recurrent: State
    condition: Tensor | None  # [rows, size]: what is added to every token, see `LanguageModel`

    def reorder(self, index: Tensor) -> GeneratorState:
        """The state of the rows picked (and repeated) by `index` [new rows]."""
        condition = None if self.condition is None else self.condition.index_select(0, index)
        return GeneratorState(self.recurrent.reorder(index), condition)


class VectorReader(nn.Module):
    """What a language model makes of a vector: its first state, and what it adds to every token.

    The state is that of Vinyals et al. 2015 (arXiv 1411.4555) without the picture, a projection
    through tanh. Before, each component is brought to mean 0 and deviation 1.

    Args:
        vector_size: Components of a vector.
        encoder: The layers that the state is for.
        token_size: Width of the vectors of tokens; 0 where nothing is added to them.
    """

    def __init__(self, *, vector_size: int, encoder: Encoder, token_size: int) -> None:
        super().__init__()
        self.mean = nn.Buffer(torch.zeros(vector_size))
        self.deviation = nn.Buffer(torch.ones(vector_size))
        self.shape = (1 + encoder.kind.has_cell, encoder.num_layers, encoder.hidden_size)
        self.start = nn.Linear(vector_size, math.prod(self.shape))
        self.token = nn.Linear(vector_size, token_size) if token_size else None

    def take(self, mean: Tensor, deviation: Tensor) -> None:
        """Takes over mean and deviation [vector_size] of training vectors; 0 counts as 1."""
        self.mean.copy_(mean)
        self.deviation.copy_(deviation.where(deviation > 0, 1.0))

    def scaled(self, vectors: Tensor) -> Tensor:
        """Vectors [rows, vector_size] by the mean and the deviation of those in training."""
        return (vectors - self.mean) / self.deviation

    def forward(self, vectors: Tensor) -> State:
        """The state before the first token, of vectors [rows, vector_size]."""
        parts = self.start(self.scaled(vectors)).tanh().unflatten(1, self.shape)
        hidden, *cell = parts.permute(1, 2, 0, 3).contiguous()  # each [layers, rows, hidden_size]
        return State(hidden, cell[0] if cell else None)


class LanguageModel(nn.Module):
    """Scores what comes next in a text.

    A text may have labels, one for each of some fields: the metre and the key of a tune. The vector
    of each label is added to the vector of every token that is read; the label 0 says that none is
    given, and its vector is zero. Or it has a vector of any numbers, such as the features of a
    picture: the state before the first token comes of it, and if asked for a projection of it is
    added to every token, too.

    Args:
        embedding: Makes vectors of ids.
        encoder: Reads them, from the first to the last.
        vocabulary_size: Number of tokens.
        label_sizes: Number of labels of each field, the 0 among them.
        tie_embeddings: Whether the table of the embedding is also that of the output layer (Press
            and Wolf 2017).
        dropout: Share of components of the encoder's states dropped in training, the same ones at
            each position.
        vector_size: Components of the vector that each text has; 0 where texts have none.
        vector_every_step: Whether it is added to every token.

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
        vector_size: int = 0,
        vector_every_step: bool = False,
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
        self.vector: VectorReader | None = None
        if vector_size:
            self.vector = VectorReader(
                vector_size=vector_size,
                encoder=encoder,
                token_size=embedding.output_size if vector_every_step else 0,
            )
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
        vectors: Tensor | None = None,
        drawn: int | None = None,
    ) -> tuple[Tensor, Tensor, State]:
        """Score given texts, or a piece of each.

        Args:
            tokens: `[rows, time]`; a text begins with its begin token.
            following: What comes after each of them, `[rows, time]`; a text ends with its end.
            lengths: Tokens of each row that are no padding, `[rows]`, on the CPU, at least 1.
            labels: `[rows, fields]`; None if none is given.
            state: The state after what comes before; None where texts begin.
            vectors: `[rows, vector_size]`, of a model that reads them.
            drawn: Score what does follow and so many other tokens drawn at random, for a loss that
                costs less (see `sampled_softmax.py`); None scores all.

        Returns:
            Logits `[tokens, vocabulary]` of what follows each token and the ids `[tokens]` that do
            follow, at all positions that are not padding, row by row; and the state after each
            row's last token. Where tokens were drawn, logits `[tokens, candidates]` and places
            among the candidates.
        """
        state = self.start(len(tokens), vectors) if state is None else state
        embedded = self._embed(tokens, self.condition(labels, vectors))
        states, final = self.encoder(embedded, lengths, state)
        position = torch.arange(tokens.shape[1], device=tokens.device)
        inside = position < lengths.to(tokens.device).unsqueeze(1)  # [rows, time]
        states, targets = self.dropout(states)[inside], following[inside]
        among = None
        if drawn is not None:
            size = self.embedding.words.num_embeddings
            among = draw_candidates(targets, drawn=drawn, vocabulary_size=size)
        if among is None:
            return self.logits(states), targets, final
        return self.logits(states, among.ids) + among.offsets, among.targets, final

    def condition(self, labels: Tensor | None, vectors: Tensor | None = None) -> Tensor | None:
        """What is added to every token of texts, [rows, embedding size]; None for nothing.

        Args:
            labels: `[rows, fields]`; None if none is given.
            vectors: `[rows, vector_size]`, of a model that reads them.
        """
        parts = []
        if labels is not None:
            pairs = zip(self.labels, labels.unbind(1), strict=True)
            parts += [table(ids) for table, ids in pairs]
        if self.vector is not None and self.vector.token is not None:
            assert vectors is not None
            parts.append(self.vector.token(self.vector.scaled(vectors)))
        return torch.stack(parts).sum(0) if parts else None

    def start(self, rows: int, vectors: Tensor | None = None) -> State:
        """The state before the first token of some texts; of those with vectors, what these say."""
        if self.vector is None:
            return self.encoder.start(rows)
        assert vectors is not None
        state: State = self.vector(vectors)
        return state

    def begin(
        self,
        tokens: Tensor,
        lengths: Tensor,
        labels: Tensor | None,
        vectors: Tensor | None = None,
    ) -> GeneratorState:
        """The state after some tokens, from which `step` goes on.

        Args:
            tokens: `[rows, time]`.
            lengths: Tokens of each row that are no padding, `[rows]`, on the CPU; 0 is allowed.
            labels: `[rows, fields]`; None if none is given.
            vectors: `[rows, vector_size]`, of a model that reads them.
        """
        state = self.start(len(tokens), vectors)
        condition = self.condition(labels, vectors)
        reading = (lengths > 0).nonzero().flatten()
        if len(reading):
            rows = reading.to(tokens.device)
            embedded = self._embed(tokens[rows], None if condition is None else condition[rows])
            _, final = self.encoder(embedded, lengths[reading], state.reorder(rows))
            hidden, cell = state.hidden.index_copy(1, rows, final.hidden), state.cell
            if cell is not None and final.cell is not None:
                cell = cell.index_copy(1, rows, final.cell)
            state = State(hidden, cell)
        return GeneratorState(state, condition)

    def step(self, tokens: Tensor, state: GeneratorState) -> Step[GeneratorState]:
        """One step of a search: log probabilities of what follows `tokens` [rows]."""
        embedded = self._embed(tokens.unsqueeze(1), state.condition).squeeze(1)
        states, recurrent = self.encoder.step(embedded, state.recurrent)
        return Step(self.logits(states).log_softmax(1), GeneratorState(recurrent, state.condition))

    def logits(self, states: Tensor, ids: Tensor | None = None) -> Tensor:
        """Scores of tokens, `[…, encoder.output_size]` to `[…, vocabulary]`.

        Args:
            states: The encoder's.
            ids: Which tokens; None for all.
        """
        weight: Tensor = self.embedding.words.weight if self.tie_embeddings else self.output.weight
        bias: Tensor = self.output_bias if self.tie_embeddings else self.output.bias
        if ids is not None:
            weight, bias = weight.index_select(0, ids), bias.index_select(0, ids)
        return F.linear(self.readout(states), weight, bias)

    def _embed(self, tokens: Tensor, condition: Tensor | None) -> Tensor:
        """Vectors of tokens [rows, time] with what is added to each: [rows, time, size]."""
        embedded: Tensor = self.embedding(tokens)
        return embedded if condition is None else embedded + condition.unsqueeze(1)
