"""One bad row in many: refused with its place, or left out with a count, in every reader alike."""

import json

import pytest

from rnnlp.data.classification.readers import read_classification
from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.generation.readers import read_texts
from rnnlp.data.tagging.readers import read_tagging
from rnnlp.data.text.tokenizer import splitter
from rnnlp.data.translation.readers import read_parallel

WORD = "1\t{}\t_\tNOUN\t_\t_\t_\t_\t_\t_\n\n"


def classification(path, notes):
    return [example.text for example in read_classification(path, notes=notes)]


def translation(path, notes):
    return [e.source for e in read_parallel(path, source="en", target="de", notes=notes)]


def generation(path, notes):
    return [example.text for example in read_texts(path, notes=notes)]


def tagging(path, notes):
    actual = read_tagging(path, split=splitter("word"), notes=notes)
    return [" ".join(example.tokens) for example in actual]


CASES = {
    "a.csv": (classification, ["text,label\n", "one,x\n", "two,y,z\n", "three,y\n"]),
    "b.csv": (classification, ["text,label\n", "one,x\n", '"two"2,y\n', "three,y\n"]),
    "c.tsv": (classification, ["text\tlabel\n", "one\tx\n", "two\t\n", "three\ty\n"]),
    "d.jsonl": (classification, ['{"text": "one", "label": 1}\n', "{\n"]),
    "e.txt": (classification, ["x one\n", b"y \xff\n", "y three\n"]),
    "f.tsv": (translation, ["en\tde\n", "one\teins\n", "two\n", "three\tdrei\n"]),
    "g.jsonl": (translation, ['{"en": "one", "de": "eins"}\n', '{"en": "two"}\n']),
    "h.jsonl": (generation, ['{"text": "one"}\n', '{"text": 2}\n']),
    "i.txt": (generation, ["one\n", b"\xe4\n", "three\n"]),
    "j.conll": (tagging, ["one\tO\n\n", "two O x\n\n", "three\tO\n"]),
    "k.conllu": (tagging, [WORD.format("one"), "1\ttwo\n\n", WORD.format("three")]),
    "l.jsonl": (tagging, [json.dumps({"tokens": ["one"], "tags": ["O"]}) + "\n", '{"tokens": 2}']),
}


@pytest.mark.parametrize("name", CASES)
def test_a_bad_row_is_refused_or_left_out(name, tmp_path):
    read, parts = CASES[name]
    path = tmp_path / name
    path.write_bytes(b"".join(p.encode() if isinstance(p, str) else p for p in parts))
    with pytest.raises(InputError) as raised:
        read(str(path), Notes())
    notes = Notes(skip_bad_rows=True)
    actual = read(str(path), notes)
    assert actual[0] == "one" and set(actual) <= {"one", "three"}
    place = f"{path}:{raised.value.line}"
    line = next(line for line in notes.lines() if line.startswith("bad rows"))
    assert line.startswith(f"bad rows, left out: 1 (at {place};")


def test_ten_places_are_told(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,label\na,x\n" + 12 * "b\n")
    notes = Notes(skip_bad_rows=True)
    assert classification(path, notes) == ["a"]
    (line,) = notes.lines()
    assert line.startswith("bad rows, left out: 12 (the first 10 at ")
    assert line.count("a.csv:") == 10


def test_lines_of_two_files_stay_side_by_side(tmp_path):
    (tmp_path / "a.en").write_bytes(b"one\n\xff\nthree\n")
    (tmp_path / "a.de").write_text("eins\nzwei\ndrei\n")
    with pytest.raises(InputError, match="not UTF-8"):
        translation(str(tmp_path / "a"), Notes(skip_bad_rows=True))
