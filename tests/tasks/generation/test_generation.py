"""Generators from fit to predict, as a user drives them."""

import json
import math
import shutil
from itertools import islice, pairwise

import pytest
import torch

import rnnlp as package
from rnnlp.data.errors import InputError
from rnnlp.data.generation.sample import sample_generation
from rnnlp.tasks.cli import main as cli
from rnnlp.tasks.generation.evaluation import evaluate_generation
from rnnlp.tasks.generation.module import Generation
from rnnlp.tasks.generation.options import labels_from

from ..fit.killing import check_same_end, killed

CONFIG = """\
task: generation
data:
  train: {0}/train.jsonl
  validation: {0}/validation.jsonl
  labels: [kind]
  bptt: 60
  max_tokens: 1000
model:
  embedding: {{size: 16, characters: none, dropout: 0.1}}
  encoder: {{hidden_size: 32}}
  dropout: 0.1
  sampling: {{max_length: 40}}
  optimizer: {{learning_rate: 0.01}}
trainer: {{max_epochs: 2, log_every_n_steps: 1, enable_progress_bar: false, accelerator: cpu}}
"""


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    for split, count in (("train", 150), ("validation", 30), ("test", 30)):
        rows = [
            json.dumps({"text": example.text, **example.labels}) + "\n"
            for example in islice(sample_generation("english", split), count)
        ]
        (folder / f"{split}.jsonl").write_text("".join(rows), encoding="utf-8")
    (folder / "tiny.yaml").write_text(CONFIG.format(folder))
    return folder


def train(folder, texts, *settings):
    arguments = ["fit", "--config", str(texts / "tiny.yaml"), "--output", str(folder), *settings]
    assert cli.run(arguments) == 0
    return folder


@pytest.fixture(scope="module")
def model(texts):
    return train(texts / "model", texts)


@pytest.fixture(scope="module")
def reversed_model(texts):
    return train(texts / "reversed", texts, "--data.reverse=true", "--data.labels=[]")


def test_the_folder_is_complete(model):
    names = {file.name for file in model.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "metrics.json", "config.yaml",
            "README.md", "curves.png"} <= names  # fmt: skip
    metrics = json.loads((model / "metrics.json").read_text())
    actual = metrics["validation"]
    assert 1 < actual["bits_per_character"] < 5
    assert actual["examples"] == 30
    card = (model / "README.md").read_text()
    assert "text-generation" in card and "bits per character" in card and "for a given kind" in card
    assert json.loads((model / "config.json").read_text())["model"]["fields"] == {
        "kind": ["announcement", "letter", "recipe", "weather"]
    }


def test_validation_scores_are_those_of_evaluate(rnnlp, texts, model):
    code, out, err = rnnlp("evaluate", model, texts / "validation.jsonl", "--json")
    assert code == 0, err
    actual = json.loads(out)
    stored = json.loads((model / "metrics.json").read_text())["validation"]
    assert set(actual) == {
        "perplexity", "bits_per_character", "bits_per_character_without_labels", "examples",
        "seconds", "tokens_per_second",
    }  # fmt: skip
    for name in ("perplexity", "bits_per_character", "bits_per_character_without_labels"):
        assert actual[name] == pytest.approx(stored[name], abs=1e-4)
    code, out, _ = rnnlp("evaluate", model, texts / "validation.jsonl")
    assert "bits per character" in out and "without labels" in out and "30 texts in" in out


