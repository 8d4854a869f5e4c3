"""A table in, the same table out, with the columns of the answer added."""

import csv
import datetime
import decimal
import io
import json
import sys
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow
import pyarrow.parquet as pq
import pytest

from rnnlp.data.classification.readers import read_classification
from rnnlp.data.corpus.report import Notes
from rnnlp.data.formats.probabilities import probabilities

FOLDERS = Path(__file__).parents[2] / "folders"
CLASSIFIER, TAGGER = FOLDERS / "classification-v1", FOLDERS / "tagging-v1"
ROWS = [
    {"id": "7", "text": 'a "fine", merry\nfilm', "stars": "1"},
    {"id": "8", "text": "dull", "stars": ""},
    {"id": "9", "text": "一部好电影", "stars": "2"},
]


def read(path):
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    if path.suffix == ".xlsx":
        names, *rows = openpyxl.load_workbook(path).active.iter_rows(values_only=True)
        return [dict(zip(names, row, strict=True)) for row in rows]
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ","))


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "in.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(ROWS[0]))
        writer.writeheader()
        writer.writerows(ROWS)
    return path


def test_tsv_has_no_line_breaks(rnnlp, table, tmp_path):
    code, _, err = rnnlp("predict", CLASSIFIER, "--input", table, "--output", tmp_path / "o.tsv")
    assert code == 2 and "which TSV cannot hold: write .csv" in err
    assert not (tmp_path / "o.tsv").exists()


@pytest.mark.parametrize(("suffix", "mark"), [("csv", ","), ("tsv", "\t")])
def test_a_row_of_empty_cells_has_an_answer(rnnlp, tmp_path, suffix, mark):
    path = tmp_path / f"in.{suffix}"
    path.write_text("text,x\n,\nHello,1\n\n,\n".replace(",", mark))
    code, out, err = rnnlp("predict", CLASSIFIER, "--input", path)
    assert code == 0, err
    assert [json.loads(line)["text"] for line in out.splitlines()] == ["", "Hello", ""]


@pytest.mark.parametrize("name", ["o.jsonl", "o.csv", "o.parquet"])
def test_dates_and_empty_rows_of_parquet(rnnlp, tmp_path, name):
    """No row is lost, be it without a value, and what JSON does not know becomes a text."""
    day, cost = datetime.date(2024, 5, 1), decimal.Decimal("1.50")
    rows = [{"text": "fine", "day": day, "at": [day], "cost": cost}, dict.fromkeys(("text", "day"))]
    pq.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "in.parquet")
    source, target = tmp_path / "in.parquet", tmp_path / name
    code, _, err = rnnlp("predict", CLASSIFIER, "--input", source, "--output", target)
    assert code == 0, err
    if name == "o.jsonl":
        first, second = (json.loads(line) for line in target.read_text().splitlines())
        assert first["row"] == {"day": "2024-05-01", "at": ["2024-05-01"], "cost": "1.50"}
    else:
        first, second = read(target)
        assert str(first["day"]) == "2024-05-01" and str(first["cost"]) == "1.50"
    assert first["text"] == "fine" and not second["text"] and second["label"]
    code, out, err = rnnlp("select", CLASSIFIER, "--input", source)
    assert code == 0 and json.loads(out)["day"] == "2024-05-01", err
    vectors = tmp_path / "v.npy"
    assert rnnlp("encode", CLASSIFIER, "--input", source, "--output", vectors)[0] == 0
    assert len(np.load(vectors)) == 2


