"""Exports of doccano, Prodigy, brat, spaCy and WebAnno, read to the right spans and labels."""

import pytest

from rnnlp.data.errors import InputError

from .exports import entities, labels, prodigy


def test_doccano(write):
    new = {
        "id": 1, "text": "Anna met Oslo", "Comments": [],
        "entities": [
            {"id": 1, "label": "PER", "start_offset": 0, "end_offset": 4},
            {"id": 2, "label": "LOC", "start_offset": 9, "end_offset": 13},
        ],
        "relations": [{"id": 3, "from_id": 1, "to_id": 2, "type": "met"}],
    }  # fmt: skip
    actual, notes = entities(write([new], "a.jsonl"))
    assert actual == [("Anna met Oslo", [("Anna", "PER"), ("Oslo", "LOC")])]
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
    actual, notes = entities(write(people, "d.jsonl"))
    assert actual == [("Anna ran", [("Anna", "PER")])] and "annotators disagree: 1" in notes
    texts = [{"id": 1, "text": "Good", "label": ["pos", "short"], "Comments": []}]
    assert labels(write(texts, "e.jsonl"))[0] == [("Good", ["pos", "short"])]


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
    actual, notes = entities(write(rows, "a.jsonl"))
    assert actual == [
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
    actual, notes = labels(write(texts, "b.jsonl"))
    assert actual == [("Good", ["pos"]), ("Bad", ["neg"]), ("Spam", ["neg"])]
    assert "texts without a label, left out: 1" in notes


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
    for source in (path, path.with_suffix(".txt"), tmp_path):
        actual, notes = entities(source)
        assert actual == expected
        for line in ("relations between spans, ignored: 2", "events, ignored: 1"):
            assert line in notes
    write("T1\tPER 0 4;9 11\tAnna Bo\n", "doc.ann")
    actual, notes = entities(path)
    assert actual[0] == ("Anna met Bo", [("Anna met Bo", "PER")])
    assert "discontinuous spans, read from their first to their last character: 1" in notes
    write("", "doc.ann")
    assert [spans for _, spans in entities(tmp_path)[0]] == [[], [], [], []]
    write("T1\tPER 0 4\tBerta\n", "doc.ann")
    with pytest.raises(InputError, match=r"doc\.ann:1: span 0\.\.4 reads 'Anna', not its own"):
        entities(path)
    path.with_suffix(".txt").unlink()
    with pytest.raises(InputError, match=r"has no doc\.txt beside it"):
        entities(path)


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
@pytest.mark.parametrize("counted", [True, False])
def test_brat_counts_what_ends_its_lines(tmp_path, end, counted):
    """Unless CR was put in after the annotation; then the texts of the spans tell."""
    text = f"Hello there{end}Anna is in{end}Oslo.{end}Bo or so{end}"
    (tmp_path / "a.txt").write_bytes(text.encode())
    told = text if counted else text.replace("\r\n", "\n")
    anna, place, last, bo, so = map(told.index, ("Anna", "in", "Oslo", "Bo", "so"))
    (tmp_path / "a.ann").write_text(
        f"T1\tPER {anna} {anna + 4}\tAnna\nT2\tX {bo} {bo + 2};{so} {so + 2}\tBo so\n"
        f"T3\tLOC {place} {last + 4}\tin Oslo\n"
    )
    assert entities(tmp_path)[0] == [
        ("Hello there", []),
        ("Anna is in Oslo .", [("Anna", "PER"), ("in Oslo", "LOC")]),
        ("Bo or so", [("Bo or so", "X")]),
    ]
    (tmp_path / "a.ann").write_text("T1\tPER 0 5;6 9\tHello you\n")
    with pytest.raises(InputError, match=r"a\.ann:1: span 0 5;6 9 reads 'Hello the', not its own"):
        entities(tmp_path)


def test_an_empty_text_of_brat_is_left_out(write, tmp_path):
    write("Anna\n", "b.txt")
    write("T1\tPER 0 4\tAnna\n", "b.ann")
    write("", "a.txt")
    write("", "a.ann")
    actual, notes = entities(tmp_path)
    assert actual == [("Anna", [("Anna", "PER")])]
    assert f"empty texts, left out: 1 (first at {tmp_path / 'a.txt'})" in notes
    write("#1\tAnnotatorNotes T1\tempty\n", "a.ann")
    assert entities(tmp_path)[0] == actual
    write("T1\tPER 0 4\tAnna\n", "a.ann")
    with pytest.raises(InputError, match=r"a\.ann:1: span 0\.\.4 "):
        entities(tmp_path)


def test_spacy(write):
    words = [("Anna", "U-PER"), ("saw", "O"), ("New", "B-LOC"), ("York", "L-LOC"), (".", "-")]
    sentence = {"tokens": [{"id": i, "orth": w, "ner": t} for i, (w, t) in enumerate(words)]}
    cats = [{"label": "news", "value": 1.0}, {"label": "sport", "value": 0.0}]
    path = write([{"id": 0, "paragraphs": [{"sentences": [sentence], "cats": cats}]}])
    actual, notes = entities(path)
    assert actual == [("Anna saw New York .", [("Anna", "PER"), ("New York", "LOC")])]
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
    for source in (path, tmp_path):
        actual, notes = entities(source)
        assert actual == expected
        for line in (
            "NamedEntity.value", "layers of relations or chains, ignored: 1",
            "overlapping spans dropped", "spans over parts of tokens, ignored: 1",
        ):  # fmt: skip
            assert line in notes
