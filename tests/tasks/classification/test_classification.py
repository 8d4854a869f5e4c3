"""Classifiers from fit to predict, as a user drives them."""

import json
from itertools import islice

import pytest
import torch

import rnnlp as package
from rnnlp.data.classification.sample import sample_classification
from rnnlp.models.layers.ngrams import common_ngrams
from rnnlp.tasks.classification.module import Classification
from rnnlp.tasks.cli import main as cli

from ..fit.killing import check_same_end, killed

TEXTS = ["A fine film.", "", "So dull<br />dull, dull 李明 and 42!", "fine " * 40, "\u3000"]

CONFIG = """\
task: classification
data: {{train: {0}/train.jsonl, validation: {0}/validation.jsonl, max_tokens: 500}}
model:
  embedding: {{size: 24, dropout: 0.1, word_dropout: 0.05}}
  encoder: {{hidden_size: 24}}
  pooling: [max, attention]
  attention_size: 8
  dropout: 0.2
  optimizer: {{learning_rate: 0.01}}
trainer: {{max_epochs: 6, log_every_n_steps: 1, enable_progress_bar: false, accelerator: cpu}}
"""


def write(path, examples):
    rows = [json.dumps({"text": e.text, "label": e.labels[0]}) + "\n" for e in examples]
    path.write_text("".join(rows), encoding="utf-8")


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reviews")
    for split, count in (("train", 600), ("validation", 120), ("test", 100)):
        write(folder / f"{split}.jsonl", islice(sample_classification("english", split), count))
    (folder / "tiny.yaml").write_text(CONFIG.format(folder))
    return folder


@pytest.fixture(scope="module")
def model(reviews):
    arguments = ["fit", "--config", reviews / "tiny.yaml", "--output", reviews / "model"]
    assert cli.run([str(argument) for argument in arguments]) == 0
    return reviews / "model"


def test_the_folder_is_complete(model):
    names = {file.name for file in model.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "metrics.json", "config.yaml",
            "README.md", "curves.png", "confusion.png"} <= names  # fmt: skip
    metrics = json.loads((model / "metrics.json").read_text())
    validation = metrics["validation"]
    assert validation["accuracy"] > 0.7
    assert validation["temperature"] != 1.0
    assert {"macro_f1", "ece", "auroc", "per_class", "confusion"} <= validation.keys()
    assert float(package.load(model).network.temperature) == pytest.approx(
        validation["temperature"], abs=1e-4
    )
    card = (model / "README.md").read_text()
    assert "text-classification" in card
    assert "max and attention pooling" in card
    assert (model / "confusion.png").read_bytes().startswith(b"\x89PNG")


def test_evaluate(rnnlp, reviews, model):
    code, out, _ = rnnlp("evaluate", model, reviews / "test.jsonl", "--json")
    assert code == 0
    actual = json.loads(out)
    keys = {"accuracy", "macro_f1", "ece", "auroc", "examples", "seconds", "tokens_per_second"}
    assert keys <= actual.keys()
    assert actual["examples"] == 100
    pipeline = package.load(model)
    rows = [json.loads(line) for line in (reviews / "test.jsonl").open()]
    answers = pipeline([row["text"] for row in rows])
    right = [a["label"] == row["label"] for a, row in zip(answers, rows, strict=True)]
    assert actual["accuracy"] == pytest.approx(sum(right) / 100)
    code, out, _ = rnnlp("evaluate", model, reviews / "test.jsonl")
    assert "accuracy" in out and "positive" in out and "policy: accuracy" in out


def test_validation_scores_are_those_of_evaluate(rnnlp, reviews, model):
    _, out, _ = rnnlp("evaluate", model, reviews / "validation.jsonl", "--json")
    stored = json.loads((model / "metrics.json").read_text())["validation"]
    actual = json.loads(out)
    for name in ("accuracy", "macro_f1", "auroc"):
        assert actual[name] == pytest.approx(stored[name], abs=1e-6)
    # Calibration is measured on the half of the validation split that it was not fitted on.
    rows = (reviews / "validation.jsonl").read_text().splitlines(keepends=True)
    (reviews / "odd.jsonl").write_text("".join(rows[1::2]))
    _, out, _ = rnnlp("evaluate", model, reviews / "odd.jsonl", "--json")
    assert json.loads(out)["ece"] == pytest.approx(stored["ece"], abs=1e-6)


