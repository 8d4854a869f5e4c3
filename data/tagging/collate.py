"""What a tagger is trained and scored on: features, tag ids and gold labels of some sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from rnnlp.data.datamodule.tensors import TokenTensors, as_tensors, weights_of
from rnnlp.data.text.featurizer import Featurizer

from .schemes import Span, spans_to_tags

UNKNOWN_TAG = -1  # at padding, and where training never saw the gold label


class TaggingBatch(NamedTuple):
    """A padded batch with its labels."""

    features: TokenTensors
    tags: Tensor  # [batch, time] int64, `UNKNOWN_TAG` at padding and for unseen labels
    gold: list[list[Span]] | list[list[str]]  # spans where the tags have a scheme, else tags
    number: Tensor  # [batch] int64, place of the sentence in its split, from 0
    weights: Tensor | None = None  # [batch] float32, in the loss; None where all are 1
    unjudged: tuple[str, ...] = ()  # types that the split is not annotated with
    soft: Tensor | None = None  # [batch, time, tags] probabilities; 0 in sentences without


class TaggingCollate:
    """Makes batches of stored sentences.

    Args:
        featurizer: Looks the tokens up.
        tags: All tags, in the order of their ids.
        scheme: The scheme they follow, or None for plain tags.
        unjudged: Types that the split is not annotated with.
    """

    def __init__(
        self,
        *,
        featurizer: Featurizer,
        tags: Sequence[str],
        scheme: str | None,
        unjudged: tuple[str, ...] = (),
    ) -> None:
        self._featurizer = featurizer
        self._unjudged = unjudged
        self._ids = {tag: i for i, tag in enumerate(tags)}
        self._scheme = scheme

    def __call__(self, rows: Mapping[str, list[Any]]) -> TaggingBatch:
        """Pads the columns `tokens`, `gold`, `index`, `weight` and `soft` of some rows."""
        features = as_tensors(self._featurizer.batch(rows["tokens"]))
        tags = torch.full(features.tokens.shape, UNKNOWN_TAG)
        gold = rows["gold"]
        names = gold  # [batch][time]
        if self._scheme is not None:
            gold = [[Span(**span) for span in spans] for spans in gold]
            names = [
                spans_to_tags(spans, len(tokens), self._scheme)
                for spans, tokens in zip(gold, rows["tokens"], strict=True)
            ]
        for row, labels in enumerate(names):
            ids = [self._ids.get(name, UNKNOWN_TAG) for name in labels]
            tags[row, : len(ids)] = torch.tensor(ids)
        numbers, weights = torch.tensor(rows["index"]), weights_of(rows["weight"])
        soft = None
        if any(row is not None for row in rows["soft"]):
            soft = torch.zeros(*tags.shape, len(self._ids))
            for row, tokens in enumerate(rows["soft"]):
                for place, shares in enumerate(tokens or ()):
                    for share in shares:
                        if share["tag"] in self._ids:  # of training all are
                            soft[row, place, self._ids[share["tag"]]] = share["probability"]
        return TaggingBatch(features, tags, gold, numbers, weights, self._unjudged, soft)
