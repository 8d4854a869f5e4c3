"""Exports of annotation tools, in the shape that the tools write, read to the right spans."""

import contextlib
import json

import pytest

from rnnlp.data.classification.readers import read_classification
from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.tagging.readers import read_tagging
from rnnlp.data.text.tokenizer import splitter


@pytest.fixture
def write(tmp_path):
    def run(content, name="export.json"):
        text = content
        if not isinstance(content, str):
            rows = name.endswith("l")
            text = "".join(json.dumps(r) + "\n" for r in content) if rows else json.dumps(content)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return run


def entities(path):
    """Each text as tokens, what is marked in it, and the notes."""
    notes = Notes()
    found = [
        (
            " ".join(example.tokens),
            [(" ".join(example.tokens[s.start : s.end]), s.type) for s in example.spans],
        )
        for example in read_tagging(path, split=splitter("word"), notes=notes)
    ]
    return found, "\n".join(notes.lines())


def labels(path):
    notes = Notes()
    return [(e.text, e.labels) for e in read_classification(path, notes=notes)], "\n".join(
        notes.lines()
    )


# --- Label Studio --------------------------------------------------------------------------------


def region(start, end, text, label, **more):
    return {
        "value": {"start": start, "end": end, "text": text, "labels": [label]},
        "id": "Dx_aB91ISN", "from_name": "label", "to_name": "text", "type": "labels",
        "origin": "manual", **more,
    }  # fmt: skip


def choice(*choices):
    return {
        "value": {"choices": list(choices)}, "id": "x", "from_name": "tone", "to_name": "text",
        "type": "choices", "origin": "manual",
    }  # fmt: skip


def annotation(*results, by=1, **more):
    return {
        "id": 1001, "completed_by": by, "result": list(results), "was_cancelled": False,
        "ground_truth": False, "created_at": "2021-03-09T22:16:08.728353Z", "lead_time": 4.2,
        **more,
    }  # fmt: skip


def task(text, *annotations):
    return {"id": 7, "annotations": list(annotations), "predictions": [], "data": {"text": text}}


