"""Copying: a pointer-generator (See et al. 2017, arXiv 1704.04368).

The next word is generated from the vocabulary, or copied from a source position by the attention:

    P(w) = p_gen P_vocabulary(w) + (1 - p_gen) sum_{i: source_i = w} a_i

A word of the source that the vocabulary does not have is named by the place where it first stands:
id = vocabulary size + position. Distributions are so as wide as vocabulary and source together.
All is done on logarithms, and costs little more than without: only words of the source differ from
what is generated. Which id a source token has on the target side is the business of `data/`.

Where tokens are characters, copying is learned first, from any place that has the character, and
what is left teaches the rest of the decoder too little. So at a share of the positions in training
only words of no vocabulary can be copied (`dropout`): what the decoder can write itself, it learns
to. Words stand in one place, and do not need it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnlp.models.layers.dropout import check_rate


def log_of(probabilities: Tensor) -> Tensor:
    """Logarithms, all of them numbers: what is too small for one counts as the smallest one."""
    return probabilities.clamp_min(torch.finfo(probabilities.dtype).tiny).log()


class Copies(NamedTuple):
    """What sources have to copy, made ready once by `Pointer.read`; rows are sentences, or more."""

    ids: Tensor  # [rows, source], of the words on the target side; any at padding
    first: Tensor  # [rows, source], the first position that has the same word
    column: Tensor  # [rows, source], the word's id at that position; elsewhere one of no word

    def reorder(self, index: Tensor) -> Copies:
        """The rows picked (and repeated) by `index` [new rows]."""
        return Copies(*(part.index_select(0, index) for part in self))


class Pointer(nn.Module):
    """Weighs generating against copying, and mixes both.

    Args:
        size: Width of the vector that predictions are made from.
        vocabulary_size: Number of target tokens.
        dropout: Share of positions in training at which words that the vocabulary has cannot be
            copied; what attention gives them is lost there.
    """

    def __init__(self, *, size: int, vocabulary_size: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.vocabulary_size = vocabulary_size
        self.dropout = check_rate(dropout)
        # Of state and context, and through the state of the input, what p_gen wants.
        self.gate = nn.Linear(size, 1)

    def read(self, ids: Tensor, outside: Tensor) -> Copies:
        """Make sources ready, once for all that is predicted from them.

        Args:
            ids: What each source position is on the target side, `[sentences, source]`: the id of a
                target token, or vocabulary size + the first position of an unknown word.
            outside: Where there is padding, `[sentences, source]` bool.
        """
        position = torch.arange(ids.shape[1], device=ids.device)
        same = ids.unsqueeze(2) == ids.unsqueeze(1)  # [sentences, source, source]
        first = same.byte().argmax(2)
        here = (first == position) & ~outside
        # A position whose word stood before has a column that no word can have.
        return Copies(ids, first, torch.where(here, ids, self.vocabulary_size + position))

    def forward(self, readouts: Tensor, logits: Tensor, weights: Tensor, copies: Copies) -> Tensor:
        """Log probabilities of what comes next.

        Args:
            readouts: What is predicted from, `[rows, size]`.
            logits: Scores of what may be generated, `[rows, vocabulary_size]`.
            weights: Attention, `[rows, source]`, 0 at padding.
            copies: What each row may copy, `[rows, source]`.

        Returns:
            `[rows, vocabulary_size + source]`, -inf where there is no word.
        """
        log_probs = logits.log_softmax(1)
        gate = self.gate(readouts).to(log_probs.dtype)
        return self.mix(log_probs + F.logsigmoid(gate), F.logsigmoid(-gate), weights, copies)

    def mix(self, generated: Tensor, copied: Tensor, weights: Tensor, copies: Copies) -> Tensor:
        """Log probabilities of what comes next, generated or copied.

        Args:
            generated: Log probabilities of generating, `[rows, vocabulary_size]`.
            copied: Log probability of copying, `[rows, 1]`, which the weights share out.
            weights: Attention, `[rows, source]`, 0 at padding.
            copies: What each row may copy, `[rows, source]`.
        """
        mass = torch.zeros_like(weights).scatter_add(1, copies.first, weights)  # at first positions
        copied = copied + log_of(mass)
        known = copies.ids < self.vocabulary_size
        of_known = generated.gather(1, copies.ids.clamp_max(self.vocabulary_size - 1))
        mixed = torch.logaddexp(of_known, copied)
        if self.training and self.dropout:
            mixed = torch.where(torch.rand_like(copied[:, :1]) < self.dropout, of_known, mixed)
        both = torch.where(known, mixed, copied)
        both = both.masked_fill(copies.column != copies.ids, -math.inf)
        wide = F.pad(generated, (0, weights.shape[1]), value=-math.inf)
        return wide.scatter(1, copies.column, both)
