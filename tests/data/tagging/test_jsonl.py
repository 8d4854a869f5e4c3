"""JSON lines of tokens with tags, and of texts with spans, with the oddities of real files."""

import json

import pytest

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.tagging.readers import TaggedExample
from rnnlp.data.tagging.schemes import Span


def characters(text):
    return [(i, i + 1) for i in range(len(text))]


@pytest.mark.parametrize("key", ["tags", "ner_tags", "labels"])
def test_json_with_tokens_and_tags(read, key):
    line = json.dumps({"tokens": ["Anna", "ruht"], key: ["B-PER", "O"], "id": 7})
    expected = [TaggedExample(["Anna", "ruht"], ["B-PER", "O"], None, i) for i in (2, 3)]
    assert read(f"\n{line}\n{line}\n") == expected


@pytest.mark.parametrize("key", ["entities", "label", "labels", "spans"])
@pytest.mark.parametrize(
    "span",
    [
        [0, 11, "PER"],
        {"start": 0, "end": 11, "label": "PER"},
        {"start": 0, "end": 11, "type": "PER", "text": "Anna Müller"},
        {"start": 0, "end": 11, "entity_group": "PER", "score": 0.5},
    ],
)
def test_json_with_text_and_spans(read, key, span):
    row = {"text": "Anna Müller ruht.", key: [span], "tokens": [{"text": "Anna"}]}
    assert read(json.dumps(row)) == [
        TaggedExample(["Anna", "Müller", "ruht", "."], None, [Span(0, 2, "PER")], 1)
    ]


def test_cluener_ends_are_inclusive(read):
    row = {
        "text": "玩dota，陈光法",
        "label": {"game": {"dota": [[1, 4]]}, "name": {"陈光法": [[6, 8]]}},
    }
    example = read(json.dumps(row, ensure_ascii=False), "x.json", split=characters)[0]
    assert example.spans == [Span(1, 5, "game"), Span(6, 9, "name")]


def test_overlaps_and_misalignments_are_counted(read):
    notes = Notes()
    row = {
        "text": "the New York Times said",
        "entities": [[4, 12, "LOC"], [4, 18, "ORG"], [4, 18, "ORG"], [20, 22, "X"], [3, 4, "Y"]],
    }
    assert read(json.dumps(row), notes=notes)[0].spans == [Span(1, 4, "ORG"), Span(4, 5, "X")]
    report = "\n".join(notes.lines())
    assert "inside a token, widened to it: 1 (first at " in report
    assert "overlapping spans dropped (the longer one stays): 1 (first at " in report


def test_code_points_beyond_the_basic_plane(read):
    row = {"text": "😀 Anna 👩‍👩‍👧", "entities": [[2, 6, "PER"]]}
    for ascii_only in (True, False):
        assert read(json.dumps(row, ensure_ascii=ascii_only))[0].spans == [Span(1, 2, "PER")]


TEXT = {"text": "Anna ruht"}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"tokens": [], "tags": []}, "`tokens` is empty"),
        ({"tokens": ["a", ""], "tags": ["O", "O"]}, "token 1 is ''"),
        ({"tokens": ["a", 3], "tags": ["O", "O"]}, "token 1 is 3"),
        ({"tokens": ["a"], "tags": ["O", "O"]}, "1 token but 2 `tags`"),
        ({"tokens": ["a"], "ner_tags": [0]}, "`ner_tags` holds 0; tags must be names"),
        ({"tokens": ["a"]}, "no tags beside `tokens`"),
        (TEXT, "no spans beside `text`"),
        ({"sentence": "a"}, "neither `tokens`"),
        ({**TEXT, "entities": [[0, 10, "P"]]}, "0..10 of 'P' is outside the text, which has 9"),
        ({**TEXT, "entities": [[-1, 2, "P"]]}, "is outside the text"),
        ({**TEXT, "entities": [[3, 3, "P"]]}, "is empty"),
        ({**TEXT, "entities": [[0, 4]]}, "neither"),
        ({**TEXT, "entities": [[0, "4", "P"]]}, "must be whole numbers"),
        ({**TEXT, "entities": [[0, 4, 1]]}, "has the type 1; name it"),
        ({**TEXT, "entities": "Anna"}, "give a list of spans"),
        ({**TEXT, "label": {"P": {"Anna": [[0, 4]]}}}, "reads 'Anna ', not 'Anna'"),
        ({**TEXT, "label": {"P": {"ruht": [[5, 9]]}}}, "is outside the text"),
        ({**TEXT, "label": {"P": [[0, 3]]}}, "not of the form"),
        ({**TEXT, "label": {"P": {"Anna": [0, 3]}}}, r"is 0, not \[start, end\]"),
        ({"text": "half \ud83d", "entities": []}, "half of a character"),
        ([1, 2], "neither|one JSON object a line"),
    ],
)
def test_malformed_json(read, row, message):
    good = json.dumps({**TEXT, "entities": []})
    with pytest.raises(InputError, match=message) as caught:
        read(f"{good}\n{json.dumps(row)}\n", "x.jsonl")
    assert "x.jsonl:2: " in str(caught.value)


