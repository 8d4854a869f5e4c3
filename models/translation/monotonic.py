"""A decoder that reads one place of the source at a time, and never goes back.

Exact hard monotonic attention (Wu & Cotterell 2019, arXiv 1905.06319). Each target token y_t is
written while looking at one place a_t of the source, at or behind the place before:

    P(y) = sum over a_1 <= a_2 <= … of prod_t P(a_t | a_t-1, s_t) P(y_t | a_t, s_t)

where s_t is the state after y_1 … y_t-1. No place feeds the recurrence, so that the states of a
whole target are computed in one call, and the sum over all alignments is exact: what is known of
the place, P(a_t | y_1 … y_t), is a filter over the places, moved on token by token. Hence
P(y_t | y_1 … y_t-1) is at hand at each step, and search is as with any other decoder; what is
given as attention is P(a_t | y_1 … y_t-1).

A copy is of the place that is looked at (see `Pointer`): P(y_t | a_t, s_t) is itself a mixture of
generating y_t and copying the source token at a_t.

It costs a softmax over the vocabulary at each place for each target token, which is for strings,
whose vocabularies are small.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnlp.models.encoders.base import EncoderOutput
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.layers.precision import full_precision
from rnnlp.models.recurrence.cell import State
from rnnlp.models.search.hypotheses import Step

from .copying import Copies, log_of
from .target_side import TargetSide, Tied

_STRIDES = 8  # moves by fewer places have a score of their own, longer ones share the last
_NEVER = -1e4  # the logarithm of what cannot be: its exponential is 0, and sums of it are numbers


class Places(NamedTuple):
    """A batch of encoded sources, made ready once; rows are sentences, or more."""

    keys: Tensor  # [rows, source, hidden_size], what states are compared with
    values: Tensor  # [rows, source, size], what a place adds to what is predicted from
    outside: Tensor  # [rows, source] bool, true at padding
    copies: Copies | None  # what may be copied

    def reorder(self, index: Tensor) -> Places:
        """The rows picked (and repeated) by `index` [new rows]."""
        keys, values, outside = (part.index_select(0, index) for part in self[:3])
        copies = None if self.copies is None else self.copies.reorder(index)
        return Places(keys, values, outside, copies)


class MonotonicState(NamedTuple):
    """All that the decoder carries from one step to the next, of every row."""

    places: Places
    recurrent: State
    at: Tensor  # [rows, source] log probabilities of the place of the last token but one
    said: Said  # what was expected of the last token at each place

    def reorder(self, index: Tensor) -> MonotonicState:
        """The state of the rows picked (and repeated) by `index` [new rows]."""
        return MonotonicState(
            self.places.reorder(index),
            self.recurrent.reorder(index),
            self.at.index_select(0, index),
            self.said.reorder(index),
        )


class Said(NamedTuple):
    """How probable at each place of a source what may follow is; rows are target positions."""

    generated: Tensor  # [rows, source, vocabulary_size], of generating
    copied: Tensor | None  # [rows, source], of copying the token there

    def reorder(self, index: Tensor) -> Said:
        """The rows picked (and repeated) by `index` [new rows]."""
        copied = None if self.copied is None else self.copied.index_select(0, index)
        return Said(self.generated.index_select(0, index), copied)

    def of(self, tokens: Tensor, copies: Copies | None) -> Tensor:
        """Log probabilities `[rows, source]` of one token of each row, at each place."""
        known = tokens.clamp_max(self.generated.shape[2] - 1)
        index = known.view(-1, 1, 1).expand(-1, self.generated.shape[1], 1)
        probabilities = self.generated.gather(2, index).squeeze(2)
        if self.copied is not None and copies is not None:
            tokens = tokens.unsqueeze(1)
            probabilities = probabilities.masked_fill(tokens != known.unsqueeze(1), 0.0)
            probabilities = probabilities + self.copied.masked_fill(copies.ids != tokens, 0.0)
        return log_of(probabilities)


class Moves(NamedTuple):
    """How probable each move is, as scores whose exponentials it is in proportion to."""

    scores: Tensor  # [rows, source], of moving to a place
    strides: Tensor  # [rows, strides], of moving by so many places
    totals: Tensor  # [rows, source], of all moves from a place


class MonotonicDecoder(TargetSide):
    """A stack of recurrent layers whose states choose a place of the source, and what to write.

    Args:
        memory_size: Width of the encoder's states.
        copy: Whether source words can be copied, those that the vocabulary lacks among them.
        copy_dropout: See `Pointer`.
        vocabulary_size: For this and all others see `TargetSide`.
    """

    def __init__(
        self,
        *,
        vocabulary_size: int,
        memory_size: int,
        final_size: int,
        size: int = 256,
        cell: str = "lstm",
        hidden_size: int = 256,
        num_layers: int = 2,
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
        self.layers = Encoder(
            input_size=size,
            cell=cell,
            hidden_size=hidden_size,
            num_layers=num_layers,
            bidirectional=False,
            dropout=dropout,
        )
        self.key = nn.Linear(memory_size, hidden_size, bias=False)
        self.stride = nn.Linear(hidden_size, _STRIDES)
        self.value = nn.Linear(memory_size, size, bias=False)
        self.make_output(width=hidden_size, copy=copy, copy_dropout=copy_dropout)

    def begin(
        self, source: EncoderOutput, lengths: Tensor, copies: Tensor | None = None
    ) -> MonotonicState:
        """The state before the first token, at the first place.

        Args:
            source: What the encoder made of the sources.
            lengths: Source lengths `[sentences]`.
            copies: What the source tokens are on the target side, `[sentences, source]`; where
                words can be copied.
        """
        states = source.states
        position = torch.arange(states.shape[1], device=states.device)
        outside = position >= lengths.to(states.device).unsqueeze(1)  # [sentences, source]
        ready = None
        if self.pointer is not None:
            assert copies is not None  # or there is nothing to copy
            ready = self.pointer.read(copies, outside)
        at = states.new_zeros(outside.shape).masked_fill(position != 0, _NEVER)
        anything = states.new_ones(*outside.shape, self.table.num_embeddings)
        return MonotonicState(
            Places(self.key(states), self.value(self.dropout(states)), outside, ready),
            self.first_states(source),
            at,
            Said(anything, None if ready is None else torch.zeros_like(at)),
        )

    def score(
        self, tokens: Tensor, lengths: Tensor, state: MonotonicState
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Scores of what follows each token of whole targets.

        Args:
            tokens: What the decoder has seen before each position, `[sentences, time]`, the begin
                token first.
            lengths: Number of them `[sentences]`, on the CPU.
            state: What `begin` gave.

        Returns:
            Log probabilities `[tokens, vocabulary]` at all positions but padding, sentence by
            sentence, and where words can be copied as many columns as the source has positions
            beside them; where those are, `[sentences, time]`; and the probabilities of the place
            that is looked at, `[sentences, time, source]`.
        """
        embedded = self.embedding_dropout(self.embed(tokens))  # [sentences, time, size]
        states = self.dropout(self.layers(embedded, lengths, state.recurrent).states)
        position = torch.arange(tokens.shape[1], device=tokens.device)
        inside = position < lengths.to(tokens.device).unsqueeze(1)
        row = inside.nonzero()[:, 0]
        places = state.places
        copies = None if places.copies is None else places.copies.reorder(row)
        said = self._say(states[inside], places.values[row])
        follows = F.pad(tokens[:, 1:], (0, 1))
        of_each = said.generated.new_zeros(*tokens.shape, places.keys.shape[1])
        of_each[inside] = said.of(follows[inside], copies)
        moves = self._moves(states, places)
        at, expected = state.at, []
        for time in range(tokens.shape[1]):
            at = _moved(at, Moves(*(part[:, time] for part in moves)), places.outside)
            expected.append(at)
            at = (at + of_each[:, time]).log_softmax(1)
        weights = torch.stack(expected, 1)  # [sentences, time, source]
        return self._mix(said, weights[inside], copies), inside, weights.exp()

    def follow(self, tokens: Tensor, state: MonotonicState) -> Step[MonotonicState]:
        """One step of a search: log probabilities of what follows `tokens` [rows]."""
        places = state.places
        states, recurrent = self.layers.step(self.embed(tokens), state.recurrent)
        states = self.dropout(states)
        at = (state.at + state.said.of(tokens, places.copies)).log_softmax(1)
        moves = self._moves(states.unsqueeze(1), places)
        at = _moved(at, Moves(*(part[:, 0] for part in moves)), places.outside)
        said = self._say(states, places.values)
        scores = self._mix(said, at, places.copies)
        return Step(scores, MonotonicState(places, recurrent, at, said), at.exp())

    def _moves(self, states: Tensor, places: Places) -> Moves:
        """The moves that states `[sentences, time, hidden_size]` want, with time as second axis.

        P(a_t = i | a_t-1 = j) is in proportion to exp(s_t · W h_i + u_(i - j) · s_t) for i from j
        on. The sum over i is one over what is near, and one from there to the end, so that memory
        grows with the source and not with its square.
        """
        scores = torch.bmm(states, places.keys.transpose(1, 2))  # [sentences, time, source]
        scores = scores.masked_fill(places.outside.unsqueeze(1), _NEVER)
        strides = self.stride(states)
        beyond = F.pad(scores, (0, _STRIDES - 1), value=_NEVER)
        near = beyond.unfold(2, _STRIDES, 1)[..., :-1]  # [sentences, time, source, strides - 1]
        far = beyond.flip(2).logcumsumexp(2).flip(2)[..., _STRIDES - 1 :].unsqueeze(3)
        totals = (torch.cat((near, far), 3) + strides.unsqueeze(2)).logsumexp(3)
        return Moves(scores, strides, totals)

    def _say(self, states: Tensor, values: Tensor) -> Said:
        """What is expected at each place, from states `[rows, hidden_size]`."""
        # r_ti = tanh(W s_t + V h_i)
        readouts = self.dropout((self.readout(states).unsqueeze(1) + values).tanh())
        generated = self.logits(readouts).softmax(2)
        if self.pointer is None:
            return Said(generated, None)
        gate = self.pointer.gate(readouts).to(generated.dtype)  # [rows, source, 1]
        return Said(generated * gate.sigmoid(), (-gate).sigmoid().squeeze(2))

    def _mix(self, said: Said, at: Tensor, copies: Copies | None) -> Tensor:
        """Log probabilities of what comes next, from log probabilities of places
        `[rows, source]`.
        """
        weights = at.exp().to(said.generated.dtype)
        with full_precision(weights.device):
            generated = log_of(torch.bmm(weights.unsqueeze(1), said.generated).squeeze(1))
        if self.pointer is None or said.copied is None or copies is None:
            return generated
        copied = said.copied * weights
        return self.pointer.mix(generated, torch.zeros_like(copied[:, :1]), copied, copies)


def _moved(at: Tensor, moves: Moves, outside: Tensor) -> Tensor:
    """Log probabilities of the next place, from those of the last `[rows, source]`."""
    start = (at - moves.totals).masked_fill(outside, _NEVER)
    before = F.pad(start, (_STRIDES - 1, 0), value=_NEVER)
    near = before.unfold(1, _STRIDES, 1)[..., 1:]  # [rows, source, strides - 1], the farthest first
    far = before.logcumsumexp(1)[:, : at.shape[1]].unsqueeze(2)
    steps = torch.cat((far, near), 2) + moves.strides.flip(1).unsqueeze(1)
    return (moves.scores + steps.logsumexp(2)).clamp_min(_NEVER)
