"""What a tagger says, as plain values: tags, and entities with places and scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from rnnlp.data.datamodule.tensors import TokenTensors
from rnnlp.models.tagging.tagger import Tagger


def decode_tags(network: Tagger, features: TokenTensors, tags: Sequence[str]) -> list[list[str]]:
    """The best tags of each sentence of a batch, padding cut off."""
    decoded = network.decode(
        features.tokens, features.characters, features.token_features, features.lengths
    )
    return names_of(decoded.tags, features.lengths, tags)


def names_of(decoded: torch.Tensor, lengths: torch.Tensor, tags: Sequence[str]) -> list[list[str]]:
    """The names of tags `[batch, time]`, padding cut off."""
    rows = zip(decoded.tolist(), lengths.tolist(), strict=True)
    return [[tags[tag] for tag in row[:length]] for row, length in rows]


def entity(
    text: str, start: int, end: int, kind: str, score: float, *, text_from: int = 0
) -> dict[str, Any]:
    """An entity as users get it, between two characters of a text.

    Args:
        text: The text, or the part of it that begins at character `text_from`.
        start: Where the entity begins in the whole text.
        end: Where it ends, exclusive.
        kind: Its type.
        score: Its probability.
        text_from: Where `text` begins.
    """
    return {
        "entity_group": kind,
        "score": round(score, 4),
        "word": text[start - text_from : end - text_from],
        "start": start,
        "end": end,
    }
