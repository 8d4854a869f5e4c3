"""Viterbi search: the best tag sequence of every row of a padded batch at once.

Used by the CRF, with its learned transition scores, and by the softmax output, whose transitions
are only legal or not. A score of `-inf` marks what may never happen.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rnnlp.models.layers.masks import inside

from .transitions import exact_type

PAIRS = 1 << 23  # pairs of tags, of all rows, that are looked at at once: 64 MiB


@torch.no_grad()
def viterbi(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor
) -> Tensor:
    """Find the tag sequence of the highest total score in each row.

        best_0[j] = start[j] + emissions_0[j]
        best_t[j] = emissions_t[j] + max_i (best_{t-1}[i] + transitions[i, j])

    The loop keeps only the maxima; which tag reached them is asked again on the way back, and
    then only for the one path of each row. This spares a `[batch, tags, tags]` argmax a step.
    Where there are many tags, some rows are searched at a time, so that memory stays bounded.
    Sums are in float64: over a text of 30,000 tokens float32 would round away what tells two
    paths apart.

    Args:
        emissions: scores `[batch, time, tags]`; padding may hold anything finite.
        transitions: scores `[tags, tags]` of tag j after tag i; `-inf` forbids.
        start: scores `[tags]` of the first tag.
        end: scores `[tags]` of the last tag.
        lengths: `[batch]`, at least 1 each.

    Returns:
        Tags `[batch, time]` as int64, -1 at padding; the lower tag wins a tie.
    """
    batch, time, size = emissions.shape
    at_once = max(1, PAIRS // size**2)
    if batch > at_once:
        parts = zip(emissions.split(at_once), lengths.split(at_once), strict=True)
        return torch.cat([viterbi(some, transitions, start, end, own) for some, own in parts])
    exact = exact_type(emissions.device)
    emissions, transitions, start, end = (x.to(exact) for x in (emissions, transitions, start, end))
    last = (lengths - 1).to(emissions.device)
    steps = transitions[:, None, :]  # [from, 1, to]
    routes = emissions.new_empty(size, batch, size)  # [from, batch, to]: the maximum runs fastest
    best = [start + emissions[:, 0]]  # each [batch, tags]
    for emission in emissions.unbind(1)[1:]:
        torch.add(best[-1].t()[:, :, None], steps, out=routes)
        best.append(routes.amax(0) + emission)

    arrivals = transitions.t().contiguous()  # [to, from]
    scores = torch.stack(best)  # [time, batch, tags]
    rows = torch.arange(batch, device=emissions.device)
    final = (scores[last, rows] + end).argmax(-1)  # [batch]
    tag = final
    path = [tag]
    for t in range(time - 2, -1, -1):
        tag = torch.where(last > t, (best[t] + arrivals[tag]).argmax(-1), final)
        path.append(tag)
    tags = torch.stack(path[::-1], 1)
    return tags.masked_fill(~inside(lengths, time, emissions.device), -1)
