"""BPE dropout (Provilkov et al. 2020, arXiv 1910.13267): sub-words that differ at every reading.

Merging goes on as in byte-pair encoding, but at each step every possible merge is left out with
some probability; where all of them are left out, it ends. A model so sees words in many
segmentations. The `tokenizers` library has it as well, but its randomness cannot be seeded.

For speed, merges are not asked one by one whether they are left out: how many are taken before the
next one is left out is drawn at once, from the geometric distribution. A word that needs no more
merges than that is looked up.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from math import log, log1p
from random import Random

from rnnlp.data.text.tokenizer import Tokenizer

_CACHED_PIECES = 100_000
_LONGEST_CACHED = 40  # bytes; longer pieces hardly occur again
_NEVER = sys.maxsize  # the rank of a pair that is not merged


class SubwordDropout:
    """Encodes texts with randomly fewer merges.

    Args:
        tokenizer: Sub-words, level ``bpe``.
        rate: Probability that a merge is left out at a step; 0 encodes as the tokenizer does, 1
            gives single bytes.

    Raises:
        ValueError: Where the rate is no probability, or the tokenizer has no merges.
    """

    def __init__(self, tokenizer: Tokenizer, rate: float) -> None:
        if not 0.0 <= rate <= 1.0:
            raise ValueError(f"the rate is a probability from 0 to 1, not {rate}")
        merges = tokenizer.merges()
        self._tokenizer = tokenizer
        self._rate = rate
        self._log_taken = log1p(-rate) if rate < 1.0 else 0.0
        self._ranks = {(left, right): rank for rank, (left, right, _) in enumerate(merges)}
        self._merged = [both for _, _, both in merges]
        self._bytes = {
            token: number for number, token in enumerate(tokenizer.vocabulary) if len(token) == 1
        }
        self._cache: dict[str, list[int]] = {}  # pieces without a merge left out

    def ids(self, text: str, random: Random) -> list[int]:
        """Ids of a text, which decode to the text.

        Args:
            text: Any text.
            random: What the draws are taken from; nothing else has an influence on them.
        """
        cache = self._cache
        taken = self._draw(random)  # merges to take before the next one is left out
        drawn: list[int] = []
        for piece in self._tokenizer.pieces(text):
            if len(piece) > _LONGEST_CACHED:
                ids, taken = self._merge(piece, taken, random)
            else:
                whole = cache.get(piece)
                if whole is None:
                    whole, _ = self._merge(piece, _NEVER, random)  # draws nothing
                    if len(cache) >= _CACHED_PIECES:
                        cache.clear()
                    cache[piece] = whole
                merges = len(piece) - len(whole)
                if merges <= taken:
                    ids = whole
                    taken -= merges
                else:
                    ids, taken = self._merge(piece, taken, random)
            drawn += ids
        return drawn

    def _draw(self, random: Random) -> int:
        if self._rate == 1.0:
            return 0
        if self._rate == 0.0:
            return _NEVER
        return int(min(log(1.0 - random.random()) / self._log_taken, _NEVER))

    def _merge(self, piece: str, taken: int, random: Random) -> tuple[list[int], int]:
        """Ids of a piece, and how many merges are to be taken after it."""
        rank_of = self._ranks.get
        ids = [self._bytes[byte] for byte in piece]
        ranks = [rank_of(pair, _NEVER) for pair in pairwise(ids)]
        while ranks:
            place: int | None
            if taken:
                place = ranks.index(min(ranks))
            else:
                place, taken = self._after_the_best(ranks, random)
            if place is None or (rank := ranks[place]) == _NEVER:
                break
            taken -= 1
            ids[place : place + 2] = [self._merged[rank]]
            del ranks[place]
            if place:
                ranks[place - 1] = rank_of((ids[place - 1], ids[place]), _NEVER)
            if place < len(ranks):
                ranks[place] = rank_of((ids[place], ids[place + 1]), _NEVER)
        return ids, taken

    def _after_the_best(self, ranks: list[int], random: Random) -> tuple[int | None, int]:
        """Place of the best merge when the very best is left out, and how many are taken from it.

        There is no place where the others are left out as well.
        """
        taken = 0
        for place in sorted(range(len(ranks)), key=ranks.__getitem__):
            if taken or ranks[place] == _NEVER:
                return place, taken
            taken = self._draw(random)
        return None, taken
