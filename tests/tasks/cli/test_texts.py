"""Where `predict` takes its texts from: files as `fit` reads them, and pipes that are slow."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

CLASSIFIER = Path(__file__).parents[2] / "folders" / "classification-v1"


def answers(out):
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize(
    ("name", "content", "others"),
    [
        ("a.jsonl", '\n{"text": "fine", "id": 7}\n\n{"text": "dull", "id": 8}\n\n', {"id": 7}),
        ("b.jsonl", '{"review": "fine", "id": 7}\n{"review": "dull", "id": 8}\n', {"id": 7}),
        ("c.csv", 'id,text,stars\n7,"fine",1\n8,dull,2\n', {"id": "7", "stars": "1"}),
        ("d.tsv", "text\tid\nfine\t7\ndull\t8\n", {"id": "7"}),
        ("e.csv", "id;review\n7;fine\n8;dull\n", {"id": "7"}),
        ("f.txt", "fine\ndull\n", None),
        ("g.txt", '\ufeff{"text": "fine", "id": 7}\n{"text": "dull", "id": 8}', {"id": 7}),
    ],
)
def test_files_are_read_as_fit_reads_them(rnnlp, tmp_path, name, content, others):
    (tmp_path / name).write_text(content)
    code, out, err = rnnlp("predict", CLASSIFIER, "--input", tmp_path / name)
    assert code == 0, err
    actual = answers(out)
    assert [answer["text"] for answer in actual] == ["fine", "dull"]
    assert actual[0].get("row") == others


def test_blank_lines_of_plain_text_are_texts(rnnlp, tmp_path):
    (tmp_path / "a.txt").write_text("\n\nfine\n\n")
    _, out, _ = rnnlp("predict", CLASSIFIER, "--input", tmp_path / "a.txt")
    assert [answer["text"] for answer in answers(out)] == ["", "", "fine", ""]


def test_a_column_can_be_named(rnnlp, tmp_path):
    (tmp_path / "a.csv").write_text("title,body\nfine,dull\n")
    for column in ("body", "2"):
        code, out, err = rnnlp(
            "predict", CLASSIFIER, "--input", tmp_path / "a.csv", "--text_column", column
        )
        assert code == 0 and answers(out)[0]["text"] == "dull", err
    (tmp_path / "a.jsonl").write_text('{"text": "fine", "body": "dull"}\n')
    _, out, _ = rnnlp(
        "predict", CLASSIFIER, "--input", tmp_path / "a.jsonl", "--text_column", "body"
    )
    assert answers(out)[0]["text"] == "dull"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.jsonl", '{"tokens": ["a"]}\n', "a.jsonl:1: no text among the keys tokens"),
        ("b.jsonl", '{"text": "a"}\nplain\n', "b.jsonl:2: not JSON"),
        ("c.jsonl", '{"text": "half \\ud83d"}\n', "c.jsonl:1: \\ud83d is half of a character"),
        ("d.csv", "a,b\n1,2\n", "d.csv:1: which column holds the text among a, b"),
        ("e.csv", "text,b\n1,2,3\n", "e.csv:2: 3 columns where the first line has 2"),
        ("f.conll", "Anna B-PER\n", "f.conll: holds tokens and tags"),
        ("f.txt", "Anna NN B-PER\nran VB O\n\n", "f.txt: holds tokens and tags"),
        ("f.txt", "the\tDT\ndogs\tNNS\n.\t.\n\nit\tPRP\n", "f.txt: holds tokens and tags"),
        ("f.txt", f"1\tAnna{8 * (chr(9) + '_')}\n", "f.txt: holds tokens and tags"),
        ("f.ann", "T1\tPER 0 4\tAnna\n", "f.ann: holds tokens and tags"),
        ("g.xlsx", "PK\3\4", "g.xlsx: no workbook that can be read"),
        ("h.jsonl", '{"text": "a"}\n{"x": ' + "[" * 9000 + "\n", "h.jsonl:2: not JSON"),
        ("i.jsonl", '{"text": "a"\n{"text": "b"}\n', "i.jsonl:1: not JSON"),
        ("j.txt", '{"text": "a", "n": ' + "9" * 5000 + "}\n", "j.txt:1: not JSON"),
    ],
)
def test_files_without_texts_are_refused(rnnlp, tmp_path, name, content, words):
    (tmp_path / name).write_text(content)
    code, _, err = rnnlp("predict", CLASSIFIER, "--input", tmp_path / name)
    assert code == 2 and words in err.splitlines()[-1] and "Traceback" not in err, err


def test_tokens_through_a_pipe_are_refused(rnnlp, monkeypatch):
    for content, code in ((b"Anna B-PER\nran O\n", 2), (b"fine film\n\nGOOD\n", 0)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        ended, out, err = rnnlp("predict", CLASSIFIER)
        assert ended == code, err
        assert ("<stdin>: holds tokens and tags" in err) == (not out) == (code == 2), err


def test_a_text_that_looks_like_a_file_is_told(rnnlp):
    code, out, err = rnnlp("predict", CLASSIFIER, "no/such.csv", "fine.")
    assert code == 0 and out.count("\n") == 2
    assert err == "note: no/such.csv: no such file, so that it is taken for a text\n"


def test_texts_that_are_none(rnnlp, tmp_path, monkeypatch):
    (tmp_path / "reviews.txt").write_text("fine\n")
    code, _, err = rnnlp("predict", CLASSIFIER, tmp_path / "reviews.txt")
    assert code == 2 and f"give --input {tmp_path}/reviews.txt" in err
    code, _, err = rnnlp("predict", CLASSIFIER, "caf\udce9")
    assert code == 2 and "text 1 is not UTF-8" in err
    monkeypatch.setattr(sys, "stdin", None)
    code, _, err = rnnlp("predict", CLASSIFIER)
    assert code == 2 and "stdin is closed" in err


def test_a_slow_pipe_is_answered_line_by_line():
    command = [sys.executable, "-m", "rnnlp", "predict", str(CLASSIFIER)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        for text in ("fine", "dull", "so so"):
            process.stdin.write(f"{text}\n".encode())
            process.stdin.flush()
            # Where it waited for the next line, this would never end.
            assert json.loads(process.stdout.readline())["text"] == text
        process.stdin.close()
        assert process.wait() == 0


def fitted(rnnlp, folder, train, *settings):
    code, _, err = rnnlp(
        *("fit", "--config", "sentiment", "--data.train", train, "--output", folder),
        *("--trainer.max_epochs", 1, "--trainer.limit_train_batches", 1),
        *("--model.embedding.size", 8, "--model.encoder.hidden_size", 8, *settings),
    )
    assert code == 0, err
    return err


def test_the_layout_of_the_training_file_is_kept(rnnlp, tmp_path):
    """A short test file would be read the other way round, or its header as a text."""
    bare = "".join(f"{'yes' if i % 2 else 'no'}\ta somewhat long text {i}\n" for i in range(40))
    (tmp_path / "train.tsv").write_text(bare)
    err = fitted(rnnlp, tmp_path / "m", tmp_path / "train.tsv")
    assert "read as tsv without a header: text in column 2, label in column 1" in err
    (tmp_path / "test.tsv").write_text("yes\thello\nno\thello\nno\thello\n")
    code, out, err = rnnlp("evaluate", tmp_path / "m", tmp_path / "test.tsv", "--json")
    assert code == 0, err
    counts = {name: row["support"] for name, row in json.loads(out)["per_class"].items()}
    assert counts == {"no": 2, "yes": 1}
    _, out, _ = rnnlp("predict", tmp_path / "m", "--input", tmp_path / "test.tsv")
    assert [answer["text"] for answer in answers(out)] == ["hello"] * 3
    assert answers(out)[0]["row"] == {"1": "yes"}
    column = ("--text_column", 1)  # a number makes no header of the first row
    _, out, _ = rnnlp("predict", tmp_path / "m", "--input", tmp_path / "test.tsv", *column)
    assert [answer["text"] for answer in answers(out)] == ["yes", "no", "no"]

    named = "frage,art\n" + "".join(f"wie geht es {i},{'ab'[i % 2]}\n" for i in range(30))
    (tmp_path / "frage.csv").write_text(named)
    fitted(rnnlp, tmp_path / "n", tmp_path / "frage.csv")
    (tmp_path / "short.csv").write_text("art,frage\na,wer\nb,was\n")
    code, out, err = rnnlp("evaluate", tmp_path / "n", tmp_path / "short.csv", "--json")
    assert code == 0 and json.loads(out)["examples"] == 2, err
    (tmp_path / "other.csv").write_text("x,y\na,wer\n")
    code, _, err = rnnlp("evaluate", tmp_path / "n", tmp_path / "other.csv")
    assert code == 2 and "no column 'frage' among x, y" in err
    (tmp_path / "other.jsonl").write_text('{"text": "wer", "label": "a"}\n')
    code, _, err = rnnlp("evaluate", tmp_path / "n", tmp_path / "other.jsonl")
    assert code == 0 and "is jsonl, and the training data was csv: its columns are found" in err


def test_a_tagger_is_evaluated_on_the_columns_it_was_trained_on(rnnlp, corpus, tmp_path):
    rows = (corpus / "validation.conll").read_text(encoding="utf-8").splitlines()
    text = "\n".join(f"{row} NN x" if row else "" for row in rows) + "\n"
    (tmp_path / "wide.conll").write_text(text, encoding="utf-8")
    code, _, err = rnnlp(
        *("fit", "--config", corpus / "tiny.yaml", "--data.train", tmp_path / "wide.conll"),
        *("--data.validation", tmp_path / "wide.conll", "--data.tag_column", 2),
        *("--output", tmp_path / "m", "--trainer.max_epochs", 1),
    )
    assert code == 0 and "read as conll: token in column 1, tag in column 2" in err
    code, out, err = rnnlp("evaluate", tmp_path / "m", tmp_path / "wide.conll", "--json")
    assert code == 0, err
    stored = json.loads((tmp_path / "m" / "metrics.json").read_text())["validation"]
    assert json.loads(out)["f1"] == stored["f1"]


def test_a_quoted_tsv_is_unquoted(rnnlp, tmp_path):
    (tmp_path / "a.tsv").write_text('text\tid\n"so ""fine"""\t7\ndull\t8\n')
    _, out, _ = rnnlp("predict", CLASSIFIER, "--input", tmp_path / "a.tsv")
    assert [answer["text"] for answer in answers(out)] == ['so "fine"', "dull"]


