"""`rnnlp.TextClassifier`: a classifier of texts, as scikit-learn has them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import is_multilabel, unique_labels
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d

from rnnlp.data.errors import InputError
from rnnlp.tasks.base.pipeline import each_text

from .estimator import Config, Estimator

Self = TypeVar("Self", bound="TextClassifier")
Format = Literal["one", "lists", "indicator"]


class TextClassifier(ClassifierMixin, Estimator):
    """Gives texts their labels.

        model = rnnlp.TextClassifier("topic_trec", model__encoder__cell="lstm").fit(texts, labels)
        model.predict(["Who wrote Hamlet ?"])

    Args:
        config: The name of a shipped config, or a YAML file; of several, later ones win.
        random_state: Seed of weights, batches and the validation share; None for the config's own.
        verbose: Whether to print what `rnnlp fit` prints.
        settings: Keys of the config, with `__` in place of the dots.

    Attributes:
        classes_: The labels, sorted, as `y` has them.
        pipeline_: The trained model, as `rnnlp.load` gives it.
    """

    _task = "classification"
    _reading = {  # noqa: RUF012
        "data.format": "auto",
        "data.text_column": "text",
        "data.label_column": "label",
        "data.label_separator": "",
        "data.label_before": "",
    }

    def __init__(
        self,
        config: Config = "sentiment",
        *,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(config, random_state=random_state, verbose=verbose, **settings)

    def fit(self: Self, X: Iterable[str], y: Any, sample_weight: Any = None) -> Self:
        """Trains a model.

        Args:
            X: The texts: any iterable of strings.
            y: The label of each, strings or whole numbers; or where a text may have several, lists
                of labels, or a matrix [texts, labels] of 0 and 1.
            sample_weight: How much each text counts in the loss, where 1 is usual; None for 1.

        Raises:
            InputError: What is handed in, or a setting, is wrong.
        """
        texts, labels = _texts(X), _read(y)
        check_consistent_length(texts, labels.rows)
        if len({frozenset(row) for row in labels.rows}) < 2:
            raise InputError("y has the same for all texts: there is nothing to tell apart")
        rows = zip(texts, labels.rows, strict=True)
        self._train(
            [{"text": text, "label": row} for text, row in rows],
            sample_weight,
            {} if labels.format == "one" else {"data.multilabel": True},
        )
        self.classes_ = _with_further(labels, self.pipeline_.labels)
        self.label_format_ = labels.format
        if labels.format == "one" and self.pipeline_.settings.multilabel:  # the user's setting
            self.label_format_ = "lists"
        if unseen := sorted(self._places().keys() - set(self.pipeline_.labels)):
            warnings.warn(
                f"no text to train on has label {', '.join(unseen)}: its probability is 0",
                stacklevel=2,
            )
        return self

    def predict(self, X: Iterable[str]) -> Any:
        """The labels of texts, in the form that `y` had: those of a probability of 0.5 and more
        where a text may have several.
        """
        check_is_fitted(self, "pipeline_")
        places = self._places()
        answers = [answer["label"] for answer in self.pipeline_.predict(_texts(X))]
        if self.label_format_ == "one":
            return self.classes_[np.array([places[label] for label in answers], dtype=int)]
        chosen = [
            [places[label] for label in (answer if isinstance(answer, list) else [answer])]
            for answer in answers
        ]
        if self.label_format_ == "lists":
            return [self.classes_[row].tolist() for row in chosen]
        matrix = np.zeros((len(chosen), len(self.classes_)), dtype=int)
        for row, columns in zip(matrix, chosen, strict=True):
            row[columns] = 1
        return matrix

    def predict_proba(self, X: Iterable[str]) -> np.ndarray:
        """Calibrated probabilities [texts, labels], the labels as in `classes_`."""
        check_is_fitted(self, "pipeline_")
        places, pipeline = self._places(), self.pipeline_
        tokens = [pipeline.tokens(text)[0] for text in _texts(X)]
        result = np.zeros((len(tokens), len(self.classes_)))
        columns = [places[label] for label in pipeline.settings.classes]
        result[:, columns] = pipeline.probabilities(tokens)
        return result

    def score(self, X: Iterable[str], y: Any, sample_weight: Any = None) -> float:
        """Share of the texts whose label, or whose whole set of labels, is right.

        Args:
            X: The texts.
            y: Their labels, in any form that `fit` takes.
            sample_weight: How much each text counts, `[texts]`; None for once.
        """
        check_is_fitted(self, "pipeline_")
        if self.label_format_ != "lists":
            return float(super().score(X, y, sample_weight))
        right = [set(mine) == set(true) for mine, true in zip(self.predict(X), y, strict=True)]
        return float(np.average(right, weights=sample_weight))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = tags.input_tags.string = True
        tags.classifier_tags.multi_label = True
        return tags

    def _take_labels(self, settings: Any) -> None:
        self.classes_ = np.array(settings.classes)
        self.label_format_ = "lists" if settings.multilabel else "one"

    def _places(self) -> dict[str, int]:
        """The column of each label, by its name in the model."""
        return {str(label): place for place, label in enumerate(self.classes_)}


class _Labels(NamedTuple):
    """The labels of a `y`: each text's as text, all of them, and their form."""

    rows: list[list[str]]
    classes: np.ndarray
    format: Format