@pytest.mark.parametrize("line", ['{"text": "a", ', "[" * 100_000, "text", "{"])
def test_what_is_not_json(read, line):
    with pytest.raises(InputError, match=r"x.jsonl:1: not JSON"):
        read(line, "x.jsonl")


@pytest.mark.parametrize(
    "row",
    [
        {"text": "", "tokens": [], "tags": []},
        {"text": " ", "label": {}},
        {"text": "", "entities": []},
    ],
)
def test_texts_without_a_token_are_left_out(read, row):
    """As in exports of annotation tools: predict keeps the empty lines of its input."""
    notes = Notes()
    rows = [{"tokens": ["a"], "tags": ["O"]}, row, {"tokens": ["b"], "tags": ["O"]}]
    examples = read("\n".join(map(json.dumps, rows)), "a.jsonl", notes=notes)
    assert [one.tokens for one in examples] == [["a"], ["b"]]
    assert [line.split(" (")[0] for line in notes.lines()] == ["texts without a token, left out: 1"]


def test_tags_and_spans_do_not_mix(read):
    rows = [{"tokens": ["a"], "tags": ["O"]}, {**TEXT, "entities": []}]
    with pytest.raises(InputError, match=r"2: some lines have tags and some have spans"):
        read("\n".join(map(json.dumps, rows)))


def test_unlabelled_json(read):
    rows = [{"tokens": ["a"]}, TEXT]
    examples = read("\n".join(map(json.dumps, rows)), labelled=False)
    assert examples[1] == TaggedExample(["Anna", "ruht"], None, None, 2)


def test_spans_are_held_against_their_own_text(read):
    def one(start, end, surface, text="😀 Anna met Bo"):
        span = {"start": start, "end": end, "label": "PER", "text": surface}
        notes = Notes()
        (example,) = read(json.dumps({"text": text, "spans": [span]}), "a.jsonl", notes=notes)
        (span,) = example.spans
        return example.tokens[span.start : span.end], notes.lines()

    assert one(2, 6, "Anna") == (["Anna"], [])
    actual, lines = one(3, 7, "Anna")
    assert actual == ["Anna"] and "count UTF-16 units, converted: 1" in lines[0]
    with pytest.raises(InputError, match=r"span 1\.\.4 reads ' An', not its own text 'Anna'"):
        one(1, 4, "Anna")


def test_what_annotators_did_not_accept_is_left_out(read):
    rows = [
        {"text": "Anna met Bo", "spans": [], "answer": answer}
        for answer in ("accept", "reject", "ignore", "accept")
    ]
    notes = Notes()
    actual = read("".join(json.dumps(row) + "\n" for row in rows), "a.jsonl", notes=notes)
    assert [example.line for example in actual] == [1, 4]
    assert 'examples whose answer is "reject" or "ignore", left out: 2' in " ".join(notes.lines())


def test_spans_over_nothing_are_dropped_not_widened(read):
    row = {"text": "Anna  met Bo", "spans": [[4, 6, "PER"], [0, 4, "PER"]]}
    notes = Notes()
    (example,) = read(json.dumps(row), "a.jsonl", notes=notes)
    assert example.spans == [Span(0, 1, "PER")]
    assert [line.split(":")[0] for line in notes.lines()] == [
        "spans over white space alone, dropped"
    ]
