"""Batches of similar length under a token budget, and a loader that resumes in mid-epoch.

The composition and the order of the batches of an epoch depend on the seed and the number of the
epoch alone, never on what was done before. A resumed run therefore sees the very batches that the
interrupted one would have seen. Several processes have their share of every batch. Nothing here
knows what an example is made of.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from torch.utils.data import Sampler

_BUCKET_GROWTH = 1.1  # each bucket's longest length over that of the bucket before


class Share(NamedTuple):
    """What a process has of every batch: the rows `rank`, `rank` + `of`, and so on."""

    rank: int = 0
    of: int = 1  # processes


WHOLE = Share()


class EpochSampler(Sampler[Any]):
    """Batches whose composition and order depend on the number of the epoch alone.

    Attributes:
        epoch: The epoch of the next iteration.
        start: The batch that it begins with.
    """

    epoch = 0
    start = 0

    @abstractmethod
    def __len__(self) -> int:
        """Batches of a whole epoch, also where the next iteration begins in its midst."""

    @abstractmethod
    def batches(self, epoch: int) -> list[Any]:
        """All batches of an epoch, in order."""

    def __iter__(self) -> Iterator[Any]:
        start, self.start = self.start, 0
        yield from self.batches(self.epoch)[start:]

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch; Lightning calls this at the start of each."""
        if epoch != self.epoch:
            self.epoch, self.start = epoch, 0

    def resume(self, epoch: int, start: int) -> None:
        """Lets the next iteration, if it is one of this epoch, begin with batch number `start`."""
        self.epoch, self.start = epoch, start


class BucketBatchSampler(EpochSampler):
    """Groups examples of similar length into batches of bounded size.

    Lengths are rounded up to buckets that grow geometrically. An epoch shuffles the examples within
    each bucket, cuts the row of all buckets into batches, and shuffles the batches. The cuts depend
    on the sorted lengths alone, so that every epoch has the same number of batches. Rows of a batch
    are of like length, and dealt out to the processes by turns: all have the same number of
    batches with about equal work in each, and every example is in one of them.

    Args:
        lengths: Length of each example, [examples], all of them 1 or more.
        max_tokens: Most positions in a batch: rows times longest row, padding included. An
            example that is longer still makes a batch of its own. Of several processes each has
            this budget.
        max_sentences: Most examples in a batch of a process, or None.
        seed: With the epoch, what the order depends on.
        shuffle: Without it, examples go from short to long, the same in every epoch.
        share: What this process gets of every batch.

    Raises:
        ValueError: Where there are no examples, or one without a token, or a budget below 1, or
            fewer examples than processes.
    """

    def __init__(
        self,
        *,
        lengths: Sequence[int] | np.ndarray,
        max_tokens: int,
        max_sentences: int | None = None,
        seed: int = 1,
        shuffle: bool = True,
        share: Share = WHOLE,
    ) -> None:
        self._lengths = np.asarray(lengths, dtype=np.int32)
        if not self._lengths.size or self._lengths.min() < 1:
            raise ValueError(
                f"batches need examples of length 1 or more; there are {self._lengths.size}, "
                f"of which {int((self._lengths < 1).sum())} are empty"
            )
        if max_tokens < 1 or (max_sentences is not None and max_sentences < 1):
            raise ValueError(
                f"max_tokens and max_sentences are 1 or more, not {max_tokens}, {max_sentences}"
            )
        if len(self._lengths) < share.of:
            raise ValueError(f"{len(self._lengths)} examples for {share.of} processes")
        self._seed = seed
        self._share = share
        self._shuffle = shuffle
        self._buckets = _round_up(self._lengths) if shuffle else self._lengths  # [examples]
        self._cuts = cut_batches(  # [batches + 1]
            np.sort(self._buckets), max_tokens, max_sentences, processes=share.of
        )

    def __len__(self) -> int:
        """Batches of a whole epoch, also where the next iteration begins in its midst."""
        return len(self._cuts) - 1

    def __iter__(self) -> Iterator[Any]:
        start, self.start = self.start, 0
        # One by one: as Python's integers, the rows of a large corpus would fill the memory.
        yield from map(self._own_part, self._whole_batches(self.epoch)[start:])

    def batches(self, epoch: int) -> list[list[int]]:
        """All batches of an epoch, in order: what this process has of each."""
        return list(map(self._own_part, self._whole_batches(epoch)))

    def _own_part(self, batch: np.ndarray) -> list[int]:
        rows: list[int] = batch[self._share.rank :: self._share.of].tolist()
        return rows

    def _whole_batches(self, epoch: int) -> list[np.ndarray]:
        """All batches of an epoch, with the rows of all processes."""
        if self._shuffle:
            random = np.random.default_rng((self._seed, epoch))
            mixed = random.permutation(len(self._lengths)).astype(np.int32)
            order: np.ndarray = mixed[np.argsort(self._buckets[mixed], kind="stable")]
            turns = random.permutation(len(self._cuts) - 1)
        else:
            order = np.argsort(self._buckets, kind="stable")
            turns = np.arange(len(self._cuts) - 1)
        return [order[self._cuts[i] : self._cuts[i + 1]] for i in turns]

    def padding(self) -> float:
        """Share of padded positions among all positions of the first epoch."""
        batches = self.batches(0)
        positions = sum(len(b) * int(self._lengths[b].max()) for b in batches)
        tokens = sum(int(self._lengths[b].sum(dtype=np.int64)) for b in batches)
        return 1.0 - tokens / positions


def _round_up(lengths: np.ndarray) -> np.ndarray:
    """The upper edge of each length's bucket."""
    edges = [1]
    while edges[-1] < lengths.max():
        edges.append(max(edges[-1] + 1, int(edges[-1] * _BUCKET_GROWTH)))
    return np.array(edges, dtype=np.int32)[np.searchsorted(edges, lengths)]


def cut_batches(
    lengths: np.ndarray, max_tokens: int, max_sentences: int | None, *, processes: int = 1
) -> list[int]:
    """Cuts ascending lengths so that each part holds as many as the budget allows.

    Args:
        lengths: `[examples]`, ascending, at least one for every process.
        max_tokens: Most positions that a process has of a part.
        max_sentences: Most examples that a process has of a part, or None.
        processes: Every part has an example for each of them; the last ones may exceed the budget
            by one example.
    """
    most = max_sentences or max_tokens
    cuts = [0]
    while (start := cuts[-1]) < len(lengths):
        limit = min(most, max_tokens // int(lengths[start]) + 1) * processes
        window = lengths[start : start + limit]
        rows = -(-np.arange(1, len(window) + 1) // processes)  # of the process that has most
        fitting = int((window * rows <= max_tokens).sum())  # true, then false
        if fitting < len(window):
            fitting -= fitting % processes
        cuts.append(min(start + max(processes, fitting), len(lengths)))
    if len(cuts) > 2 and cuts[-1] - cuts[-2] < processes:
        del cuts[-2]
    return cuts
