"""What a translator is trained and scored on: the tokens of some sources and of their targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

import torch
from torch import Tensor

from rnnlp.data.datamodule.tensors import TokenTensors, as_tensors
from rnnlp.data.text.featurizer import FeatureRow, Featurizer, collate
from rnnlp.data.text.preprocessing import EMPTY
from rnnlp.data.text.tokenizer import BOS, EOS, PAD, UNK, Offsets, Tokenizer

from .bpe_dropout import SubwordDropout
from .copying import Copier, pad_copies


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
        bpe_dropout: Probability that a merge is left out, on both sides; see `SubwordDropout`.
            Needs sub-words on both sides unless it is 0.
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
        self._featurizer = featurizer
        self._target_tokenizer = target_tokenizer
        self._seed = seed
        self._epoch = 0
        self._dropout: tuple[SubwordDropout, SubwordDropout] | None = None
        if bpe_dropout:
            source = SubwordDropout(featurizer.tokens, bpe_dropout)
            joint_vocabulary = target_tokenizer is featurizer.tokens
            target = source if joint_vocabulary else SubwordDropout(target_tokenizer, bpe_dropout)
            self._dropout = source, target
        self._copier = (
            Copier(featurizer=featurizer, target_tokenizer=target_tokenizer) if copy else None
        )

    def start_epoch(self, epoch: int) -> None:
        """Chooses the epoch that sub-word dropout is drawn for."""
        self._epoch = epoch

    def __call__(self, rows: Mapping[str, list[Any]]) -> TranslationBatch:
        """Encodes and pads the columns `source`, `target` and `index` of some rows."""
        pairs = zip(rows["source"], rows["target"], rows["index"], strict=True)
        encoded = [self._encode(source, target, index) for source, target, index in pairs]
        sources, targets, copies, words = zip(*encoded, strict=True)
        target, target_lengths = pad_targets(targets)
        return TranslationBatch(
            features=as_tensors(collate(sources)),
            target=target,
            target_lengths=target_lengths,
            sources=rows["source"],
            gold=rows["target"],
            number=torch.tensor(rows["index"]),
            copies=None if self._copier is None else torch.from_numpy(pad_copies(copies)),
            words=words,
        )

    def _encode(
        self, source: str, target: str, index: int
    ) -> tuple[FeatureRow, list[int], list[int], list[str]]:
        """Ids of the source and of the target, and where copied what the source's tokens are."""
        if self._dropout is None:
            row, offsets = source_row(self._featurizer, source)
            if self._copier is None:
                return row, self._target_tokenizer.encode(target)[0], [], []
            copies = self._copier.source(source, row, offsets)
            following = self._copier.target(target, source, offsets)
            return row, following, copies, self._copier.words(source, offsets)
        random = Random(f"{self._seed} {self._epoch} {index}")
        left, right = (
            dropout.ids(text, random)
            for dropout, text in zip(self._dropout, (source, target), strict=True)
        )
        row = FeatureRow(left or [UNK], None, None)
        return row, right, row.tokens, []  # sub-words are copied where both sides have the same


def source_row(featurizer: Featurizer, text: str) -> tuple[FeatureRow, Offsets]:
    """The ids of a text to translate and its tokens; without a token it is read as `UNK`."""
    row, offsets = featurizer.encode(text)
    if row.tokens:
        return row, offsets
    bare = featurizer.level == "bpe"
    return FeatureRow([UNK], None, None) if bare else featurizer.row(EMPTY), []


def pad_targets(targets: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Puts `BOS` and `EOS` around the ids of texts and pads them to the longest.

    Args:
        targets: The ids of each text, at least one text.

    Returns:
        The ids, [batch, time] int64, and how many of each row are no padding, [batch] int64.
    """
    lengths = torch.tensor([len(ids) + 2 for ids in targets])
    padded = torch.full((len(targets), int(lengths.max())), PAD)
    for row, ids in zip(padded, targets, strict=True):
        row[: len(ids) + 2] = torch.tensor([BOS, *ids, EOS])
    return padded, lengths
