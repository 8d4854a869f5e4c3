"""Encoders of one direction and of two: how the weights of one kind become those of the other.

State dicts in, state dicts out, of networks that call their parts `embedding` and `encoder`; one
recurrent layer, without layer norm or residual connection, since upper layers and norms of an
encoder of two directions read both of them.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

WORDS = "embedding.words.weight"
_INPUT = "encoder.weight_ih_l0"


def join_directions(
    forward: Mapping[str, Tensor], backward: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """One encoder of two directions, from one that reads onwards and one that reads backwards.

    Each direction goes on seeing its own vector of a token: the two lie side by side in the new
    embedding, and a direction has zeros for what is the other's. So the states are exactly those of
    the two encoders.

    Args:
        forward: Weights of the one that reads from start to end: `embedding.words.weight`
            [tokens, size] and the layer `encoder.…_l0`.
        backward: Those of the other one, likewise.

    Returns:
        The weights of an embedding of twice the size and of a bidirectional encoder.
    """
    tables = forward[WORDS], backward[WORDS]
    found = {WORDS: torch.cat(tables, 1)}
    for number, (weights, suffix) in enumerate(((forward, ""), (backward, "_reverse"))):
        for name, tensor in weights.items():
            if name.startswith("encoder."):
                found[name + suffix] = tensor.clone()
        own = weights[_INPUT]  # [gates * hidden_size, size]
        other = own.new_zeros(len(own), tables[1 - number].shape[1])
        parts = (own, other) if number == 0 else (other, own)
        found[_INPUT + suffix] = torch.cat(parts, 1)
    return found


def forward_direction(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What reads from start to end, out of an encoder of two directions with one layer."""
    return {name: tensor for name, tensor in weights.items() if not name.endswith("_reverse")}
