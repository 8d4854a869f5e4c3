"""The largest of very many scores, for the search: what a partial sort does, several times faster.

A row of scores is first dealt out to blocks, whose maxima a vectorised pass finds. The k largest
scores of a row lie in the k blocks with the largest maxima: a score in any other block is beaten by
k maxima. So only k blocks are sorted.
"""

from __future__ import annotations

import numpy as np

BLOCK = 64  # scores in a block


def best_sums(offsets: np.ndarray, scores: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
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
    whole = blocks * BLOCK  # the columns behind take part, all of them
    if 2 * (blocks + count * BLOCK // members + width - whole) > width:  # too narrow to gain
        return largest((scores + offsets.reshape(-1, 1)).reshape(groups, -1), count)
    cut = scores[:, :whole].reshape(-1, BLOCK, blocks)  # column = number in the block, block
    peaks = (cut.max(1) + offsets.reshape(-1, 1)).reshape(groups, -1)
    chosen = np.argpartition(peaks, peaks.shape[1] - count, axis=1)[:, -count:]
    member, block = chosen // blocks, chosen % blocks
    group = np.arange(groups)[:, None]
    inside = cut[group * members + member, :, block] + offsets[group, member][:, :, None]
    start = member * width + block  # the place of a chosen block's first score
    places = (start[:, :, None] + np.arange(0, whole, blocks)).reshape(groups, -1)
    sums = inside.reshape(groups, -1)
    if whole < width:
        behind = (scores[:, whole:] + offsets.reshape(-1, 1)).reshape(groups, -1)
        beyond = (np.arange(members)[:, None] * width + np.arange(whole, width)).ravel()
        sums = np.concatenate((sums, behind), 1)
        places = np.concatenate((places, np.broadcast_to(beyond, behind.shape)), 1)
    values, at = largest(sums, count)
    return values, np.take_along_axis(places, at, 1)


def largest(scores: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The largest numbers of each row, falling, and their places."""
    places = np.argpartition(scores, scores.shape[1] - count, axis=1)[:, -count:]
    values = np.take_along_axis(scores, places, 1)
    order = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(values, order, 1), np.take_along_axis(places, order, 1)
