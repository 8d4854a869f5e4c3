"""Attention: what a decoder reads of a source sentence at each step.

Four ways of scoring a source position for a query; all give a weighted mean of the source. The
queries of a whole target sentence are answered in one call, as are those of one step.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from .copying import Copies
from .target_side import Candidates

Score = Literal["additive", "dot", "general", "multihead"]
SCORES: tuple[Score, ...] = ("additive", "dot", "general", "multihead")


class Memory(NamedTuple):
    """A batch of encoded sources, made ready once by `Attention.read`."""

    keys: Tensor  # [sentences, source, key_size], what queries are compared with
    values: Tensor  # [sentences, source, value_size], what is read, words at its end
    outside: Tensor  # [sentences, source] bool, true at padding
    copies: Copies | None = None  # what a decoder that copies may copy
    candidates: Candidates | None = None  # what else may come, where that is less than all

    def reorder(self, index: Tensor) -> Memory:
        """The memory of the sentences picked (and repeated) by `index` [new sentences]."""
        keys, values, outside = (part.index_select(0, index) for part in self[:3])
        copies = None if self.copies is None else self.copies.reorder(index)
        candidates = None if self.candidates is None else self.candidates.reorder(index)
        return Memory(keys, values, outside, copies, candidates)


class Attention(nn.Module):
    """Attention over the states of an encoder, and the words that they are the states of.

    Args:
        query_size: Width of a query.
        memory_size: Width of an encoder's state.
        word_size: Width of the vector of a word, which stands behind the state where there is one.
            It is scored with the state, but by "dot", which has no weights for it.
        score: How a query q is compared with a state h: "dot" q·h (equal widths), "general" q·Wh
            (both Luong et al. 2015), "additive" v·tanh(Wq + Uh) (Bahdanau et al. 2015), or
            "multihead", scaled dot products of several projections (Vaswani et al. 2017).
        size: Width of the hidden layer of "additive", and of all heads of "multihead" together.
        heads: Number of heads of "multihead".

    Attributes:
        output_size: Width of a context: that of a state and a word. It ends with the weighted mean
            of the words as they are, of several heads by the mean of their weights.

    Raises:
        ValueError: An unknown score, or widths that do not fit it.
    """

    def __init__(
        self,
        *,
        query_size: int,
        memory_size: int,
        word_size: int = 0,
        score: Score = "general",
        size: int = 256,
        heads: int = 4,
    ) -> None:
        super().__init__()
        if score not in SCORES:
            raise ValueError(f"score must be one of {', '.join(SCORES)}, not {score!r}")
        if score == "dot" and query_size != memory_size:
            raise ValueError(
                f"dot attention compares vectors of one width, not {query_size} and {memory_size}: "
                "use general"
            )
        if score == "multihead" and (heads < 1 or size % heads):
            raise ValueError(f"{heads} heads do not divide a width of {size}")
        self.score: Score = score
        self.heads = heads if score == "multihead" else 1
        self.word_size = word_size
        self.output_size = width = memory_size + word_size
        if score == "general":
            self.key = nn.Linear(width, query_size, bias=False)
        elif score == "additive":
            self.query = nn.Linear(query_size, size)
            self.key = nn.Linear(width, size, bias=False)
            self.weigh = nn.Linear(size, 1, bias=False)
        elif score == "multihead":
            self.query = nn.Linear(query_size, size)
            self.key = nn.Linear(width, size)
            self.value = nn.Linear(width, size)
            self.output = nn.Linear(size, memory_size)

    def read(self, states: Tensor, lengths: Tensor) -> Memory:
        """Make encoded sources ready, once for all queries to come.

        Args:
            states: `[sentences, source, memory_size + word_size]`.
            lengths: `[sentences]`.
        """
        position = torch.arange(states.shape[1], device=states.device)
        outside = position >= lengths.to(states.device).unsqueeze(1)  # [sentences, source]
        place = self.output_size - self.word_size  # where the words begin
        keys = states[..., :place] if self.score == "dot" else self.key(states)
        values = states
        if self.score == "multihead":
            values = torch.cat((self.value(states), states[..., place:]), 2)
        return Memory(keys, values, outside)

    def forward(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Answer the queries of each sentence.

        Args:
            queries: `[sentences, time, query_size]`.
            memory: What `read` made of the sources.

        Returns:
            The contexts `[sentences, time, output_size]`, and the weights
            `[sentences, time, source]`, which are 0 at padding and sum to 1 (of several heads,
            the mean).
        """
        if self.score == "multihead":
            return self._multihead(queries, memory)
        if self.score == "additive":
            # e_ts = v · tanh(W q_t + U h_s)
            hidden = (self.query(queries).unsqueeze(2) + memory.keys.unsqueeze(1)).tanh()
            scores = self.weigh(hidden).squeeze(3)  # [sentences, time, source]
        else:
            # e_ts = q_t · W h_s, where the keys are W h
            scores = torch.bmm(queries, memory.keys.transpose(1, 2))
        weights = _softmax(scores, memory.outside.unsqueeze(1))
        return torch.bmm(weights, memory.values), weights

    def _multihead(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        values, words = memory.values.tensor_split((memory.keys.shape[2],), 2)
        q, k, v = (  # [sentences, heads, time or source, size / heads]
            part.unflatten(2, (self.heads, -1)).transpose(1, 2)
            for part in (self.query(queries), memory.keys, values)
        )
        scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])
        weights = _softmax(scores, memory.outside[:, None, None])
        context = self.output((weights @ v).transpose(1, 2).flatten(2))
        weights = weights.mean(1)
        return torch.cat((context, weights @ words), 2), weights


def _softmax(scores: Tensor, outside: Tensor) -> Tensor:
    return scores.masked_fill(outside, -math.inf).softmax(-1)
