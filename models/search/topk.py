"""The largest of very many scores, for the search: what `torch.topk` does, several times faster.

`torch.topk` walks through every score of a row one by one. Here the row is first cut into blocks
whose maxima a vectorised pass finds. The k largest scores of a row lie in the k blocks with the
largest maxima: a score in any other block is beaten by k maxima. So only k blocks are sorted.
"""

from __future__ import annotations

import torch
from torch import Tensor

BLOCK = 64  # scores in a block: a multiple of what one vector instruction takes


def best_sums(offsets: Tensor, scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Find the largest sums of an offset and a score, without forming all sums.

    Args:
        offsets: `[groups, members]`, one for each row of the scores; `-inf` rules a row out.
        scores: `[groups * members, width]`, the rows of a group side by side.
        count: How many to find, at most members * width.

    Returns:
        The sums `[groups, count]`, largest first, and their places `[groups, count]`: a place is
        member * width + column. Places of sums that are -inf are legal but arbitrary.
    """
    groups, members = offsets.shape
    width = scores.shape[1]
    blocks = width // BLOCK
    rest = width - blocks * BLOCK  # columns behind the last whole block; all of them take part
    if 2 * (blocks + count * BLOCK // members + rest) > width:  # too narrow to gain anything
        sums = (scores + offsets.reshape(-1, 1)).view(groups, -1)
        return sums.topk(count)
    cut = scores[:, : blocks * BLOCK].unflatten(1, (blocks, BLOCK))
    peaks = (cut.amax(2) + offsets.reshape(-1, 1)).view(groups, -1)
    chosen = peaks.topk(count, sorted=False).indices  # [groups, count], member * blocks + block
    member = chosen // blocks
    block = chosen % blocks
    first = torch.arange(0, groups * members, members, device=scores.device).unsqueeze(1)
    inside = cut[first + member, block] + offsets.gather(1, member).unsqueeze(2)
    sums = inside.flatten(1)  # [groups, count * BLOCK]
    start = member * width + block * BLOCK  # the place of a chosen block's first score
    if rest:
        behind = scores[:, blocks * BLOCK :] + offsets.reshape(-1, 1)
        sums = torch.cat((sums, behind.view(groups, -1)), 1)
    values, at = sums.topk(count)
    places = start.gather(1, (at // BLOCK).clamp_max(count - 1)) + at % BLOCK
    if rest:
        beyond = at - count * BLOCK
        tail = beyond // rest * width + blocks * BLOCK + beyond % rest
        places = torch.where(beyond < 0, places, tail)
    return values, places
