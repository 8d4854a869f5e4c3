"""Several runs of one config: seeds and folds, with mean, spread, and out-of-fold answers."""

import json
import os
import signal
from statistics import mean, stdev

import pytest
from safetensors.torch import load_file

import rnnlp as package
from rnnlp.tasks.tagging.module import Tagging

from ..conftest import train

SHORT = "--trainer.max_epochs=1"


def test_seeds(rnnlp, corpus, tmp_path):
    out = tmp_path / "m"
    settings = ["--config", corpus / "tiny.yaml", "--output", out, "--trainer.max_epochs=4"]
    code, said, err = rnnlp("fit", *settings, "--seeds", 2)
    assert code == 0 and f"rnnlp predict {out}/seed_* TEXT" in err
    scores = [json.loads((out / f"seed_{n}" / "metrics.json").read_text()) for n in (1, 2)]
    actual = json.loads((out / "runs.json").read_text())
    f1 = [one["validation"]["f1"] for one in scores]
    assert f1[0] != f1[1]  # weights and dropout are others
    assert actual["summary"]["validation f1"] == {"mean": mean(f1), "spread": stdev(f1)}
    lines = said.splitlines()
    assert lines[-1].startswith("mean ± spread")
    assert f"{mean(f1):.4f} ± {stdev(f1):.4f}" in lines[-1]
    # What is there already is not trained again.
    before = (out / "seed_1" / "model.safetensors").stat().st_mtime_ns
    code, _, err = rnnlp("fit", *settings, "--seeds", 3, "--resume")
    assert code == 0 and f"note: {out / 'seed_1'} is there already" in err
    assert (out / "seed_1" / "model.safetensors").stat().st_mtime_ns == before
    assert len(json.loads((out / "runs.json").read_text())["runs"]) == 3


def test_runs_of_other_settings_are_not_averaged_with_these(rnnlp, corpus, tmp_path):
    out = tmp_path / "m"
    settings = ["--config", corpus / "tiny.yaml", "--output", out, SHORT]
    assert rnnlp("fit", *settings, "--seeds", 2)[0] == 0
    before = (out / "runs.json").read_text()
    other = ["--model.encoder.hidden_size=20", "--seeds", 3, "--resume"]
    code, said, err = rnnlp("fit", *settings, *other)
    assert code == 2 and said == "" and (out / "runs.json").read_text() == before
    assert "seed_1" in err and "model.encoder.hidden_size was 16 and is now 20" in err
    # What a single run may change, all of them do.
    code, _, err = rnnlp("fit", *settings, "--trainer.max_epochs=2", "--seeds", 2, "--resume")
    assert code == 0 and err.count("note: trainer.max_epochs is 2 from here on, and was 1\n") == 2
    epochs = [
        json.loads((out / f"seed_{n}" / "metrics.json").read_text())["epochs"] for n in (1, 2)
    ]
    assert epochs == [2, 2]


def press(monkeypatch, step):
    """Sends Ctrl-C to this process before this training step of all runs."""
    steps = iter(range(1, 1000))

    def start(module, batch, batch_idx):
        if next(steps) == step:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Tagging, "on_train_batch_start", start)


def test_control_c_stops_the_series_and_resume_finishes_it(rnnlp, corpus, tmp_path, monkeypatch):
    def fit(folder, *more):
        settings = ["--config", corpus / "tiny.yaml", "--output", folder, "--seeds", 2]
        return rnnlp("fit", *settings, *more)

    press(monkeypatch, 3)
    code, _, err = fit(tmp_path / "cut")
    assert code == 130 and "go on with --resume" in err and "seed_2" not in err
    assert (tmp_path / "cut" / "seed_1" / "config.json").exists()  # a model it is
    monkeypatch.undo()
    # The second had hardly begun when the machine went down: there is no point to resume from.
    (tmp_path / "cut" / "seed_2" / "checkpoints").mkdir(parents=True)
    code, cut, err = fit(tmp_path / "cut", "--resume")
    assert code == 0 and "is there already" not in err
    code, whole, _ = fit(tmp_path / "whole")
    assert code == 0 and cut == whole
    for seed in ("seed_1", "seed_2"):
        first, second = (
            load_file(tmp_path / n / seed / "model.safetensors") for n in ("cut", "whole")
        )
        assert all(first[name].equal(second[name]) for name in first)
    assert fit(tmp_path / "cut", "--resume")[2].count("is there already") == 2


def test_no_answers_out_of_fold_are_lost(rnnlp, corpus, tmp_path, monkeypatch):
    def fit(folds, *more):
        config = ["--config", corpus / "tiny.yaml", "--output", out, SHORT]
        return rnnlp("fit", *config, "--data.validation=null", f"--data.folds={folds}", *more)

    out = tmp_path / "m"
    file = out / "out_of_fold.jsonl"
    press(monkeypatch, 3)
    assert fit(2)[0] == 130
    monkeypatch.undo()
    assert fit(2, "--resume")[0] == 0
    lines = file.read_text()
    assert lines.count("\n") == 120
    code, _, err = fit(3, "--resume")  # another cut of the same file
    assert code == 2 and "data.folds was 2 and is now 3" in err and file.read_text() == lines
    file.unlink()  # as if it had ended just before
    code, _, err = fit(2, "--resume")
    assert code == 0 and err.count("is there already") == 2 and file.read_text() == lines


