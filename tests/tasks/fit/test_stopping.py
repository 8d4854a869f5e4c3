"""Runs that end early: by time, by Ctrl-C, by early stopping. Each leaves a usable model."""

import os
import signal

import pytest
import torch
from safetensors.torch import load_file

import rnnlp as package
from rnnlp.tasks.fit.checkpoints import KeepBest
from rnnlp.tasks.tagging.module import Tagging

from ..conftest import train

ENDLESS = "--trainer.max_epochs=100000"


def press(monkeypatch, *steps):
    """Sends Ctrl-C to this process before these training steps."""
    taken = 0

    def start(module, batch, batch_idx):
        nonlocal taken
        taken += 1
        if taken in steps:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Tagging, "on_train_batch_start", start)


def fit(rnnlp, corpus, folder, *settings):
    return rnnlp("fit", "--config", corpus / "tiny.yaml", "--output", folder, *settings)


def test_time_limit(rnnlp, corpus, tmp_path):
    code, out, _ = fit(rnnlp, corpus, tmp_path / "m", ENDLESS, "--trainer.max_time=00:00:00:01")
    assert code == 0 and out.startswith("validation f1")
    assert package.load(tmp_path / "m")("Rome.")["text"] == "Rome."
    # The limit counts for each call: a resumed run has its time again, and goes on.
    before = torch.load(tmp_path / "m/checkpoints/last.ckpt", weights_only=True)["global_step"]
    code, _, _ = fit(
        rnnlp, corpus, tmp_path / "m", ENDLESS, "--trainer.max_time=00:00:00:01", "--resume"
    )
    after = torch.load(tmp_path / "m/checkpoints/last.ckpt", weights_only=True)["global_step"]
    assert code == 0 and after > before > 0


def test_control_c_ends_with_a_model(rnnlp, corpus, tmp_path, monkeypatch):
    handler = signal.getsignal(signal.SIGINT)
    press(monkeypatch, 3)
    code, out, _ = fit(rnnlp, corpus, tmp_path / "m", ENDLESS, "--trainer.min_epochs=5")
    assert code == 0 and out.startswith("validation f1")
    package.load(tmp_path / "m")("Rome.")
    assert signal.getsignal(signal.SIGINT) is handler
    # It stopped in mid-epoch, and goes on from just there.
    state = torch.load(tmp_path / "m/checkpoints/last.ckpt", weights_only=True)
    assert state["global_step"] == 3
    whole = train(tmp_path / "whole", corpus)
    monkeypatch.undo()
    train(tmp_path / "m", corpus, "--resume")
    ends = [load_file(folder / "model.safetensors") for folder in (whole, tmp_path / "m")]
    assert all(ends[0][name].equal(ends[1][name]) for name in ends[0])


def test_control_c_twice_stops_at_once(rnnlp, corpus, tmp_path, monkeypatch):
    def start(module, batch, batch_idx):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Tagging, "on_train_batch_start", start)
    handler = signal.getsignal(signal.SIGINT)
    code, out, err = fit(rnnlp, corpus, tmp_path / "m", ENDLESS)
    signal.signal(signal.SIGINT, handler)  # Lightning leaves it ignored on this way out
    assert code == 130 and out == "" and "Traceback" not in err
    assert not (tmp_path / "m" / "config.json").exists()


def test_early_stopping_keeps_the_best(rnnlp, corpus, tmp_path, monkeypatch):
    scores = iter([0.5, 0.75, 0.625, 0.25, 0.125])
    kept = []

    def score(module):
        module.log("validation_score", next(scores))

    keep = KeepBest.on_validation_end

    def watch(self, trainer, module):
        kept.append({name: tensor.clone() for name, tensor in self.weights().items()})
        keep(self, trainer, module)

    monkeypatch.setattr(Tagging, "on_validation_epoch_end", score)
    monkeypatch.setattr(KeepBest, "on_validation_end", watch)
    stop = ("--early_stopping.patience=2", "--early_stopping.min_steps=0")
    code, _, _ = fit(rnnlp, corpus, tmp_path / "m", ENDLESS, *stop)
    assert code == 0 and len(kept) == 4  # the best one, and two that were not better
    weights = load_file(tmp_path / "m" / "model.safetensors")
    assert all(weights[name].equal(kept[1][name]) for name in weights)


def test_averaged_weights_are_what_is_validated_and_kept(corpus, tmp_path, monkeypatch):
    """Three sets of weights in one validation: the raw ones, the averaged ones, the kept ones."""
    validated, raw = [], []

    def copy(module):
        return {name: tensor.clone() for name, tensor in module.network.state_dict().items()}

    step = Tagging.validation_step

    def watch(module, batch, batch_idx):
        validated.append(copy(module))
        step(module, batch, batch_idx)

    monkeypatch.setattr(Tagging, "validation_step", watch)
    monkeypatch.setattr(Tagging, "on_train_batch_end", lambda m, *_: raw.append(copy(m)))
    folder = train(
        tmp_path / "m", corpus, "--trainer.max_epochs=1",
        "--trainer.callbacks+=ExponentialMovingAverage", "--trainer.callbacks.decay=0.5",
    )  # fmt: skip
    weights = load_file(folder / "model.safetensors")
    assert all(weights[name].equal(validated[-1][name]) for name in weights)
    name = "projection.weight"
    expected = raw[0][name].clone()
    for number, following in enumerate(raw[1:], 1):
        share = min(0.5, (1 + number) / (10 + number))  # it follows more closely at first
        expected.mul_(share).add_(following[name], alpha=1 - share)
    torch.testing.assert_close(weights[name], expected)
    assert not weights[name].equal(raw[-1][name])