def test_bits_are_those_of_whole_texts_read_token_by_token(texts, model):
    """Segments, padding and batches change nothing; the end counts, and so does every label."""
    pipeline = package.load(model)
    rows = [json.loads(line) for line in (texts / "test.jsonl").open()][:5]
    (texts / "five.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    nats, characters = 0.0, 0
    with torch.inference_mode():
        for row in rows:
            ids = [2, *pipeline.featurizer.encode(row["text"])[0].tokens, 3]
            labels = torch.tensor([pipeline.label_row({"kind": row["kind"]})])
            state = pipeline.network.begin(torch.zeros(1, 0).long(), torch.tensor([0]), labels)
            for token, after in pairwise(ids):
                said = pipeline.network.step(torch.tensor([token]), state)
                nats -= float(said.log_probs[0, after])
                state = said.state
            characters += len(row["text"])
    actual, policy, notes = evaluate_generation(pipeline, str(texts / "five.jsonl"))
    assert actual["bits_per_character"] == pytest.approx(nats / math.log(2) / characters, abs=2e-5)
    assert actual["perplexity"] == pytest.approx(math.exp(nats / (characters + 5)), abs=1e-3)
    assert "its end included" in policy and not notes


def test_evaluation_in_segments_is_that_of_whole_texts(texts, model, monkeypatch):
    pipeline, file = package.load(model), str(texts / "test.jsonl")
    whole = evaluate_generation(pipeline, file)[0]
    monkeypatch.setattr("rnnlp.tasks.generation.evaluation.SEGMENT", 7)
    monkeypatch.setattr("rnnlp.tasks.generation.evaluation.CHUNK", 11)
    cut = evaluate_generation(pipeline, file)[0]
    for name in ("perplexity", "bits_per_character", "bits_per_character_without_labels"):
        assert cut[name] == pytest.approx(whole[name], abs=1e-4)


def test_plain_text_is_scored_without_labels(rnnlp, tmp_path, model):
    (tmp_path / "a.txt").write_text("Dear Anna,\nthank you.\n\nZäh.\n", encoding="utf-8")
    code, out, err = rnnlp("evaluate", model, tmp_path / "a.txt", "--json")
    assert code == 0 and json.loads(out)["examples"] == 2
    assert "without a label of kind: 2" in err and "unknown tokens: 3" in err
    code, out, _ = rnnlp("evaluate", model, tmp_path / "a.txt", "--json", "--separator", "line")
    assert json.loads(out)["examples"] == 3


def test_files_are_read_as_the_training_file_was(rnnlp, texts, model, tmp_path):
    folder, other = tmp_path / "model", tmp_path / "other.jsonl"
    shutil.copytree(model, folder)
    config = json.loads((folder / "config.json").read_text())
    assert config["model"]["layout"]["columns"] == {"text": "text"}  # as fit wrote it
    config["model"]["layout"]["columns"] = {"text": "content"}
    (folder / "config.json").write_text(json.dumps(config))
    rows = [json.loads(line) for line in (texts / "test.jsonl").read_text().splitlines()[:3]]
    other.write_text(
        "".join(json.dumps({**row, "content": row["text"], "text": "zzz"}) + "\n" for row in rows)
    )
    gold = rnnlp("evaluate", model, other, "--text_column", "content", "--json")[1]
    code, out, err = rnnlp("evaluate", folder, other, "--json")
    assert code == 0, err
    for name in ("perplexity", "bits_per_character"):
        assert json.loads(out)[name] == json.loads(gold)[name]
    code, out, err = rnnlp("predict", folder, "--input", other, "--max_length", 1)
    assert code == 0, err
    for line, row in zip(out.splitlines(), rows, strict=True):
        assert json.loads(line)["generated_text"].startswith(row["text"])


def test_predict(rnnlp, model):
    code, out, err = rnnlp("predict", model, "Dear Anna", "Zoë €", "", "--seed", "4")
    assert code == 0, err
    answers = [json.loads(line) for line in out.splitlines()]
    assert [answer["text"] for answer in answers] == ["Dear Anna", "Zoë €", ""]
    for answer in answers:
        assert set(answer) == {"text", "generated_text"}
        assert answer["generated_text"].startswith(answer["text"])
        assert len(answer["generated_text"]) <= len(answer["text"]) + 40
    assert rnnlp("predict", model, "Dear Anna", "Zoë €", "", "--seed", "4")[1] == out
    assert rnnlp("predict", model, "Dear Anna", "Zoë €", "", "--seed", "5")[1] != out


def test_predict_from_nothing(rnnlp, model):
    options = ("--label", "kind=letter", "--temperature", "0.9", "--top_k", "20", "--top_p", "0.9")
    code, out, err = rnnlp("predict", model, "--count", "5", *options, "--max_length", "12")
    assert code == 0, err
    written = [json.loads(line)["generated_text"] for line in out.splitlines()]
    assert len(written) == 5 and len(set(written)) > 1
    assert all(len(text) <= 12 for text in written)


def test_prompts_from_a_file_and_a_pipe(rnnlp, tmp_path, model, monkeypatch):
    lines = [json.dumps({"text": f"A{number}\nB"}) for number in range(70)]
    (tmp_path / "prompts.jsonl").write_text("\n".join(lines) + "\n")
    _, whole, _ = rnnlp("predict", model, "--input", tmp_path / "prompts.jsonl")
    assert len(whole.splitlines()) == 70
    monkeypatch.setattr("rnnlp.tasks.cli.rows.CHUNK", 3)
    assert rnnlp("predict", model, "--input", tmp_path / "prompts.jsonl")[1] == whole
    _, twice, _ = rnnlp("predict", model, "a", "b", "--count", "2")
    assert [json.loads(line)["text"] for line in twice.splitlines()] == ["a", "a", "b", "b"]


def test_neither_order_nor_company_changes_a_text(model):
    pipeline = package.load(model)
    together = pipeline(["Dear", "", "For sale in Leeds"], seed=9)
    assert together[0] == pipeline("Dear", seed=9)
    assert together[2] == pipeline("For sale in Leeds", seed=9, first=2)
    many = pipeline("", count=70, seed=2)
    assert many[66:] == pipeline("", count=4, seed=2, first=66)
    assert pipeline()["text"] == ""


def test_low_temperature_is_the_most_probable(model):
    pipeline = package.load(model)
    texts = pipeline("The", count=4, temperature=1e-4)
    assert len({text["generated_text"] for text in texts}) == 1
    assert texts == pipeline("The", count=4, top_k=1)


def test_a_reversed_model_writes_what_comes_before(rnnlp, texts, reversed_model):
    pipeline = package.load(reversed_model)
    assert pipeline.settings.reverse
    answer = pipeline("back.", max_length=10)
    assert answer["generated_text"].endswith("back.") and len(answer["generated_text"]) <= 15
    _, out, _ = rnnlp("evaluate", reversed_model, texts / "validation.jsonl", "--json")
    stored = json.loads((reversed_model / "metrics.json").read_text())["validation"]
    assert json.loads(out)["perplexity"] == pytest.approx(stored["perplexity"], abs=1e-3)
    assert "without_labels" not in out


@pytest.mark.parametrize("level", ["word", "bpe"])
def test_other_levels(texts, tmp_path, level):
    size = "--data.vocabulary_size=300"
    folder = train(tmp_path / "m", texts, f"--data.level={level}", size, "--trainer.max_epochs=1")
    answer = package.load(folder)("Dear Anna", max_length=5)
    assert answer["generated_text"].startswith("Dear Anna")
    going_on = [package.load(folder)(text, seed=3) for text in ("Dear Anna", "Dear Anna ")]
    if level == "word":  # a sub-word may go on where no blank says that the word is whole
        assert going_on[0]["generated_text"] == going_on[1]["generated_text"]
    assert going_on[1]["generated_text"].startswith("Dear Anna ")
    assert going_on[1]["text"] == "Dear Anna "


def test_load_gives_the_encoder(model):
    encoder = package.load_encoder(model)
    assert encoder(["Dear Anna", "a"]).states.shape == (2, 9, 32)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--label", "kind=poem", "--count", "1"], "no label 'poem' of kind; training has seen"),
        (["--label", "mood=sad", "--count", "1"], "no field 'mood'"),
        (["--label", "letter", "--count", "1"], "write FIELD=VALUE"),
        (["--label", "kind=a", "--label", "kind=b", "--count", "1"], "names kind twice"),
        (["--count", "0"], "--count is 0"),
        (["a", "--temperature", "0"], "temperature is 0.0: it must be above 0"),
        (["a", "--top_p", "1.5"], "top_p is 1.5"),
        (["a", "--top_k", "-1"], "top_k is -1"),
        (["a", "--max_length", "0"], "max_length is 0"),
        (["a", "--beam_size", "2"], "is a model for generation"),
    ],
)
def test_wrong_options(rnnlp, model, arguments, message):
    code, out, err = rnnlp("predict", model, *arguments)
    assert (code, out) == (2, "") and message in err and err.count("\n") == 1


