"""A run that was killed goes on as if nothing had happened: every bit of its end is the same."""

import os
import shutil
import signal
import subprocess
import sys

import pytest
import torch
import yaml

from rnnlp.data.errors import InputError
from rnnlp.tasks.fit.checkpoints import scale_learning_rate
from rnnlp.tasks.fit.resume import read_state
from rnnlp.tasks.tagging.module import Tagging

from ..conftest import train
from .killing import KILLER, check_same_end, killed

POINTS = "--checkpoint_steps=3"


@pytest.mark.parametrize(
    "settings",
    [
        ["--model.optimizer.schedule=plateau", "--model.optimizer.plateau_patience=0"],
        ["--model.optimizer.schedule=cosine", "--model.optimizer.warmup_steps=4",
         "--model.optimizer.name=sgd", "--trainer.val_check_interval=0.5"],
        ["--trainer.callbacks+=ExponentialMovingAverage", "--trainer.callbacks.decay=0.8"],
        ["--trainer.accumulate_grad_batches=2",
         "--model.optimizer.schedule=torch.optim.lr_scheduler.StepLR",
         "--model.optimizer.schedule_options.step_size=1"],
        ["--trainer.max_steps=20", "--data.num_workers=1"],
    ],
    ids=["plateau", "cosine", "averaged", "accumulated_and_own_schedule", "steps"],
)  # fmt: skip
def test_killed_and_resumed(corpus, tmp_path, settings):
    whole = train(tmp_path / "whole", corpus, POINTS, *settings)
    # In the midst of the second of three epochs.
    with killed(Tagging, lambda step, batch: step == 14):
        train(tmp_path / "killed", corpus, POINTS, *settings)
    assert not (tmp_path / "killed" / "config.json").exists()
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


@pytest.fixture(scope="module")
def finished(tmp_path_factory, corpus):
    """A folder with a run of one epoch, never changed: tests work on copies."""
    folder = tmp_path_factory.mktemp("finished") / "m"
    return train(folder, corpus, "--trainer.max_epochs=1", "--early_stopping.patience=4")


@pytest.fixture
def run(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "m")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("seed_everything", "9"),
        ("data.max_tokens", "300"),
        ("data.seed", "2"),
        ("model.optimizer.name", "sgd"),
        ("model.optimizer.schedule", "cosine"),
        ("model.optimizer.weight_decay", "0.1"),
        ("model.dropout", "0.2"),
        ("model.encoder.hidden_size", "8"),
    ],
)
def test_settings_that_a_run_keeps_are_refused_by_name(rnnlp, run, setting, value):
    before = (run / "checkpoints/config.yaml").read_bytes()
    code, _, err = rnnlp("fit", "--resume", "--output", run, f"--{setting}={value}")
    assert code == 2 and f"{setting} was " in err and value in err and err.count("\n") == 1
    assert (run / "checkpoints/config.yaml").read_bytes() == before


def test_settings_that_may_change_do(rnnlp, run):
    code, _, err = rnnlp(
        "fit", "--resume", "--output", run, "--trainer.max_epochs=2", "--early_stopping.patience=7",
        "--model.optimizer.learning_rate=0.003",
    )  # fmt: skip
    assert code == 0
    for name, now, then in (
        ("trainer.max_epochs", 2, 1),
        ("early_stopping.patience", 7, 4),
        ("model.optimizer.learning_rate", 0.003, 0.03),
    ):
        assert f"note: {name} is {now} from here on, and was {then}\n" in err
    state = torch.load(run / "checkpoints/last.ckpt", weights_only=True)
    rates = [group["lr"] for group in state["optimizer_states"][0]["param_groups"]]
    assert rates == pytest.approx([0.003] * len(rates))
    assert state["epoch"] == 1


def test_a_new_learning_rate_scales_the_schedule():
    layer = torch.nn.Linear(1, 1)

    def made(rate):
        optimizer = torch.optim.SGD(layer.parameters(), lr=rate)
        return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: 1 / (n + 1))

    states = []
    for rate in (0.5, 2.0):
        optimizer, schedule = made(rate)
        for _ in range(3):
            optimizer.step()
            schedule.step()
        states.append(
            {"optimizer_states": [optimizer.state_dict()], "lr_schedulers": [schedule.state_dict()]}
        )
    scale_learning_rate(states[0], 4.0)
    assert states[0] == states[1]


