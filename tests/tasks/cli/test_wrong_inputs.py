"""A user's mistake is met with one line, exit code 2, and no half-made model folder."""

import gzip
import json
import os

import pytest

GOOD = "Ann B-PER\nlaughed O\n\nBob B-PER\nsleeps O\n\n" * 10


def write(path, content):
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content, encoding="utf-8")
    return path


def json_lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


OUTSIDE = json_lines({"text": "Ann laughed.", "entities": [[0, 3, "PER"]]}) + json_lines(
    {"text": "Bob", "entities": [[0, 30, "PER"]]}
)
NO_TOKEN = json_lines({"tokens": ["Ann"], "tags": ["B-PER"]}, {"tokens": [], "tags": []})

# name of the file, its content, and what the one line must say
FILES = {
    "ragged columns": ("a.conll", GOOD + "Eve B-PER extra\n", ["a.conll:61", "3", "2"]),
    "unknown scheme": ("b.conll", GOOD.replace("B-PER", "Q-PER"), ["b.conll", "Q-PER"]),
    "span outside the text": ("c.jsonl", OUTSIDE, ["c.jsonl:2", "30"]),
    "empty file": ("d.conll", "", ["d.conll", "empty"]),
    "wrong encoding": ("e.conll", GOOD.encode() + b"M\xfcller B-PER\n", ["e.conll:61", "UTF-8"]),
    "no entity at all": ("f.conll", "Ann O\nlaughed O\n\n" * 9, ["f.conll", "no entity"]),
    "zero-length sentence": ("g.jsonl", NO_TOKEN, ["g.jsonl:2", "token"]),
    "broken gzip": ("h.conll.gz", gzip.compress(GOOD.encode())[:-20], ["h.conll.gz"]),
    "binary file": ("i.conll", b"\x00\x01\x02" * 50, ["i.conll"]),
    "no tags": ("j.conll", "Ann\nlaughed\n\n", ["j.conll"]),
}


@pytest.fixture
def refused(rnnlp, corpus, tmp_path):
    """Runs `fit`, checks how it fails and that it leaves nothing, and gives the line."""

    def check(*arguments, config="tiny.yaml"):
        output = tmp_path / "output"
        before = set(os.listdir(tmp_path))
        config = corpus / config if isinstance(config, str) else config
        code, out, err = rnnlp("fit", "--config", config, "--output", output, *arguments)
        assert code == 2 and out == ""
        assert err.startswith("rnnlp: ") and err.endswith("\n")
        assert err.count("\n") == 1, f"more than one line: {err}"
        assert "Traceback" not in err
        assert set(os.listdir(tmp_path)) == before
        return err

    return check


@pytest.mark.parametrize("case", FILES)
def test_bad_training_file(refused, tmp_path, case):
    name, content, words = FILES[case]
    line = refused("--data.train", write(tmp_path / name, content))
    for word in words:
        assert word in line, line


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_missing_file(refused, split):
    assert "nowhere.conll: no such file" in refused(f"--data.{split}", "nowhere.conll")


def test_folder_in_place_of_a_file(refused, tmp_path):
    assert "folder" in refused("--data.train", tmp_path)


def test_bad_validation_file_is_found_before_training(refused, tmp_path):
    file = write(tmp_path / "dev.conll", "Ann B-PER\nlaughed\n")
    assert "dev.conll:2" in refused("--data.validation", file)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("hidden_size", "hiden_size", ["5: ", "model.encoder.hiden_size", "did you mean",
                                       "model.encoder.hidden_size"]),
        ("hidden_size", "recurrent_dropout: 0.1, hidden_size",
         ["5: ", "is now called model.encoder.weight_dropout"]),
        ("trainer:", "trainr:", ["8: ", "trainr", "trainer"]),
        ("characters: cnn", "characters: cmm", ["4: ", "one of cnn, rnn, none", "cmm"]),
        ("max_epochs: 3", "max_epochs: [3]", ["8: ", "trainer.max_epochs", "[3]"]),
        ("max_tokens: 200", "max_tokens: 200, bigrams: true", ["2: ", "bigrams"]),
        ("task: tagging", "task: tigging", ["tigging", "tagging"]),
        ("task: tagging", "tusk: tagging", ["no task"]),
        ("trainer: {", "trainer: [", ["8: ", "YAML"]),
    ],
)  # fmt: skip
def test_bad_config(refused, corpus, tmp_path, old, new, words):
    text = (corpus / "tiny.yaml").read_text()
    assert old in text
    config = write(tmp_path / "bad.yaml", text.replace(old, new))
    line = refused(config=config)
    assert "bad.yaml" in line
    for word in words:
        assert word in line, line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model.encoder.sell", "gru"], ["model.encoder.cell"]),
        (["--model.encoder.cell", "lstmm"], ["one of rnn", "lstmm"]),
        (["--trainer.max_epochs", "many"], ["trainer.max_epochs", "whole number", "many"]),
        (["--model.embedding.token_features", "shape"], ["a list ([first, second])", "shape"]),
        (["--model.encoder.hidden_size", "0"], ["hidden_size", "0"]),
        (
            ["--model.encoder.cell=mingru", "--model.encoder.weight_dropout=0.2"],
            ["minGRU has no recurrent weights"],
        ),
        (["--model.embedding.dropout", "1.5"], ["1.5"]),
        (["--trainer.accelerator", "abacus"], ["abacus"]),
        (["--trainer.max_time", "soon"], ["soon"]),
        (["--resume"], ["nothing to resume"]),
        (["--resume", "--overwrite"], ["--resume", "--overwrite"]),
        (["stray"], ["stray"]),
        (["--model.encoder.layers", "2"], ["is now called model.encoder.num_layers"]),
        (["--data.token_budget=9"], ["data.token_budget is now called data.max_tokens"]),
    ],
)
def test_bad_arguments(refused, arguments, words):
    line = refused(*arguments)
    for word in words:
        assert word in line, line


