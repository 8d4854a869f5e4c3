"""Batches of similar length under a token budget, and a loader that resumes in mid-epoch.

The composition and the order of the batches of an epoch depend on the seed and the number of the
epoch alone, never on what was done before. A resumed run therefore sees the very batches that the
interrupted one would have seen. Nothing here knows what an example is made of.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

_BUCKET_GROWTH = 1.1  # each bucket's longest length over that of the bucket before


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
    on the sorted lengths alone, so that every epoch has the same number of batches.

    Args:
        lengths: Length of each example, [examples], all of them 1 or more.
        token_budget: Most positions in a batch: rows times longest row, padding included. An
            example that is longer still makes a batch of its own.
        max_sentences: Most examples in a batch, or None.
        seed: With the epoch, what the order depends on.
        shuffle: Without it, examples go from short to long, the same in every epoch.

    Raises:
        ValueError: Where there are no examples, or one without a token, or a budget below 1.
    """

    def __init__(
        self,
        *,
        lengths: Sequence[int] | np.ndarray,
        token_budget: int,
        max_sentences: int | None = None,
        seed: int = 1,
        shuffle: bool = True,
    ) -> None:
        self._lengths = np.asarray(lengths, dtype=np.int32)
        if not self._lengths.size or self._lengths.min() < 1:
            raise ValueError(
                f"batches need examples of length 1 or more; there are {self._lengths.size}, "
                f"of which {int((self._lengths < 1).sum())} are empty"
            )
        if token_budget < 1 or (max_sentences is not None and max_sentences < 1):
            raise ValueError(
                f"token_budget and max_sentences are 1 or more, not {token_budget}, {max_sentences}"
            )
        self._seed = seed
        self._shuffle = shuffle
        self._buckets = _round_up(self._lengths) if shuffle else self._lengths  # [examples]
        self._cuts = cut_batches(
            np.sort(self._buckets), token_budget, max_sentences
        )  # [batches + 1]

    def __len__(self) -> int:
        """Batches of a whole epoch, also where the next iteration begins in its midst."""
        return len(self._cuts) - 1

    def batches(self, epoch: int) -> list[list[int]]:
        """All batches of an epoch, in order."""
        if self._shuffle:
            random = np.random.default_rng((self._seed, epoch))
            mixed = random.permutation(len(self._lengths)).astype(np.int32)
            order: np.ndarray = mixed[np.argsort(self._buckets[mixed], kind="stable")]
            turns = random.permutation(len(self._cuts) - 1)
        else:
            order = np.argsort(self._buckets, kind="stable")
            turns = np.arange(len(self._cuts) - 1)
        return [order[self._cuts[i] : self._cuts[i + 1]].tolist() for i in turns]

    def padding(self) -> float:
        """Share of padded positions among all positions of the first epoch."""
        positions = sum(len(b) * int(self._lengths[b].max()) for b in self.batches(0))
        return 1.0 - float(self._lengths.sum(dtype=np.int64)) / positions


class ResumableLoader(DataLoader):
    """A loader over an `EpochSampler` that Lightning saves in its checkpoints and restores.

    The dataset is asked for all rows of a batch at once: ``dataset[[3, 1, 4]]``. The state counts
    the batches that were handed out, not those that workers have read ahead. Random state of the
    program is not touched. (Lightning 2.6 drops the state where `configure_optimizers` reads
    `trainer.estimated_stepping_batches`, its issue 20550: take the number of steps from elsewhere.)

    Args:
        dataset: Anything that takes a list of row numbers in square brackets.
        batches: Which rows make a batch.
        collate: Makes a batch of what the dataset gives. If it has a method `start_epoch`, that is
            called with the number of each epoch, before workers get their copies.
        workers: Processes that read ahead; 0 reads in this process.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        batches: EpochSampler,
        collate: Callable[[Any], Any],
        workers: int = 0,
    ) -> None:
        super().__init__(
            dataset,
            batch_size=None,  # the sampler's items are whole batches
            sampler=batches,
            collate_fn=collate,
            num_workers=workers,
            generator=torch.Generator(),  # or every epoch would draw from the global one
        )
        self.batches = batches
        self._delivered = 0

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        # Lightning asks for an iterator before it sets the epoch, so nothing happens until `next`.
        self._delivered = self.batches.start
        start_epoch = getattr(self.collate_fn, "start_epoch", None)
        if start_epoch is not None:
            start_epoch(self.batches.epoch)
        for batch in super().__iter__():
            self._delivered += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        """Where the training stands; plain integers."""
        return {
            "epoch": self.batches.epoch,
            "batch": self._delivered,
            "batches": len(self.batches),
        }

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Goes on where `state_dict` was taken.

        Raises:
            ValueError: Where the data or the budget have changed in between.
        """
        if state_dict["batches"] != len(self.batches):
            raise ValueError(
                f"the checkpoint was written with {state_dict['batches']} batches an epoch, now "
                f"there are {len(self.batches)}: resume with the same data and token budget"
            )
        self._delivered = state_dict["batch"]
        self.batches.resume(state_dict["epoch"], state_dict["batch"])


def _round_up(lengths: np.ndarray) -> np.ndarray:
    """The upper edge of each length's bucket."""
    edges = [1]
    while edges[-1] < lengths.max():
        edges.append(max(edges[-1] + 1, int(edges[-1] * _BUCKET_GROWTH)))
    return np.array(edges, dtype=np.int32)[np.searchsorted(edges, lengths)]


def cut_batches(lengths: np.ndarray, token_budget: int, max_sentences: int | None) -> list[int]:
    """Cuts ascending lengths so that each part holds as many as the budget allows."""
    most = max_sentences or token_budget
    cuts = [0]
    while (start := cuts[-1]) < len(lengths):
        window = lengths[start : start + min(most, token_budget // int(lengths[start]) + 1)]
        fitting = window * np.arange(1, len(window) + 1) <= token_budget  # true, then false
        cuts.append(start + max(1, int(fitting.sum())))
    return cuts
