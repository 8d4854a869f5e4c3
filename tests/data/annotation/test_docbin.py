"""DocBin, written by spaCy and by us, read to the same spans and labels."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlp.data.annotation.docbin import as_doc
from rnnlp.data.classification.readers import read_classification
from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.tagging.readers import read_tagging
from rnnlp.data.text.tokenizer import splitter

spacy = pytest.importorskip("spacy")
from spacy.tokens import DocBin  # noqa: E402
from spacy.vocab import Vocab  # noqa: E402


def write(path, *docs):
    DocBin(docs=docs).to_disk(path)
    return path


def entities(path):
    notes = Notes()
    actual = [
        [(" ".join(one.tokens[span.start : span.end]), span.type) for span in one.spans]
        for one in read_tagging(path, split=splitter("word"), notes=notes)
    ]
    return actual, "\n".join(notes.lines())


@pytest.fixture
def doc():
    doc = spacy.blank("en")("Mr. O'Neil isn't in\nNew York.")
    doc.ents = [doc.char_span(4, 10, label="PER"), doc.char_span(20, 28, label="LOC")]
    return doc


def test_entities_with_the_tokens_of_spacy(doc, tmp_path):
    actual, notes = entities(write(tmp_path / "a.spacy", doc))
    assert actual == [[("O'Neil", "PER"), ("New York", "LOC")]]
    assert "read as an export of spaCy (DocBin)" in notes
    (one,) = read_tagging(tmp_path / "a.spacy", split=None, notes=Notes())
    assert one.tokens == ["Mr.", "O'Neil", "is", "n't", "in", "New", "York", "."]


def test_what_is_lost_is_counted(doc, tmp_path):
    doc.spans["sc"] = [doc[0:2], doc[1:3]]
    doc.set_ents([], missing=[doc[0:2]], default="unmodified")
    actual, notes = entities(write(tmp_path / "a.spacy", doc, spacy.blank("en")("nothing here")))
    assert actual == [[("New York", "LOC")], []]
    assert "tokens whose entity is open (-), read as O: 2" in notes
    assert "spans in doc.spans, left out: those of doc.ents are read: 2" in notes
    assert "documents with neither entities nor categories annotated: 1" in notes


def test_categories(tmp_path):
    docs = [spacy.blank("zh")(text) for text in ("很好", "很差")]
    docs[0].cats, docs[1].cats = {"good": 1.0, "bad": 0.0}, {"good": 0.2, "bad": 0.8}
    path = write(tmp_path / "a.spacy", *docs)
    texts = list(read_classification(path, notes=Notes()))
    assert [(one.text, one.labels) for one in texts] == [("很好", ["good"]), ("很差", ["bad"])]
    with pytest.raises(InputError, match="train a classifier on it"):
        entities(path)


@given(st.text("ab 北京\n\t .!😀'\u3000", max_size=12), st.data())
def test_any_text_with_any_spans(text, data):
    """Text, borders and labels come through, wherever an entity begins."""
    places = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=4)))
    marks = list(zip(places[::2], places[1::2], strict=False))
    answer = {
        "text": text,
        "entities": [{"start": a, "end": b, "entity_group": "X"} for a, b in marks],
        "label": "no",
        "scores": {"yes": 0.4, "no": 0.45, "?": 0.15},
    }
    doc = as_doc(answer, Vocab())
    assert doc.text == text
    assert [(span.start_char, span.end_char) for span in doc.ents] == marks
    assert doc.cats == {"yes": 0, "no": 1, "?": 0}


def test_plain_tags_are_those_of_their_tokens():
    places = [(0, 2, "PRP"), (3, 6, "CD"), (6, 7, ".")]
    marks = [{"start": a, "end": b, "entity_group": tag} for a, b, tag in places]
    doc = as_doc({"text": "It 3.5.", "entities": marks, "tags": ["PRP", "CD", "."]}, Vocab())
    assert [(token.text, token.tag_) for token in doc] == [("It", "PRP"), ("3.5", "CD"), (".", ".")]
    assert not doc.ents


def test_wrong_files(tmp_path, monkeypatch):
    (tmp_path / "a.spacy").write_text("Anna B-PER\n")
    with pytest.raises(InputError, match="is no DocBin of spaCy"):
        entities(tmp_path / "a.spacy")
    with pytest.raises(InputError, match="No such file"):
        entities(tmp_path / "none.spacy")
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(InputError, match=r"pip install 'rnnlp\[spacy\]'"):
        entities(tmp_path / "a.spacy")