def test_folds(rnnlp, tmp_path):
    rows = [("good", "a fine and merry film"), ("bad", "dull and long"), ("bad", "no good at all")]
    data = tmp_path / "train.jsonl"
    texts = [(label, f"{text} {number}") for number in range(6) for label, text in rows]
    data.write_text("".join(json.dumps({"text": t, "label": a}) + "\n" for a, t in texts))
    pipelines = package.fit(
        "sentiment",
        output=tmp_path / "m",
        data={"train": data, "folds": 3},
        model={"embedding": {"size": 8}, "encoder": {"hidden_size": 8}},
        trainer={"max_epochs": 1, "accelerator": "cpu"},
    )
    assert len(pipelines) == 3 and pipelines[0]("merry")["label"] in ("good", "bad")
    lines = [json.loads(line) for line in (tmp_path / "m" / "out_of_fold.jsonl").open()]
    assert sorted(line["line"] for line in lines) == list(range(1, 19))  # each once
    for line in lines:
        label, text = texts[line["line"] - 1]
        assert line["gold"] == [label] and "".join(line["tokens"]) == text.replace(" ", "")
        assert line["label"] == max(line["scores"], key=line["scores"].get)
    runs = json.loads((tmp_path / "m" / "runs.json").read_text())["runs"]
    right = sum(line["label"] == line["gold"][0] for line in lines)
    assert sum(6 * run["validation accuracy"] for run in runs.values()) == pytest.approx(right)


def test_folds_of_two_tasks(rnnlp, corpus, tmp_path):
    rows = [{"text": f"a film {'ab'[i % 2]} {i}", "label": "ab"[i % 2]} for i in range(20)]
    (tmp_path / "r.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    code, out, err = rnnlp(
        "fit", "--config", "joint", "--data.tagging.train", corpus / "train.conll",
        "--data.classification.train", tmp_path / "r.jsonl", "--data.folds", 2, SHORT,
        "--model.encoder.hidden_size=8", "--output", tmp_path / "m",
    )  # fmt: skip
    assert code == 0 and "answers out of fold are kept of models for one task only" in err
    assert out.splitlines()[-1].startswith("mean ± spread")
    assert not (tmp_path / "m" / "out_of_fold.jsonl").exists()
    _, out, _ = rnnlp("check", tmp_path / "r.jsonl", "--model", tmp_path / "m")
    assert "labels judged by 2 models: 20" in out


def test_a_fold_of_its_own_and_tags(rnnlp, corpus, tmp_path):
    config = ["--config", corpus / "tiny.yaml", SHORT, "--data.validation=null"]
    code, _, err = rnnlp("fit", *config, "--output", tmp_path / "one", "--data.folds", 4,
                         "--data.fold", 2)  # fmt: skip
    assert code == 0 and "fold 2 of 4: " in err
    code, _, _ = rnnlp("fit", *config, "--output", tmp_path / "all", "--data.folds", 2)
    lines = [json.loads(line) for line in (tmp_path / "all" / "out_of_fold.jsonl").open()]
    assert code == 0 and len(lines) == 120
    assert all(len(line["tags"]) == len(line["tokens"]) for line in lines)


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (["--seeds", "1"], "--seeds is 1: give 2 or more"),
        (["--seeds", "2", "--data.folds", "2"], "--seeds and data.folds are both given"),
        (["--seeds", "2", "--trainer.devices", "2"], "in one process each"),
        (["--data.folds", "1"], "data.folds is 1"),
        (["--data.folds", "many"], "data.folds is 'many': give a number"),
        (["--data.folds", "3"], "there is validation data already"),
        (["--data.fold", "3"], "data.folds does not say of how many"),
        (["--data.folds=3", "--data.fold=4", "--data.validation=null"], "data.fold 4"),
        (["--data.folds=121", "--data.validation=null"], "lower data.folds"),
    ],
)
def test_what_cannot_be_repeated_is_said(rnnlp, corpus, tmp_path, settings, line):
    config = ["--config", corpus / "tiny.yaml", "--output", tmp_path / "m", SHORT]
    code, _, err = rnnlp("fit", *config, *settings)
    assert code == 2 and line in err.splitlines()[-1]


def test_a_model_is_not_buried_under_others(rnnlp, corpus, tmp_path):
    train(tmp_path / "m", corpus, SHORT)
    code, _, err = rnnlp("fit", "--config", corpus / "tiny.yaml", "--output", tmp_path / "m",
                         "--seeds", 2, "--overwrite")  # fmt: skip
    assert code == 2 and "take another --output" in err
