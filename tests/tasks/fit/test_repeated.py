"""Several runs of one config: seeds and folds, with mean, spread, and out-of-fold answers."""

import json
from statistics import mean, stdev

import pytest

import rnnlp as package

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
