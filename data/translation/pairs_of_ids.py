"""Pairs of texts as the ids that a translator reads and writes, as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from rnnlp.data.text.featurizer import FeatureRow, Featurizer, TokenBatch, collate
from rnnlp.data.text.preprocessing import EMPTY
from rnnlp.data.text.tokenizer import BOS, EOS, PAD, UNK, Offsets, Tokenizer

from .copying import Copier, pad_copies


class EncodedPair(NamedTuple):
    """The ids of a pair."""

    source: FeatureRow
    target: list[int]  # without `BOS` and `EOS`
    copies: list[int]  # target ids of the source's tokens, where they can be copied
    words: list[str]  # these tokens as typed, likewise


class Pairs(NamedTuple):
    """A padded batch of pairs."""

    features: TokenBatch  # of the sources, without `BOS` and `EOS`
    target: np.ndarray  # [batch, time] int64: `BOS`, the ids, `EOS`, then `PAD`
    target_lengths: np.ndarray  # [batch] int64, `BOS` and `EOS` counted
    copies: np.ndarray | None  # [batch, source] int64, target ids of the sources, to be copied


class PairEncoder:
    """Encodes pairs.

    Args:
        featurizer: Encodes the sources.
        target_tokenizer: Encodes the targets.
        copier: Says what can be copied; None for nothing.
    """

    def __init__(
        self, *, featurizer: Featurizer, target_tokenizer: Tokenizer, copier: Copier | None
    ) -> None:
        self._featurizer = featurizer
        self._target_tokenizer = target_tokenizer
        self._copier = copier

    def __call__(self, source: str, target: str) -> EncodedPair:
        """The ids of a pair."""
        row, offsets = source_row(self._featurizer, source)
        if self._copier is None:
            return EncodedPair(row, self._target_tokenizer.encode(target)[0], [], [])
        copies = self._copier.source(source, row, offsets)
        following = self._copier.target(target, source, offsets)
        return EncodedPair(row, following, copies, self._copier.words(source, offsets))

    def batch(self, pairs: Iterable[EncodedPair]) -> Pairs:
        """Pads pairs, at least one, to the longest of each side."""
        sources, targets, copies, _ = zip(*pairs, strict=True)
        padded = None if self._copier is None else pad_copies(copies)
        return Pairs(collate(sources), *pad_targets(targets), padded)


def source_row(featurizer: Featurizer, text: str) -> tuple[FeatureRow, Offsets]:
    """The ids of a text to translate and its tokens; without a token it is read as `UNK`."""
    row, offsets = featurizer.encode(text)
    if row.tokens:
        return row, offsets
    bare = featurizer.level == "bpe"
    return FeatureRow([UNK], None, None) if bare else featurizer.row(EMPTY), []


def pad_targets(targets: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Puts `BOS` and `EOS` around the ids of texts and pads them to the longest.

    Args:
        targets: The ids of each text, at least one text.

    Returns:
        The ids, [batch, time] int64, and how many of each row are no padding, [batch] int64.
    """
    lengths = np.array([len(ids) + 2 for ids in targets])
    padded = np.full((len(targets), int(lengths.max())), PAD, np.int64)
    for row, ids in zip(padded, targets, strict=True):
        row[: len(ids) + 2] = [BOS, *ids, EOS]
    return padded, lengths
