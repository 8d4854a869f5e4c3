"""Which tag sequences are legal, and the best of them (Viterbi), for a whole padded batch at once.

Used by the CRF, with its learned transition scores, and by the softmax output, whose transitions
are only legal or not. Scores here are max-plus: `-inf` marks what may never happen.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

FORBIDDEN = float("-inf")


def legality(
    tags: int,
    allowed: Sequence[Sequence[bool]] | Tensor | None,
    start: Sequence[bool] | Tensor | None,
    end: Sequence[bool] | Tensor | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Check the rules of a tag set and return them as boolean tensors.

    Args:
        tags: number of tags.
        allowed: `allowed[i][j]` says whether tag j may follow tag i; None allows everything.
        start: `start[j]` says whether a sequence may begin with tag j.
        end: `end[i]` says whether a sequence may finish with tag i.

    Returns:
        `[tags, tags]`, `[tags]` and `[tags]`.

    Raises:
        ValueError: a shape is wrong, or sequences of some length have no legal tags at all.
    """
    if tags < 1:
        raise ValueError(f"a tag set needs at least one tag, got {tags}")
    checked = []
    for name, rule, shape in (
        ("allowed", allowed, (tags, tags)),
        ("start", start, (tags,)),
        ("end", end, (tags,)),
    ):
        tensor = torch.ones(shape) if rule is None else torch.as_tensor(rule)
        if tensor.shape != shape:
            raise ValueError(
                f"{name} has shape {list(tensor.shape)}, but {tags} tags need {list(shape)}"
            )
        checked.append(tensor.bool())
    steps, first, last = checked
    reached = first
    for length in range(1, tags + 2):
        if not (reached & last).any():
            raise ValueError(f"the rules leave no legal tag sequence of length {length}")
        reached = (reached[:, None] & steps).any(0)
    return steps, first, last


def check_batch(emissions: Tensor, lengths: Tensor, tags: int) -> None:
    """Raise ValueError unless `emissions` is `[batch, time, tags]` and lengths fit in it."""
    if emissions.dim() != 3 or emissions.shape[2] != tags:
        raise ValueError(
            f"emissions have shape {list(emissions.shape)}, expected [batch, time, {tags}]"
        )
    if lengths.shape != emissions.shape[:1]:
        raise ValueError(
            f"lengths have shape {list(lengths.shape)} for a batch of {emissions.shape[0]} rows"
        )
    shortest, longest = lengths.aminmax()
    if shortest < 1 or longest > emissions.shape[1]:
        raise ValueError(
            f"lengths run from {int(shortest)} to {int(longest)}, "
            f"but must lie between 1 and {emissions.shape[1]}"
        )


def inside(lengths: Tensor, time: int, device: torch.device) -> Tensor:
    """Return the mask `[batch, time]` that is True at positions before the end of each row."""
    return torch.arange(time, device=device) < lengths.to(device)[:, None]


@torch.no_grad()
def viterbi(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor
) -> Tensor:
    """Find the tag sequence of the highest total score in each row.

        best_0[j] = start[j] + emissions_0[j]
        best_t[j] = emissions_t[j] + max_i (best_{t-1}[i] + transitions[i, j])

    The loop keeps only the maxima; which tag reached them is asked again on the way back, and
    then only for the one path of each row. This spares a `[batch, tags, tags]` argmax a step.

    Args:
        emissions: scores `[batch, time, tags]`; padding may hold anything finite.
        transitions: scores `[tags, tags]` of tag j after tag i; `-inf` forbids.
        start: scores `[tags]` of the first tag.
        end: scores `[tags]` of the last tag.
        lengths: `[batch]`, at least 1 each.

    Returns:
        Tags `[batch, time]` as int64, -1 at padding; the lower tag wins a tie.
    """
    batch, time, _ = emissions.shape
    last = (lengths - 1).to(emissions.device)
    steps = transitions[:, None, :]  # [from, 1, to]
    best = [start + emissions[:, 0]]  # each [batch, tags]
    for emission in emissions.unbind(1)[1:]:
        best.append((best[-1].t()[:, :, None] + steps).amax(0) + emission)

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