def test_predict_and_explain(rnnlp, model):
    code, out, _ = rnnlp("predict", model, "--explain", *TEXTS)
    assert code == 0
    answers = [json.loads(line) for line in out.splitlines()]
    assert [answer["text"] for answer in answers] == TEXTS
    for answer in answers:
        assert set(answer) == {"text", "label", "score", "scores", "tokens"}
        assert answer["score"] == max(answer["scores"].values())
        assert sum(answer["scores"].values()) == pytest.approx(1.0, abs=1e-3)
        for token in answer["tokens"]:
            assert answer["text"][token["start"] : token["end"]] == token["word"]
        if answer["tokens"]:
            weights = [token["weight"] for token in answer["tokens"]]
            assert sum(weights) == pytest.approx(1.0, abs=0.01)
    assert "tokens" not in package.load(model)("a")


def test_answers_of_a_low_score_are_held_back(rnnlp, reviews, model):
    pipeline = package.load(model)
    answers = pipeline(TEXTS)
    least = sorted(answer["score"] for answer in answers)[len(answers) // 2] - 1e-4
    code, out, _ = rnnlp("predict", model, "--min_score", least, *TEXTS)
    assert code == 0
    for answer, held in zip(answers, map(json.loads, out.splitlines()), strict=True):
        label = answer["label"] if answer["score"] >= least else None
        assert held == {**answer, "label": label}
    code, _, err = rnnlp("predict", model, "--min_score", "60", "a")
    assert code == 2 and "--min_score" in err
    # What evaluate says of a threshold is what predict does with it.
    _, out, _ = rnnlp("evaluate", model, reviews / "validation.jsonl", "--json")
    rows = {row["min_score"]: row for row in json.loads(out)["risk_coverage"]}
    examples = [json.loads(line) for line in (reviews / "validation.jsonl").open()]
    held = pipeline([example["text"] for example in examples], min_score=0.9)
    labels = [
        (answer["label"], example["label"]) for answer, example in zip(held, examples, strict=True)
    ]
    answered = [(label, gold) for label, gold in labels if label is not None]
    assert rows[0.0]["coverage"] == 1.0
    assert rows[0.9]["coverage"] == pytest.approx(len(answered) / len(labels))
    right = sum(label == gold for label, gold in answered)
    assert rows[0.9]["accuracy"] == pytest.approx(right / len(answered))
    _, out, _ = rnnlp("evaluate", model, reviews / "validation.jsonl")
    assert "predict --min_score" in out


def test_neither_order_nor_company_changes_an_answer(model):
    pipeline = package.load(model)
    together = pipeline(TEXTS * 3)
    assert together == [pipeline(text) for text in TEXTS] * 3
    assert pipeline(TEXTS[::-1]) == together[: len(TEXTS)][::-1]


def test_encoder_for_other_uses(model):
    encoder = package.load_encoder(model)
    out = encoder(["A fine film.", "dull"])
    assert out.states.shape == (2, 4, encoder.output_size)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "{m}", "{d}/none.csv"], "none.csv: no such file"),
        (["evaluate", "{m}", "{d}/test.jsonl", "--tag_column", "2"], "--tag_column is for tagging"),
        (["evaluate", "{m}", "{d}/test.jsonl", "--label_column", "x"], "test.jsonl:1: no key 'x'"),
        (["fit", "--config", "{d}/tiny.yaml", "--model.pooling=[]", "--output", "{d}/x"],
         "model.pooling is"),
        (["fit", "--config", "{d}/tiny.yaml", "--data.max_length=9", "--output", "{d}/x"],
         "data.max_length cannot be set, it follows from model.max_length"),
    ],
)  # fmt: skip
def test_mistakes(rnnlp, reviews, model, arguments, message):
    code, _, err = rnnlp(*(part.format(m=model, d=reviews) for part in arguments))
    assert code == 2
    assert message in err
    assert err.strip().count("\n") == 0 or err.startswith("note")


