"""Hashed n-grams of tokens straight to the scores of classes: what a linear classifier has.

    scores[c] = sum over the n-grams g of the text, of 1 to `order` tokens, of table[row(g), c]

(Wide and deep, Cheng et al. 2016; the n-grams are fastText's, Joulin et al. 2017.) An n-gram is
known by a hash of the ids of its tokens, so that nothing but these ids is read. Those that several
training texts have get a row; all others count for nothing.

In training the table is what naive Bayes says, weighted (NB-SVM, Wang and Manning 2012):

    table[g, c] = w[g, c] r[g, c],   w = 0 at first,
    r[g, c] = log(share of g among the n-grams of texts of c / share among those of others)

so that n-grams that tell classes apart learn fast, and those that do not hardly at all. The more
n-grams a text has, the less each counts, so that one learning rate suits short and long texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .dropout import check_rate
from .precision import full_precision

BUCKETS = 1 << 20  # values of the hash
# All products stay below 2 ** 63, so that every engine comes to the same hash.
PRIME, FACTOR, SCRAMBLE = (1 << 31) - 1, 1_000_003, 1_540_483_477
_LEAST_TEXTS = 2  # training texts that an n-gram with a row occurs in
_CHUNK = 512  # texts hashed at once
_SHORT = 20.0  # n-grams of a text of which each counts fully


class Counted(NamedTuple):
    """All that is kept of the n-grams of texts that are read bit by bit."""

    last: Tensor  # [batch, up to order - 1] the last tokens
    scores: Tensor  # [batch, classes]


class NGrams(nn.Module):
    """Scores of classes from the n-grams of a text.

    Args:
        order: Tokens of the longest n-grams.
        rows: Number of n-grams that count.
        classes: Number of classes.
        dropout: Share of the n-grams that are left out in training.
    """

    def __init__(self, *, order: int, rows: int, classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        if order < 1:
            raise ValueError(f"n-grams of {order} tokens: there is 1 at least")
        self.order = order
        self.dropout = check_rate(dropout)
        self.table = nn.EmbeddingBag(rows + 1, classes, mode="sum", padding_idx=0)
        nn.init.zeros_(self.table.weight)
        # No buffers: what averages weights would average these.
        self.hashes = torch.zeros(rows, dtype=torch.int32)
        self.rows = torch.zeros(0, dtype=torch.int32)  # [BUCKETS], 0 for n-grams that do not count
        self.ratios: Tensor | None = None  # [rows + 1, classes], while the table is trained

    def count_only(self, hashes: Tensor) -> None:
        """Says which n-grams count: those of these hashes, `[rows]` int32."""
        self.hashes = hashes
        self.rows = torch.zeros(BUCKETS, dtype=torch.int32)
        self.rows[hashes.long()] = torch.arange(1, len(hashes) + 1, dtype=torch.int32)

    def begin(self, counts: Tensor, *, length: float) -> None:
        """Lets n-grams learn as naive Bayes weighs them.

        Args:
            counts: Training texts of each class with each, `[rows, classes]`; see
                `counts_by_class`.
            length: Different n-grams of a text, in the mean.
        """
        scale = _SHORT / max(length, _SHORT)  # a step of the optimizer moves all texts alike
        self.ratios = F.pad(log_ratios(counts) * scale, (0, 0, 1, 0))

    @torch.no_grad()
    def fold(self) -> None:
        """Multiplies the ratios into the table, once training is over; the scores stay."""
        if self.ratios is not None:
            self.table.weight.mul_(self.ratios.to(self.table.weight.device))
            self.ratios = None

    def get_extra_state(self) -> Tensor:
        """The n-grams that count, which a state dict holds beside the table."""
        return self.hashes

    def set_extra_state(self, state: Tensor) -> None:
        """The inverse of `get_extra_state`.

        Raises:
            ValueError: There are no such hashes.
        """
        if len(state) and not (int(state.min()) >= 0 and int(state.max()) < BUCKETS):
            raise ValueError(f"hashes of n-grams are numbers below {BUCKETS}")
        self.count_only(state.cpu())

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Scores `[batch, classes]` of texts `[batch, time]` of `lengths` `[batch]` tokens."""
        hashes = hashed(tokens, self.order)  # [batch, time, order]
        inside = torch.arange(tokens.shape[1], device=tokens.device) < lengths.to(
            tokens.device
        ).unsqueeze(1)
        return self._sum(hashes.masked_fill(~inside.unsqueeze(2), -1))

    def read(self, tokens: Tensor, before: Counted | None) -> Counted:
        """Takes in the next tokens `[batch, time]`, none of them padding, of texts that go on."""
        last = tokens[:, :0] if before is None else before.last
        joined = torch.cat((last, tokens), 1)
        scores = self._sum(hashed(joined, self.order)[:, last.shape[1] :])
        kept = joined[:, max(0, joined.shape[1] - self.order + 1) :]
        return Counted(kept, scores if before is None else before.scores + scores)

    def _sum(self, hashes: Tensor) -> Tensor:
        """The rows of these n-grams, -1 for none, added up."""
        if self.rows.device != hashes.device:
            self.rows = self.rows.to(hashes.device)
        if self.training and self.dropout:
            dropped = torch.rand(hashes.shape, device=hashes.device) < self.dropout
            hashes = hashes.masked_fill(dropped, -1)
        rows = self.rows[hashes.clamp_min(0)].masked_fill(hashes < 0, 0)
        with full_precision(hashes.device):
            table = self.table.weight
            if self.ratios is not None:
                self.ratios = self.ratios.to(table.device)
                table = table * self.ratios
            return F.embedding_bag(rows.flatten(1), table, mode="sum", padding_idx=0)


