"""Label Studio: each form of its exports, read to the right spans and labels."""

import csv
import io
import json

import pytest

from rnnlp.data.annotation.label_studio import read_label_studio
from rnnlp.data.classification.readers import classification_layout, read_classification
from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.tagging.readers import read_tagging
from rnnlp.data.text.tokenizer import splitter

from .exports import annotation, choice, entities, flat, labels, region, task


def test_label_studio(write):
    anna, oslo = region(0, 4, "Anna", "PER"), region(9, 13, "Oslo", "LOC")
    relation = {"from_id": "a", "to_id": "b", "type": "relation", "direction": "right"}
    emoji = "😀 Bo ran"  # in JavaScript the emoji has two units
    actual, notes = entities(
        write(
            [
                task("Anna met Oslo", annotation(anna, oslo, relation)),
                task("Anna met Oslo", annotation(anna), annotation(oslo), annotation(oslo)),
                task("Anna met Oslo", annotation(anna), annotation(oslo, ground_truth=True)),
                task("Nobody here", annotation()),
                task("Skipped", annotation(was_cancelled=True)),
                task("Open"),
                task(emoji, annotation(region(3, 5, "Bo", "PER"))),
                task(
                    "Anna met Oslo",
                    annotation(region(0, 13, "Anna met Oslo", "EVENT"), region(1, 4, "nna", "X")),
                ),
            ]
        )
    )
    assert actual == [
        ("Anna met Oslo", [("Anna", "PER"), ("Oslo", "LOC")]),
        ("Anna met Oslo", [("Oslo", "LOC")]),
        ("Anna met Oslo", [("Oslo", "LOC")]),
        ("Nobody here", []),
        ("😀 Bo ran", [("Bo", "PER")]),
        ("Anna met Oslo", [("Anna met Oslo", "EVENT")]),
    ]
    for line in (
        "export of Label Studio", "relations between spans, ignored: 1",
        "texts with several annotations, the most frequent one taken: 1",
        "annotators disagree: 1", "skipped annotations, left out: 1",
        "tasks without an annotation, left out: 2", "count UTF-16 units, converted: 1",
        "overlapping spans dropped (the longer one stays): 1",
    ):  # fmt: skip
        assert line in notes, line


def test_label_studio_texts(write):
    actual, notes = labels(
        write(
            [
                task("Good .", annotation(choice("pos"))),
                task("Bad .", annotation(choice("neg")), annotation(choice("neg", "rude"))),
                task("Well .", annotation()),
            ]
        )
    )
    assert actual == [("Good .", ["pos"]), ("Bad .", ["neg"])]
    assert "texts without a label, left out: 1" in notes


def test_label_studio_min_and_table(write):
    span = {"start": 0, "end": 4, "text": "Anna", "labels": ["PER"]}
    rows = [
        flat(1, 'Anna said "hi", twice', label=[span]),
        flat(1, 'Anna said "hi", twice', label=[span]),
        flat(2, "Nobody here", label=[]),
    ]
    expected = [('Anna said " hi " , twice', [("Anna", "PER")]), ("Nobody here", [])]
    actual, notes = entities(write(rows))
    assert actual == expected and "several annotations" in notes
    cells = [{**row, "label": json.dumps(row["label"]) if row["label"] else ""} for row in rows]
    quoted = [['"' + str(v).replace('"', '""') + '"' for v in row.values()] for row in cells]
    table = "\n".join([",".join(rows[0]), *map(",".join, quoted)]) + "\n"
    actual, notes = entities(write(table, "export.csv"))
    assert actual == expected and "Label Studio (CSV)" in notes
    chosen = [flat(1, "Good .", tone="pos"), flat(2, "Bad .", tone={"choices": ["neg", "rude"]})]
    assert labels(write(chosen))[0] == [("Good .", ["pos"]), ("Bad .", ["neg", "rude"])]


def test_label_studio_columns(write):
    text = "-DOCSTART- -X- O\nAnna -X- _ B-PER\nran -X- _ O\n\nBo -X- _ B-PER\n"
    path = write(text, "export.conll")
    actual = list(read_tagging(path, split=splitter("word"), notes=Notes()))
    assert [(e.tokens, e.tags) for e in actual] == [
        (["Anna", "ran"], ["B-PER", "O"]),
        (["Bo"], ["B-PER"]),
    ]


def as_table(rows):
    """The rows as Label Studio's CSV has them: columns sorted by name, JSON in cells."""
    names = sorted({name for row in rows for name in row})
    file = io.StringIO()
    writer = csv.DictWriter(file, names)
    writer.writeheader()
    for row in rows:
        cells = {k: v if isinstance(v, str | int) else json.dumps(v) for k, v in row.items()}
        writer.writerow(cells)
    return file.getvalue()


