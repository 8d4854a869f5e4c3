"""A DataLoader that can be resumed: it knows how many batches of an epoch have been taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from .samplers import EpochSampler


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
        num_workers: Processes that read ahead; 0 reads in this process.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        batches: EpochSampler,
        collate: Callable[[Any], Any],
        num_workers: int = 0,
    ) -> None:
        super().__init__(
            dataset,
            batch_size=None,  # the sampler's items are whole batches
            sampler=batches,
            collate_fn=collate,
            num_workers=num_workers,
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
