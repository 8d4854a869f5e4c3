"""Ctrl-C in training: the first one ends the epoch, the second one ends at once."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from rnnlp.tasks.base.processes import is_first


class GracefulInterrupt(Callback):
    """First Ctrl-C: finish the step, validate, write the folder. Second: stop at once.

    A context manager around `trainer.fit`; outside it Ctrl-C works as ever.
    """

    def __init__(self) -> None:
        self.asked = False
        self._previous: Any = None

    def __enter__(self) -> GracefulInterrupt:
        self._previous = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *details: object) -> None:
        signal.signal(signal.SIGINT, self._previous)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            signal.signal(signal.SIGINT, self._previous)
            raise KeyboardInterrupt
        self.asked = True
        if not is_first():
            return
        line = "\nstopping after this step: validating and saving (Ctrl-C again stops at once)\n"
        os.write(2, line.encode())  # safe inside a signal handler, unlike print

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Lightning's hook: passes the wish on to the trainer, whatever its least epochs are."""
        if trainer.world_size > 1:  # all stop after the same step
            self.asked = trainer.strategy.reduce_boolean_decision(self.asked, all=False)
        if self.asked:
            trainer.should_stop = True
            trainer.fit_loop.min_epochs = 0
            trainer.fit_loop.epoch_loop.min_steps = None