def test_dry_run_writes_nothing(rnnlp, corpus, tmp_path):
    code, out, err = fit(rnnlp, corpus, tmp_path / "m", "--trainer.fast_dev_run=true")
    assert (code, out) == (0, "") and "nothing was written" in err
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("rows", [1, 2])
def test_tiny_corpora_train(rnnlp, corpus, tmp_path, rows):
    file = tmp_path / "small.conll"
    file.write_text("Ann B-PER\nran O\n\n" * rows)
    code, _, _ = fit(rnnlp, corpus, tmp_path / "m", "--data.train", file, "--data.validation", file)
    assert code == 0
    package.load(tmp_path / "m")("Ann ran")


@pytest.mark.parametrize(
    ("precision", "fused"),
    [("32-true", True), ("bf16-mixed", False), ("bf16-true", True), ("64-true", True)],
)
def test_clipped_gradients_in_every_precision(
    rnnlp, corpus, tmp_path, monkeypatch, precision, fused
):
    made = []
    build = Tagging.configure_optimizers
    monkeypatch.setattr(
        Tagging, "configure_optimizers", lambda module: made.append(build(module)) or made[-1]
    )
    steps = ("--trainer.max_steps=2", "--trainer.gradient_clip_val=0.5")
    code, _, err = fit(rnnlp, corpus, tmp_path / "m", f"--trainer.precision={precision}", *steps)
    assert code == 0, err
    optimizer = made[0]["optimizer"] if isinstance(made[0], dict) else made[0]
    assert bool(optimizer.defaults["fused"]) is fused
    weights = load_file(tmp_path / "m" / "model.safetensors")
    assert {weight.dtype for weight in weights.values()} == {torch.float32}


def watched(monkeypatch, scores, losses):
    """Lets validation log these scores and losses, and gives the epochs that were best."""
    values, best = iter(zip(scores, losses, strict=True)), []

    def log(module):
        score, loss = next(values)
        module.log("validation_score", float(score))
        module.log("validation_loss", float(loss))

    keep = KeepBest.on_validation_end

    def watch(self, trainer, module):
        keep(self, trainer, module)
        best.append(self.epoch)

    monkeypatch.setattr(Tagging, "on_validation_epoch_end", log)
    monkeypatch.setattr(Tagging, "validation_step", lambda *_: None)
    monkeypatch.setattr(KeepBest, "on_validation_end", watch)
    return best


def test_the_loss_decides_while_the_score_cannot_move(rnnlp, corpus, tmp_path, monkeypatch):
    best = watched(monkeypatch, [0, 0, 0, 0.1, 0, 0.05], [3, 2, 2.5, 2.2, 1, 0.5])
    code, _, err = fit(rnnlp, corpus, tmp_path / "m", "--trainer.max_epochs=6")
    assert code == 0 and best == [0, 1, 1, 3, 3, 3], err


def test_patience_counts_no_fewer_steps_than_said(rnnlp, corpus, tmp_path, monkeypatch):
    best = watched(monkeypatch, [0.5] + [0.4] * 99, range(100))
    stop = ("--early_stopping.patience=1", "--early_stopping.min_steps=40")
    code, _, _ = fit(rnnlp, corpus, tmp_path / "m", ENDLESS, *stop)
    steps = torch.load(tmp_path / "m/checkpoints/last.ckpt", weights_only=True)["global_step"]
    assert code == 0 and 40 <= steps < 40 + 2 * steps / len(best)


def test_early_stopping_can_be_switched_off(rnnlp, corpus, tmp_path, monkeypatch):
    best = watched(monkeypatch, [0.5] + [0.4] * 14, range(15))
    off = ("--early_stopping=null", "--trainer.max_epochs=15")
    code, _, err = fit(rnnlp, corpus, tmp_path / "m", *off)
    assert code == 0 and len(best) == 15, err


def test_what_early_stopping_does_not_have_is_refused_before_training(rnnlp, corpus, tmp_path):
    config = tmp_path / "a.yaml"
    config.write_text("task: tagging\nearly_stopping: {monitor: f1}\n")
    code, _, err = rnnlp("fit", "--config", config, "--output", tmp_path / "m")
    assert code == 2 and err.count("\n") == 1 and "no key early_stopping.monitor" in err, err


def test_a_shipped_config_has_its_steps_on_little_data(rnnlp, corpus, tmp_path, monkeypatch):
    watched(monkeypatch, [0.5] * 400, range(400))
    rows = (corpus / "train.conll").read_text().split("\n\n")[:40]
    (tmp_path / "small.conll").write_text("\n\n".join(rows) + "\n")
    small = (
        *("fit", "--config", "ner", "--data.train", tmp_path / "small.conll"),
        *("--data.validation", tmp_path / "small.conll", "--early_stopping.min_steps", 60),
        *("--model.encoder.hidden_size", 8, "--model.embedding.characters", "none"),
    )
    code, _, err = rnnlp(*small, "--output", tmp_path / "m")
    assert code == 0 and "trainer.max_epochs is 30, not " in err, err
    code, _, err = rnnlp(*small, "--output", tmp_path / "n", "--trainer.max_epochs", 2)
    assert code == 0 and "trainer.max_epochs is" not in err


def test_a_model_that_learned_nothing_is_told(rnnlp, corpus, tmp_path, monkeypatch):
    watched(monkeypatch, [0.0], [1.0])
    code, _, err = fit(rnnlp, corpus, tmp_path / "m", "--trainer.max_epochs=1")
    assert code == 0 and "the best validation_score is 0.0000, no more than without learning" in err
