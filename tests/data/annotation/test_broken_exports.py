"""Exports with something wrong in them: read or refused by name, whatever stands where."""

import contextlib
import json

import pytest

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.tagging.readers import read_tagging
from rnnlp.data.text.tokenizer import splitter

from .exports import annotation, choice, entities, flat, labels, prodigy, region, task


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ([task("Good", annotation(choice("pos")))], "a.json", "train a classifier on it"),
        ([task("Anna", annotation(region(0, 4, "Bert", "X")))], "a.json",
         r"a\.json, task 1: span 0\.\.4 reads 'Anna', not its own text 'Bert'"),
        ([task("Anna", annotation(region(0, 9, "", "X")))], "a.json", "outside the text"),
        ([{"data": {"image": "x.jpg", "by": "me"}, "annotations": [annotation()]}], "a.json",
         r"which of its data is the text \(image, by\)"),
        ('[{"data": {"text": "a"}, "annotations": []}, oops]', "a.json", r"a\.json:1: not JSON"),
        ([{"text": "a", "Comments": [], "annotations": [{"label": 3, "user": 1}]}], "a.jsonl",
         r"a\.jsonl:1: the label 3 is a number"),
        ([task("Anna")] * 2, "a.json", r"no sentences in the file: tasks without an .*: 2 \("),
        ("#FORMAT=WebAnno TSV 3.3\n\n1-1\t0-4\tAnna\n", "a.tsv", "no layer of spans"),
        ([{"paragraphs": [{"sentences": [{"tokens": [{"ner": "O"}]}]}]}], "a.json",
         "a token without `orth`"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(write, content, name, message):
    with pytest.raises(InputError, match=message):
        entities(write(content, name))


def test_spans_are_no_labels_of_texts(write):
    path = write([task("Anna", annotation(region(0, 4, "Anna", "X")))])
    with pytest.raises(InputError, match="train a tagger on it"):
        labels(path)


def test_a_format_that_is_asked_for_must_be_there(write):
    path = write("Anna B-PER\n", "a.conll")
    with pytest.raises(InputError, match=r"no export of a tool .*Label Studio, .*brat"):
        list(read_tagging(path, format="annotation", split=splitter("word"), notes=Notes()))


ODD = [None, -1, True, "", [], {}, [None], {"a": 1}]
SPAN = {"start": 0, "end": 4, "text": "Anna", "labels": ["PER"]}
EXPORTS = {
    "a.json": [
        [task("Anna ran", annotation(region(0, 4, "Anna", "PER"), choice("x")), annotation())],
        [flat(1, "Anna ran", label=[SPAN], tone={"choices": ["a"]}), flat(1, "Anna ran", tone="b")],
        [{"paragraphs": [{"sentences": [{"tokens": [{"orth": "Anna", "ner": "U-PER"}]}],
                          "cats": [{"label": "n", "value": 1.0}]}]}],
        [["Anna ran", {"entities": [[0, 4, "PER"]], "cats": {"n": 1}}]],
    ],
    "a.jsonl": [
        [{"text": "Anna ran", "Comments": [], "relations": [{"id": 3}],
          "entities": [{"label": "PER", "start_offset": 0, "end_offset": 4}]}],
        [{"text": "Anna ran", "annotations": [
            {"label": "PER", "start_offset": 0, "end_offset": 4, "user": 1},
            {"label": "a", "user": 2}]}],
        [prodigy("Anna ran", spans=[{"start": 0, "end": 4, "label": "PER"}], accept=["x"])] * 2,
    ],
}  # fmt: skip


def places(value, path=()):
    """The way to every part of a value."""
    yield path
    if isinstance(value, dict | list):
        steps = value.items() if isinstance(value, dict) else enumerate(value)
    else:
        steps = ()
    for step, part in steps:
        yield from places(part, (*path, step))


@pytest.mark.parametrize(
    ("name", "export"), [(name, export) for name, some in EXPORTS.items() for export in some]
)
def test_whatever_stands_in_an_export_it_is_read_or_refused(write, name, export):
    for path in list(places(export))[1:]:
        for odd in ODD:
            broken = json.loads(json.dumps(export))
            holder = broken
            for step in path[:-1]:
                holder = holder[step]
            holder[path[-1]] = odd
            file = write(broken, name)
            for read in (entities, labels):
                with contextlib.suppress(InputError):
                    read(file)