def hashed(tokens: Tensor, order: int) -> Tensor:
    """The hashes of the n-grams that end at each token.

    Args:
        tokens: Ids `[batch, time]`.
        order: Tokens of the longest n-grams.

    Returns:
        `[batch, time, order]` for n-grams of 1, 2, … tokens; -1 where the text begins inside one.
    """
    value = tokens + 1
    values = [value]
    for _ in range(1, order):
        before = F.pad(value[:, :-1], (1, 0))  # of the n tokens that end before this one
        value = longer(before, tokens + 1)
        values.append(value)
    hashes = spread(torch.stack(values, 2), BUCKETS)
    steps = torch.arange(tokens.shape[1], device=tokens.device).unsqueeze(1)
    whole = steps >= torch.arange(order, device=tokens.device)  # [time, order]
    return hashes.masked_fill(~whole, -1)


def longer(values: Tensor, last: Tensor) -> Tensor:
    """The values of n-grams with one more number behind them."""
    return (values * FACTOR + last) % PRIME


def spread(values: Tensor, buckets: int) -> Tensor:
    """The hashes of n-grams of these values, below `buckets`."""
    return values * SCRAMBLE % PRIME % buckets


def common_ngrams(texts: Iterable[list[int]], order: int) -> Tensor:
    """The hashes `[rows]`, in order, of n-grams that two texts or more have.

    Args:
        texts: The ids of the tokens of each text.
        order: Tokens of the longest n-grams.
    """
    counts = torch.zeros(BUCKETS, dtype=torch.int64)
    for pairs in _pairs(texts, order):
        counts += torch.bincount(pairs % BUCKETS, minlength=BUCKETS)
    return torch.nonzero(counts >= _LEAST_TEXTS)[:, 0].to(torch.int32)


def counts_by_class(
    texts: Iterable[list[int]], shares: Iterable[Tensor], hashes: Tensor, order: int
) -> Tensor:
    """In how many texts of each class each n-gram occurs, `[rows, classes]`.

    Args:
        texts: The ids of the tokens of each text.
        shares: How much each text counts towards each class, `[classes]`.
        hashes: The n-grams that count, `[rows]`, in order.
        order: Tokens of the longest n-grams.
    """
    rows = torch.zeros(BUCKETS, dtype=torch.int64)
    rows[hashes.long()] = torch.arange(1, len(hashes) + 1)
    rest = iter(shares)
    counts = torch.zeros(0)
    for pairs in _pairs(texts, order):
        share = torch.stack([*islice(rest, _CHUNK)])
        if not len(counts):
            counts = share.new_zeros(len(hashes) + 1, share.shape[1])
        counts.index_add_(0, rows[pairs % BUCKETS], share[pairs // BUCKETS])
    return counts[1:]


def log_ratios(counts: Tensor) -> Tensor:
    """How much likelier each n-gram is with a class than with the others, as naive Bayes has it.

    Args:
        counts: In how many texts of each class it occurs, `[rows, classes]`; one more is added.
    """
    having = counts + 1.0
    lacking = counts.sum(1, keepdim=True) - counts + 1.0
    return (having / having.sum(0)).log() - (lacking / lacking.sum(0)).log()


def _pairs(texts: Iterable[list[int]], order: int) -> Iterator[Tensor]:
    """The distinct n-grams of some texts at a time: number of the text there * BUCKETS + hash."""
    rest = iter(texts)
    while some := list(islice(rest, _CHUNK)):
        tokens = torch.cat([torch.tensor(text) for text in some])
        text = torch.repeat_interleave(torch.arange(len(some)), torch.tensor([*map(len, some)]))
        hashes = hashed(tokens.unsqueeze(0), order)[0]  # [tokens, order]
        for length in range(1, order):  # n-grams do not reach into the text before
            hashes[length:, length].masked_fill_(text[length:] != text[:-length], -1)
        pairs = torch.where(hashes < 0, -1, text.unsqueeze(1) * BUCKETS + hashes).unique()
        yield pairs[pairs >= 0]
