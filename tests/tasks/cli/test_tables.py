"""A table in, the same table out, with the columns of the answer added."""

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

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


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
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
    found = read(target)
    assert list(found[0]) == ["id", "text", "stars", "label", "score", "scores"]
    for row, given, answer in zip(found, rows, answers, strict=True):
        assert {name: row[name] for name in given} == given
        assert row["label"] == answer["label"] and float(row["score"]) == answer["score"]
        assert json.loads(row["scores"]) == answer["scores"]
    # What was written is read again, and as the same texts.
    code, out, _ = rnnlp("predict", CLASSIFIER, "--input", target)
    assert code == 0
    assert [json.loads(line)["scores"] for line in out.splitlines()] == [
        answer["scores"] for answer in answers
    ]


def test_a_gold_label_is_not_overwritten(rnnlp, tmp_path):
    (tmp_path / "in.csv").write_text("label,text\ngood,fine\n")
    out = tmp_path / "out.csv"
    code, _, err = rnnlp("predict", CLASSIFIER, "--input", tmp_path / "in.csv", "--output", out)
    (row,) = read(out)
    assert code == 0 and row["label"] == "good" and row["predicted_label"]
    assert "has columns of these names already: predicted_label" in err


def test_texts_without_a_table_and_entities(rnnlp, tmp_path):
    out = tmp_path / "out.csv"
    code, _, _ = rnnlp("predict", TAGGER, "Barack Obama visited Berlin.", "", "--output", out)
    rows = read(out)
    assert code == 0 and [row["text"] for row in rows] == ["Barack Obama visited Berlin.", ""]
    for entity in json.loads(rows[0]["entities"]):
        assert rows[0]["text"][entity["start"] : entity["end"]] == entity["word"]


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("in.jsonl", '{"text": "a", "x": 1}\n{"text": "b"}\n', [], "other columns than the first"),
        ("in.csv", "text\na\n", ["--format", "doccano"], "--format doccano writes JSON"),
        ("in.parquet", "no table", [], "in.parquet: cannot be read"),
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
