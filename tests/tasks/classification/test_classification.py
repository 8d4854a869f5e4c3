"""Classifiers from fit to predict, as a user drives them, and saved over every combination."""

import json
from itertools import islice

import numpy as np
import pytest
import torch
import yaml

import rnnlp as package
from rnnlp.data.classification.datamodule import ClassificationData
from rnnlp.data.classification.sample import sample_classification
from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import Featurizer
from rnnlp.models.layers.ngrams import common_ngrams
from rnnlp.tasks.base.components import EmbeddingConfig, EncoderConfig, Sizes
from rnnlp.tasks.base.length_batches import by_length
from rnnlp.tasks.classification.config import ClassifierConfig
from rnnlp.tasks.classification.module import Classification
from rnnlp.tasks.classification.pipeline import ClassificationPipeline
from rnnlp.tasks.classification.torch_engine import TorchClassifier
from rnnlp.tasks.cli import main as cli

from ...pairwise import pairwise
from ..fit.test_resume import check_same_end

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
    found = json.loads(out)
    keys = {"accuracy", "macro_f1", "ece", "auroc", "examples", "seconds", "tokens_per_second"}
    assert keys <= found.keys()
    assert found["examples"] == 100
    pipeline = package.load(model)
    rows = [json.loads(line) for line in (reviews / "test.jsonl").open()]
    answers = pipeline([row["text"] for row in rows])
    right = [a["label"] == row["label"] for a, row in zip(answers, rows, strict=True)]
    assert found["accuracy"] == pytest.approx(sum(right) / 100)
    code, out, _ = rnnlp("evaluate", model, reviews / "test.jsonl")
    assert "accuracy" in out and "positive" in out and "policy: accuracy" in out


def test_validation_scores_are_those_of_evaluate(rnnlp, reviews, model):
    _, out, _ = rnnlp("evaluate", model, reviews / "validation.jsonl", "--json")
    stored = json.loads((model / "metrics.json").read_text())["validation"]
    found = json.loads(out)
    for name in ("accuracy", "macro_f1", "auroc"):
        assert found[name] == pytest.approx(stored[name], abs=1e-6)
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


def test_several_labels_with_balanced_weights(rnnlp, tmp_path):
    lines = []
    for i in range(240):
        labels = [name for bit, name in enumerate(("red", "round", "big")) if i >> bit & 1]
        words = [*labels, "thing", str(i % 5)]
        lines.append(" ".join([f"__label__{name}" for name in labels] + words) + "\n")
    (tmp_path / "data.txt").write_text("".join(lines))
    code, out, err = rnnlp(
        "fit", "--task", "classification", "--data.train", tmp_path / "data.txt",
        "--output", tmp_path / "m", "--trainer.max_epochs=6", "--model.encoder.hidden_size=16",
        "--model.embedding.size=16", "--model.class_weights=balanced",
        "--model.optimizer.learning_rate=0.02", "--trainer.accelerator=cpu",
    )  # fmt: skip
    assert code == 0, err
    assert "may have several labels" in err
    pipeline = package.load(tmp_path / "m")
    answer = pipeline("big red thing 3")
    assert set(answer["label"]) == {"big", "red"}
    assert answer["score"] == [answer["scores"][name] for name in answer["label"]]
    assert pipeline("thing")["label"] == []
    code, out, _ = rnnlp("evaluate", tmp_path / "m", tmp_path / "data.txt", "--json")
    assert json.loads(out)["accuracy"] > 0.95


@pytest.mark.parametrize("recurrent", [True, False])
def test_ngrams_beside_the_rest_or_alone(rnnlp, reviews, tmp_path, recurrent):
    averaging = '[{"class_path": "EMAWeightAveraging", "init_args": {"decay": 0.9}}]'
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
    for found, wanted in zip(package.load(tmp_path / "onnx")(TEXTS), answers, strict=True):
        assert found["scores"] == pytest.approx(wanted["scores"], abs=0.05)
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


def test_labels_up_to_a_mark_are_kept_in_the_folder(rnnlp, tmp_path):
    kinds = ("LOC:city where is", "HUM:ind who is", "LOC:state where lies")
    text = "".join(f"{kinds[i % 3]} thing {i % 7}\n" for i in range(90))
    (tmp_path / "trec").write_text(text)
    code, _, err = rnnlp(
        "fit", "--task", "classification", "--data.train", tmp_path / "trec",
        "--data.label_before=:", "--output", tmp_path / "m", "--trainer.max_epochs=1",
        "--model.encoder.hidden_size=8", "--trainer.accelerator=cpu",
    )  # fmt: skip
    assert code == 0, err
    assert package.load(tmp_path / "m").settings.classes == ["HUM", "LOC"]
    code, out, _ = rnnlp("evaluate", tmp_path / "m", tmp_path / "trec", "--json")
    assert set(json.loads(out)["per_class"]) == {"HUM", "LOC"}