def data_first(number, text, data, **answers):
    """A row of JSON-MIN whose data have no `id` of their own."""
    return {"text": text, **data, **flat(number, text, **answers)}


def test_columns_of_the_data_are_no_labels(write):
    sides = [("Good .", {"source": "web"}, {"tone": "pos"}), ("Bad .", {"source": "tv"}, {})]
    rows = [data_first(n, text, data, **more) for n, (text, data, more) in enumerate(sides)]
    actual, notes = labels(write(rows))
    assert actual == [("Good .", ["pos"])] and "texts without a label, left out: 1" in notes
    rows = [
        data_first(n, text, {"tone": "?"}, tone={"choices": ["a", "b"]}) for n, text in [(1, "x")]
    ]
    assert labels(write(rows))[0] == [("x", ["a", "b"])]  # answered under a name of the data


@pytest.mark.parametrize("name", ["a.json", "a.csv"])
def test_where_it_cannot_be_told_the_user_names_the_label(write, name):
    rows = [
        flat(1, "Good .", source="web", tone="pos"),
        flat(2, "Bad .", source="tv", tone={"choices": ["neg", "rude"]}),
        flat(2, "Bad .", source="tv", tone={"choices": ["neg", "rude"]}),
        flat(3, "Well .", source="web"),
    ]
    path = write(as_table(rows) if name == "a.csv" else rows, name)
    with pytest.raises(InputError, match=r"label: source, tone\? set data\.label_column"):
        labels(path)
    expected = [("Good .", ["pos"]), ("Bad .", ["neg", "rude"])]
    said = {"text_column": "text", "label_column": "tone"}
    layout = classification_layout(path, format="auto", **said)
    for how in (said, {"label_column": "tone"}, {"layout": layout}):
        notes = Notes()
        actual = [(e.text, e.labels) for e in read_classification(path, **how, notes=notes)]
        assert actual == expected and notes["texts without a label, left out"] == 1
    for option in said:
        with pytest.raises(InputError, match=f"'no' among .*tone.*set data.{option}"):
            list(read_classification(path, notes=Notes(), **{option: "no"}))
    spans = [flat(4, "Anna", source="web", label=[{"start": 0, "end": 4, "labels": ["PER"]}])]
    path = write(as_table(spans) if name == "a.csv" else spans, name)
    assert entities(path)[0] == [("Anna", [("Anna", "PER")])]  # a tagger needs no label
    with pytest.raises(InputError, match="which column is the label: source"):
        labels(path)


def test_columns_are_named_in_whole_tasks_too(write):
    one = task("Good .", annotation(choice("pos"), {**choice("long"), "from_name": "size"}))
    one["data"] = {"title": "Fine", "summary": "Good .", "source": "web"}
    said = {"text_column": "summary", "label_column": "tone"}
    actual = list(read_classification(write([one]), **said, notes=Notes()))
    assert [(e.text, e.labels) for e in actual] == [("Good .", ["pos"])]


@pytest.mark.parametrize(
    ("ends", "more", "expected"),
    [
        ((2, 4), [], (1, 3)),  # what JavaScript counts, though both counts read the same
        ((2, 4), [(6, 8, "OK")], (1, 3)),
        ((2, 4), [(5, 7, "OK")], (2, 4)),  # which tells of code points
        ((1, 3), [], (1, 3)),
    ],
)
def test_all_spans_tell_how_offsets_are_counted(write, ends, more, expected):
    regions = [region(*ends, "哈哈", "X"), *(region(*one, "Y") for one in more)]
    (document,) = read_label_studio(
        str(write([task("😀哈哈哈 OK", annotation(*regions))])), Notes()
    )
    assert document.spans[0] == (*expected, "X")
    assert document.spans[1:] == [(5, 7, "Y")] * len(more)


@pytest.mark.parametrize("more", [{}, {"answer": "accept", "_input_hash": 1, "_task_hash": 1}])
@pytest.mark.parametrize(("oslo", "place"), [(7, 1), (6, 2)])
def test_others_count_code_points_unless_a_span_tells(write, oslo, place, more):
    spans = [(2, 4, "哈哈"), (oslo, oslo + 4, "Oslo")]
    rows = [{"start": a, "end": b, "text": own, "label": "X"} for a, b, own in spans]
    path = write([{"text": "😀哈哈哈哈 Oslo", "spans": rows, **more}], "a.jsonl")
    (example,) = read_tagging(path, split=splitter("character"), notes=Notes())
    first, second = example.spans
    assert (first.start, first.end) == (place, place + 2)
    assert "".join(example.tokens[second.start : second.end]) == "Oslo"