def workbook(path, rows, *others):
    """Writes a workbook of a sheet of these rows, and other sheets."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for title in others:
        book.create_sheet(title)
    book.save(path)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".xlsx"])
def test_columns_are_kept_in_order_and_answers_added(rnnlp, tmp_path, suffix, table):
    rows = [{**row, "text": row["text"].replace("\n", " ")} for row in ROWS]
    if suffix == ".tsv":
        table.write_text(table.read_text().replace("merry\nfilm", "merry film"))
    else:
        rows = ROWS
    code, out, _ = rnnlp("predict", CLASSIFIER, "--input", table)
    answers = [json.loads(line) for line in out.splitlines()]
    target = tmp_path / f"out{suffix}"
    code, out, err = rnnlp("predict", CLASSIFIER, "--input", table, "--output", target)
    assert code == 0 and out == "" and "the text in text" in err
    actual = read(target)
    assert list(actual[0]) == ["id", "text", "stars", "label", "score", "scores"]
    for row, original, answer in zip(actual, rows, answers, strict=True):
        assert {name: row[name] or "" for name in original} == original  # Excel has no empty texts
        assert row["label"] == answer["label"] and float(row["score"]) == answer["score"]
        assert json.loads(row["scores"]) == answer["scores"]
    # What was written is read again, and as the same texts.
    code, out, _ = rnnlp("predict", CLASSIFIER, "--input", target)
    assert code == 0
    assert [json.loads(line)["scores"] for line in out.splitlines()] == [
        answer["scores"] for answer in answers
    ]
    # And trained on as JSON lines are: by the probability of each label.
    for example, answer in zip(read_classification(target, notes=Notes()), answers, strict=True):
        assert example.labels == [answer["label"]]
        assert example.soft == probabilities(answer["scores"])


def test_columns_of_the_input_are_not_overwritten(rnnlp, tmp_path):
    (tmp_path / "0.csv").write_text("label,text\ngood,fine\n")
    for source, out in (("0.csv", "1.csv"), ("1.csv", "2.csv")):  # answers are asked again
        code, _, err = rnnlp(
            "predict", CLASSIFIER, "--input", tmp_path / source, "--output", tmp_path / out
        )
        assert code == 0
    (row,) = read(tmp_path / "2.csv")
    assert row["label"] == "good" and row["predicted_label"] == row["predicted_predicted_label"]
    assert "columns of the input stay, so the answers' label in predicted_predicted_label" in err


def test_texts_without_a_table_and_entities(rnnlp, tmp_path):
    out = tmp_path / "out.csv"
    code, _, _ = rnnlp("predict", TAGGER, "Barack Obama visited Berlin.", "", "--output", out)
    rows = read(out)
    assert code == 0 and [row["text"] for row in rows] == ["Barack Obama visited Berlin.", ""]
    for entity in json.loads(rows[0]["entities"]):
        assert rows[0]["text"][entity["start"] : entity["end"]] == entity["word"]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".xlsx", ".parquet"])
def test_no_texts_make_an_empty_table(rnnlp, tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    out = tmp_path / f"out{suffix}"
    code, _, err = rnnlp("predict", CLASSIFIER, "--output", out)
    assert code == 0 and err == "note: stdin is empty\n"
    if suffix != ".xlsx":
        assert read(out) == []
    else:
        assert list(openpyxl.load_workbook(out).active.iter_rows(values_only=True)) == []


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("in.jsonl", '{"text": "a", "x": 1}\n{"text": "b"}\n', [], "other columns than the first"),
        ("in.csv", "text\na\n", ["--format", "doccano"], "--format doccano writes JSON"),
        ("in.parquet", "no table", [], "in.parquet: cannot be read"),
        ("in.xlsx", "no table", [], "in.xlsx: no workbook that can be read"),
    ],
)
def test_what_is_no_table_is_said(rnnlp, tmp_path, name, content, options, message):
    (tmp_path / name).write_text(content)
    out = tmp_path / "out.csv"
    code, _, err = rnnlp(
        "predict", CLASSIFIER, "--input", tmp_path / name, "--output", out, *options
    )
    assert code == 2 and message in err.splitlines()[-1]
    assert not out.exists()


def test_a_workbook_in_and_out(rnnlp, tmp_path):
    """Cells keep their kinds, a text is no formula, and the first of several sheets counts."""
    rows = [["id", "text", "when"], [7, "=1+1 is fine", None], [], [8, 42, 2.5], [9, None, True]]
    path = workbook(tmp_path / "in.xlsx", rows, "more")
    sheet = openpyxl.load_workbook(path)
    sheet.active["B2"].data_type = "s"
    sheet.save(path)
    out = tmp_path / "out.xlsx"
    code, _, err = rnnlp("predict", CLASSIFIER, "--input", path, "--output", out)
    assert code == 0 and "the first of 2 sheets, Sheet" in err, err
    actual = read(out)
    assert [(row["id"], row["text"], row["when"]) for row in actual] == [
        (7, "=1+1 is fine", None), (8, "42", 2.5), (9, None, True)
    ]  # fmt: skip
    assert openpyxl.load_workbook(out).active["B2"].data_type == "s"
    assert all(isinstance(row["score"], float) for row in actual)


@pytest.mark.parametrize(("text", "problem"), [("x" * 40_000, "32,767"), ("\x07", "control")])
def test_what_excel_cannot_hold(rnnlp, tmp_path, text, problem):
    (tmp_path / "in.jsonl").write_text(json.dumps({"text": text}))
    out = tmp_path / "out.xlsx"
    code, _, err = rnnlp("predict", CLASSIFIER, "--input", tmp_path / "in.jsonl", "--output", out)
    assert code == 2 and "row 2: a text" in err and problem in err and "write .csv" in err
    assert not out.exists()


@pytest.mark.parametrize("suffix", [".xlsx", ".parquet"])
def test_workbooks_wherever_csv_is_taken(rnnlp, tmp_path, suffix):
    rows = [{"text": f"so {i} ; fine, or", "label": "ab"[i % 2], "n": i} for i in range(40)]
    path = tmp_path / f"in{suffix}"
    if suffix == ".xlsx":
        workbook(path, [list(rows[0]), *(list(row.values()) for row in rows)])
    else:
        pq.write_table(pyarrow.Table.from_pylist(rows), path)
    code, out, _ = rnnlp("check", path)
    assert code == 0 and "a 20, b 20" in out
    model = tmp_path / "model"
    settings = ["--trainer.fast_dev_run=1", "--trainer.accelerator=cpu", "--data.group_column=n"]
    code, _, err = rnnlp(
        "fit", "--config", "sentiment", "--data.train", path, "--output", model, *settings
    )
    assert code == 0 and "text in text, label in label" in err, err
    code, out, _ = rnnlp("evaluate", CLASSIFIER, path, "--json", "--label_column", "2")
    assert code == 0 and json.loads(out)["examples"] == 40
    code, out, _ = rnnlp("predict", CLASSIFIER, "--input", path)
    assert code == 0 and json.loads(out.splitlines()[1])["row"] == {"label": "b", "n": 1}


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (
            [["a", "b"], ["x", "y", "z"]],
            ["--text_column", "a"],
            "in.xlsx:2: a value in column 3, and the first row ends in column 2",
        ),
        ([["a", "b"], ["x", "y"]], [], "in.xlsx:1: which column holds the text"),
        ([["a", "b"], ["x", "y"]], ["--text_column", "c"], "in.xlsx:1: no column 'c' among a, b"),
        ([["a", "b"], ["x", "y"]], ["--text_column", "9"], ": --text_column is 9; the columns are"),
        ([[]], [], "in.xlsx: no rows"),
    ],
)
def test_workbooks_that_do_not_fit(rnnlp, tmp_path, rows, options, message):
    path = workbook(tmp_path / "in.xlsx", rows)
    code, _, err = rnnlp("predict", CLASSIFIER, "--input", path, *options)
    assert code == 2 and message in err.splitlines()[-1]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".jsonl"])
@pytest.mark.parametrize("column", ["title,body", "1,3"])
def test_texts_in_two_columns(rnnlp, tmp_path, suffix, column):
    rows = [
        {"title": "Fine", "stars": "5", "body": "a merry film"},
        {"title": "No", "stars": "1", "body": ""},
    ]
    path = tmp_path / f"in{suffix}"
    if suffix == ".xlsx":
        workbook(path, [list(rows[0]), *(list(row.values()) for row in rows)])
    elif suffix == ".csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        column = "title,body"
    code, out, err = rnnlp("predict", CLASSIFIER, "--input", path, "--text_column", column)
    assert code == 0, err
    first, second = map(json.loads, out.splitlines())
    assert first["text"] == "Fine\na merry film" and second["text"] == "No"
    target = tmp_path / "out.csv"
    rnnlp("predict", CLASSIFIER, "--input", path, "--text_column", column, "--output", target)
    assert list(read(target)[0])[:3] == list(rows[0])
    code, out, _ = rnnlp(
        "evaluate", CLASSIFIER, path, "--json", "--text_column", column, "--label_column", "stars"
    )
    assert code == 0 and json.loads(out)["examples"] == 2
    code, _, err = rnnlp("predict", CLASSIFIER, "--input", path, "--text_column", "title,boddy")
    assert code == 2 and "no " in err and "'boddy'" in err
