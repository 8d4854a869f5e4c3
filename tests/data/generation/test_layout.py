"""How files for a generator are laid out: decided on the training file, and kept for the others."""

import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.generation.datamodule import GenerationData
from rnnlp.data.generation.readers import read_texts, text_layout

POEMS = ["白日依山尽，黄河入海流。", 'She said, "no".', "three"]
ROWS = [{"id": str(n), "content": poem, "kind": "kK"[n % 2]} for n, poem in enumerate(POEMS)]


def table(path):
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), path)
        return path
    with path.open("w", encoding="utf-8", newline="") as file:
        marks = "\t" if path.suffix == ".tsv" else ","
        writer = csv.DictWriter(file, ROWS[0], delimiter=marks, quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(ROWS)
    return path


def texts(path, **options):
    return [example.text for example in read_texts(path, **options)]


def layout(path, *, format="auto", separator="auto", text_column=None):
    return text_layout(path, format=format, separator=separator, text_column=text_column)


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.parquet"])
def test_tables_are_read_by_their_header(tmp_path, name):
    path = table(tmp_path / name)
    assert texts(path, text_column="content") == POEMS
    assert texts(path, text_column="2") == POEMS
    assert [example.labels for example in read_texts(path, labels=["kind"])] == [
        {"kind": "k"}, {"kind": "K"}, {"kind": "k"},
    ]  # fmt: skip
    kept = layout(path)  # a usual name is found, and told
    assert kept.columns == {"text": "content"} and "text in content" in kept.told(str(path))
    assert texts(path, layout=kept) == POEMS


def test_what_is_no_column_is_refused(tmp_path):
    plain, bare = tmp_path / "a.txt", tmp_path / "a.csv"
    plain.write_text("one, two\nthree\n")
    bare.write_text("one, two\nthree, four\n")
    with pytest.raises(InputError, match=r"a file of text has no columns such as 'content'"):
        texts(plain, text_column="content")
    with pytest.raises(InputError, match=r"which column holds the text among one, two: set data"):
        texts(bare)
    assert texts(bare, format="text") == ["one, two", "three, four"]
    with pytest.raises(InputError, match=r"no column 'body' among id, content, kind"):
        texts(table(tmp_path / "b.csv"), text_column="body")


def test_a_stray_blank_line_parts_nothing(tmp_path):
    lines, verses = tmp_path / "lines.txt", tmp_path / "verses.txt"
    one_each = [f"poem {n}" for n in range(60)]
    lines.write_text("\n".join([*one_each[:30], "", *one_each[30:]]) + "\n")
    assert layout(lines).separator == "line" and texts(lines) == one_each
    notes = Notes()
    texts(lines, notes=notes)
    assert notes.lines() == [f"{lines}: read as text: a text a line (data.separator is line)"]
    stanzas = ["\n".join(one_each[n : n + 4]) for n in range(0, 60, 4)]
    verses.write_text("\n\n".join(stanzas))
    assert layout(verses).separator == "blank" and texts(verses) == stanzas
    folder = tmp_path / "many"  # decided by all files of a folder
    folder.mkdir()
    (folder / "a.txt").write_text("alone\n")
    (folder / "b.txt").write_text(verses.read_text())
    assert texts(folder, layout=layout(folder)) == ["alone", *stanzas]


def test_validation_is_read_as_training_texts_are(tmp_path):
    train, validation = tmp_path / "train.txt", tmp_path / "validation.txt"
    train.write_text("".join(f"poem {n}\n" for n in range(60)))
    validation.write_text("one\ntwo\n\nthree\n")
    data = GenerationData(train=str(train), validation=str(validation))
    data.prepare()
    assert any("validation: 3 texts" in note for note in data.notes)
    assert f"{train}: read as text: a text a line (data.separator is line)" in data.notes


def test_the_key_of_the_training_file_holds_for_others(tmp_path):
    path = tmp_path / "a.jsonl"
    rows = ({"text": "junk", "content": poem} for poem in POEMS)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = GenerationData(train=str(path), text_column="content")
    assert texts(path, layout=data.layout) == POEMS
    assert texts(path, layout=data.layout, text_column="text") == ["junk"] * len(POEMS)
