"""Tagging and classification on one encoder, from fit to predict, as a user drives them."""

import json
from itertools import islice

import pytest
import torch
from safetensors.torch import load_file

import rnnlp as package
from rnnlp.data.classification.sample import sample_classification
from rnnlp.tasks.base.reused_encoder import read_encoder
from rnnlp.tasks.cli import main as cli
from rnnlp.tasks.joint.module import Joint

from ..fit.killing import check_same_end, killed

TEXTS = [
    "Maria Miller visited Berlin last Monday.",
    "Prices rose on 24 July 2008.",
    "",
    "Not bad at all 👍🏽!",
    "\u3000",
    "dull " * 50,
]

CONFIG = """\
task: joint
data:
  tagging: {{train: {0}/train.conll, validation: {0}/validation.conll, max_tokens: 200}}
  classification: {{train: {1}/train.jsonl, validation: {1}/validation.jsonl, max_tokens: 500}}
model:
  embedding: {{size: 16, characters: cnn, character_size: 8, character_features: 8, dropout: 0.1}}
  encoder: {{hidden_size: 16, dropout: 0.1}}
  tagging: {{dropout: 0.1}}
  classification: {{pooling: [max, attention], attention_size: 6, dropout: 0.1}}
  optimizer: {{learning_rate: 0.02}}
trainer: {{max_epochs: 3, log_every_n_steps: 1, enable_progress_bar: false, accelerator: cpu}}
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory, corpus):
    """Reviews, and the config that reads them and the tagging corpus."""
    folder = tmp_path_factory.mktemp("joint")
    for split, count in (("train", 60), ("validation", 40), ("test", 30)):
        examples = islice(sample_classification("english", split), count)
        rows = [json.dumps({"text": e.text, "label": e.labels[0]}) + "\n" for e in examples]
        (folder / f"{split}.jsonl").write_text("".join(rows), encoding="utf-8")
    (folder / "joint.yaml").write_text(CONFIG.format(corpus, folder), encoding="utf-8")
    return folder


def fit(files, folder, *settings):
    arguments = ["fit", "--config", files / "joint.yaml", "--output", folder, *settings]
    assert cli.run([str(argument) for argument in arguments]) == 0
    return folder


@pytest.fixture(scope="module")
def model(files):
    test = ("--data.classification.test", files / "test.jsonl")
    return fit(files, files / "model", "--trainer.max_epochs=12", *test)


def test_the_folder_tells_of_both(model, files, corpus):
    metrics = json.loads((model / "metrics.json").read_text())
    actual = metrics["validation"]
    assert actual["tagging"]["f1"] > 0.3
    assert actual["tagging"]["examples"] == actual["classification"]["examples"] == 40
    main = actual["tagging"]["f1"], actual["classification"]["accuracy"]
    assert actual["score"] == pytest.approx(sum(main) / 2)
    assert metrics["test"].keys() >= {"classification"} and "tagging" not in metrics["test"]
    assert "seqeval" in metrics["policy"]["tagging"]
    assert "whose label is right" in metrics["policy"]["classification"]
    card = (model / "README.md").read_text()
    for words in (
        "CRF output for the entities date", "max and attention pooling", "negative, positive",
        f"tagging train: {corpus / 'train.conll'}",
        f"classification train: {files / 'train.jsonl'}",
        "policy: strict", "policy: accuracy", "--task tagging", "--task classification",
    ):  # fmt: skip
        assert words in card, words
    assert (model / "confusion.png").exists() and (model / "curves.png").exists()
    log = next((model / "logs").glob("*/metrics.csv")).read_text().split("\n", 1)[0]
    for name in (
        "train_loss", "train_tagging_loss", "train_classification_loss", "validation_tagging_f1",
        "validation_classification_accuracy", "validation_score", "validation_classification_loss",
    ):  # fmt: skip
        assert name in log.split(",")


def test_the_weights_hold_the_shared_part_once(model):
    names = load_file(model / "model.safetensors")
    assert {name.split(".")[0] for name in names} == {
        "embedding",
        "encoder",
        "tagger",
        "classifier",
    }
    own = [name for name in names if name.startswith(("tagger.", "classifier."))]
    assert not [name for name in own if ".encoder." in name or ".embedding." in name]
    config = json.loads((model / "config.json").read_text())["model"]
    assert config.keys() == {"sizes", "embedding", "encoder", "tagging", "classification"}


def test_ngrams_count_towards_labels(files, tmp_path):
    folder = fit(files, tmp_path / "m", "--model.classification.ngrams=2", "--trainer.max_epochs=1")
    pipeline = package.load(folder)
    assert len(pipeline.network.classifier.ngrams.hashes) > 10
    assert (pipeline.network.classifier.ngrams.table.weight[1:] != 0).any()
    exported = package.load(package.export(folder, tmp_path / "onnx"))
    for one, other in zip(exported(TEXTS), pipeline(TEXTS), strict=True):
        assert one["scores"] == pytest.approx(other["scores"], abs=1e-3)


def test_both_say_how_unsure_they_are(rnnlp, model):
    code, out, err = rnnlp("predict", model, "--uncertainty", *TEXTS)
    assert (code, err) == (0, "")
    pipeline = package.load(model)
    tagging, classification = (
        head(TEXTS, uncertainty=True) for head in (pipeline.tagging, pipeline.classification)
    )
    for line, one, other in zip(out.splitlines(), tagging, classification, strict=True):
        assert json.loads(line)["uncertainty"] == one["uncertainty"] | other["uncertainty"]


def test_predict(rnnlp, model):
    code, out, err = rnnlp("predict", model, "--explain", *TEXTS)
    assert (code, err) == (0, "")
    answers = [json.loads(line) for line in out.splitlines()]
    pipeline = package.load(model)
    assert pipeline(TEXTS, explain=True) == answers
    assert [answer["text"] for answer in answers] == TEXTS
    for answer in answers:
        assert answer.keys() == {"text", "entities", "label", "score", "scores", "tokens"}
        assert answer["score"] == max(answer["scores"].values())
    assert any(answer["entities"] for answer in answers)
    sure = pipeline(TEXTS, min_score=0.6)
    for answer, one in zip(answers, sure, strict=True):
        assert one["entities"] == [some for some in answer["entities"] if some["score"] >= 0.6]
        assert one["label"] == (answer["label"] if answer["score"] >= 0.6 else None)
    # Each is just what the part of its task says, alone and in any company.
    for text, tags, labels in zip(
        TEXTS, pipeline.tagging(TEXTS), pipeline.classification(TEXTS), strict=True
    ):
        assert pipeline(text) == {**tags, **labels}


def test_evaluate(rnnlp, model, files, corpus):
    stored = json.loads((model / "metrics.json").read_text())["validation"]
    for task, file in (
        ("tagging", corpus / "validation.conll"),
        ("classification", files / "validation.jsonl"),
    ):
        code, out, _ = rnnlp("evaluate", model, file, "--task", task, "--json")
        assert code == 0
        actual = json.loads(out)
        for name in ("f1", "accuracy", "macro_f1", "examples"):
            assert actual.get(name) == pytest.approx(stored[task].get(name)), name
        assert actual.get("per_type") == stored[task].get("per_type")
    code, out, _ = rnnlp("evaluate", model, corpus / "test.conll", "--task", "tagging")
    assert code == 0 and "person" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evaluate", "{m}", "{f}/test.jsonl"], "tagging and for classification: say with --task"),
        (["evaluate", "{m}", "{f}/test.jsonl", "--task", "translation"], "not for translation"),
        (["evaluate", "{m}", "{f}/test.jsonl", "--task", "classification", "--tag_column", "1"],
         "--tag_column is for tagging"),
        (["fit", "--data.tagging.train", "none.conll"], "none.conll: no such file"),
        (["fit", "--data.train", "x"], "mean data.classification.train or data.tagging.train?"),
        (["fit", "--data.classification.train", "null", "--data.classification.validation", "null"],
         "set data.classification.train"),
        (["fit", "--data.classification.max_length", "9"],
         "it follows from model.classification.max_length"),
        (["fit", "--model.classification.pooling", "[]"], "model.classification.pooling is []"),
        (["fit", "--model.tagging.loss_weight", "0"], "model.tagging.loss_weight is 0"),
        (["fit", "--model.crf", "false"], "did you mean model.tagging.crf"),
    ],
)  # fmt: skip
def test_mistakes(rnnlp, model, files, tmp_path, arguments, words):
    if arguments[0] == "fit":
        arguments = [*arguments, "--config", files / "joint.yaml", "--output", tmp_path / "no"]
    code, out, err = rnnlp(*(str(part).format(m=model, f=files) for part in arguments))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert words in err


def test_a_model_of_one_task_knows_its_task(rnnlp, english, corpus):
    file = corpus / "test.conll"
    assert rnnlp("evaluate", english, file, "--task", "tagging", "--json")[0] == 0
    code, _, err = rnnlp("evaluate", english, file, "--task", "classification")
    assert code == 2 and "this model is for tagging, not for classification" in err


def test_killed_and_resumed(files, tmp_path):
    settings = (
        "--checkpoint_steps=3", "--trainer.max_epochs=2",
        "--trainer.callbacks+=ExponentialMovingAverage", "--trainer.callbacks.decay=0.8",
    )  # fmt: skip
    whole = fit(files, tmp_path / "whole", *settings)
    with killed(Joint, lambda step, batch: step == 14):
        fit(files, tmp_path / "killed", *settings)
    fit(files, tmp_path / "killed", *settings, "--resume")
    check_same_end(whole, tmp_path / "killed")


def shared(folder):
    weights = load_file(folder / "model.safetensors")
    return {k: w for k, w in weights.items() if k.startswith(("embedding.", "encoder."))}


def test_the_encoder_comes_and_goes(rnnlp, model, english, files, corpus, tmp_path, capsys):
    frozen = ("--model.freeze_encoder=true", "--trainer.max_epochs=1")
    reused = ("--model.encoder_from", english, *frozen)
    taken = fit(files, tmp_path / "taken", *reused)
    assert "embedding and encoder" in capsys.readouterr().err
    giver = tmp_path / "given"
    code, _, err = rnnlp(
        *("fit", "--config", corpus / "tiny.yaml", "--output", giver),
        *("--model.encoder_from", model, *frozen),
    )
    assert code == 0 and "(a model for joint): embedding and encoder" in err
    assert "classifier, tagger (layers of its own task)" in err
    for source, target in ((english, taken), (model, giver)):
        assert shared(source).keys() == shared(target).keys()
        assert all(map(torch.equal, shared(source).values(), shared(target).values()))
        files = [folder / "tokenizer.json" for folder in (source, target)]
        assert files[0].read_bytes() == files[1].read_bytes()
    assert read_encoder(model).others == ["classifier", "tagger"]
    encoder = package.load_encoder(model)
    assert encoder.encode(TEXTS).pooled.shape == (len(TEXTS), 32)
