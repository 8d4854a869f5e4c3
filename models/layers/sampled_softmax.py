"""Sampled softmax: a loss over a large vocabulary that computes the scores of a part of it.

For a batch with the different targets B, out of a vocabulary V, and n other tokens S drawn at
random without repetition (importance sampling as in Jean et al. 2015, arXiv 1412.2007),

    log p(y) = s_y - log Z,   Z ≈ sum_{v in B} exp s_v + (|V| - |B|) / n  sum_{v in S} exp s_v

Frequent tokens are nearly always in B and so counted as they are; each drawn one stands for
(|V| - |B|) / n rare ones. The mean of that sum over all draws is Z.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Candidates(NamedTuple):
    """The tokens that the targets of a batch are compared with."""

    ids: Tensor  # [candidates], those of the batch first
    targets: Tensor  # [tokens], the place of each target among them
    offsets: Tensor  # [candidates], what is added to their scores: the log of what each stands for


def draw_candidates(targets: Tensor, *, drawn: int, vocabulary_size: int) -> Candidates | None:
    """Choose what the targets of a batch are compared with.

    Args:
        targets: `[tokens]`.
        drawn: How many tokens that are none of them.
        vocabulary_size: Number of tokens.

    Returns:
        None if there are no more than that, so that a softmax over all is exact.
    """
    own, places = targets.unique(return_inverse=True)
    others = vocabulary_size - len(own)
    if others <= drawn:
        return None
    absent = torch.ones(vocabulary_size, dtype=torch.bool, device=targets.device)
    absent[own] = False
    chosen = absent.nonzero()[:, 0][torch.randperm(others, device=targets.device)[:drawn]]
    offsets = torch.full((len(own) + drawn,), others / drawn, device=targets.device).log_()
    offsets[: len(own)] = 0.0
    return Candidates(torch.cat((own, chosen)), places, offsets)