def test_no_config(rnnlp):
    for arguments in (["fit"], ["fit", "--config", "nope"], ["fit", "--resume"]):
        code, out, err = rnnlp(*arguments)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "ner" in err  # the shipped configs are named


def test_a_model_is_not_overwritten(rnnlp, corpus, english):
    before = {file: file.read_bytes() for file in english.iterdir() if file.is_file()}
    code, out, err = rnnlp("fit", "--config", corpus / "tiny.yaml", "--output", english)
    assert code == 2 and out == "" and err.count("\n") == 1
    assert "--overwrite" in err and "--resume" in err
    # A mistake in the data is found before anything is replaced.
    code, _, _ = rnnlp(
        "fit", "--config", corpus / "tiny.yaml", "--output", english, "--overwrite",
        "--data.train", "nowhere.conll",
    )  # fmt: skip
    assert code == 2
    assert before == {file: file.read_bytes() for file in english.iterdir() if file.is_file()}


def test_output_is_a_file(rnnlp, corpus, tmp_path):
    file = write(tmp_path / "file", "x")
    code, _, err = rnnlp("fit", "--config", corpus / "tiny.yaml", "--output", file)
    assert code == 2 and "is a file" in err


def test_debugging_shows_the_traceback(corpus, monkeypatch):
    from rnnlp.data.errors import InputError
    from rnnlp.tasks.cli.main import main

    monkeypatch.setenv("RNNLP_DEBUG", "1")
    with pytest.raises(InputError, match=r"nowhere\.conll"):
        main(["fit", "--config", str(corpus / "tiny.yaml"), "--data.train", "nowhere.conll"])


@pytest.mark.parametrize("verb", ["evaluate", "predict"])
def test_what_is_no_model(rnnlp, corpus, tmp_path, verb):
    data = corpus / "test.conll"
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "cut" / "checkpoints").mkdir(parents=True)
    for model, words in (
        (tmp_path / "none", "no such model folder"),
        (data, "is a file"),
        (empty, "config.json"),
        (tmp_path / "cut", "--resume"),
    ):
        code, out, err = rnnlp(verb, model, data)
        assert code == 2 and out == "" and err.count("\n") == 1
        assert words in err and str(model) in err


def test_evaluate_on_bad_files(rnnlp, english, tmp_path):
    for name, content, words in FILES.values():
        if name in ("f.conll", "g.jsonl"):
            continue  # a file without entities can be scored
        code, out, err = rnnlp("evaluate", english, write(tmp_path / name, content))
        assert code == 2 and out == "" and err.count("\n") == 1 and words[0] in err


def test_predict_on_bad_files(rnnlp, english, tmp_path):
    latin = write(tmp_path / "latin.txt", b"one\ntwo \xfc\n")
    code, out, err = rnnlp("predict", english, "--input", latin)
    assert code == 2 and "latin.txt:2" in err
    code, out, err = rnnlp("predict", english, "text", "--output", tmp_path / "no" / "file")
    assert code == 2 and out == "" and "--output" in err
    code, out, err = rnnlp("predict", english, "text", "--input", latin)
    assert code == 2 and "not both" in err


def test_a_table_without_rows_is_refused(rnnlp, english, tmp_path):
    empty, output = write(tmp_path / "a.csv", b"id,text\n"), tmp_path / "o.parquet"
    for verb in (["predict", "--output", output], ["encode", "--output", output], ["select"]):
        code, out, err = rnnlp(verb[0], english, "--input", empty, *verb[1:])
        assert code == 2 and out == "" and "a.csv: no texts in the file" in err
        assert not output.exists()


def test_bad_rows_are_left_out_with_a_note(rnnlp, tmp_path):
    rows = "".join(f"{'good' if n % 2 else 'bad'} {n},{n % 2}\n" for n in range(40))
    (tmp_path / "a.csv").write_text(f"text,label\n{rows}broken\n")
    said = ("fit", "--config", "sentiment", "--data.train", tmp_path / "a.csv")
    small = ("--trainer.max_epochs", "1", "--model.encoder.hidden_size", "4")
    code, _, err = rnnlp(*said, *small, "--output", tmp_path / "m")
    assert code == 2 and "a.csv:42" in err
    code, _, err = rnnlp(*said, *small, "--data.skip_bad_rows", "true", "--output", tmp_path / "m")
    assert code == 0 and "bad rows, left out: 1" in err, err
    (tmp_path / "b.csv").write_text("text,label\nbroken\n")
    code, _, err = rnnlp("evaluate", tmp_path / "m", tmp_path / "b.csv", "--skip_bad_rows")
    assert code == 2 and "no texts in the file: bad rows, left out: 1 (at " in err
