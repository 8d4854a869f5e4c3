"""Batches of texts of like length, for models in use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

TOKEN_BUDGET = 8192  # padded positions of a batch
NUMBERS = 1 << 26  # of a batch's scores that are held at once: 256 MiB


def positions(most: int, *, width: int) -> int:
    """How many positions a batch may have: fewer where many tags or words make each wide.

    Args:
        most: The most that are worth it.
        width: How many numbers are held for each.
    """
    return max(1, min(most, NUMBERS // width))


def by_length(
    lengths: Sequence[int], *, budget: int, most: int | None = None
) -> Iterator[list[int]]:
    """Yields the rows of each batch, short ones first.

    Args:
        lengths: Tokens of each text; rows without any are left out.
        budget: Most positions in a batch, padding included; a longer text is a batch of its own.
        most: Most texts in a batch; None for any number.
    """
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and ((len(batch) + 1) * lengths[row] > budget or len(batch) == most):
            yield batch
            batch = []
        if lengths[row]:
            batch.append(row)
    if batch:
        yield batch