def fresh(**settings):
    torch.manual_seed(2)
    embedding = settings.pop("embedding", EmbeddingConfig(size=6, characters="none"))
    featurizer = Featurizer.train(
        [["A", "fine", "film", "."], ["So", "dull", ",", "dull", "film", "."]],
        level=settings.pop("level", "word"),
        characters=embedding.characters != "none",
        token_features=embedding.token_features,
    )
    config = ClassifierConfig(
        classes=["neg", "pos"],
        sizes=Sizes(**featurizer.sizes._asdict()),
        embedding=embedding,
        encoder=settings.pop("encoder", EncoderConfig(hidden_size=5)),
        **{"multilabel": False, **settings},
    )
    network = config.build()
    network.temperature.fill_(1.3)
    return ClassificationPipeline(
        engine=TorchClassifier(network), featurizer=featurizer, settings=config
    )


def check_saved_and_loaded(pipeline, folder):
    pipeline.save(folder)
    loaded = package.load(folder)
    explain = pipeline.explains
    assert loaded(TEXTS, explain=explain) == pipeline(TEXTS, explain=explain)
    texts = [pipeline.tokens(text)[0] for text in TEXTS]
    assert (loaded.probabilities(texts) == pipeline.probabilities(texts)).all()
    assert json.dumps(loaded.settings.to_json()) == json.dumps(pipeline.settings.to_json())


@pytest.mark.parametrize(
    ("cell", "bidirectional", "pooling", "long_texts", "multilabel"),
    pairwise(
        ["rnn", "lstm", "gru", "mingru", None],
        [True, False],
        [["last"], ["attention"], ["max", "mean"], ["mean", "attention", "last", "max"]],
        ["head_tail", "windows"],
        [True, False],
    ),
)
def test_every_pair_of_parts(tmp_path, cell, bidirectional, pooling, long_texts, multilabel):
    pipeline = fresh(
        encoder=EncoderConfig(cell=cell or "gru", hidden_size=5, bidirectional=bidirectional),
        recurrent=cell is not None,
        pooling=pooling,
        attention_size=4,
        max_length=7,
        long_texts=long_texts,
        multilabel=multilabel,
        state_dropout=0.3,
    )
    check_saved_and_loaded(pipeline, tmp_path)


@pytest.mark.parametrize("level", ["word", "character"])
@pytest.mark.parametrize("characters", ["none", "cnn", "rnn"])
@pytest.mark.parametrize("token_features", [[], ["bigram", "suffix"]])
def test_every_embedding(tmp_path, level, characters, token_features):
    embedding = EmbeddingConfig(
        size=6, characters=characters, character_size=4, character_features=6,
        token_features=token_features, token_feature_size=3,
    )  # fmt: skip
    check_saved_and_loaded(fresh(embedding=embedding, level=level), tmp_path)


def test_explaining_needs_attention():
    with pytest.raises(InputError, match="no attention weights"):
        fresh(pooling=["max"])("a", explain=True)


@pytest.mark.parametrize("long_texts", ["head_tail", "windows"])
def test_a_very_long_text(long_texts):
    pipeline = fresh(long_texts=long_texts, max_length=50, pooling=["mean"])
    answer = pipeline("fine " * 40_000)
    assert len(answer["text"]) == 200_000
    assert answer["label"] in ("neg", "pos")


def test_batches_by_length():
    lengths = [3, 0, 9, 3, 1, 30]
    batches = list(by_length(lengths, budget=10))
    assert sorted(row for batch in batches for row in batch) == [0, 2, 3, 4, 5]
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= 10
    assert max(map(len, batches)) == 3
    assert max(map(len, by_length(lengths, budget=10, most=2))) == 2


def test_killed_and_resumed(rnnlp, reviews, tmp_path, monkeypatch):
    settings = [
        "--checkpoint_steps=3", "--trainer.max_epochs=2", "--data.max_tokens=1500",
        "--trainer.callbacks+=EMAWeightAveraging", "--trainer.callbacks.decay=0.8",
    ]  # fmt: skip
    fit = ["fit", "--config", reviews / "tiny.yaml", *settings, "--output"]
    assert rnnlp(*fit, tmp_path / "whole")[0] == 0
    steps = 0

    def killer(module, batch, batch_idx):
        nonlocal steps
        steps += 1
        if steps == 14:
            raise Killed

    monkeypatch.setattr(Classification, "on_train_batch_start", killer)
    with pytest.raises(Killed):
        cli.run([str(part) for part in (*fit, tmp_path / "killed")])
    monkeypatch.undo()
    torch.manual_seed(99)  # what the process did in between must not matter
    assert rnnlp(*fit, tmp_path / "killed", "--resume")[0] == 0
    check_same_end(tmp_path / "whole", tmp_path / "killed")


