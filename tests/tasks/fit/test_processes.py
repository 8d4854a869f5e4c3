"""Two processes learn what one learns, count what one counts, and go on together or not at all."""

import csv
import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from rnnlp.data.datamodule.samplers import Share
from rnnlp.data.errors import InputError
from rnnlp.tasks.fit.config_files import find_configs, find_task
from rnnlp.tasks.fit.lightning_cli import FitRequest, build

from .killing import KILLER, check_same_end

TWO = ["--trainer.devices=2", "--trainer.accelerator=cpu"]
STILL = [  # nothing is drawn, so that batches may be dealt out in any way
    "--model.embedding.dropout=0", "--model.encoder.dropout=0", "--model.optimizer.name=sgd",
    "--model.embedding.word_dropout=0", "--model.optimizer.learning_rate=1",
    "--trainer.limit_train_batches=6", "--trainer.max_epochs=1",
]  # fmt: skip
TASKS = {
    "ner": ["--model.dropout=0"],
    "sentiment": ["--model.dropout=0"],
    "joint": ["--model.tagging.dropout=0", "--model.classification.dropout=0"],
    "translation": [
        "--model.decoder.dropout=0", "--model.decoder.embedding_dropout=0", "--data.bpe_dropout=0",
    ],
    "generation": ["--model.dropout=0", "--model.label_dropout=0", "--data.bptt=20"],
    "captions": ["--model.dropout=0", "--data.bptt=5"],
}  # fmt: skip


def budget(config, sentences):
    parts = ("tagging.", "classification.") if config == "joint" else ("",)
    return [
        f"--data.{part}{key}={value}"
        for part in parts
        for key, value in (("max_tokens", 1_000_000), ("max_sentences", sentences))
    ]


def fit(*arguments, code=0, path=""):
    """Trains in processes of their own: gives what they say on stderr."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([str(path), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, "-m", "rnnlp", "fit", *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done.stderr


def small_joint(corpus, folder):
    """Settings of files for both tasks: the samples have thousands of sentences."""
    rows = (f"Room {number} was {'not ' * (number % 2)}good\t{number % 2}" for number in range(120))
    (folder / "reviews.tsv").write_text("\n".join(["text\tlabel", *rows]) + "\n")
    return [
        *(f"--data.tagging.{split}={corpus / split}.conll" for split in ("train", "validation")),
        *(f"--data.classification.{s}={folder / 'reviews.tsv'}" for s in ("train", "validation")),
    ]


def validations(folder):
    with next(folder.glob("logs/*/metrics.csv")).open() as file:
        rows = [row for row in csv.DictReader(file) if row.get("validation_score")]
    return [
        {key: float(row[key]) for key in row if "validation" in key and row[key]} for row in rows
    ]


@pytest.mark.parametrize("config", ["captions", "joint"])
def test_two_processes_learn_what_one_learns(rnnlp, corpus, config, tmp_path):
    settings = ["--config", config, *STILL, *TASKS[config]]
    if config == "joint":
        settings += small_joint(corpus, tmp_path)
    assert rnnlp("fit", *settings, "--output", tmp_path / "one", *budget(config, 16))[0] == 0
    said = fit(*settings, "--output", tmp_path / "two", *budget(config, 8), *TWO)
    assert said.count("2 processes: each has") == said.count("; output ") == 1  # one speaks
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    for name, tensor in one.items():
        assert torch.allclose(tensor, two[name], atol=2e-5), name
    assert validations(tmp_path / "two") == [
        pytest.approx(row, rel=2e-3, abs=2e-3) for row in validations(tmp_path / "one")
    ]


@pytest.mark.parametrize("config", [name for name in TASKS if name != "joint"])
def test_weights_of_the_shares_add_up(config, tmp_path):
    # The loss of a batch is the weighted mean of those of its shares.
    def losses(rank, of):
        data.deal(Share(rank, of))
        batch = next(iter(data.train_dataloader()))
        loss = model.objective.loss(model.network, batch)
        return float(loss.detach()), model.objective.weight(batch)

    files = find_configs([config], task=None, resumed=None)
    request = FitRequest(
        task=find_task(files, task=None), configs=files, output=tmp_path, resume=False,
        overwrite=False, arguments=[*STILL, *TASKS[config], *budget(config, 24)],
    )  # fmt: skip
    command = build(request)
    model, data = command.model, command.datamodule
    model.network.eval()
    whole, weight = losses(0, 1)
    data.options = replace(data.options, max_sentences=8)
    shares = [losses(rank, 3) for rank in range(3)]
    assert sum(part for _, part in shares) == weight
    assert sum(loss * part for loss, part in shares) == pytest.approx(whole * weight, rel=1e-4)
    with pytest.raises(InputError, match="examples for train and 100000 processes"):
        data.deal(Share(0, 100_000))


def test_one_is_killed_and_all_is_resumed(rnnlp, corpus, tmp_path):
    only = KILLER.replace("== self.step:", "== self.step and trainer.global_rank == 1:")
    (tmp_path / "killer.py").write_text(only)
    settings = ["--config", corpus / "tiny.yaml", "--checkpoint_steps=3", *TWO]
    settings += ["--data.max_sentences=6", "--trainer.max_epochs=2"]
    fit(*settings, "--output", tmp_path / "whole")
    # The best weights are scored once more, by one process: what two have counted is the same.
    scores = json.loads((tmp_path / "whole" / "metrics.json").read_text())["validation"]
    best = max(row["validation_score"] for row in validations(tmp_path / "whole"))
    assert best == pytest.approx(scores["f1"], abs=1e-7)
    kill = ["--trainer.callbacks+=killer.KillAt", "--trainer.callbacks.step=13"]
    said = fit(*settings, "--output", tmp_path / "m", *kill, code=2, path=tmp_path)
    assert said.splitlines()[-1] == (
        "rnnlp: another process of this training has ended: go on with --resume"
    )
    fit(*settings, "--output", tmp_path / "m", "--resume")
    check_same_end(tmp_path / "whole", tmp_path / "m")
    code, _, err = rnnlp("fit", "--output", tmp_path / "m", "--resume", "--trainer.devices=1")
    assert code == 2 and "the number of processes changed" in err


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (["--trainer.strategy=ddp_spawn", *TWO], "'ddp_spawn' is not one that rnnlp trains with"),
        (["--trainer.devices=1000", "--trainer.accelerator=cpu"], "trainer.devices is 1,000"),
        (["--data.num_workers=1000"], "data.num_workers is 1,000: give 1 to"),
        (["--trainer.devices=2", "--trainer.accelerator=gpu"], "gpu"),
    ],
)
def test_what_cannot_be_dealt_out_is_said(rnnlp, corpus, tmp_path, settings, line):
    code, _, err = rnnlp(
        "fit", "--config", corpus / "tiny.yaml", "--output", tmp_path / "m", *settings
    )
    assert code == 2 and line in err and err.count("\n") == 1
    assert not (tmp_path / "m").exists()
