"""A trained network in one that knows more: further labels, and larger vocabularies.

State dicts in, state dicts out. What was known keeps its weights, so that the old labels have the
very scores that they had: a further token reads like the unknown one until it has learned, and a
further label has the same small score for everything.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

UNKNOWN = 1  # the row of the unknown token, in every table of a vocabulary
IMPROBABLE = math.log(1e-3)  # of a further label, beside the least probable of the old ones
HASHES, NGRAMS = "ngrams._extra_state", "ngrams.table.weight"


def grown(
    old: Mapping[str, Tensor],
    fresh: Mapping[str, Tensor],
    *,
    places: Tensor,
    label_axes: Mapping[str, tuple[int, ...]],
) -> dict[str, Tensor]:
    """The weights of the larger network.

    Args:
        old: Those of the trained one.
        fresh: Those of the larger one as it was built.
        places: `[labels]`: the place that each label has in the trained one, -1 for further ones.
        label_axes: Which axes of a weight go over the labels, by its name.
    """
    known = places >= 0
    weights = {}
    for name, tensor in fresh.items():
        if name == HASHES:
            weights[name] = tensor
            continue
        was = _ngram_rows(old, fresh) if name == NGRAMS else old[name]
        for axis in label_axes.get(name, ()):
            bias = name.endswith("bias")
            filler = float(was.min()) + IMPROBABLE if bias else 0.0
            shape = list(was.shape)
            shape[axis] = len(places)
            wider = was.new_full(shape, filler)
            wider.index_copy_(
                axis, torch.nonzero(known)[:, 0], was.index_select(axis, places[known])
            )
            was = wider
        if was.dim() == 2 and len(was) < len(tensor):
            more = was[UNKNOWN].expand(len(tensor) - len(was), -1)
            was = torch.cat((was, more))
        weights[name] = was
    return weights


def _ngram_rows(old: Mapping[str, Tensor], fresh: Mapping[str, Tensor]) -> Tensor:
    """The table of n-grams with the rows of the larger one, zeros for further n-grams."""
    rows = torch.searchsorted(fresh[HASHES], old[HASHES]) + 1
    table = old[NGRAMS].new_zeros(len(fresh[HASHES]) + 1, old[NGRAMS].shape[1])
    table[rows] = old[NGRAMS][1:]
    return table
