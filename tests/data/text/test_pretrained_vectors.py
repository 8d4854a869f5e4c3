import gzip

import numpy as np
import pytest

from rnnlp.data.errors import InputError
from rnnlp.data.text.pretrained_vectors import Vectors, match, read_vectors
from rnnlp.data.text.tokenizer import SPECIALS

GLOVE = "the 0.1 -0.2 3e-1\nberlin 1 2 3\n. . . 4 5 6\nParis 7 8 9\nNATO 1 1 1\n"


def write(path, text):
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["glove.txt", "word2vec.txt", "fasttext.vec", "glove.txt.gz"])
def test_formats(name, tmp_path):
    header = "" if "glove" in name else "5 3\n"
    body = GLOVE.replace("\n", " \n") if name.endswith(".vec") else GLOVE
    vectors = read_vectors(write(tmp_path / name, header + body))
    assert vectors.words == ["the", "berlin", ". . .", "Paris", "NATO"]
    assert vectors.matrix.dtype == np.float32
    assert vectors.matrix[0].tolist() == pytest.approx([0.1, -0.2, 0.3])
    assert vectors.matrix[2].tolist() == [4, 5, 6]


def test_limit_keeps_the_first_and_the_wanted_ones(tmp_path):
    path = write(tmp_path / "v.txt", GLOVE)
    assert read_vectors(path, limit=1).words == ["the"]
    assert read_vectors(path, limit=0, wanted=["nato", "BERLIN", "x"]).words == ["berlin", "NATO"]
    assert read_vectors(path, limit=0).matrix.shape == (0, 3)


def test_the_first_of_two_vectors_counts(tmp_path):
    vectors = read_vectors(write(tmp_path / "v.txt", "a 1 2\na 3 4\nb 5 6\n"))
    assert vectors.words == ["a", "b"]
    assert vectors.matrix[0].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("short 1 2", r"v\.txt:3: 2 numbers, where the file has vectors of 3"),
        ("long 1 2 3 4", r"v\.txt:3: 4 numbers, where the file has vectors of 3"),
        ("word 1 2 x", r"v\.txt:3: no vector of 3 numbers follows 'word'"),
        ("word 1 2 nan", r"v\.txt:3: 3 numbers, where the file has vectors of 3 finite"),
    ],
)
def test_bad_lines_are_named(line, message, tmp_path):
    path = write(tmp_path / "v.txt", f"a 1 2 3\nb 1 2 3\n{line}\nc 1 2 3\nd 1 2 3\n")
    with pytest.raises(InputError, match=message):
        read_vectors(path)


def test_match_backs_off_and_reports(tmp_path):
    vectors = read_vectors(write(tmp_path / "v.txt", GLOVE))
    vocabulary = [*SPECIALS, "the", "The", "Berlin", "paris", "nato", "unseen", "zebra", "NATO"]
    frequencies = np.array([0, 0, 0, 0, 50, 10, 5, 5, 5, 20, 5, 0])
    matrix, coverage = match(vectors, vocabulary, frequencies=frequencies)
    assert matrix.shape == (len(vocabulary), 3)
    assert matrix.dtype == np.float32
    for token, source in [("the", 0), ("The", 0), ("Berlin", 1), ("paris", 3), ("nato", 4)]:
        assert matrix[vocabulary.index(token)].tolist() == vectors.matrix[source].tolist()
    assert not matrix[0].any()
    assert not matrix[vocabulary.index("zebra")].any()
    assert coverage.line() == (
        "pretrained vectors cover 71.4% of the training vocabulary (1 as written, "
        "2 in lower case, 1 capitalised, 1 in upper case) and 75.0% of the training tokens"
    )


def test_no_word_is_found():
    empty = Vectors([], np.zeros((0, 3), np.float32))
    matrix, coverage = match(empty, [*SPECIALS, "x"], frequencies=np.array([0, 0, 0, 0, 2]))
    assert matrix.shape == (5, 3)
    assert "cover 0.0% of the training vocabulary (none)" in coverage.line()