@pytest.mark.parametrize("encoding", ["gb18030", "big5"])
def test_another_encoding_in_every_verb(rnnlp, tmp_path, encoding):
    text = "一部好電影，服務也好"
    path = tmp_path / "a.csv"
    path.write_bytes(f"text,label\n{text},positive\n{text},negative\n".encode(encoding))
    named = ["--encoding", encoding]
    code, out, _ = rnnlp("predict", CLASSIFIER, "--input", path, *named)
    assert code == 0 and [answer["text"] for answer in answers(out)] == [text, text]
    assert rnnlp("evaluate", CLASSIFIER, path, "--json", *named)[0] == 0
    assert "contradict" not in rnnlp("check", path, *named)[1]
    code, _, err = rnnlp("predict", CLASSIFIER, "--input", path, "--encoding", "big6")
    assert code == 2 and "unknown encoding 'big6'" in err
    code, _, err = rnnlp("predict", CLASSIFIER, text, *named)
    assert code == 2 and "--encoding is for --input FILE" in err


def test_threads_are_what_a_model_computes_on(rnnlp, tmp_path):
    (tmp_path / "a.csv").write_text("text,label\nfine,positive\n")
    plain = rnnlp("predict", CLASSIFIER, "fine", "dull")
    assert rnnlp("predict", CLASSIFIER, "--threads", "1", "fine", "dull")[:2] == plain[:2]
    for verb, what in (("predict", "fine"), ("evaluate", tmp_path / "a.csv")):
        code, _, err = rnnlp(verb, CLASSIFIER, what, "--threads", "0")
        assert code == 2 and "threads is 0: give 1 to" in err


def test_braces_do_not_make_json(rnnlp, tmp_path):
    lines = ["{x} is a set", '{"a"} too', "{}y"]
    (tmp_path / "a.txt").write_text("\n".join(lines))
    code, out, _ = rnnlp("predict", CLASSIFIER, "--input", tmp_path / "a.txt")
    assert code == 0 and [answer["text"] for answer in answers(out)] == lines


def test_evaluate_leaves_bad_rows_out_where_it_is_told_to(rnnlp, tmp_path):
    (tmp_path / "a.csv").write_text("text,label\nfine,positive\nonly\ndull,negative\n")
    code, _, err = rnnlp("evaluate", CLASSIFIER, tmp_path / "a.csv")
    assert code == 2 and "a.csv:3: 1 column" in err
    code, out, err = rnnlp("evaluate", CLASSIFIER, tmp_path / "a.csv", "--json", "--skip_bad_rows")
    assert code == 0 and json.loads(out)["examples"] == 2 and "a.csv:3" in err
