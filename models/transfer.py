"""Encoders of one direction and of two: how the weights of one kind become those of the other.

State dicts in, state dicts out, of networks that call their parts `embedding` and `encoder`; one
recurrent layer, without layer norm or residual connection, since upper layers and norms of an
encoder of two directions read both of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from rnnlp.models.embeddings.token import Embedding

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
    joined = {WORDS: torch.cat(tables, 1)}
    for number, (weights, suffix) in enumerate(((forward, ""), (backward, "_reverse"))):
        for name, tensor in weights.items():
            if name.startswith("encoder."):
                joined[name + suffix] = tensor.clone()
        own = weights[_INPUT]  # [gates * hidden_size, size]
        other = own.new_zeros(len(own), tables[1 - number].shape[1])
        parts = (own, other) if number == 0 else (other, own)
        joined[_INPUT + suffix] = torch.cat(parts, 1)
    return joined


def forward_direction(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What reads from start to end, out of an encoder of two directions with one layer."""
    return {name: tensor for name, tensor in weights.items() if not name.endswith("_reverse")}


_TABLE = "embedding.token_features.{}.weight"


_SPELLING = "embedding.spelling."


_INPUTS = ("encoder.weight_ih_l0", "encoder.weight_ih_l0_reverse")


def widen(
    weights: Mapping[str, Tensor],
    embedding: Embedding,
    *,
    token_features: Sequence[str],
    wanted: Sequence[str],
) -> dict[str, Tensor]:
    """Weights for an embedding that may also read spelling and further attributes.

    The parts that the given weights lack keep their values in `embedding`; the encoder's input
    weights are zero for them. So the states are at first exactly those of the given weights, and
    the encoder learns what to make of the new parts.

    Args:
        weights: `embedding.…`, and `encoder.…` if there are recurrent layers.
        embedding: The wider one, as it was built.
        token_features: Names of the attributes that the given weights read, in order.
        wanted: Those of `embedding`, the same and more, in order.
    """
    widened = dict(weights)
    own = {f"embedding.{name}": tensor for name, tensor in embedding.state_dict().items()}
    for number, name in enumerate(wanted):
        known = weights if name in token_features else own
        index = token_features.index(name) if name in token_features else number
        widened[_TABLE.format(number)] = known[_TABLE.format(index)]
    spelled = any(name.startswith(_SPELLING) for name in weights)
    if not spelled:
        widened |= {name: tensor for name, tensor in own.items() if name.startswith(_SPELLING)}
    # The columns of the joined vector [word, spelling, attributes] that the given weights know.
    spelling = 0 if embedding.spelling is None else embedding.spelling.output_size
    blocks = [(embedding.words.embedding_dim, True), (spelling, spelled)]
    blocks += [(embedding.token_feature_size, name in token_features) for name in wanted]
    known_columns = torch.cat([torch.full((size,), known) for size, known in blocks])
    for name in _INPUTS:
        if name in weights:
            narrow = weights[name]  # [gates * hidden_size, columns that are known]
            widened[name] = narrow.new_zeros(len(narrow), len(known_columns))
            widened[name][:, known_columns] = narrow
    return widened
