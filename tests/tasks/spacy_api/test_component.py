"""The component of spaCy's pipelines says what the model says, where spaCy keeps it."""

import json
from pathlib import Path

import pytest

import rnnlp
from rnnlp.data.errors import InputError

spacy = pytest.importorskip("spacy")
from spacy.tokens import Doc, Span  # noqa: E402

from rnnlp.tasks.spacy_api import component  # noqa: E402  # registers the factory

FOLDERS = Path(__file__).parents[2] / "folders"


def pipeline(folder, language="en"):
    nlp = spacy.blank(language)
    nlp.add_pipe("rnnlp", config={"model": str(folder)})
    return nlp


def said(doc):
    """The entities of a text as `predict` prints them, those that are left out as well."""
    entities = [
        {
            "entity_group": span.label_,
            "score": span._.rnnlp_score,
            "word": span.text,
            "start": span.start_char,
            "end": span.end_char,
        }
        for span in doc.ents
    ]
    return sorted([*entities, *doc._.rnnlp_left_out], key=lambda one: one["start"])


@pytest.mark.parametrize("name", ["tagging-v1", "classification-v1", "joint-v1"])
def test_as_predict(name, capsys):
    """Exact offsets, with emoji, Chinese and blanks of every width; one by one and in batches."""
    model, nlp = rnnlp.load(FOLDERS / name), pipeline(FOLDERS / name)
    rows = (FOLDERS / name / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(row)["text"] for row in rows]
    left_out = 0
    for doc, expected in zip(nlp.pipe(texts, batch_size=2), model(texts), strict=True):
        assert said(doc) == expected.get("entities", [])
        assert doc.cats == expected.get("scores", {})
        left_out += len(doc._.rnnlp_left_out)
    err = capsys.readouterr().err
    assert (f"{left_out} entities begin or end inside a token" in err) == (left_out > 0)
    assert said(nlp(texts[0])) == model(texts[0]).get("entities", [])


def test_entities_that_do_not_fit_are_counted_and_kept(capsys):
    nlp = pipeline(FOLDERS / "tagging-v1")
    text = "Maria visited Oslo."
    (*_, last) = entities = rnnlp.load(FOLDERS / "tagging-v1")(text)["entities"]
    one_token = Doc(nlp.vocab, words=[text], spaces=[False])
    assert nlp(one_token).ents == ()
    assert list(one_token._.rnnlp_left_out) == entities
    assert f"{len(entities)} entities begin or end inside a token" in capsys.readouterr().err
    doc = nlp.make_doc(text)
    mine = doc.char_span(last["start"], last["end"], label="MINE")
    doc.ents = [mine]
    assert mine in nlp(doc).ents
    assert [one["word"] for one in doc._.rnnlp_left_out] == [last["word"]]


def test_plain_tags_go_to_the_tokens_of_spacy(tmp_path):
    sentences = [["Don't", "you", verb, "?"] for verb in ("see", "run", "talk", "know", "go")] * 4
    tags = [["AUX", "PRON", "VERB", "PUNCT"] for _ in sentences]
    rnnlp.SequenceTagger(
        model__embedding__characters="none", trainer__max_epochs=4, data__max_sentences=4
    ).fit(sentences, tags).save(tmp_path / "pos")
    doc = pipeline(tmp_path / "pos")("Don't you\n see ?")
    (expected,) = rnnlp.load(tmp_path / "pos").tags([["Do", "n't", "you", "see", "?"]])
    words = [token for token in doc if not token.is_space]
    assert [token.tag_ for token in words] == expected
    assert [token.pos_ for token in words] == expected
    assert all(0 < token._.rnnlp_score <= 1 for token in words)
    assert not doc.ents


def test_a_saved_pipeline_carries_the_model(tmp_path):
    nlp = pipeline(FOLDERS / "classification-v1")
    nlp.add_pipe("rnnlp", name="ner", config={"model": str(FOLDERS / "tagging-v1")})
    nlp.to_disk(tmp_path / "whole")
    config = (tmp_path / "whole" / "config.cfg").read_text()
    (tmp_path / "whole" / "config.cfg").write_text(config.replace(str(FOLDERS), "nowhere"))
    text = "In Rio, Bob met Maria."
    mine, its = nlp(text), spacy.load(tmp_path / "whole")(text)
    assert said(its) == said(mine)
    assert its.cats == mine.cats


def test_wrong_models():
    with pytest.raises(InputError, match="no such"):
        pipeline("nowhere/at/all")("a")
    with pytest.raises(InputError, match="is for translation: spaCy has places"):
        pipeline(FOLDERS / "translation-v1")("a")
    with pytest.raises(ValueError, match="model"):
        spacy.blank("en").add_pipe("rnnlp")


def test_extensions_are_documented():
    for kind, name in ((Doc, component.LEFT_OUT), (Span, component.SCORE)):
        assert kind.has_extension(name)
        assert f"_.{name}" in component.Annotator.__doc__
