"""A run that was killed goes on as if nothing had happened: every bit of its end is the same."""

import os
import signal
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

from rnnlp.tasks.tagging.module import Tagging

from ..conftest import train

POINTS = "--checkpoint_steps=3"
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


@pytest.mark.parametrize(
    "settings",
    [
        ["--model.optimizer.schedule=plateau", "--model.optimizer.plateau_patience=0"],
        ["--model.optimizer.schedule=cosine", "--model.optimizer.warmup_steps=4",
         "--model.optimizer.name=sgd", "--trainer.val_check_interval=0.5"],
        ["--trainer.callbacks+=EMAWeightAveraging", "--trainer.callbacks.decay=0.8"],
        ["--trainer.accumulate_grad_batches=2"],
        ["--trainer.max_steps=20", "--data.num_workers=1"],
    ],
    ids=["plateau", "cosine", "averaged", "accumulated", "steps"],
)  # fmt: skip
def test_killed_and_resumed(corpus, tmp_path, monkeypatch, settings):
    whole = train(tmp_path / "whole", corpus, POINTS, *settings)
    steps = 0

    def killer(module, batch, batch_idx):
        nonlocal steps
        steps += 1
        if steps == 14:  # in the midst of the second of three epochs
            raise Killed

    monkeypatch.setattr(Tagging, "on_train_batch_start", killer)
    with pytest.raises(Killed):
        train(tmp_path / "killed", corpus, POINTS, *settings)
    monkeypatch.undo()
    assert not (tmp_path / "killed" / "config.json").exists()
    torch.manual_seed(99)  # what the process did in between must not matter
    train(tmp_path / "killed", corpus, POINTS, *settings, "--resume")
    check_same_end(whole, tmp_path / "killed")


def test_sigkill(corpus, tmp_path):
    whole = train(tmp_path / "whole", corpus, POINTS)
    (tmp_path / "killer.py").write_text(KILLER)
    killed = tmp_path / "killed"
    command = [
        sys.executable, "-m", "rnnlp", "fit", "--config", str(corpus / "tiny.yaml"),
        "--output", str(killed), POINTS,
        "--trainer.callbacks+=killer.KillAt", "--trainer.callbacks.step=13",
    ]  # fmt: skip
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert sorted(file.name for file in killed.iterdir()) == ["checkpoints", "logs"]
    train(killed, corpus, POINTS, "--resume")
    check_same_end(whole, killed)
    # The logs of both calls are kept.
    assert len(list((killed / "logs").iterdir())) in (1, 2)


def test_a_finished_run_goes_on_with_more_epochs(rnnlp, corpus, tmp_path):
    folder = train(tmp_path / "m", corpus, "--trainer.max_epochs=1")
    code, _, _ = rnnlp("fit", "--resume", "--output", folder, "--trainer.max_epochs=3")
    assert code == 0
    state = torch.load(folder / "checkpoints/last.ckpt", weights_only=True)
    assert state["epoch"] == 2
    assert "max_epochs: 3" in (folder / "config.yaml").read_text()


def test_other_data_is_not_resumed(rnnlp, corpus, tmp_path):
    folder = train(tmp_path / "m", corpus, "--trainer.max_epochs=1")
    before = (folder / "config.json").read_bytes()
    # One name more: everything has the same size, but the vocabulary is another.
    other = tmp_path / "other.conll"
    other.write_text((corpus / "train.conll").read_text().replace("Monday", "Mondey"))
    code, _, err = rnnlp("fit", "--resume", "--output", folder, "--data.train", other)
    assert code == 2 and "other training data" in err and err.count("\n") == 1
    assert (folder / "config.json").read_bytes() == before


def test_a_foreign_checkpoint_is_refused(rnnlp, corpus, tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "last.ckpt").write_bytes(b"not a checkpoint")
    code, _, err = rnnlp("fit", "--config", corpus / "tiny.yaml", "--output", tmp_path, "--resume")
    assert code == 2 and "last.ckpt: is not a checkpoint" in err