def test_more_epochs_move_a_schedule(rnnlp, corpus, tmp_path):
    folder = train(
        tmp_path / "m", corpus, "--trainer.max_epochs=1", "--model.optimizer.schedule=linear"
    )
    code, _, err = rnnlp("fit", "--resume", "--output", folder, "--trainer.max_epochs=2")
    assert code == 0 and "note: the linear schedule now ends elsewhere" in err


@pytest.mark.parametrize("split", ["train", "validation"])
def test_other_examples_of_the_same_words_are_not_resumed(rnnlp, corpus, run, tmp_path, split):
    file = corpus / f"{split}.conll"
    copy = tmp_path / "copy.conll"
    copy.write_text(file.read_text())
    assert rnnlp("fit", "--resume", "--output", run, f"--data.{split}={copy}")[0] == 0
    sentences = file.read_text().strip().split("\n\n")
    copy.write_text("\n\n".join([*sentences[1:], sentences[0]]) + "\n")  # another order
    code, _, err = rnnlp("fit", "--resume", "--output", run, f"--data.{split}={copy}")
    assert code == 2 and f"(data.{split} changed)" in err


def test_a_flipped_bit_is_noticed(finished, tmp_path):
    whole = (finished / "checkpoints/last.ckpt").read_bytes()
    state = read_state(finished / "checkpoints/last.ckpt")
    refused = 0
    for place in range(100, len(whole), len(whole) // 40):
        damaged = bytearray(whole)
        damaged[place] ^= 4
        (tmp_path / "last.ckpt").write_bytes(damaged)
        try:
            assert read_state(tmp_path / "last.ckpt") == state  # where nothing depends on the bit
        except InputError:
            refused += 1
    assert refused > 20
    (tmp_path / "last.ckpt").write_bytes(whole[:-200])
    with pytest.raises(InputError, match="damaged"):
        read_state(tmp_path / "last.ckpt")


@pytest.mark.parametrize(
    "change",
    [
        {"trainer": {"callbacks": [{"class_path": "evil.Boom"}]}},
        {"trainer": {"callbacks": "evil.Boom"}},
        {"trainer": {"logger": {"class_path": "evil.Boom", "init_args": {}}}},
        {"trainer": {"strategy": "evil.Boom"}},
        {"model": {"encoder": {"cell": "evil.Boom"}}},
        {"data": {"reader": {"class_path": "evil.Boom"}}},
        {
            "trainer": {
                "callbacks": [
                    {
                        "class_path": "pytorch_lightning.callbacks.LambdaCallback",
                        "init_args": {"setup": "evil.boom"},
                    }
                ]
            }
        },
    ],
)
def test_a_folder_names_no_code(rnnlp, run, tmp_path, monkeypatch, change):
    (tmp_path / "evil.py").write_text("def boom(): pass\nclass Boom: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    file = run / "checkpoints/config.yaml"
    content = yaml.safe_load(file.read_text())
    for section, values in change.items():
        content[section].update(values)
    file.write_text(yaml.safe_dump(content))
    code, _, err = rnnlp("fit", "--resume", "--output", run)
    assert code == 2 and "would be imported" in err and "evil" in err and err.count("\n") == 1
    assert "evil" not in sys.modules


def test_data_that_is_gone_is_said_to_be_gone(rnnlp, run):
    code, _, err = rnnlp("fit", "--resume", "--output", run, "--data.train=gone.conll")
    assert code == 2 and "gone.conll" in err and "imported" not in err
    file = run / "checkpoints/config.yaml"
    content = yaml.safe_load(file.read_text())
    content["data"]["train"] = "gone.conll"
    file.write_text(yaml.safe_dump(content))
    code, _, err = rnnlp("fit", "--resume", "--output", run)
    assert code == 2 and "gone.conll" in err and "imported" not in err
