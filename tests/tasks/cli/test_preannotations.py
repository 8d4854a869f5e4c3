"""`predict --format`: what annotation tools import, and read back it is what the model said."""

import importlib
import json
from pathlib import Path

import pytest

from rnnlp.data.annotation.preannotations import WRITERS
from rnnlp.data.classification.readers import read_classification
from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import note_once
from rnnlp.data.tagging.readers import read_tagging
from rnnlp.data.text.tokenizer import splitter

FOLDERS = Path(__file__).parents[2] / "folders"
TEXT = "😀 Anna met Bo"
TAGGED = {
    "text": TEXT,
    "entities": [
        {"entity_group": "PER", "score": 0.9, "word": "Anna", "start": 2, "end": 6},
        {"entity_group": "PER", "score": 0.8, "word": "Bo", "start": 11, "end": 13},
    ],
}
LABELLED = {"text": TEXT, "label": "news", "score": 0.7, "scores": {"news": 0.7, "sport": 0.3}}
SEVERAL = {**LABELLED, "label": ["news", "sport"], "score": [0.7, 0.6]}
OPEN = {**LABELLED, "label": None}


def checked(tool, task):
    """A task as the tool writes it once somebody has looked at it and changed nothing."""
    if tool == "label_studio":
        return {"data": task["data"], "annotations": [{"result": task["predictions"][0]["result"]}]}
    return {**task, "answer": "accept"} if tool == "prodigy" else {**task, "Comments": []}


@pytest.mark.parametrize("tool", WRITERS)
@pytest.mark.parametrize("answer", [TAGGED, LABELLED, SEVERAL, OPEN, {**TAGGED, **LABELLED}])
def test_round_trip(tool, answer, tmp_path):
    path = tmp_path / "export.json"
    row = checked(tool, WRITERS[tool].row(answer, {"id": 7}))
    path.write_text(json.dumps([row] if tool == "label_studio" else row))
    if "entities" in answer:
        (example,) = read_tagging(path, split=splitter("word"), notes=Notes())
        marked = [(" ".join(example.tokens[s.start : s.end]), s.type) for s in example.spans]
        assert marked == [("Anna", "PER"), ("Bo", "PER")]
    if answer.get("label"):
        (text,) = read_classification(path, notes=Notes())
        label = answer["label"]
        assert (text.text, text.labels) == (TEXT, label if isinstance(label, list) else [label])


@pytest.mark.parametrize(
    ("tool", "where"), [("doccano", lambda row: row), ("label_studio", lambda row: row["data"])]
)
def test_columns_of_the_input_stay(tool, where, capsys):
    note_once.cache_clear()
    own = {"label": "given", "text": "another", "given_label": "older"}
    kept = where(WRITERS[tool].row(LABELLED, own))
    assert {"given", "another", "older"} <= set(map(str, kept.values()))
    assert kept["text"] == TEXT and "'text' is kept as 'given_text'" in capsys.readouterr().err


def test_prodigy_keeps_a_score_of_the_input():
    meta = WRITERS["prodigy"].row(LABELLED, {"score": "high"})["meta"]
    assert meta == {"score": 0.7, "given_score": "high"}


def test_label_studio_counts_in_utf16_and_keeps_other_columns():
    task = WRITERS["label_studio"].row(TAGGED, {"id": 7})
    assert task["data"] == {"id": 7, "text": TEXT}
    (prediction,) = task["predictions"]
    assert prediction["score"] == 0.8
    places = [(one["value"]["start"], one["value"]["end"]) for one in prediction["result"]]
    assert places == [(3, 7), (12, 14)]
    units = TEXT.encode("utf-16-le")
    assert [units[2 * a : 2 * b].decode("utf-16-le") for a, b in places] == ["Anna", "Bo"]


@pytest.mark.parametrize("name", ["tagging-v1", "classification-v1"])
def test_on_the_command_line(rnnlp, tmp_path, name):
    (tmp_path / "in.csv").write_text("id,text\n1,Anna\n2,fine\n")
    command = ("predict", FOLDERS / name, "--input", tmp_path / "in.csv", "--format")
    code, out, err = rnnlp(*command, "label_studio")
    tasks = json.loads(out)
    assert code == 0 and '<Text name="text" value="$text"/>' in err
    assert [task["data"] for task in tasks] == [
        {"id": "1", "text": "Anna"},
        {"id": "2", "text": "fine"},
    ]
    for tool in ("doccano", "prodigy"):
        code, out, _ = rnnlp(*command, tool)
        assert code == 0 and [json.loads(line)["text"] for line in out.splitlines()] == [
            "Anna", "fine",
        ]  # fmt: skip
    (tmp_path / "none.csv").write_text("id,text\n")
    assert rnnlp("predict", FOLDERS / name, "--input", tmp_path / "none.csv")[1] == ""


def test_what_has_no_labels_is_refused(rnnlp):
    code, _, err = rnnlp("predict", FOLDERS / "translation-v1", "a", "--format", "doccano")
    assert code == 2 and "--format is for models that label texts" in err
    code, _, err = rnnlp("predict", FOLDERS / "tagging-v1", "--stream", "--format", "doccano")
    assert code == 2 and "leave out --stream" in err


def test_a_docbin_of_spacy(rnnlp, tmp_path):
    """What is written is read back as what the model says; other columns are kept."""
    spacy = pytest.importorskip("spacy")
    tokens = importlib.import_module("spacy.tokens")
    folder, out = FOLDERS / "joint-v1", tmp_path / "out.spacy"
    texts = [json.loads(row)["text"] for row in (folder / "expected.jsonl").open(encoding="utf-8")]
    rows = [{"text": text, "id": number} for number, text in enumerate(texts) if text.strip()]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    command = ("predict", folder, "--input", tmp_path / "in.jsonl")
    assert rnnlp(*command, "--format", "spacy", "--output", out)[:2] == (0, "")
    answers = [json.loads(line) for line in rnnlp(*command)[1].splitlines()]
    docs = list(tokens.DocBin().from_disk(out).get_docs(spacy.blank("en").vocab))
    for doc, answer, row in zip(docs, answers, rows, strict=True):
        spans = [(one.label_, one.start_char, one.end_char, one.text) for one in doc.ents]
        keys = ("entity_group", "start", "end", "word")
        assert spans == [tuple(one[key] for key in keys) for one in answer["entities"]]
        assert doc.text == answer["text"]
        assert [name for name, value in doc.cats.items() if value] == [answer["label"]]
        assert doc.user_data["id"] == row["id"]
    code, _, err = rnnlp(*command, "--format", "spacy")
    assert (code, "give --output FILE.spacy" in err) == (2, True)
    assert f"{len(rows)} examples" in rnnlp("check", out)[1]