def test_options_for_generation_are_for_generators(rnnlp, english):
    code, _, err = rnnlp("predict", english, "a", "--top_k", "3")
    assert code == 2 and "is a model for tagging: --top_k is for generation" in err
    code, _, err = rnnlp("predict", english, "--label", "a=b", "--count", "1")
    assert code == 2 and "is for generation" in err


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("--model.encoder.bidirectional=true", "a generator knows only what comes before"),
        ("--model.embedding.characters=cnn", "a generator reads tokens only"),
        ("--model.label_dropout=1", "model.label_dropout is 1"),
        ("--model.sampled_softmax=0", "model.sampled_softmax is 0: give 1 or more, or null"),
        ("--model.sampling.temperature=0", "model.sampling.temperature is 0"),
        ("--model.fields={}", "model.fields cannot be set"),
        ("--data.labels=[topic]", "no key 'topic'"),
        ("--data.separator=tab", "data.separator is one of auto, line, blank"),
    ],
)
def test_wrong_settings(rnnlp, texts, tmp_path, setting, message):
    code, out, err = rnnlp(
        "fit", "--config", texts / "tiny.yaml", "--output", tmp_path / "m", setting
    )
    assert (code, out) == (2, "") and message in err, err


def test_labels_may_hold_equal_signs():
    assert labels_from(["M=6/8", "a=b=c"]) == {"M": "6/8", "a": "b=c"}
    with pytest.raises(InputError):
        labels_from(["=x"])


