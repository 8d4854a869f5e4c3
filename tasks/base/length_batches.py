"""Batches of texts of like length, for models in use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def by_length(lengths: Sequence[int], *, budget: int) -> Iterator[list[int]]:
    """Yields the rows of each batch, short ones first.

    Args:
        lengths: Tokens of each text; rows without any are left out.
        budget: Most positions in a batch, padding included; a longer text is a batch of its own.
    """
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[row] > budget:
            yield batch
            batch = []
        if lengths[row]:
            batch.append(row)
    if batch:
        yield batch