@pytest.mark.parametrize("recurrent", [True, False])
def test_ngrams_beside_the_rest_or_alone(rnnlp, reviews, tmp_path, recurrent):
    averaging = '[{"class_path": "ExponentialMovingAverage", "init_args": {"decay": 0.9}}]'
    code, _, err = rnnlp(
        "fit", "--config", reviews / "tiny.yaml", "--output", tmp_path / "m", "--model.ngrams=3",
        f"--model.recurrent={recurrent}", "--trainer.max_epochs=4",
        f"--trainer.callbacks={averaging}",
    )  # fmt: skip
    assert code == 0, err
    assert json.loads((tmp_path / "m" / "metrics.json").read_text())["validation"]["accuracy"] > 0.6
    assert "n-grams of up to 3 tokens" in (tmp_path / "m" / "README.md").read_text()
    pipeline = package.load(tmp_path / "m")
    assert (pipeline.network.ngrams.table.weight[1:] != 0).any()
    texts = [json.loads(line)["text"] for line in (reviews / "train.jsonl").open()]
    ids = [pipeline.featurizer.encode(text)[0].tokens for text in texts]
    assert torch.equal(pipeline.network.ngrams.hashes, common_ngrams(ids, 3))
    answers = pipeline(TEXTS)
    pipeline.save(tmp_path / "again")
    assert package.load(tmp_path / "again")(TEXTS) == answers
    code, _, err = rnnlp("export", tmp_path / "m", "--output", tmp_path / "onnx", "--int8")
    assert code == 0, err
    for actual, wanted in zip(package.load(tmp_path / "onnx")(TEXTS), answers, strict=True):
        assert actual["scores"] == pytest.approx(wanted["scores"], abs=0.05)
    if recurrent:
        return
    (tmp_path / "t.txt").write_text("a\n")
    encode = (
        "encode",
        tmp_path / "m",
        "--input",
        tmp_path / "t.txt",
        "--output",
        tmp_path / "v.npy",
    )
    for command in (
        encode,
        ("fit", "--config", reviews / "tiny.yaml", "--model.encoder_from", tmp_path / "m",
         "--output", tmp_path / "n"),
    ):  # fmt: skip
        code, _, err = rnnlp(*command)
        assert code == 2 and "linear model on n-grams: it has no encoder" in err


def test_wrong_ngrams_are_refused(rnnlp, reviews, tmp_path):
    for value in ("0", "9"):
        code, _, err = rnnlp(
            "fit", "--config", reviews / "tiny.yaml", "--output", tmp_path / "m",
            f"--model.ngrams={value}",
        )  # fmt: skip
        assert code == 2 and f"model.ngrams is {value}: give the tokens" in err


def test_killed_and_resumed(rnnlp, reviews, tmp_path):
    settings = [
        "--checkpoint_steps=3", "--trainer.max_epochs=2", "--data.max_tokens=1500",
        "--trainer.callbacks+=ExponentialMovingAverage", "--trainer.callbacks.decay=0.8",
    ]  # fmt: skip
    fit = ["fit", "--config", reviews / "tiny.yaml", *settings, "--output"]
    assert rnnlp(*fit, tmp_path / "whole")[0] == 0
    with killed(Classification, lambda step, batch: step == 14):
        cli.run([str(part) for part in (*fit, tmp_path / "killed")])
    assert rnnlp(*fit, tmp_path / "killed", "--resume")[0] == 0
    check_same_end(tmp_path / "whole", tmp_path / "killed")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("{worse: 3}", "names 'worse', and the labels are "),
        ("{positive: 0}", "of 'positive' is 0.0: it must be above 0"),
        ("{positive: -1}", "it must be above 0"),
        ("{positive: .nan}", "it must be above 0"),
        ("heavy", "class_weights"),
    ],
)
def test_weights_that_cannot_be(rnnlp, reviews, tmp_path, value, words):
    code, _, err = rnnlp(
        "fit", "--config", reviews / "tiny.yaml", "--output", tmp_path / "m",
        f"--model.class_weights={value}",
    )  # fmt: skip
    assert code == 2 and words in err.splitlines()[-1]
    assert not (tmp_path / "m").exists()