@pytest.mark.parametrize(
    "settings",
    [
        [],
        ["--data.num_workers=1", "--model.encoder.cell=mingru", "--model.sampled_softmax=10"],
    ],
)
def test_killed_in_the_midst_of_texts_and_resumed(texts, tmp_path, settings):
    """The state that is carried from segment to segment is part of the point to resume from."""
    points = "--checkpoint_steps=1"
    whole = train(tmp_path / "whole", texts, points, *settings)
    carried = []

    def when(step, batch):
        carried.append(batch.carried is not None)
        return step > 40 and carried[-1]

    with killed(Generation, when):
        train(tmp_path / "killed", texts, points, *settings)
    assert carried[-1] and not all(carried)
    train(tmp_path / "killed", texts, points, *settings, "--resume")
    check_same_end(whole, tmp_path / "killed")


def test_a_cut_text_ends_in_whole_characters(monkeypatch):
    """`max_length` may cut between the bytes of a character, also before a prompt in reverse."""
    from pathlib import Path

    from rnnlp import load
    from rnnlp.data.text.tokenizer import Tokenizer

    pipeline = load(Path(__file__).parents[2] / "folders" / "generation-v1")
    pipeline.featurizer.tokens = Tokenizer.train(["a"], level="bpe", vocabulary_size=260)
    for text in ("上海", "é", "a👩"):
        ids = pipeline.featurizer.tokens.encode(text)[0]
        for length in range(len(ids) + 1):
            written = pipeline._joined("", ids[:length], 0)
            assert text.startswith(written) and "\ufffd" not in written
    assert pipeline._joined("", ids, 0) == "a👩"
