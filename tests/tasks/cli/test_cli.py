"""The three verbs, driven as a user does."""

import io
import json
import os
import subprocess
import sys

import pytest
from safetensors.torch import load_file

import rnnlp as package
from rnnlp.tasks.model_folder.folder import open_folder

HEAVY = ("pytorch_lightning", "torchmetrics", "datasets", "matplotlib", "pandas", "jsonargparse")
TEXTS = [
    "Maria Miller visited Berlin on Monday.",
    "",
    "  \t ",
    "In Paris,\u3000the café\u00a0 opened 👩‍👩‍👧 again",
    "word " * 300,
]


def script(code, *arguments, **options):
    """Runs Python code in a fresh process."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def check_entities(answer, text):
    assert answer["text"] == text
    for entity in answer["entities"]:
        assert set(entity) == {"entity_group", "score", "word", "start", "end"}
        assert text[entity["start"] : entity["end"]] == entity["word"] != ""
        assert 0 <= entity["score"] <= 1


def test_help_without_torch():
    result = script(
        "import sys\n"
        "from rnnlp.tasks.cli.main import run\n"
        "assert run(['--help']) == 0 and run(['fit', '--help']) == 0\n"
        "assert 'torch' not in sys.modules, 'help must not import torch'\n"
    )
    assert result.returncode == 0, result.stderr
    for verb in ("fit", "evaluate", "predict"):
        assert f"rnnlp {verb}" in result.stdout
    assert "  ner " in result.stdout  # the shipped configs


def test_help_of_a_config_explains_every_parameter(rnnlp, corpus):
    code, out, _ = rnnlp("fit", "--config", corpus / "tiny.yaml", "--help")
    assert code == 0
    for words in (
        "--model.encoder.hidden_size", "Width of the state", "--early_stopping.patience",
        "--data.train", "File to train on", "--model.optimizer.schedule", "--resume",
    ):  # fmt: skip
        assert words in out


def test_fit_prints_scores_only(rnnlp, corpus, tmp_path):
    code, out, err = rnnlp(
        "fit", "--config", corpus / "tiny.yaml", "--output", tmp_path / "m",
        "--trainer.max_epochs=1",
    )  # fmt: skip
    assert code == 0
    assert out.startswith("validation f1 ") and out.count("\n") == 1
    assert "written after" in err
    assert "Trainer" not in err and "GPU" not in err and "Tip" not in err and "Warning" not in err


def test_folder_is_complete_and_reproducible(english, corpus, tmp_path):
    names = {file.name for file in english.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "metrics.json", "config.yaml",
            "README.md", "curves.png", "checkpoints", "logs"} <= names  # fmt: skip
    assert not [name for name in names if name.startswith(".")]
    metrics = json.loads((english / "metrics.json").read_text())
    assert metrics["validation"]["f1"] > 0.3 and metrics["test"]["f1"] > 0.2
    assert "seqeval" in metrics["policy"]
    card = (english / "README.md").read_text()
    assert "train.conll" in card and "policy: strict" in card and "rnnlp fit --config" in card
    assert list((english / "logs").glob("*/metrics.csv"))
    assert list((english / "logs").glob("*/events.out.tfevents*"))
    # The resolved config alone makes the same model again: same seed, same weights.
    from rnnlp.tasks.cli import main as cli

    again = tmp_path / "again"
    assert cli.run(["fit", "--config", f"{english}/config.yaml", "--output", str(again)]) == 0
    first, second = load_file(english / "model.safetensors"), load_file(again / "model.safetensors")
    assert all(first[name].equal(second[name]) for name in first)


def test_evaluate_agrees_with_training(rnnlp, english, corpus):
    code, out, _ = rnnlp("evaluate", english, corpus / "test.conll", "--json")
    assert code == 0 and out.count("\n") == 1
    actual = json.loads(out)
    assert set(actual) == {"f1", "interval", "precision", "recall", "per_type", "invalid_sequences",
                          "ece", "examples", "seconds", "tokens_per_second"}  # fmt: skip
    kept = json.loads((english / "metrics.json").read_text())["test"]
    low, high = actual["interval"]["f1"]
    assert 0.0 < low < actual["f1"] < high <= 1.0
    for name in ("f1", "interval", "precision", "recall", "per_type", "examples"):
        assert actual[name] == kept[name]
    code, table, _ = rnnlp("evaluate", english, corpus / "test.conll")
    assert "policy: strict" in table and "person" in table


def test_evaluate_names_unseen_labels_and_counts_them(rnnlp, english, tmp_path):
    file = tmp_path / "odd.conll"
    file.write_text("Zorp B-spaceship\nflies O\n", encoding="utf-8")
    code, out, err = rnnlp("evaluate", english, file, "--json")
    assert code == 0 and "spaceship" in err
    assert json.loads(out)["per_type"]["spaceship"]["support"] == 1
    assert json.loads(out)["recall"] == 0.0


def test_predict_texts(rnnlp, english):
    code, out, err = rnnlp("predict", english, *TEXTS)
    assert code == 0 and err == ""
    answers = [json.loads(line) for line in out.splitlines()]
    assert len(answers) == len(TEXTS)
    for answer, text in zip(answers, TEXTS, strict=True):
        check_entities(answer, text)
    assert answers[0]["entities"] and not answers[1]["entities"]
    tagger = package.load(english)
    assert tagger(TEXTS) == answers
    assert tagger(TEXTS[0]) == answers[0]


@pytest.mark.parametrize("form", ["lines", "jsonl", "stdin"])
def test_predict_reads_files_and_pipes(rnnlp, english, tmp_path, monkeypatch, form):
    texts = [TEXTS[0], "", "Paris is nice."]
    if form == "jsonl":
        content = "".join(json.dumps({"id": 1, "text": text}) + "\n" for text in texts)
    else:
        content = "".join(f"{text}\r\n" for text in texts)
    if form == "stdin":
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
        code, out, _ = rnnlp("predict", english)
    else:
        file = tmp_path / "texts"
        file.write_text(content, encoding="utf-8")
        code, out, _ = rnnlp("predict", english, "--input", file)
    assert code == 0
    assert [json.loads(line)["text"] for line in out.splitlines()] == texts


def test_predict_says_when_there_is_nothing_to_read(rnnlp, english, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert rnnlp("predict", english) == (0, "", "note: stdin is empty\n")


def test_predict_writes_whole_files_only(rnnlp, english, tmp_path):
    target = tmp_path / "out.jsonl"
    assert rnnlp("predict", english, "Paris.", "--output", target)[0] == 0
    assert json.loads(target.read_text())["text"] == "Paris."
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "Rome."}\n{"no": 1}\n')
    code, out, err = rnnlp("predict", english, "--input", source, "--output", target)
    assert code == 2 and "in.jsonl:2" in err and out == ""
    assert json.loads(target.read_text())["text"] == "Paris."  # as before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


def test_batch_size_and_order_do_not_matter(english, monkeypatch):
    tagger = package.load(english)
    texts = [text for text in TEXTS if text.strip()] * 3 + ["Rome and Oslo."]
    together = tagger(texts)
    assert tagger(texts[::-1]) == together[::-1]
    monkeypatch.setattr("rnnlp.tasks.tagging.pipeline.TOKEN_BUDGET", 1)
    assert tagger(texts) == together


def test_predict_imports_nothing_heavy(english):
    code = (
        "import sys\nfrom rnnlp.tasks.cli.main import run\n"
        "run(['predict', sys.argv[1], 'Maria Miller visited Berlin.'])\n"
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)\n"
    )
    result = script(code, english)
    assert result.stderr == "[]\n"
    check_entities(json.loads(result.stdout), "Maria Miller visited Berlin.")


def test_evaluate_imports_nothing_heavy(english, corpus):
    code = (
        "import sys\nfrom rnnlp.tasks.cli.main import run\n"
        "run(['evaluate', *sys.argv[1:]])\n"
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)\n"
    )
    assert script(code, english, corpus / "test.conll").stderr == "[]\n"


def test_a_closed_pipe_is_no_error(english):
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    command = (
        f'"{sys.executable}" -m rnnlp predict "{english}" a b c | true; exit ${{PIPESTATUS[0]}}'
    )
    result = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, env=environment, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_load_encoder(english):
    encoder = package.load_encoder(english)
    texts = ["Maria Miller visited Berlin.", "Rome."]
    output = encoder.eval()(texts)
    assert output.states.shape == (2, 5, encoder.output_size)
    assert not output.states[1, 2:].any()
    alone = encoder(texts[1:])
    assert output.states[1, :2].allclose(alone.states[0], atol=1e-6)
    output.states.sum().backward()
    assert all(p.grad is not None for p in encoder.encoder.parameters())
    with pytest.raises(ValueError, match=r"\[1\]"):
        encoder(["a", " "])


def test_plain_tags(rnnlp, corpus, tmp_path):
    file = tmp_path / "pos.conll"
    file.write_text("The DET\ndog NOUN\nbarks VERB\n\nA DET\ncat NOUN\nsleeps VERB\n\n" * 20)
    code, out, _ = rnnlp(
        "fit", "--config", corpus / "tiny.yaml", "--output", tmp_path / "pos",
        "--data.train", file, "--data.validation", file, "--trainer.max_epochs=8",
    )  # fmt: skip
    assert code == 0 and out.startswith("validation accuracy ")
    code, out, _ = rnnlp("evaluate", tmp_path / "pos", file, "--json")
    result = json.loads(out)
    names = {"accuracy", "interval", "baseline", "examples", "seconds", "tokens_per_second"}
    assert set(result) == names
    assert result["accuracy"] > 0.9
    _, out, _ = rnnlp("predict", tmp_path / "pos", "The cat barks")
    groups = [entity["entity_group"] for entity in json.loads(out)["entities"]]
    assert groups == ["DET", "NOUN", "VERB"]


def test_folder_description(english):
    folder = open_folder(english)
    assert folder.task == "tagging"
    assert folder.config["scheme"] == "BIOES"
    content = json.loads((english / "config.json").read_text())
    assert content["format_version"] == 2


def test_what_was_validated_on_is_written_down(rnnlp, corpus, tmp_path):
    file = tmp_path / "io.conll"
    file.write_text("".join(f"w{i} X\nis _\nso _\n\n" for i in range(20)))
    code, _, err = rnnlp(
        "fit", "--config", corpus / "tiny.yaml", "--output", tmp_path / "model",
        "--data.train", file, "--data.validation=null", "--trainer.max_epochs=1",
    )  # fmt: skip
    assert code == 0 and "2 of 20 training examples are kept apart" in err
    assert "each run of one tag is read as one entity" in err and "'_' is read as O" in err
    told = json.loads((tmp_path / "model" / "splits.json").read_text())
    assert len(told["validation_lines"]) == 2 and told["train"] == str(file)
    assert all(line % 4 == 1 for line in told["validation_lines"])
