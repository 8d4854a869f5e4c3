"""Trainings that are killed on the way, and whether two have come to the same end."""

from contextlib import contextmanager

import pytest
import torch
from safetensors.torch import load_file

KILLER = """\
import os, signal
from pytorch_lightning.callbacks import Callback


class KillAt(Callback):
    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        if trainer.global_step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)
"""


class Killed(Exception):
    pass


@contextmanager
def killed(kind, when):
    """Kills the training of such a module before the step that `when(step, batch)` picks.

    Args:
        kind: The class of the module.
        when: Takes the number of the step, from 1, and its batch.
    """
    steps = 0

    def killer(module, batch, batch_idx):
        nonlocal steps
        steps += 1
        if when(steps, batch):
            raise Killed

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(kind, "on_train_batch_start", killer)
        yield
    torch.manual_seed(99)  # what the process did in between must not matter


def same(first, second, path=""):
    """Compares nested states bit by bit."""
    if isinstance(first, torch.Tensor):
        assert torch.equal(first, second), path
    elif isinstance(first, dict):
        assert first.keys() == second.keys(), path
        for key in first:
            # How often schedules were asked for is counted, but means nothing.
            if "scheduler_progress" not in str(key):
                same(first[key], second[key], f"{path}/{key}")
    elif isinstance(first, list | tuple):
        assert len(first) == len(second), path
        for place, (one, other) in enumerate(zip(first, second, strict=True)):
            same(one, other, f"{path}/{place}")
    else:
        assert first == second, path


def check_same_end(first, second):
    last = [torch.load(f / "checkpoints/last.ckpt", weights_only=True) for f in (first, second)]
    same(*last)
    weights = [load_file(folder / "model.safetensors") for folder in (first, second)]
    same(*weights)
