"""What a translator is trained and scored on: the tokens of some sources and of their targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

import torch
from torch import Tensor

from rnnlp.data.datamodule.tensors import TokenTensors, as_tensors
from rnnlp.data.text.featurizer import FeatureRow, Featurizer
from rnnlp.data.text.tokenizer import UNK, Tokenizer

from .bpe_dropout import SubwordDropout
from .copying import Copier
from .pairs_of_ids import EncodedPair, PairEncoder


class TranslationBatch(NamedTuple):
    """A padded batch of pairs."""

    features: TokenTensors  # of the sources, without `BOS` and `EOS`
    target: Tensor  # [batch, time] int64: `BOS`, the ids, `EOS`, then `PAD`
    target_lengths: Tensor  # [batch] int64 on the CPU, `BOS` and `EOS` counted
    sources: list[str]
    gold: list[str]  # the target texts as given
    number: Tensor  # [batch] int64, number of the pair in its split, from 0
    copies: Tensor | None = None  # [batch, source] int64, target ids of the sources, to be copied
    words: Sequence[Sequence[str]] = ()  # of each source the tokens as typed, where it is copied


class TranslationCollate:
    """Makes batches of stored pairs.

    Args:
        featurizer: Encodes the sources.
        target_tokenizer: Encodes the targets.
        bpe_dropout: Probability that a merge is left out, on each side that has sub-words; see
            `SubwordDropout`.
        seed: With the epoch and the number of the pair, what the draws of it depend on.
        copy: Whether sources can be copied from; see `Copier`.
    """

    def __init__(
        self,
        *,
        featurizer: Featurizer,
        target_tokenizer: Tokenizer,
        bpe_dropout: float = 0.0,
        seed: int = 1,
        copy: bool = False,
    ) -> None:
        self._seed = seed
        self._epoch = 0
        self._source_dropout = self._target_dropout = None
        if bpe_dropout and featurizer.level == "bpe":
            self._source_dropout = SubwordDropout(featurizer.tokens, bpe_dropout)
        if target_tokenizer is featurizer.tokens:  # one vocabulary for both sides
            self._target_dropout = self._source_dropout
        elif bpe_dropout and target_tokenizer.level == "bpe":
            self._target_dropout = SubwordDropout(target_tokenizer, bpe_dropout)
        copier = Copier(featurizer=featurizer, target_tokenizer=target_tokenizer) if copy else None
        self._encoder = PairEncoder(
            featurizer=featurizer, target_tokenizer=target_tokenizer, copier=copier
        )

    def start_epoch(self, epoch: int) -> None:
        """Chooses the epoch that sub-word dropout is drawn for."""
        self._epoch = epoch

    def __call__(self, rows: Mapping[str, list[Any]]) -> TranslationBatch:
        """Encodes and pads the columns `source`, `target` and `index` of some rows."""
        columns = zip(rows["source"], rows["target"], rows["index"], strict=True)
        pairs = [self._encode(source, target, index) for source, target, index in columns]
        padded = self._encoder.batch(pairs)
        return TranslationBatch(
            features=as_tensors(padded.features),
            target=torch.from_numpy(padded.target),
            target_lengths=torch.from_numpy(padded.target_lengths),
            sources=rows["source"],
            gold=rows["target"],
            number=torch.tensor(rows["index"]),
            copies=None if padded.copies is None else torch.from_numpy(padded.copies),
            words=[pair.words for pair in pairs],
        )

    def _encode(self, source: str, target: str, index: int) -> EncodedPair:
        left, right = self._source_dropout, self._target_dropout
        if left is None and right is None:
            return self._encoder(source, target)
        random = Random(f"{self._seed} {self._epoch} {index}")
        if left is None or right is None:  # the side without sub-words is as ever
            pair = self._encoder(source, target)
        row = FeatureRow(left.ids(source, random) or [UNK], None, None) if left else pair.source
        ids = right.ids(target, random) if right else pair.target
        return EncodedPair(row, ids, row.tokens, [])  # copied only where both have the same ones