def test_label_studio(write):
    anna, oslo = region(0, 4, "Anna", "PER"), region(9, 13, "Oslo", "LOC")
    relation = {"from_id": "a", "to_id": "b", "type": "relation", "direction": "right"}
    emoji = "😀 Bo ran"  # in JavaScript the emoji has two units
    found, notes = entities(
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
    assert found == [
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
    found, notes = labels(
        write(
            [
                task("Good .", annotation(choice("pos"))),
                task("Bad .", annotation(choice("neg")), annotation(choice("neg", "rude"))),
                task("Well .", annotation()),
            ]
        )
    )
    assert found == [("Good .", ["pos"]), ("Bad .", ["neg"])]
    assert "texts without a label, left out: 1" in notes


def flat(number, text, **answers):
    return {
        "id": number, "text": text, **answers, "annotator": 1, "annotation_id": number,
        "created_at": "2021-03-09T22:16:08.728353Z", "updated_at": "2021-03-09", "lead_time": 4.2,
    }  # fmt: skip


def test_label_studio_min_and_table(write):
    span = {"start": 0, "end": 4, "text": "Anna", "labels": ["PER"]}
    rows = [
        flat(1, 'Anna said "hi", twice', label=[span]),
        flat(1, 'Anna said "hi", twice', label=[span]),
        flat(2, "Nobody here", label=[]),
    ]
    expected = [('Anna said " hi " , twice', [("Anna", "PER")]), ("Nobody here", [])]
    found, notes = entities(write(rows))
    assert found == expected and "several annotations" in notes
    cells = [{**row, "label": json.dumps(row["label"]) if row["label"] else ""} for row in rows]
    quoted = [['"' + str(v).replace('"', '""') + '"' for v in row.values()] for row in cells]
    table = "\n".join([",".join(rows[0]), *map(",".join, quoted)]) + "\n"
    found, notes = entities(write(table, "export.csv"))
    assert found == expected and "Label Studio (CSV)" in notes
    chosen = [flat(1, "Good .", tone="pos"), flat(2, "Bad .", tone={"choices": ["neg", "rude"]})]
    assert labels(write(chosen))[0] == [("Good .", ["pos"]), ("Bad .", ["neg", "rude"])]


def test_label_studio_columns(write):
    text = "-DOCSTART- -X- O\nAnna -X- _ B-PER\nran -X- _ O\n\nBo -X- _ B-PER\n"
    path = write(text, "export.conll")
    found = list(read_tagging(path, split=splitter("word"), notes=Notes()))
    assert [(e.tokens, e.tags) for e in found] == [
        (["Anna", "ran"], ["B-PER", "O"]),
        (["Bo"], ["B-PER"]),
    ]


# --- doccano and Prodigy -------------------------------------------------------------------------


def test_doccano(write):
    new = {
        "id": 1, "text": "Anna met Oslo", "Comments": [],
        "entities": [
            {"id": 1, "label": "PER", "start_offset": 0, "end_offset": 4},
            {"id": 2, "label": "LOC", "start_offset": 9, "end_offset": 13},
        ],
        "relations": [{"id": 3, "from_id": 1, "to_id": 2, "type": "met"}],
    }  # fmt: skip
    found, notes = entities(write([new], "a.jsonl"))
    assert found == [("Anna met Oslo", [("Anna", "PER"), ("Oslo", "LOC")])]
    assert "export of doccano" in notes and "relations between spans, ignored: 1" in notes
    lists = [{"id": 1, "data": "Anna ran", "label": [[0, 4, "PER"]], "Comments": []}]
    assert entities(write(lists, "b.jsonl"))[0] == [("Anna ran", [("Anna", "PER")])]
    plain = [{"text": "Anna ran", "label": [[0, 4, "PER"]]}]
    assert entities(write(plain, "c.jsonl"))[0] == [("Anna ran", [("Anna", "PER")])]
    people = [
        {
            "id": 1, "text": "Anna ran", "meta": {},
            "annotations": [
                {"label": "PER", "start_offset": 0, "end_offset": 4, "user": 1},
                {"label": "ORG", "start_offset": 0, "end_offset": 4, "user": 2},
                {"label": "PER", "start_offset": 0, "end_offset": 4, "user": 3},
            ],
        }
    ]  # fmt: skip
    found, notes = entities(write(people, "d.jsonl"))
    assert found == [("Anna ran", [("Anna", "PER")])] and "annotators disagree: 1" in notes
    texts = [{"id": 1, "text": "Good", "label": ["pos", "short"], "Comments": []}]
    assert labels(write(texts, "e.jsonl"))[0] == [("Good", ["pos", "short"])]


def prodigy(text, answer="accept", task=1, session="db-anna", **more):
    return {
        "text": text, "_input_hash": hash(text), "_task_hash": task, "_session_id": session,
        "_view_id": "ner_manual", "answer": answer, **more,
    }  # fmt: skip


def test_prodigy(write):
    anna = {"start": 0, "end": 4, "token_start": 0, "token_end": 0, "label": "PER"}
    oslo = {"start": 9, "end": 13, "text": "Oslo", "label": "LOC"}
    tokens = [{"text": "Anna", "start": 0, "end": 4, "id": 0, "ws": True}]
    rows = [
        prodigy("Anna met Oslo", spans=[anna], tokens=tokens),
        prodigy("Anna met Oslo", spans=[oslo], task=2),
        prodigy("Anna met Oslo", answer="reject", spans=[anna], task=3),
        prodigy("Anna ran", spans=[anna]),
        prodigy("Anna ran", spans=[], session="db-bo"),
        prodigy("Anna hid", answer="ignore", spans=[anna]),
        prodigy("Anna sat", spans=[anna], relations=[{"head": 0, "child": 1, "label": "x"}]),
    ]
    found, notes = entities(write(rows, "a.jsonl"))
    assert found == [
        ("Anna met Oslo", [("Anna", "PER"), ("Oslo", "LOC")]),
        ("Anna ran", [("Anna", "PER")]),
        ("Anna sat", [("Anna", "PER")]),
    ]
    assert '"reject" or "ignore", left out: 2' in notes and "annotators disagree: 1" in notes
    assert "relations between spans, ignored: 1" in notes
    options = [{"id": "pos", "text": "Positive"}, {"id": "neg", "text": "Negative"}]
    texts = [
        prodigy("Good", options=options, accept=["pos"]),
        prodigy("Bad", options=options, accept=["neg"]),
        prodigy("Well", options=options, accept=[]),
        prodigy("Spam", label="neg"),
        prodigy("Fine", answer="reject", label="neg"),
    ]
    found, notes = labels(write(texts, "b.jsonl"))
    assert found == [("Good", ["pos"]), ("Bad", ["neg"]), ("Spam", ["neg"])]
    assert "texts without a label, left out: 1" in notes


# --- brat, spaCy, WebAnno ------------------------------------------------------------------------

TEXT = "Anna met Bo\n\nin New\nYork .\nNothing here\n"
ANN = """\
T1\tPER 0 4\tAnna
T2\tPER 9 11\tBo
R1\tMet Arg1:T1 Arg2:T2\t
E1\tMeeting:T1 Who:T2
A1\tFamous T1
#1\tAnnotatorNotes T1\tsure?
T3\tLOC 16 24\tNew York
*\tEquiv T1 T2
"""


def test_brat(write, tmp_path):
    write(TEXT, "doc.txt")
    path = write(ANN, "doc.ann")
    expected = [
        ("Anna met Bo", [("Anna", "PER"), ("Bo", "PER")]),
        ("in New York .", [("New York", "LOC")]),
        ("Nothing here", []),
    ]
    for given in (path, path.with_suffix(".txt"), tmp_path):
        found, notes = entities(given)
        assert found == expected
        for line in ("relations between spans, ignored: 2", "events, ignored: 1"):
            assert line in notes
    write("T1\tPER 0 4;9 11\tAnna Bo\n", "doc.ann")
    found, notes = entities(path)
    assert found[0] == ("Anna met Bo", [("Anna met Bo", "PER")])
    assert "discontinuous spans, read from their first to their last character: 1" in notes
    write("", "doc.ann")
    assert [spans for _, spans in entities(tmp_path)[0]] == [[], [], [], []]
    write("T1\tPER 0 4\tBerta\n", "doc.ann")
    with pytest.raises(InputError, match=r"doc\.ann:1: span 0\.\.4 reads 'Anna', not its own"):
        entities(path)
    path.with_suffix(".txt").unlink()
    with pytest.raises(InputError, match=r"has no doc\.txt beside it"):
        entities(path)


def test_spacy(write):
    words = [("Anna", "U-PER"), ("saw", "O"), ("New", "B-LOC"), ("York", "L-LOC"), (".", "-")]
    sentence = {"tokens": [{"id": i, "orth": w, "ner": t} for i, (w, t) in enumerate(words)]}
    cats = [{"label": "news", "value": 1.0}, {"label": "sport", "value": 0.0}]
    path = write([{"id": 0, "paragraphs": [{"sentences": [sentence], "cats": cats}]}])
    found, notes = entities(path)
    assert found == [("Anna saw New York .", [("Anna", "PER"), ("New York", "LOC")])]
    assert "read as O: 1" in notes
    assert labels(path)[0] == [("Anna saw New York .", ["news"])]
    pairs = [["Anna ran", {"entities": [[0, 4, "PER"]], "cats": {"news": 1, "sport": 0}}]]
    assert entities(write(pairs))[0] == [("Anna ran", [("Anna", "PER")])]
    assert labels(write(pairs))[0] == [("Anna ran", ["news"])]


WEBANNO = """\
#FORMAT=WebAnno TSV 3.3
#T_SP=de.tudarmstadt.ukp.dkpro.core.api.lexmorph.type.pos.POS|PosValue
#T_SP=de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity|identifier|value
#T_RL=de.tudarmstadt.ukp.dkpro.core.api.syntax.type.dependency.Dependency|DependencyType|BT_POS


#Text=Anna saw New York .
1-1\t0-4\tAnna\tNNP\t_\tPER\tnsubj\t1-2\t
1-2\t5-8\tsaw\tVBD\t_\t_\t_\t_\t
1-3\t9-12\tNew\tNNP\t*[1]|*[2]\tLOC[1]|ORG\\_X[2]\t_\t_\t
1-4\t13-17\tYork\tNNP\t*[1]\tLOC[1]\t_\t_\t
1-4.1\t13-15\tYo\t_\t_\tPER\t_\t_\t
1-5\t18-19\t.\t.\t_\t_\t_\t_\t

#Text=Bo Bo
2-1\t20-22\tBo\tNNP\t*\tPER\t_\t_\t
2-2\t23-25\tBo\tNNP\t*\tPER\t_\t_\t
"""


def test_webanno(write, tmp_path):
    path = write(WEBANNO, "anna.tsv")
    expected = [
        ("Anna saw New York .", [("Anna", "PER"), ("New York", "LOC")]),
        ("Bo Bo", [("Bo", "PER"), ("Bo", "PER")]),
    ]
    for given in (path, tmp_path):
        found, notes = entities(given)
        assert found == expected
        for line in (
            "NamedEntity.value", "layers of relations or chains, ignored: 1",
            "overlapping spans dropped", "spans over parts of tokens, ignored: 1",
        ):  # fmt: skip
            assert line in notes


# --- what is wrong -------------------------------------------------------------------------------


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