def _read(y: Any) -> _Labels:
    """The labels of texts.

    Raises:
        InputError: They are none; other mistakes are found by scikit-learn.
    """
    if hasattr(y, "__array__"):
        y = np.asarray(y)
    shape = getattr(y, "shape", (None,))
    if isinstance(y, str) or not isinstance(y, Iterable) or not shape:
        raise InputError(f"y is {y!r:.60}: give a label for each text")
    y = column_or_1d(y, warn=True) if shape[1:] == (1,) else list(y)
    if is_multilabel(y):
        if odd := sorted({*np.unique(y).tolist()} - {0, 1}):
            raise InputError(
                f"y is a matrix with {odd[0]} in it: give one of 0 and 1, or lists of labels"
            )
        matrix = [[str(label) for label in np.flatnonzero(row)] for row in y]
        return _Labels(matrix, unique_labels(y), "indicator")
    multilabel = any(isinstance(labels, list | tuple | set | np.ndarray) for labels in y)
    rows = [
        [label.item() if isinstance(label, np.generic) else label for label in row]
        for row in (y if multilabel else [[label] for label in y])
    ]
    for number, labels in enumerate(rows):
        for label in labels:
            if not isinstance(label, str | int | float) or label != label:
                raise InputError(f"y[{number}] is {y[number]!r:.60}, which is no label")
    classes = unique_labels([label for labels in rows for label in labels])
    names = {label: str(label) for label in classes.tolist()}  # one for 1, 1.0 and True
    named = [[names[label] for label in labels] for labels in rows]
    return _Labels(named, classes, "lists" if multilabel else "one")


def _with_further(labels: _Labels, known: Sequence[str]) -> np.ndarray:
    """The labels of a `y`, and those that the model knows beside them (`data.further_labels`, those
    of an older model), as what y has.

    Args:
        labels: Those of y.
        known: Those of the model.

    Raises:
        InputError: They cannot be what y has.
    """
    classes = labels.classes.tolist()
    further = sorted({*known} - {*map(str, classes)})
    kind = type(classes[0])
    try:
        if further and (labels.format == "indicator" or kind is bool):
            raise ValueError("there is no place for them")
        return np.unique([*classes, *map(kind, further)]) if further else labels.classes
    except ValueError as error:
        raise InputError(
            f"the model also has label {', '.join(further)}, which no label of y is like, such as "
            f"{classes[0]!r}: give y as strings"
        ) from error


def _texts(X: Iterable[str]) -> list[str]:
    if isinstance(X, str):
        raise InputError("X is one text: give a list of texts")
    return list(each_text(X))
