"""Texts from vectors, from fit to serve, as a user drives them."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import pyarrow
import pytest
import torch
from pyarrow import parquet

import rnnlp as package
from rnnlp.data.errors import InputError
from rnnlp.tasks.cli import main as cli
from rnnlp.tasks.generation.module import Generation

from ..fit.killing import check_same_end, killed

WORDS = ("red", "blue", "green"), ("ball", "box")
CONFIG = """\
task: generation
data: {{train: {0}/train.jsonl, validation: {0}/dev.parquet, vector_column: features, level: word}}
model:
  embedding: {{size: 8, characters: none, dropout: 0.0}}
  encoder: {{hidden_size: 16}}
  vector_every_step: {1}
  dropout: 0.0
  sampling: {{top_k: 1, max_length: 9}}
  optimizer: {{learning_rate: 0.03}}
trainer: {{max_epochs: 8, log_every_n_steps: 1, enable_progress_bar: false, accelerator: cpu}}
"""


def rows_of(seed, count):
    """Vectors of any scale, one component always the same, and the two words that they say."""
    draw = np.random.default_rng(seed)
    for colour, kind in zip(draw.integers(0, 3, count), draw.integers(0, 2, count), strict=True):
        vector = [100.0 + 5 * colour + draw.normal(0, 0.3), 0.001 * kind, 7.0]
        text = f"a {WORDS[0][colour]} {WORDS[1][kind]}"
        yield {"id": int(colour), "text": text, "features": vector}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vectors")
    for split, seed, count in (("train", 1, 120), ("dev", 2, 30)):
        rows = list(rows_of(seed, count))
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{split}.jsonl").write_text(lines)
        parquet.write_table(pyarrow.Table.from_pylist(rows), folder / f"{split}.parquet")
    for name, every in (("first", "false"), ("every", "true")):
        (folder / f"{name}.yaml").write_text(CONFIG.format(folder, every))
    return folder


def train(folder, name, output, *settings):
    config = str(folder / f"{name}.yaml")
    assert cli.run(["fit", "--config", config, "--output", str(output), *settings]) == 0
    return output


@pytest.fixture(scope="module")
def model(folder):
    return train(folder, "every", folder / "model")


@pytest.fixture(scope="module")
def first_only(folder):
    return train(folder, "first", folder / "first", "--model.encoder.num_layers=2")


@pytest.mark.parametrize("which", ["model", "first_only"])
def test_evaluate_counts_what_predict_writes(rnnlp, folder, request, which):
    """Exact match is counted while reading; writing from the vectors gives the same."""
    model = request.getfixturevalue(which)
    rows = list(rows_of(2, 30))
    said = package.load(model)(vectors=[row["features"] for row in rows])
    right = sum(one["generated_text"] == row["text"] for one, row in zip(said, rows, strict=True))
    for file in ("dev.jsonl", "dev.parquet"):
        code, out, err = rnnlp("evaluate", model, folder / file, "--json")
        assert code == 0, err
        assert json.loads(out)["exact_match"] == pytest.approx(100 * right / 30)
    assert right >= 27
    stored = json.loads((model / "metrics.json").read_text())["validation"]
    assert stored["exact_match"] == pytest.approx(100 * right / 30)
    assert "exact match" in rnnlp("evaluate", model, folder / "dev.jsonl")[1]
    card = (model / "README.md").read_text()
    assert "vectors=[0.0] * 3" in card and "--input vectors.jsonl" in card
    assert "from a vector of 3 numbers" in card and "1 of them are the same" in card


def test_the_shell_writes_what_python_writes(rnnlp, folder, model, tmp_path, monkeypatch):
    rows = list(rows_of(2, 30))
    texts = [
        one["generated_text"] for one in package.load(model)(vectors=[r["features"] for r in rows])
    ]
    for file in ("dev.jsonl", "dev.parquet"):
        code, out, err = rnnlp("predict", model, "--input", folder / file)
        assert code == 0 and "which answers leave out" in err, err
        answers = [json.loads(line) for line in out.splitlines()]
        assert [one["generated_text"] for one in answers] == texts
        assert answers[0]["row"] == {"id": rows[0]["id"], "text": rows[0]["text"]}
    monkeypatch.setattr(
        sys, "stdin", io.TextIOWrapper(io.BytesIO((folder / "dev.jsonl").read_bytes()))
    )
    answers = [json.loads(line) for line in rnnlp("predict", model)[1].splitlines()]
    assert [one["generated_text"] for one in answers] == texts
    assert (
        rnnlp("predict", model, "--input", folder / "dev.jsonl", "--output", tmp_path / "a.csv")[0]
        == 0
    )
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert lines[:2] == ["id,text,generated_text", f"{rows[0]['id']},{rows[0]['text']},{texts[0]}"]
    two = json.dumps([row["features"] for row in rows[:2]])
    code, out, _ = rnnlp("predict", model, "--vectors", two, "--count", "2")
    assert [json.loads(line)["generated_text"] for line in out.splitlines()] == [
        texts[0], texts[0], texts[1], texts[1],
    ]  # fmt: skip
    code, out, _ = rnnlp("predict", model, "a blue", "--vectors", json.dumps(rows[0]["features"]))
    assert json.loads(out)["generated_text"].startswith("a blue ")
    (tmp_path / "p.jsonl").write_text(json.dumps({**rows[0], "begin": "a blue"}) + "\n")
    options = ("--input", tmp_path / "p.jsonl", "--text_column", "begin")
    assert json.loads(rnnlp("predict", model, *options)[1])["generated_text"].startswith("a blue ")


def test_one_and_several(model):
    pipeline = package.load(model)
    vector = next(rows_of(2, 1))["features"]
    one = pipeline(vectors=vector)
    assert isinstance(one, dict)
    for several in ([vector], np.array([vector]), torch.tensor([vector]), iter([vector])):
        assert pipeline(vectors=several) == [one]
    assert pipeline(vectors=np.array(vector)) == one
    assert pipeline(["", ""], vectors=[vector, vector]) == [one, one]
    assert [each["text"] for each in pipeline("a red", vectors=[vector] * 2)] == ["a red"] * 2
    many = pipeline(vectors=[row["features"] for row in rows_of(2, 30)], top_k=0, seed=3)
    assert pipeline(vectors=vector, top_k=0, seed=3) == many[0]
    (alone,) = pipeline(
        vectors=[row["features"] for row in rows_of(2, 30)][7:8], top_k=0, seed=3, first=7
    )
    assert alone == many[7]


@pytest.mark.parametrize("which", ["model", "first_only"])
def test_an_exported_model_writes_the_same(rnnlp, folder, tmp_path, request, which):
    model = request.getfixturevalue(which)
    assert rnnlp("export", model, "--output", tmp_path / "onnx")[0] == 0
    vectors = [row["features"] for row in rows_of(2, 30)]
    torch_engine, onnx_engine = package.load(model), package.load(tmp_path / "onnx")
    longer = {"top_k": 0, "seed": 4, "min_length": 5, "no_repeat_ngram_size": 2}
    written = torch_engine(vectors=vectors, **longer)
    assert all(len(one["generated_text"].split()) >= 5 for one in written)
    for options in ({}, {"top_k": 0, "seed": 4}, longer):
        assert onnx_engine("a", vectors=vectors, **options) == torch_engine(
            "a", vectors=vectors, **options
        )
    (tmp_path / "onnx" / "start.onnx").unlink()
    with pytest.raises(InputError, match="no start"):
        package.load(tmp_path / "onnx")


def test_a_stream_costs_what_evaluate_counts(rnnlp, folder, model, tmp_path, monkeypatch):
    row = next(rows_of(2, 1))
    (tmp_path / "one.jsonl").write_text(json.dumps(row) + "\n")
    scores = json.loads(rnnlp("evaluate", model, tmp_path / "one.jsonl", "--json")[1])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(row["text"].encode())))
    _, out, _ = rnnlp("predict", model, "--stream", "--vectors", json.dumps(row["features"]))
    last = json.loads(out.splitlines()[-1])
    assert last["bits_per_character"] == pytest.approx(scores["bits_per_character"], abs=1e-4)


def test_nothing_is_written_without_vectors(rnnlp, model, monkeypatch):
    for arguments, code, said in (
        (["--count", "1"], 2, "rnnlp: the model writes from vectors of 3 numbers: give vectors\n"),
        ([], 0, "note: stdin is empty\n"),
    ):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
        assert rnnlp("predict", model, *arguments) == (code, "", said)


def test_a_server_takes_vectors(model):
    from fastapi.testclient import TestClient

    from rnnlp.tasks.serve.app import create_app

    pipeline = package.load(model)
    vectors = [row["features"] for row in rows_of(2, 3)]
    with TestClient(create_app({"m": pipeline})) as client:
        assert client.get("/models").json()[0]["vector_size"] == 3  # the page has a field for them
        asked = {"texts": ["", "", ""], "options": {"vectors": vectors}}
        answers = client.post("/models/m/predict", json=asked).json()["answers"]
        assert answers == pipeline(vectors=vectors)
        for typed in (vectors[0], json.dumps(vectors[0])):  # the page sends what is typed
            asked = {"text": "", "options": {"vectors": typed}}
            events = client.post("/models/m/generate", json=asked).text
            assert answers[0]["generated_text"] in events
        for wrong, said in (
            ("x", "not of its type"), ({}, "give a list of numbers"), ([1.0], "has 1 components"),
            ([vectors[0]] * 2, "1 texts, and more vectors"), ([[1, 2, None]], "list of numbers"),
        ):  # fmt: skip
            answer = client.post(
                "/models/m/predict", json={"texts": "", "options": {"vectors": wrong}}
            )
            assert answer.status_code == 400 and said in answer.json()["error"], answer.json()


def test_what_reads_texts_alone_says_so(rnnlp, model, tmp_path):
    assert "hang on a vector" in rnnlp("explain", model, "a red ball")[2]
    code, _, err = rnnlp("encode", model, "a red", "--output", tmp_path / "v.npy")
    assert code == 0 and "texts are encoded without any" in err


@pytest.mark.parametrize("name", ["first", "every"])
def test_killed_and_resumed(folder, tmp_path, name):
    settings = (
        "--checkpoint_steps=1",
        "--data.bptt=2",
        "--data.max_sentences=40",
        "--trainer.max_epochs=1",
    )
    whole = train(folder, name, tmp_path / "whole", *settings)
    with killed(Generation, lambda step, batch: step > 3 and batch.carried is not None):
        train(folder, name, tmp_path / "killed", *settings)
    train(folder, name, tmp_path / "killed", *settings, "--resume")
    check_same_end(whole, tmp_path / "killed")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("[1.0, 2.0]", ":3: 'features' has 2 components, where those in training have 3"),
        ("[1.0, NaN, 2.0]", ":3: component 2 of 'features' is nan: give finite numbers"),
        ("[1.0, 2.0, 1e99]", ":3: component 3 of 'features' is 1e+99: give finite numbers"),
        ("[1.0, null, 2.0]", ":3: 'features' is [1.0, None, 2.0]: a list of numbers is wanted"),
        ('["1", "2", "3"]', ":3: 'features' is ['1', '2', '3']: a list"),
        ("[[1, 2, 3]]", ":3: 'features' is [[1, 2, 3]]: a list"),
        ("[[1], [2, 3]]", ":3: 'features' is"),
        ("3", ":3: 'features' is 3: a list"),
        (None, ":3: no key 'features' among text: set "),
    ],
)
def test_wrong_vectors_are_named_with_file_and_row(rnnlp, folder, model, tmp_path, value, message):
    rows = [json.dumps(row) for row in rows_of(1, 4)]
    rows[2] = '{"text": "a red ball"' + ("}" if value is None else f', "features": {value}}}')
    bad = tmp_path / "bad.jsonl"
    bad.write_text("\n".join(rows) + "\n")
    fit = ("fit", "--config", folder / "every.yaml", "--output", tmp_path / "m")
    for arguments in (
        (*fit, "--data.train", bad),
        (*fit, "--data.validation", bad),
        ("evaluate", model, bad),
        ("predict", model, "--input", bad),
    ):  # fmt: skip
        code, out, err = rnnlp(*arguments)
        assert code == 2 and f"{bad}{message}" in err, err
        assert err.splitlines()[-1].startswith("rnnlp: ") and not out
    if value == "[1.0, NaN, 2.0]":
        kept = ("--data.skip_bad_rows", "true", "--trainer.fast_dev_run", "true")
        code, _, err = rnnlp(*fit, "--data.train", bad, *kept)
        assert code == 0 and "bad rows, left out: 1" in err, err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a"], "writes from vectors: give them with --vectors, or --input FILE"),
        (["--vectors", "[1, 2]"], "vectors[0] has 2 components, where those in training have 3"),
        (["--vectors", "1 2"], "--vectors: invalid numbers value"),
        (["--vectors", '{"a": 1}'], "give a list of numbers"),
        (["--vectors", "[]"], "vectors[0] is []: a list of numbers is wanted"),
        (["a", "b", "--vectors", "[1, 2, 3]"], "1 vectors, and more texts: give one"),
        (["a", "--vectors", "[[1, 2, 3], [1, 2, 3]]"], "1 texts, and more vectors: give one"),
    ],
)
def test_wrong_options(rnnlp, model, arguments, message):
    code, out, err = rnnlp("predict", model, *arguments)
    assert (code, out) == (2, "") and message in err, err


def test_models_without_vectors_refuse_them(rnnlp, folder, tmp_path):
    plain = Path(__file__).parents[2] / "folders" / "generation-v1"
    for arguments, message in (
        (("predict", plain, "--vectors", "[1]"), "trained without vectors"),
        (
            ("predict", plain, "--input", folder / "dev.jsonl", "--vector_column", "x"),
            "was trained without",
        ),
        (
            ("evaluate", plain, folder / "dev.jsonl", "--vector_column", "x"),
            "writes without vectors",
        ),
    ):
        code, _, err = rnnlp(*arguments)
        assert code == 2 and message in err, err
    code, _, err = rnnlp(
        "fit", "--config", folder / "every.yaml", "--output", tmp_path / "m",
        "--data.vector_column", "null",
    )  # fmt: skip
    assert code == 2 and "model.vector_every_step is true without vectors" in err
    (tmp_path / "a.txt").write_text("a red ball\n")
    code, _, err = rnnlp("evaluate", folder / "model", tmp_path / "a.txt")
    assert code == 2 and "a file of text has no vectors such as 'features'" in err
