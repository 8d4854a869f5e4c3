"""Two or more data sets side by side: a batch of each at every training step.

The longest set decides how many steps an epoch has; the others go round, in another order every
time. Like a single set, the batches of an epoch depend on the seed and the number of the epoch
alone, so that a run can be resumed anywhere. What an example is made of is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice, zip_longest
from typing import Any

from rnnlp.data.datamodule.loader import ResumableLoader
from rnnlp.data.datamodule.samplers import EpochSampler

Rows = list[int]


class PairedSampler(EpochSampler):
    """A batch of each of several samplers at every step.

    Args:
        samplers: At least one.
    """

    def __init__(self, samplers: Sequence[EpochSampler]) -> None:
        self._samplers = samplers

    def __len__(self) -> int:
        """Steps of a whole epoch: the batches of the longest."""
        return max(map(len, self._samplers))

    def batches(self, epoch: int) -> list[tuple[Rows, ...]]:
        """All steps of an epoch, in order."""
        columns = []
        for sampler in self._samplers:
            rounds = -(-len(self) // len(sampler))
            numbers = range(epoch * rounds, (epoch + 1) * rounds)
            columns.append(chain.from_iterable(map(sampler.batches, numbers)))
        return list(islice(zip(*columns, strict=False), len(self)))


class PairedRows:
    """The rows of a step: ``rows[([3, 1], [4])]``.

    Args:
        sets: What each takes a list of row numbers in square brackets.
    """

    def __init__(self, sets: Sequence[Any]) -> None:
        self._sets = sets

    def __len__(self) -> int:
        return max(map(len, self._sets))

    def __getitem__(self, step: tuple[Rows, ...]) -> list[Any]:
        return [rows[numbers] for rows, numbers in zip(self._sets, step, strict=True)]


class Alternating:
    """The batches of several loaders in turn, each batch once.

    Args:
        loaders: The loaders.
    """

    def __init__(self, loaders: Sequence[ResumableLoader]) -> None:
        self._loaders = loaders

    def __len__(self) -> int:
        return sum(map(len, self._loaders))

    def __iter__(self) -> Iterator[Any]:
        for turn in zip_longest(*self._loaders):
            yield from (batch for batch in turn if batch is not None)
