"""Where answers are written: nothing that is read or stands there is lost, and nothing is half."""

import csv
import gc
import gzip
import json
import os
import stat
import threading
from pathlib import Path

import pyarrow
import pyarrow.parquet as pq
import pytest

FOLDERS = Path(__file__).parents[2] / "folders"
CLASSIFIER = FOLDERS / "classification-v1"


@pytest.fixture
def pool(tmp_path):
    path = tmp_path / "pool.csv"
    path.write_text("id,text\n1,fine\n2,dull\n")
    return path


@pytest.mark.parametrize("verb", ["predict", "select"])
@pytest.mark.parametrize("linked", [False, True])
def test_what_is_read_is_not_written_over(rnnlp, pool, verb, linked):
    before = pool.read_text()
    output = pool
    if linked:
        output = pool.with_name("link.csv")
        output.symlink_to(pool)
    code, _, err = rnnlp(verb, CLASSIFIER, "--input", pool, "--output", output)
    assert code == 2
    assert err.splitlines()[-1] == f"rnnlp: {output}: is read: name another file for --output"
    assert pool.read_text() == before


def test_vectors_do_not_replace_their_texts(rnnlp, tmp_path):
    path = tmp_path / "pool.parquet"
    pq.write_table(pyarrow.Table.from_pylist([{"text": "fine"}]), path)
    code, _, err = rnnlp("encode", CLASSIFIER, "--input", path, "--output", path)
    assert code == 2 and "is read: name another file for --output" in err
    assert pq.read_table(path).to_pylist() == [{"text": "fine"}]


def test_a_shard_is_not_written_over(rnnlp, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("fine\n")
    out = tmp_path / "in" / "out.jsonl"
    command = ("predict", CLASSIFIER, "--input", tmp_path / "in", "--output", out)
    assert rnnlp(*command)[0] == 0
    answers = out.read_text()
    assert rnnlp(*command)[0] == 2  # now it is one of the files in the folder
    assert out.read_text() == answers


def test_a_link_leads_where_it_led_and_permissions_stay(rnnlp, tmp_path):
    target, link = tmp_path / "private.jsonl", tmp_path / "link.jsonl"
    target.write_text("old")
    target.chmod(0o600)
    link.symlink_to(target)
    assert rnnlp("predict", CLASSIFIER, "fine", "--output", link)[0] == 0
    assert link.is_symlink() and json.loads(target.read_text())["text"] == "fine"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sorted(os.listdir(tmp_path)) == ["link.jsonl", "private.jsonl"]


def test_a_named_pipe_is_written_to(rnnlp, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    assert rnnlp("predict", CLASSIFIER, "fine", "--output", pipe)[0] == 0
    reader.join(20)
    assert json.loads(read[0])["text"] == "fine" and stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("name", ["out.jsonl.gz", "out.csv.gz"])
def test_what_is_called_packed_is_packed(rnnlp, pool, tmp_path, name):
    out, again = tmp_path / name, tmp_path / f"again.{name}"
    for path in (out, again):
        assert rnnlp("predict", CLASSIFIER, "--input", pool, "--output", path)[0] == 0
    assert out.read_bytes() == again.read_bytes()  # no time of day within
    code, answers, err = rnnlp("predict", CLASSIFIER, "--input", out)  # as its own input
    assert code == 0, err
    assert [json.loads(line)["text"] for line in answers.splitlines()] == ["fine", "dull"]
    if ".csv" in name:
        assert gzip.decompress(out.read_bytes()).startswith(b"id,text,label,")


def test_a_packed_pool_is_answered_in_its_format(rnnlp, pool, tmp_path):
    packed = tmp_path / "pool.csv.gz"
    packed.write_bytes(gzip.compress(pool.read_bytes()))
    code, out, _ = rnnlp("select", CLASSIFIER, "--input", packed, "--count", 2)
    assert code == 0 and out.splitlines()[0] == "id,text"


@pytest.mark.parametrize("suffix", [".xlsx", ".parquet"])
def test_what_packs_itself_is_not_packed(rnnlp, tmp_path, suffix):
    out = tmp_path / f"out{suffix}.gz"
    code, _, err = rnnlp("predict", CLASSIFIER, "fine", "--output", out)
    assert code == 2 and "is packed already: drop .gz from its name" in err
    assert not out.exists()


def test_columns_of_one_name_are_all_kept(rnnlp, tmp_path):
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("text,note,note,,\nfine,first,second,x,y\n")
    code, _, err = rnnlp("predict", CLASSIFIER, "--input", source, "--output", out)
    assert code == 0 and "another column 'note' is called 'note_2'" in err
    with out.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert [row[name] for name in ("note", "note_2", "", "column_2")] == [
        "first",
        "second",
        "x",
        "y",
    ]


def test_parquet_waits_for_what_a_column_holds(rnnlp, tmp_path, monkeypatch):
    """A column may be empty for longer than rows are worked on together."""
    monkeypatch.setattr("rnnlp.tasks.cli.rows.CHUNK", 2)
    rows = [{"text": "fine", "note": None, "no": None}] * 5 + [
        {"text": "dull", "note": "at last", "no": None}
    ]
    pq.write_table(pyarrow.Table.from_pylist(rows[:2] + rows), tmp_path / "in.parquet")
    out = tmp_path / "out.parquet"
    code, _, err = rnnlp("predict", CLASSIFIER, "--input", tmp_path / "in.parquet",
                         "--output", out)  # fmt: skip
    assert code == 0, err
    answers = pq.read_table(out).to_pylist()
    assert [row["note"] for row in answers] == [None] * 7 + ["at last"]
    assert all(row["label"] for row in answers)


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_parquet_that_fails_on_the_way_leaves_nothing(rnnlp, tmp_path, monkeypatch):
    monkeypatch.setattr("rnnlp.tasks.cli.rows.CHUNK", 1)
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "a", "x": 1}\n{"text": "b", "x": "one"}\n')
    code, _, err = rnnlp("predict", CLASSIFIER, "--input", source,
                         "--output", tmp_path / "out.parquet")  # fmt: skip
    assert code == 2 and "a column has values of several kinds" in err.splitlines()[-1]
    gc.collect()  # what is not closed would complain now
    assert os.listdir(tmp_path) == ["in.jsonl"]
