"""`rnnlp.TextClassifier` in the hands of scikit-learn."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, ShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import rnnlp
from rnnlp.data.errors import InputError

from .conftest import FAST


def test_labels_come_back_as_they_went_in(model, texts):
    assert model.classes_.tolist() == [-1, 1]
    predicted = model.predict(np.array(texts))
    assert predicted.dtype == model.classes_.dtype
    assert model.score(texts, [1] * 21 + [-1] * 21) > 0.8
    probabilities = model.predict_proba(pd.Series(texts))
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert (model.classes_[probabilities.argmax(axis=1)] == predicted).all()
    assert model.predict([]).shape == (0,)
    assert model.predict_proba([]).shape == (0, 2)


def test_columns_follow_the_labels_not_their_spelling(texts):
    """As text, 10 comes before 9."""
    model = rnnlp.TextClassifier(**FAST).fit(pd.Series(texts), pd.Series([9] * 21 + [10] * 21))
    assert model.classes_.tolist() == [9, 10]
    assert model.predict_proba(["very good"])[0].argmax() == 0
    assert model.predict(["very bad"])[0] == 10


def test_saves_loads_and_pickles(model, texts, tmp_path):
    model.save(tmp_path / "model")
    with pytest.raises(InputError, match="holds a model already"):
        model.save(tmp_path / "model")
    card = (tmp_path / "model" / "README.md").read_text()
    assert "- train: X and y\n" in card and "/rnnlp-" not in card  # no file that is gone
    assert rnnlp.load(tmp_path / "model")("very good")["label"] == "1"
    loaded = rnnlp.TextClassifier.from_folder(tmp_path / "model")
    assert loaded.classes_.tolist() == ["-1", "1"]
    joblib.dump(model, tmp_path / "model.joblib")
    for other in (
        loaded,
        joblib.load(tmp_path / "model.joblib"),
        pickle.loads(pickle.dumps(loaded)),
    ):
        assert (other.predict_proba(texts) == model.predict_proba(texts)).all()
    with pytest.raises(InputError, match="is for classification, not for tagging"):
        rnnlp.SequenceTagger.from_folder(tmp_path / "model")


def test_grid_search_over_keys_of_the_config(texts, labels):
    search = GridSearchCV(
        make_pipeline(
            FunctionTransformer(lambda some: [text.upper() for text in some]), clone_of()
        ),
        {
            # At the first rate weights stay 0; at any other they at once have the right signs.
            "textclassifier__model__optimizer__learning_rate": [1e-60, 0.05],
            "textclassifier__model__ngrams": [1, np.int64(2)],
        },
        cv=[(range(len(texts)), range(len(texts)))],
        error_score="raise",
    ).fit(texts, labels)
    assert search.best_params_["textclassifier__model__optimizer__learning_rate"] == 0.05
    assert {*search.cv_results_["param_textclassifier__model__ngrams"]} == {1, 2}
    assert search.predict(["very bad"]).tolist() == ["bad"]


def clone_of(**settings):
    return clone(rnnlp.TextClassifier(**{**FAST, **settings}))


def test_parameters():
    model = rnnlp.TextClassifier("topic_trec", model__encoder__cell="lstm")
    assert "model__encoder__cell='lstm'" in repr(model)
    assert "lstm" in model._repr_html_()
    assert clone(model.set_params(random_state=3)).get_params() == {
        "config": "topic_trec",
        "random_state": 3,
        "verbose": False,
        "model__encoder__cell": "lstm",
    }


def test_several_labels(texts):
    """Lists give lists, a matrix gives a matrix; both learn the same."""
    long = [["good", "short"] if len(text) < 12 else ["good"] for text in texts[:21]]
    lists = long + [["bad"] for _ in texts[21:]]
    model = clone_of(trainer__max_epochs=6).fit(texts, lists)
    assert model.classes_.tolist() == ["bad", "good", "short"]
    assert model.predict(["very bad"]) == [["bad"]]
    assert 0.4 < model.score(texts, lists) <= 1
    matrix = np.array([[name in labels for name in model.classes_] for labels in lists], dtype=int)
    other = clone(model).fit(texts, matrix)
    assert other.predict(["very bad"]).tolist() == [[1, 0, 0]]
    assert np.allclose(other.predict_proba(texts), model.predict_proba(texts))
    assert other.score(texts, matrix) == model.score(texts, lists)
    assert cross_val_score(other, texts, matrix, cv=ShuffleSplit(1, random_state=1)).shape == (1,)


def test_the_form_of_y_says_whether_a_text_may_have_several_labels(texts):
    """Also where none has two; a column that no text has is said to be one."""
    once = {"trainer__max_epochs": 1}
    matrix = np.repeat([[1, 0, 0], [0, 1, 0]], 21, axis=0)
    matrix[::4] = 0
    with pytest.warns(UserWarning, match="no text to train on has label 2: its probability is 0"):
        model = clone_of(**once).fit(texts, matrix)
    assert model.predict(texts).shape == matrix.shape
    assert (model.predict_proba(texts)[:, 2] == 0).all()
    names = [["good"] if row[0] else ["bad"] if row[1] else [] for row in matrix]
    other = clone_of(**once).fit(texts, names)
    assert model.pipeline_.settings.multilabel and other.pipeline_.settings.multilabel
    # In another order of the labels: bad, good.
    assert np.allclose(other.predict_proba(texts), model.predict_proba(texts)[:, [1, 0]], atol=1e-6)


def test_what_the_user_says_of_several_labels_wins(texts, labels):
    once = {"trainer__max_epochs": 1}
    lists = [[label] for label in labels]
    model = clone_of(**once, data__multilabel=False).fit(texts, lists)
    assert np.allclose(model.predict_proba(texts).sum(axis=1), 1)
    assert {*map(tuple, model.predict(texts))} <= {("good",), ("bad",)}
    model = clone_of(**once, data__multilabel=True).fit(texts, labels)
    assert all(set(answer) <= {"good", "bad"} for answer in model.predict(texts))


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        ([1, 1.0, True] * 7 + [0, 0.0, False] * 7, [0, 1]),
        ([[1], [np.float32(1)], {1.0, 2.0}] * 7 + [[2]] * 21, [1, 2]),
    ],
)
def test_equal_labels_are_one_however_they_are_written(texts, y, classes):
    model = clone_of(trainer__max_epochs=1).fit(texts, y)
    assert model.classes_.tolist() == classes and len(model.pipeline_.labels) == 2
    assert model.predict_proba(texts).all()
    assert 0 <= model.score(texts, y) <= 1


@pytest.mark.parametrize(
    ("y", "further", "classes"), [("ab", "zz", ["a", "b", "zz"]), ((7, 9), "8", [7, 8, 9])]
)
def test_labels_that_the_model_has_beside_those_of_y(texts, y, further, classes):
    model = rnnlp.TextClassifier(**FAST, data__further_labels=[further])
    model.fit(texts, [y[0]] * 21 + [y[1]] * 21)
    assert model.classes_.tolist() == classes
    assert model.predict_proba(texts).shape == (42, 3)
    assert {*model.predict(texts).tolist()} <= {*classes}
    with pytest.raises(InputError, match="also has label zz, which no label of y is like, such as"):
        model.set_params(data__further_labels=["zz"]).fit(texts, [1] * 21 + [2] * 21)


def test_the_numbers_of_the_process_stay_its_own(texts, labels, capsys):
    """Training seeds its own; it says nothing where it is not asked to."""
    np.random.seed(5)
    expected = np.random.random(2)
    np.random.seed(5)
    first = np.random.random()
    model = clone_of(trainer__max_epochs=1).fit(texts, labels)
    assert [first, np.random.random()] == expected.tolist()
    assert capsys.readouterr() == ("", "")
    model.set_params(random_state=np.random.RandomState(0), verbose=True).fit(texts, labels)
    assert "of 42 training" in capsys.readouterr().err


def test_weights_decide_between_contradictory_labels(texts, labels):
    wrong = ["bad" if label == "good" else "good" for label in labels]
    weights = pd.Series([1.0, 0.0]).repeat(len(texts))
    model = clone_of().fit(texts + texts, labels + wrong, sample_weight=weights)
    assert model.score(texts, labels) > 0.8
    assert model.score(texts * 2, labels + wrong, weights) == model.score(texts, labels)


@pytest.mark.parametrize(
    ("X", "y", "settings", "message"),
    [
        ([1.5, 2.5], ["a", "b"], {}, r"texts\[0\] is 1.5 \(float\), not a string"),
        ("one text", ["a"], {}, "X is one text"),
        (["x", "y"], None, {}, "y is None: give a label for each text"),
        (["x", "y"], ["a", None], {}, r"y\[1\] is None, which is no label"),
        (["x", "y"], [1.0, float("nan")], {}, r"y\[1\] is nan, which is no label"),
        (["x", "y"], ["a", "a"], {}, "the same for all texts"),
        (["x", "y"], [[], []], {}, "the same for all texts"),
        (["x", "y"], [["a", "b"], ["b", "a"]], {}, "the same for all texts"),
        (["x", "y"], np.array([[-1, 1], [1, -1]]), {}, "a matrix with -1 in it"),
        (["x", "y"], ["a", ""], {}, r"X\[1\]: the label is empty"),
        (["x", "y"], ["a", "b"], {"config": "ner"}, "config 'ner' is for tagging"),
        (["x", "y"], ["a", "b"], {"config": "nosuch"}, "no such config file"),
        (["x", "y"], ["a", "b"], {"model__encoder__cel": "gru"}, r"no key model.encoder.cel: did"),
        (list("abcdefgh"), [0, 1] * 4, {"model__optimizer__name": "adan"}, "adan"),
        (["x", "y"], ["a", "b"], {"output": "runs/x"}, "output: not for an estimator"),
        (["x", "y"], ["a", "b"], {"max_epochs": 2}, "max_epochs: .* trainer__max_epochs"),
        (["x", "y"], ["a", "b"], {"data__folds": 5}, "data.folds: not for an estimator"),
    ],
)
def test_wrong_inputs(X, y, settings, message):
    with pytest.raises(InputError, match=message):
        clone_of(**settings).fit(X, y)


def test_wrong_inputs_of_sklearns_own(texts, labels):
    model = clone_of()
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.fit(texts, labels[1:])
    with pytest.raises(ValueError, match="Unknown label type"):
        model.fit(texts, np.linspace(0, 1, len(texts)))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.fit(texts, labels, sample_weight=[1.0])
    with pytest.raises(InputError, match=r"X\[1\]: the weight -2 is neither"):
        model.fit(["x", "y"], ["a", "b"], sample_weight=[1, -2])
    with pytest.raises(InputError, match=r"^X and y: no .* left out: 2 \(first at X\[0\]\)$"):
        model.fit(["x", "y"], ["a", "b"], sample_weight=[0, 0])
    for use in (model.predict, model.predict_proba, model.save):
        with pytest.raises(NotFittedError):
            use(texts)