class Killed(Exception):
    pass


@pytest.mark.parametrize("separator", ["#", "~", "|", ","])
def test_any_mark_may_part_labels(rnnlp, tmp_path, separator):
    rows = "".join(f"text number {i}\taa{separator}bb\n" for i in range(9)) + "more of it\tcc\n"
    (tmp_path / "a.tsv").write_text(rows)
    code, out, err = rnnlp(
        *("fit", "--config", "sentiment", "--data.train", tmp_path / "a.tsv", "--print_config"),
        *("--data.label_separator", separator),
    )
    assert code == 0, err
    options = yaml.safe_load(out)["data"]
    assert options["label_separator"] == separator
    data = ClassificationData(train=str(tmp_path / "a.tsv"), label_separator=separator)
    assert data.classes == ["aa", "bb", "cc"] and data.multilabel


def test_thresholds_of_labels(rnnlp, tmp_path):
    """They are chosen on the even half of validation, kept, and hold wherever labels are given."""
    rows = "".join(
        f"{'late' if i % 3 else 'dear'} {'rude' if i % 4 == i % 5 else 'nice'} {i % 7}\t"
        f"{';'.join(['time' if i % 3 else 'price'] + ['tone'] * (i % 4 == i % 5))}\n"
        for i in range(120)
    )
    for split in ("train", "validation"):
        (tmp_path / f"{split}.tsv").write_text(rows)
    code, _, err = rnnlp(
        "fit", "--config", "sentiment", "--data.train", tmp_path / "train.tsv",
        "--data.validation", tmp_path / "validation.tsv", "--data.label_separator=;",
        "--model.recurrent=false", "--model.ngrams=1", "--trainer.max_epochs=2",
        "--trainer.accelerator=cpu", "--early_stopping.min_steps=4",
        "--model.fit_thresholds=true", "--output", tmp_path / "m",
    )  # fmt: skip
    assert code == 0, err
    pipeline = package.load(tmp_path / "m")
    thresholds = pipeline.settings.thresholds
    lines = rows.splitlines()
    scores = pipeline.probabilities([line.split("\t")[0].split() for line in lines])
    for name, least, column in zip(pipeline.settings.classes, thresholds, scores.T, strict=True):
        gold = np.array([name in line.split("\t")[1].split(";") for line in lines])[::2]

        def f1(cut, gold=gold, column=column[::2]):
            return 2 * (gold & (column >= cut)).sum() / (gold.sum() + (column >= cut).sum())

        assert f1(least) == max(f1(cut) for cut in column[::2])
    assert thresholds != [0.5] * 3
    texts = [line.split("\t")[0] for line in lines[:20]]
    answers = pipeline(texts)
    for answer in answers:
        expected = {
            name
            for (name, score), least in zip(answer["scores"].items(), thresholds, strict=True)
            if score >= least
        }
        assert set(answer["label"]) == expected
    stored = json.loads((tmp_path / "m" / "metrics.json").read_text())
    assert "each label its own" in stored["policy"]
    _, out, _ = rnnlp("evaluate", tmp_path / "m", tmp_path / "validation.tsv", "--json")
    assert json.loads(out)["macro_f1"] == pytest.approx(stored["validation"]["macro_f1"])
    assert rnnlp("export", tmp_path / "m", "--output", tmp_path / "light")[0] == 0
    light = package.load(tmp_path / "light")(texts)
    assert [answer["label"] for answer in light] == [answer["label"] for answer in answers]
    config = json.loads((tmp_path / "m" / "config.json").read_text())
    config["model"]["thresholds"] = [0.5]
    (tmp_path / "m" / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="a probability for each of the 3 labels"):
        package.load(tmp_path / "m")


@pytest.mark.parametrize("name", ["bad", "1"])
def test_weights_of_labels_as_numbers(rnnlp, tmp_path, name):
    """A label of weight 3 learns as its texts do with a weight of 3 each."""
    rows = [
        {"text": f"{['fine', 'dull'][i % 2]} {i}", "label": ["ok", name][i % 2]} for i in range(24)
    ]
    heavy = [{**row, "weight": 3.0 if row["label"] == name else 1.0} for row in rows]
    scores = []
    for which, settings in ((rows, [f"--model.class_weights={{{name}: 3}}"]), (heavy, [])):
        (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in which))
        out = tmp_path / f"m{len(scores)}"
        code, _, err = rnnlp(
            "fit", "--config", "sentiment", "--data.train", tmp_path / "a.jsonl", "--output", out,
            "--model.recurrent=false", "--model.ngrams=1", "--trainer.max_epochs=2",
            "--trainer.accelerator=cpu", "--early_stopping.min_steps=4", *settings,
        )  # fmt: skip
        assert code == 0, err
        scores.append(package.load(out)("dull fine 3")["scores"])
    assert scores[0] == scores[1]


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
