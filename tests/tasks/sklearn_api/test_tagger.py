"""`rnnlp.SequenceTagger` in the hands of scikit-learn."""

import pickle

import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import KFold, cross_val_score

import rnnlp
from rnnlp.data.errors import InputError
from rnnlp.data.tagging.schemes import Span, spans_to_tags

NAMES = ("Ada Lovelace", "Alan Turing", "Grace Hopper", "Donald Knuth", "Barbara Liskov", "Tony")
FAST = {
    "random_state": 1,
    "model__embedding__characters": "none",
    "model__embedding__size": 16,
    "model__encoder__hidden_size": 16,
    "model__optimizer__learning_rate": 0.03,
    "data__max_sentences": 4,
    "trainer__max_epochs": 4,
    "trainer__logger": False,
}


def corpus(scheme):
    """Sentences with one name each, and their tags."""
    sentences, tags = [], []
    for name in NAMES:
        for verb in ("visited", "saw", "left", "wrote to", "never met"):
            sentences.append([*name.split(), *verb.split(), "us", "."])
            length = len(name.split())
            tags.append(spans_to_tags([Span(0, length, "PER")], len(sentences[-1]), scheme))
    return sentences, tags


@pytest.fixture(scope="module")
def tagger():
    return rnnlp.SequenceTagger(**FAST).fit(*corpus("IOB2"))


def test_answers_in_the_scheme_of_y(tagger):
    sentences, tags = corpus("IOB2")
    assert tagger.scheme_ == "IOB2"
    assert tagger.pipeline_.settings.scheme == "BIOES"
    assert tagger.classes_.tolist() == ["B-PER", "I-PER", "O"]
    assert tagger.predict([["Ada", "Lovelace", "left", "us", "."], []]) == [
        ["B-PER", "I-PER", "O", "O", "O"],
        [],
    ]
    assert 0.8 < tagger.score(sentences, tags) <= 1
    assert tagger.score(sentences, corpus("BIOES")[1]) == tagger.score(sentences, tags)
    again = pickle.loads(pickle.dumps(tagger))
    assert again.predict(sentences) == tagger.predict(sentences)


def test_answers_in_the_spelling_of_y(tagger):
    """The same model from the same tags, however they are written."""
    sentences, tags = corpus("IOB2")
    spelt = {"B-PER": "PER-B", "I-PER": "PER-I", "O": "0"}
    other = rnnlp.SequenceTagger(**FAST).fit(sentences, [[spelt[t] for t in row] for row in tags])
    assert other.classes_.tolist() == ["0", "PER-B", "PER-I"]
    expected = [[spelt[tag] for tag in row] for row in tagger.predict(sentences)]
    assert (
        other.predict(sentences) == pickle.loads(pickle.dumps(other)).predict(sentences) == expected
    )


def test_cross_validation():
    """Chinese, a token a character; each type written bare, as some corpora do."""
    sentences = [list(f"{name}去了{place}。") for name in "王李张陈" for place in ("北京", "上海")]
    tags = [["PER", "O", "O", "LOC", "LOC", "O"] for _ in sentences]
    X, y = pd.Series(sentences * 3), pd.Series(tags * 3)
    tagger = rnnlp.SequenceTagger(**FAST)
    assert cross_val_score(tagger, X, y, cv=KFold(2)).mean() > 0.5
    assert tagger.fit(X, y).scheme_ == "IO"
    assert tagger.predict(X[:1]) == tags[:1]


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (["Ada left"], [["O", "O"]], r"X\[0\] is 'Ada left': give a list"),
        ("Ada", [["O"]], "X is 'Ada': give a list of lists"),
        ([["Ada", "left"]], ["O"], r"y\[0\] is 'O': give a list"),
        ([["Ada", 5]], [["O", "O"]], r"X\[0\] holds 5, not a string"),
        ([["Ada"], ["Bo", "left"]], [["O"], ["O"]], r"X\[1\]: 2 tokens but 1 `tags`"),
        ([["Ada"], []], [["O"], []], r"X\[1\]: `tokens` is empty"),
        ([["Ada", "left"], ["Bo"]], [["Z-PER", "O"], ["Z-PER"]], "unknown tagging scheme"),
    ],
)
def test_wrong_inputs(X, y, message):
    with pytest.raises(InputError, match=message):
        rnnlp.SequenceTagger(**FAST).fit(X, y)


def test_wrong_inputs_of_sklearns_own():
    tagger = rnnlp.SequenceTagger(**FAST)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        tagger.fit([["Ada"], ["left"]], [["O"]])
    with pytest.raises(NotFittedError):
        tagger.predict([["Ada"]])
