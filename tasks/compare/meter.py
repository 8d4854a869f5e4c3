"""What a training run costs, measured beside it: time, tokens, memory, and how the score grew.

What is measured goes into checkpoints, so that a run that was interrupted is measured as one.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback

REPORT_SECONDS = 0.3  # between two reports of progress


class Meter(Callback):
    """Measures a run.

    Args:
        report: Is told now and then how far the run is: the share that is done (0 to 1), the epoch
            from 1, and the last validation score (None before the first).
    """

    def __init__(self, report: Callable[[float, int, float | None], None]) -> None:
        self.model: Any = None
        self.data: Any = None
        self.epochs: list[list[float]] = []  # tokens and seconds of the steps of each epoch
        self.curve: list[list[float]] = []  # epoch, from 1, and validation score
        self.seconds = 0.0  # of training, validation included
        self.peak = 0.0  # most memory of the process, MiB
        self.added = 0.0  # by how much it grew after the first step began, MiB
        self._report = report
        self._reported = 0.0
        self._began = self._step = 0.0
        self._earlier = 0.0  # seconds before the run was interrupted

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Lightning's hook: keeps what is trained, also where nothing is left to train."""
        self.model, self.data = pl_module, trainer.datamodule  # type: ignore[attr-defined]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Starts the clock."""
        self._earlier, self._began = self.seconds, time.perf_counter()
        self._total = pl_module.total_steps()  # type: ignore[operator]
        self._base = start_memory(pl_module.device)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Lightning's hook: begins a step."""
        finished(pl_module.device)
        self._step = time.perf_counter()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Lightning's hook: ends a step of forward, backward and optimiser; reading the data is
        no part of it.
        """
        finished(pl_module.device)
        now = time.perf_counter()
        while len(self.epochs) <= trainer.current_epoch:
            self.epochs.append([0.0, 0.0])
        self.epochs[trainer.current_epoch][0] += int(batch.features.lengths.sum())
        self.epochs[trainer.current_epoch][1] += now - self._step
        self.seconds = self._earlier + now - self._began
        self._measure_memory(pl_module.device)
        if now - self._reported > REPORT_SECONDS:
            self._reported = now
            share = trainer.global_step / self._total if self._total else 0.0
            score = self.curve[-1][1] if self.curve else None
            self._report(min(share, 1.0), trainer.current_epoch + 1, score)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keeps the score."""
        score = trainer.callback_metrics.get(str(pl_module.monitor))
        if score is not None and not trainer.sanity_checking:
            self.curve.append([trainer.current_epoch + 1, float(score)])

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stops the clock."""
        self.seconds = self._earlier + time.perf_counter() - self._began
        self._measure_memory(pl_module.device)

    def tokens_per_second(self) -> float:
        """Of training steps: the median of the epochs, which a busy moment does not change."""
        rates = sorted(tokens / seconds for tokens, seconds in self.epochs if seconds)
        return rates[len(rates) // 2] if rates else 0.0

    def state_dict(self) -> dict[str, Any]:
        """What was measured so far."""
        return {
            "epochs": [list(epoch) for epoch in self.epochs],
            "curve": [list(point) for point in self.curve],
            "seconds": self.seconds,
            "peak": self.peak,
            "added": self.added,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restores `state_dict`."""
        self.epochs, self.curve = state_dict["epochs"], state_dict["curve"]
        self.seconds = state_dict["seconds"]
        self.peak, self.added = state_dict["peak"], state_dict["added"]

    def _measure_memory(self, device: torch.device) -> None:
        peak = peak_memory(device)
        self.peak = max(self.peak, peak)
        self.added = max(self.added, peak - self._base)


def finished(device: torch.device) -> None:
    """Waits until the device has done what it was told, so that the clock tells its time."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def start_memory(device: torch.device) -> float:
    """Forgets earlier peaks where the system allows it, and gives the memory in use, MiB."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return torch.cuda.memory_allocated(device) / 2**20
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS") or peak_memory(device)


def peak_memory(device: torch.device) -> float:
    """The most memory that was in use, MiB: of the GPU where one is used, else of the process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    if peak := _status("VmHWM"):
        return peak
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)


def _status(name: str) -> float | None:
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 2**10
    return None
