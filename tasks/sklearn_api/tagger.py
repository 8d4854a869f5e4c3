"""`rnnlp.SequenceTagger`: a tagger of sentences that are lists of tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
from sklearn.utils import Tags
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from rnnlp.data.errors import InputError
from rnnlp.data.tagging.scheme_detection import detect_scheme
from rnnlp.data.tagging.schemes import IO, spans_to_tags, spelling, tags_to_spans
from rnnlp.tasks.inference.evaluate import evaluate_model

from .estimator import Config, Estimator, as_file

Self = TypeVar("Self", bound="SequenceTagger")


class SequenceTagger(Estimator):
    """Gives each token of a sentence its tag.

        tagger = rnnlp.SequenceTagger("ner").fit(sentences, tags)
        tagger.predict([["Ada", "Lovelace", "lived", "in", "London"]])

    There is no `predict_proba`: a tagger decides on whole sentences. The probability of an entity
    is in `tagger.pipeline_(text)`.

    Args:
        config: The name of a shipped config, or a YAML file; of several, later ones win.
        random_state: Seed of weights, batches and the validation share; None for the config's own.
        verbose: Whether to print what `rnnlp fit` prints.
        settings: Keys of the config, with `__` in place of the dots.

    Attributes:
        classes_: The tags, sorted, as `y` has them.
        scheme_: Their scheme, such as IOB2, in which `predict` answers; None for plain tags.
        pipeline_: The trained model, as `rnnlp.load` gives it.
    """

    _task = "tagging"
    _reading = {"data.format": "auto"}  # noqa: RUF012

    def __init__(
        self,
        config: Config = "ner",
        *,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(config, random_state=random_state, verbose=verbose, **settings)

    def fit(
        self: Self,
        X: Iterable[Sequence[str]],
        y: Iterable[Sequence[str]],
        sample_weight: Any = None,
    ) -> Self:
        """Trains a model.

        Args:
            X: The sentences, each a sequence of tokens.
            y: A tag for each token, in any scheme, or plain.
            sample_weight: How much each sentence counts in the loss, where 1 is usual; None for 1.

        Raises:
            InputError: What is handed in, or a setting, is wrong.
        """
        examples = _examples(X, y)
        tags = [example["tags"] for example in examples]
        scheme = detect_scheme(tags)
        self._train(examples, sample_weight, {})
        self.scheme_ = scheme
        every = [tag for row in tags for tag in row]
        self.classes_ = np.unique(every)
        self._spelling = {} if scheme is None else spelling(every, scheme)
        return self

    def predict(self, X: Iterable[Sequence[str]]) -> list[list[str]]:
        """The tags of sentences, in the scheme that `y` had, and written as there."""
        check_is_fitted(self, "pipeline_")
        tags: list[list[str]] = self.pipeline_.tags(_rows(X, "X"))
        mine = self.pipeline_.settings.scheme
        rows = (_converted(row, mine, self.scheme_) for row in tags)
        return [[self._spelling.get(tag, tag) for tag in row] for row in rows]

    def score(self, X: Iterable[Sequence[str]], y: Iterable[Sequence[str]]) -> float:
        """F1 of entities, as `rnnlp evaluate` counts them; of plain tags the accuracy."""
        check_is_fitted(self, "pipeline_")
        with as_file(_examples(X, y)) as file:
            scores = evaluate_model(self.pipeline_, file).scores
        return float(scores["accuracy" if self.pipeline_.settings.scheme is None else "f1"])

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.target_tags.required = True
        return tags

    def _take_labels(self, settings: Any) -> None:
        self.classes_, self.scheme_ = np.unique(settings.tags), settings.scheme
        self._spelling = {}


def _converted(tags: list[str], scheme: str | None, wanted: str | None) -> list[str]:
    if scheme is None or wanted is None or scheme == wanted:
        return tags
    spans = tags_to_spans(tags, scheme, strict=True)
    if wanted != IO:
        return spans_to_tags(spans, len(tags), wanted)
    bare = ["O"] * len(tags)
    for start, end, kind in spans:
        bare[start:end] = [kind] * (end - start)
    return bare


def _examples(X: Iterable[Sequence[str]], y: Iterable[Sequence[str]]) -> list[dict[str, list[str]]]:
    sentences, tags = _rows(X, "X"), _rows(y, "y")
    check_consistent_length(sentences, tags)
    return [{"tokens": tokens, "tags": row} for tokens, row in zip(sentences, tags, strict=True)]


def _rows(rows: Iterable[Sequence[str]], name: str) -> list[list[str]]:
    """Sequences of strings as lists.

    Raises:
        InputError: They are none.
    """
    if isinstance(rows, str) or not isinstance(rows, Iterable):
        raise InputError(f"{name} is {rows!r:.60}: give a list of lists of strings")
    result = []
    for number, row in enumerate(rows):
        if isinstance(row, str) or not isinstance(row, Iterable):
            raise InputError(
                f"{name}[{number}] is {row!r:.60}: give a list, of a string for each token (tokens "
                "are text.split(), or of Chinese list(text))"
            )
        result.append(list(row))
        if odd := [item for item in result[-1] if not isinstance(item, str)]:
            raise InputError(f"{name}[{number}] holds {odd[0]!r:.60}, not a string")
    return result
