"""Runs that meet the world: busy folders, full disks, kills, links, and training that diverges."""

import errno
import json
import shutil

import pytest
import torch
from safetensors.torch import load_file

import rnnlp as package
from rnnlp.data.errors import InputError
from rnnlp.data.tagging.datamodule import TaggingData
from rnnlp.tasks.fit.checkpoints import ResumePoint
from rnnlp.tasks.model_folder.atomic import exclusive
from rnnlp.tasks.model_folder.folder import save_folder
from rnnlp.tasks.tagging.module import Tagging

from ..conftest import train

ONE = "--trainer.max_epochs=1"


def fit(rnnlp, corpus, folder, *settings):
    return rnnlp("fit", "--config", corpus / "tiny.yaml", "--output", folder, ONE, *settings)


def one_line(answer):
    code, out, err = answer
    assert code == 2 and out == "", err
    assert err.splitlines()[-1].startswith("rnnlp: ") and "Traceback" not in err
    return err


def test_a_folder_that_another_run_writes_to(rnnlp, corpus, tmp_path):
    folder = tmp_path / "m"
    with exclusive(folder):
        for settings in ([], ["--overwrite"]):
            assert "another run is writing" in one_line(fit(rnnlp, corpus, folder, *settings))
        assert list(folder.iterdir()) == []
        assert fit(rnnlp, corpus, folder, "--help")[0] == 0
    assert not folder.exists()  # nothing came of it
    assert fit(rnnlp, corpus, folder)[0] == 0


def test_nothing_is_left_of_a_run_that_does_not_begin(rnnlp, corpus, tmp_path):
    folder = tmp_path / "runs" / "m"
    one_line(fit(rnnlp, corpus, folder, "--data.train=nowhere.conll"))
    assert fit(rnnlp, corpus, folder, "--trainer.fast_dev_run=true")[0] == 0
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("place", ["file/m", "/proc/m"])
def test_a_folder_that_cannot_be_made(rnnlp, corpus, tmp_path, place, monkeypatch):
    monkeypatch.setattr(TaggingData, "prepare", None)  # said before any data is read
    (tmp_path / "file").touch()
    assert "cannot be made" in one_line(fit(rnnlp, corpus, tmp_path / place))


def test_a_full_disk(rnnlp, corpus, tmp_path, monkeypatch):
    save, calls = ResumePoint._save, []

    def full(self, *arguments):
        calls.append(1)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device", "x.ckpt")
        save(self, *arguments)

    monkeypatch.setattr(ResumePoint, "_save", full)
    err = one_line(fit(rnnlp, corpus, tmp_path / "m", "--checkpoint_steps=2"))
    assert "x.ckpt: cannot be written (No space left on device)" in err and "--resume" in err
    monkeypatch.undo()
    assert fit(rnnlp, corpus, tmp_path / "m", "--resume")[0] == 0


def test_leftovers_of_a_kill_go(rnnlp, corpus, tmp_path):
    folder = train(tmp_path / "m", corpus, ONE)
    for settings in (["--resume"], ["--overwrite"]):
        (folder / ".new-abc").mkdir()
        (folder / ".new-abc" / "model.safetensors").touch()
        (folder / "checkpoints" / ".last.ckpt.abc.part").touch()
        (folder / ".hidden").touch()
        assert fit(rnnlp, corpus, folder, *settings)[0] == 0
        hidden = [entry.name for entry in folder.rglob(".*")]
        assert hidden == [".hidden"]


def test_overwriting_never_follows_links(rnnlp, corpus, tmp_path):
    folder = train(tmp_path / "m", corpus, ONE)
    for name in ("checkpoints", "logs", "config.json"):
        kept = tmp_path / f"kept {name}"
        shutil.move(folder / name, kept)
        (folder / name).symlink_to(kept)
    before = sorted(entry.stat().st_mtime_ns for entry in tmp_path.glob("kept*/**/*"))
    config = (tmp_path / "kept config.json").read_bytes()
    assert fit(rnnlp, corpus, folder, "--overwrite", "--model.dropout=0.2")[0] == 0
    assert sorted(entry.stat().st_mtime_ns for entry in tmp_path.glob("kept*/**/*")) == before
    assert (tmp_path / "kept config.json").read_bytes() == config
    assert not any((folder / name).is_symlink() for name in ("checkpoints", "logs", "config.json"))


def test_diverging_at_once(rnnlp, corpus, tmp_path):
    err = one_line(fit(rnnlp, corpus, tmp_path / "m", "--model.optimizer.learning_rate=1e38"))
    assert "diverged" in err and "learning_rate" in err
    assert not (tmp_path / "m" / "config.json").exists()


def test_diverging_later_keeps_the_best_weights(rnnlp, corpus, tmp_path, monkeypatch):
    def diverge(module, batch, batch_idx):
        if module.current_epoch == 1:
            torch.nn.init.constant_(next(module.parameters()), float("nan"))

    monkeypatch.setattr(Tagging, "on_train_batch_start", diverge)
    folder = tmp_path / "m"
    code, out, err = fit(
        rnnlp, corpus, folder, "--trainer.max_epochs=5", "--checkpoint_steps=1",
        "--trainer.log_every_n_steps=50",
    )  # fmt: skip
    assert code == 0 and out.startswith("validation f1")
    assert "note: training diverged" in err and "best weights" in err
    assert json.loads((folder / "metrics.json").read_text())["best_epoch"] == 1
    package.load(folder)
    for weight in load_file(folder / "model.safetensors").values():
        assert weight.isfinite().all()
    state = torch.load(folder / "checkpoints/last.ckpt", weights_only=True)["state_dict"]
    assert all(weight.isfinite().all() for weight in state.values())


def test_scores_that_are_no_numbers_are_null(tmp_path):
    save_folder(
        tmp_path, task="tagging", model={}, weights={}, save_tokenizers=lambda folder: None,
        metrics={"a": {"b": [float("nan"), 1.5]}, "c": float("inf")}, training_config="", card="",
    )  # fmt: skip
    text = (tmp_path / "metrics.json").read_text()
    assert json.loads(text) == {"a": {"b": [None, 1.5]}, "c": None}


def test_a_lock_is_gone_with_an_error(tmp_path):
    with pytest.raises(RuntimeError), exclusive(tmp_path):
        raise RuntimeError
    with exclusive(tmp_path), pytest.raises(InputError), exclusive(tmp_path):
        pass
    assert tmp_path.exists()
