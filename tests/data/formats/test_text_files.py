"""Text files as users have them, and errors that name file and line."""

from __future__ import annotations

import gzip
import os
import threading
import tracemalloc

import pytest

from rnnlp.data.errors import InputError
from rnnlp.data.formats.text_files import read_lines, stem


@pytest.fixture
def write(tmp_path):
    def _write(content: bytes, name: str = "file.txt"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return _write


def test_lines_end_at_newline_only(write):
    text = "a\u2028b\x85c\x0cd\re\n\r\nlast\r\n"
    assert list(read_lines(write(text.encode()))) == [
        (1, "a\u2028b\x85c\x0cd\re"),
        (2, ""),
        (3, "last"),
    ]


def test_byte_order_mark_and_missing_last_newline(write):
    assert list(read_lines(write("\ufeff中\n\ufeffx".encode()))) == [(1, "中"), (2, "\ufeffx")]


def test_gzip_by_name(write):
    path = write(gzip.compress("一\n二\n".encode()), "x.json.GZ")
    assert [line for _, line in read_lines(path)] == ["一", "二"]
    assert stem(path) == ("x", ".json")
    assert stem("a/train.en") == ("train", ".en")


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "f.txt", "f.txt: the file is empty"),
        (gzip.compress(b"", mtime=0), "f.gz", "f.gz: the file is empty"),
        ("ok\n名".encode("gbk"), "f.txt", "f.txt:2: byte 0xc3 at byte 1 of the line is not UTF-8"),
        (b"ok\nok\nPK\0\3\n", "f.txt", "f.txt:3: a NUL byte"),
        (gzip.compress(b"x\n", mtime=0), "f.txt", "f.txt:1: gzip data; let its name end in .gz"),
        (b"x\n", "f.gz", "f.gz:1: not a whole gzip file"),
        (gzip.compress(b"x\n" * 9999, mtime=0)[:-12], "f.gz", "not a whole gzip file"),
    ],
)
def test_what_is_no_text_is_named(write, content, name, message):
    with pytest.raises(InputError) as caught:
        list(read_lines(write(content, name)))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(InputError, match=r"no-such.txt: no such file"):
        list(read_lines(tmp_path / "no-such.txt"))
    with pytest.raises(InputError, match="this is a folder"):
        list(read_lines(tmp_path))


def test_memory_does_not_grow_with_the_file(write):
    path = write(b"a line of text like any other\n" * 100_000)
    tracemalloc.start()
    assert sum(1 for _ in read_lines(path)) == 100_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300_000  # the file has 3,000,000 bytes


def test_an_error_is_one_line_with_its_place():
    assert str(InputError("wrong\nhere", path="a.txt", line=3)) == "a.txt:3: wrong here"
    assert str(InputError("wrong", line=3)) == "line 3: wrong"
    assert str(InputError("wrong")) == "wrong"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends_of_every_system(write, end, last):
    content = end.join(["\ufeffa", "", "中"]) + end * last
    assert list(read_lines(write(content.encode()))) == [(1, "a"), (2, ""), (3, "中")]


def test_carriage_returns_across_chunks(write):
    lines = [f"line {number}" for number in range(20_000)]
    assert [line for _, line in read_lines(write("\r".join(lines).encode()))] == lines
    with pytest.raises(InputError, match="line ends of two kinds"):
        list(read_lines(write(("\r".join(lines) + "\n").encode())))


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"PK\3\4rest", "xlsx"), (b"PAR1rest", "Parquet"), (b"BZh9", "bzip2"), (b"%PDF-1.4", "PDF")],
)
def test_files_of_other_kinds_are_called_by_name(write, content, words):
    with pytest.raises(InputError, match=words):
        list(read_lines(write(content)))


def test_a_line_that_never_ends_is_refused(write, monkeypatch):
    monkeypatch.setattr("rnnlp.data.formats.text_files.LONGEST_LINE", 1 << 20)
    bomb = write(gzip.compress(b"x" * (8 << 20)), "f.gz")
    with pytest.raises(InputError, match=r"f\.gz:1: a line of more than 1 MiB"):
        list(read_lines(bomb))


def test_a_pipe_is_read_as_a_file_is(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(b"a\r\nb\n"))
    writer.start()
    assert list(read_lines(pipe)) == [(1, "a"), (2, "b")]
    writer.join()
