"""The recurrent decoder: predicts a target sentence token by token, attending to a source.

With the default architecture nothing that is predicted at one position feeds the layer that asks
the questions at the next: the first layer reads the target so far, its states query the source, and
the layers above read those states and what was found (as in Wu et al. 2016). In training each layer
therefore runs over the whole target in one call of the fast recurrence. Input feeding (Luong et al.
2015) passes each step's result on to the next one; it is there to compare with, and takes a step
at a time.

A lexical path (Nguyen & Chiang 2018, arXiv 1710.01329) shows each prediction the words themselves:
attention reads the source embeddings beside the encoder's states, and their mean goes past all
recurrent states straight to the prediction. What is said then hangs more on the words that are
looked at, and less on what is usual in the target. Here one output layer scores what both say; the
paper has one for each, and a further layer before that of the words.

How hypotheses are searched for is the business of `models/search/beam.py`.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from rnnlp.models.encoders.base import EncoderOutput
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.recurrence.cell import State
from rnnlp.models.search.hypotheses import Step

from .attention import Attention, Memory, Score
from .copying import Copies
from .target_side import TargetSide, Tied


class DecoderState(NamedTuple):
    """All that a decoder carries from one step to the next, of every row.

    There may be several rows for each sentence of the memory: the hypotheses of a sentence lie side
    by side, each sentence has the same number of them, and they share its memory.
    """

    memory: Memory
    lower: State  # of the first layer
    upper: State | None  # of the layers above, if there are any
    fed: Tensor | None  # [rows, size] what the step before predicted from; input feeding only

    def reorder(self, index: Tensor) -> DecoderState:
        """The state of the rows picked (and repeated) by `index` [new rows]."""
        rows, sentences = self.lower.hidden.shape[1], len(self.memory.keys)
        read = index // (rows // sentences)  # which sentence each of the new rows reads
        chosen, counts = torch.unique_consecutive(read, return_counts=True)
        if int(counts.min()) != int(counts.max()):  # a memory can only be shared in equal parts
            chosen = read
        memory = self.memory
        if chosen.tolist() != list(range(sentences)):
            memory = memory.reorder(chosen)
        return DecoderState(
            memory,
            self.lower.reorder(index),
            None if self.upper is None else self.upper.reorder(index),
            None if self.fed is None else self.fed.index_select(0, index),
        )


class Decoder(TargetSide):
    """A stack of recurrent layers that attends to a source from its first layer.

    Args:
        memory_size: Width of the encoder's states.
        word_size: Width of the source embeddings, for a decoder with a lexical path; 0 for one
            without.
        attention: How source positions are scored (see `Attention`).
        attention_size: Hidden width of "additive" and "multihead" attention.
        heads: Heads of "multihead" attention.
        input_feeding: Whether each step's result is an input of the next one.
        copy: Whether source words can be copied, those that the vocabulary lacks among them (see
            `Pointer`).
        copy_dropout: Share of positions in training at which words that the vocabulary has cannot
            be copied.
        vocabulary_size: For this and all others see `TargetSide`.

    Raises:
        ValueError: Sizes that do not fit each other.
    """

    def __init__(
        self,
        *,
        vocabulary_size: int,
        memory_size: int,
        final_size: int,
        word_size: int = 0,
        size: int = 256,
        cell: str = "lstm",
        hidden_size: int = 256,
        num_layers: int = 2,
        attention: Score = "general",
        attention_size: int = 256,
        heads: int = 4,
        input_feeding: bool = False,
        embedding_dropout: float = 0.0,
        dropout: float = 0.0,
        tie_embeddings: Tied = "output",
        embedding: nn.Embedding | None = None,
        copy: bool = False,
        copy_dropout: float = 0.0,
        unknown: int = 1,
    ) -> None:
        super().__init__(
            vocabulary_size=vocabulary_size,
            final_size=final_size,
            size=size,
            cell=cell,
            hidden_size=hidden_size,
            num_layers=num_layers,
            embedding_dropout=embedding_dropout,
            dropout=dropout,
            tie_embeddings=tie_embeddings,
            embedding=embedding,
            unknown=unknown,
        )
        self.input_feeding = input_feeding
        self.lower = Encoder(
            input_size=size * (2 if input_feeding else 1),
            cell=cell,
            hidden_size=hidden_size,
            bidirectional=False,
        )
        self.attention = Attention(
            query_size=hidden_size,
            memory_size=memory_size,
            word_size=word_size,
            score=attention,
            size=attention_size,
            heads=heads,
        )
        self.upper = (
            Encoder(
                input_size=hidden_size + self.attention.output_size,
                cell=cell,
                hidden_size=hidden_size,
                num_layers=num_layers - 1,
                bidirectional=False,
                dropout=dropout,
            )
            if num_layers > 1
            else None
        )
        width = hidden_size + self.attention.output_size
        self.make_output(width=width, copy=copy, copy_dropout=copy_dropout)
        if word_size:
            self.lexical = nn.Linear(word_size, size)

    def begin(
        self, source: EncoderOutput, lengths: Tensor, copies: Tensor | None = None
    ) -> DecoderState:
        """The state before the first token.

        Args:
            source: What the encoder made of the sources; with a lexical path the embeddings stand
                behind the states, `[sentences, source, memory_size + word_size]`.
            lengths: Source lengths `[sentences]`.
            copies: What the source tokens are on the target side, `[sentences, source]`; where
                words can be copied.
        """
        memory = self.attention.read(source.states, lengths)
        if self.pointer is not None:
            assert copies is not None  # or there is nothing to copy
            memory = memory._replace(copies=self.pointer.read(copies, memory.outside))
        hidden, cell = self.first_states(source)
        return DecoderState(
            memory,
            State(hidden[:1], None if cell is None else cell[:1]),
            None if self.upper is None else State(hidden[1:], None if cell is None else cell[1:]),
            hidden.new_zeros(len(lengths), self.readout.out_features)
            if self.input_feeding
            else None,
        )

    def narrowed(self, state: DecoderState, candidates: Tensor) -> DecoderState:
        """A state whose steps score some tokens only; not where words can be copied.

        Args:
            state: What `begin` gave.
            candidates: These, `[sentences, candidates]`, see `TargetSide.candidates`.
        """
        memory = state.memory._replace(candidates=self.candidates(candidates))
        return state._replace(memory=memory)

    def score(
        self, tokens: Tensor, lengths: Tensor, state: DecoderState
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Scores of what follows each token of whole targets.

        Args:
            tokens: What the decoder has seen before each position, `[sentences, time]`, the begin
                token first.
            lengths: Number of them `[sentences]`, on the CPU.
            state: What `begin` gave.

        Returns:
            Scores `[tokens, vocabulary]` (see `scores`) at all positions but padding, sentence by
            sentence; where those are, `[sentences, time]`; and the attention
            `[sentences, time, source]`.
        """
        readouts, weights = self(tokens, lengths, state)
        position = torch.arange(tokens.shape[1], device=tokens.device)
        inside = position < lengths.to(tokens.device).unsqueeze(1)
        copies = state.memory.copies
        if copies is not None:
            copies = copies.reorder(inside.nonzero()[:, 0])
        return self.scores(readouts[inside], weights[inside], copies), inside, weights

    def follow(self, tokens: Tensor, state: DecoderState) -> Step[DecoderState]:
        """One step of a search: log probabilities of what follows `tokens` [rows], of all target
        tokens, or of the candidates, a column each.
        """
        readouts, weights, state = self.step(tokens, state)
        if (candidates := state.memory.candidates) is not None:
            return Step(self.among(readouts, candidates).log_softmax(1), state, weights)
        copies = state.memory.copies
        if copies is not None:  # the rows of a sentence lie side by side
            sentences = torch.arange(len(copies.ids), device=tokens.device)
            copies = copies.reorder(sentences.repeat_interleave(len(tokens) // len(sentences)))
        return Step(self.scores(readouts, weights, copies).log_softmax(1), state, weights)

    def forward(
        self, tokens: Tensor, lengths: Tensor, state: DecoderState
    ) -> tuple[Tensor, Tensor]:
        """Read whole targets, for training and scoring.

        Args:
            tokens: What the decoder has seen before each position, `[sentences, time]`, the begin
                token first.
            lengths: Number of them `[sentences]`, on the CPU.
            state: What `begin` gave.

        Returns:
            The vectors that the next token is predicted from, `[sentences, time, size]`, and the
            attention weights `[sentences, time, source]`; any values at padding.
        """
        embedded = self.embedding_dropout(self.embed(tokens))  # [sentences, time, size]
        if self.input_feeding:
            return self._step_by_step(embedded, state)
        states = self.lower(embedded, lengths, state.lower).states
        states = self.dropout(states)
        context, weights = self.attention(states, state.memory)
        if self.upper is not None:
            inputs = torch.cat((states, self.dropout(context)), 2)
            states = self.dropout(self.upper(inputs, lengths, state.upper).states)
        return self._read_out(states, context), weights

    def step(self, tokens: Tensor, state: DecoderState) -> tuple[Tensor, Tensor, DecoderState]:
        """Read one token of every row; gives what `forward` gives for that position.

        Args:
            tokens: `[rows]`.
            state: The state before them.

        Returns:
            What the next token is predicted from `[rows, size]`, the attention weights
            `[rows, source]`, and the state to pass on.
        """
        return self._step(self.embed(tokens), state)

    def scores(self, readouts: Tensor, weights: Tensor, copies: Copies | None) -> Tensor:
        """Scores of all that can come next; a softmax makes probabilities of them.

        Where words can be copied they are log probabilities already.

        Args:
            readouts: What is predicted from, `[rows, size]`.
            weights: Attention, `[rows, source]`.
            copies: What each row may copy, where words can be copied.

        Returns:
            `[rows, vocabulary_size]`, and where words can be copied as many as the source has
            positions beside them.
        """
        logits = self.logits(readouts)
        if self.pointer is None or copies is None:
            return logits
        mixed: Tensor = self.pointer(readouts, logits, weights, copies)
        return mixed

    def _step(self, embedded: Tensor, state: DecoderState) -> tuple[Tensor, Tensor, DecoderState]:
        if self.input_feeding:
            assert state.fed is not None
            embedded = torch.cat((embedded, state.fed), 1)
        states, lower = self.lower.step(embedded, state.lower)  # [rows, hidden_size]
        states = self.dropout(states)
        sentences = len(state.memory.keys)
        queries = states.unflatten(0, (sentences, -1))  # [sentences, rows of each, hidden_size]
        contexts, weights = self.attention(queries, state.memory)
        context = contexts.flatten(0, 1)
        upper = state.upper
        if self.upper is not None:
            assert upper is not None
            inputs = torch.cat((states, self.dropout(context)), 1)
            states, upper = self.upper.step(inputs, upper)
            states = self.dropout(states)
        readouts = self._read_out(states, context)
        fed = readouts if self.input_feeding else None
        return readouts, weights.flatten(0, 1), DecoderState(state.memory, lower, upper, fed)

    def _step_by_step(self, embedded: Tensor, state: DecoderState) -> tuple[Tensor, Tensor]:
        predicted, weights = [], []
        for inputs in embedded.unbind(1):
            readouts, attended, state = self._step(inputs, state)
            predicted.append(readouts)
            weights.append(attended)
        return torch.stack(predicted, 1), torch.stack(weights, 1)

    def _read_out(self, states: Tensor, context: Tensor) -> Tensor:
        # r_t = tanh(W [s_t; c_t]), and with a lexical path r_t + U tanh(l_t), where l_t is the
        # end of c_t, sum_s a_ts e_s
        readouts = self.readout(torch.cat((states, self.dropout(context)), -1)).tanh()
        if self.lexical is not None:
            words = context[..., -self.lexical.in_features :]  # [sentences, time, word_size]
            readouts = readouts + self.lexical(words.tanh())
        return self.dropout(readouts)
