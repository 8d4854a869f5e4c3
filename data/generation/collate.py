"""What a generator is trained and scored on: a stretch of some texts, token by token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from rnnlp.data.datamodule.tensors import TokenTensors, as_tensors
from rnnlp.data.text.featurizer import FeatureRow, Featurizer, collate
from rnnlp.data.text.tokenizer import BOS, EOS

from .labels import NOT_GIVEN, Fields, label_ids, token_ids
from .segments import Segment


class GenerationBatch(NamedTuple):
    """A padded segment of some texts.

    A text of n tokens is n + 1 positions: `BOS` and the tokens are read, the tokens and `EOS` are
    what follows.
    """

    features: TokenTensors  # what is read
    following: Tensor  # [rows, time] int64: the token after each, then padding
    labels: Tensor  # [rows, fields] int64; `NOT_GIVEN` or the number of the label, from 1
    carried: Tensor | None  # [rows] int64: the rows of the segment before; None where texts begin
    gold: list[str]  # the texts that begin here
    idle: bool = False  # counts for nothing; see `Segment`
    vectors: Tensor | None = None  # [rows, components]: what texts are written from


class GenerationCollate:
    """Makes batches of stored texts.

    Args:
        featurizer: Encodes texts.
        fields: The labels that a text may have.
        reverse: Read texts from their last token to the first.
    """

    def __init__(self, *, featurizer: Featurizer, fields: Fields, reverse: bool) -> None:
        self._featurizer = featurizer
        self._ids = label_ids(fields)
        self._reverse = reverse

    def __call__(self, item: tuple[Mapping[str, list[Any]], Segment]) -> GenerationBatch:
        """Encodes, cuts and pads the columns `text`, `labels` and `vector` of rows."""
        rows, segment = item
        read: list[FeatureRow] = []
        following: list[FeatureRow] = []
        end = segment.start + segment.size
        for text in rows["text"]:
            ids = token_ids(self._featurizer, text, reverse=self._reverse)
            read.append(FeatureRow([BOS, *ids][segment.start : end], None, None))
            following.append(FeatureRow([*ids, EOS][segment.start : end], None, None))
        return GenerationBatch(
            features=as_tensors(collate(read)),
            following=as_tensors(collate(following)).tokens,
            labels=torch.tensor(
                [
                    [ids.get(label, NOT_GIVEN) for ids, label in zip(self._ids, row, strict=True)]
                    for row in rows["labels"]
                ],
                dtype=torch.long,
            ).view(len(read), len(self._ids)),
            carried=None if segment.carried is None else torch.tensor(segment.carried),
            gold=list(rows["text"]) if segment.carried is None and not segment.idle else [],
            idle=segment.idle,
            vectors=(
                torch.from_numpy(np.array(rows["vector"], np.float32)) if "vector" in rows else None
            ),
        )
