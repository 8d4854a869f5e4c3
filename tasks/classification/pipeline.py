"""A trained classifier in use: raw text in, labels with probabilities out.

Texts are batched by length inside; neither their order nor the batch they fall into changes a
result.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from rnnlp.data.classification.columns import row_numbers, rows_of
from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import FeatureRow, TokenBatch
from rnnlp.data.text.preprocessing import EMPTY, tokenise
from rnnlp.data.text.tokenizer import Offsets
from rnnlp.tasks.base.length_batches import TOKEN_BUDGET, by_length
from rnnlp.tasks.base.pipeline import CHUNK, Pipeline, check_tokens, each_text
from rnnlp.tasks.model_folder.folder import CONFIG, ModelFolder

from .config import ClassifierConfig
from .outputs import label_of, thresholds_of, uncertainty_of

if TYPE_CHECKING:
    from .stream import ClassificationStream


_NONE: Any = object()


class Engine(Protocol):
    """What answers for a classifier."""

    def probabilities(
        self, batch: TokenBatch, columns: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Calibrated probabilities [texts, classes], and attention weights [texts, time]."""

    def read(self, batch: TokenBatch, so_far: Any) -> tuple[np.ndarray, Any]:
        """Probabilities [texts, classes] of texts that end with these next tokens, none of them
        padding, and what to pass on where they go on; None begins texts.
        """


class ClassificationPipeline(Pipeline):
    """Gives texts their labels.

    Args:
        engine: Answers for the classifier.
        featurizer: Splits and looks up what the classifier reads.
        settings: The labels, and what the network was built from.
    """

    task = "classification"
    alike = ("classes", "multilabel", "kept_length", "columns")
    engine: Engine
    settings: ClassifierConfig

    @property
    def labels(self) -> list[str]:
        """The labels."""
        return self.settings.classes

    @classmethod
    def from_folder(cls, folder: ModelFolder) -> ClassificationPipeline:
        """Reads a model folder."""
        settings = ClassifierConfig.from_json(folder.config, source=str(folder.path / CONFIG))
        engine: Engine
        if folder.export is not None:
            from .onnx_engine import OnnxClassifier

            engine = OnnxClassifier.of(folder, settings)
        else:
            from .torch_engine import TorchClassifier

            engine = TorchClassifier(folder.network(settings.build))
        return cls(engine=engine, featurizer=folder.featurizer(), settings=settings)

    @property
    def explains(self) -> bool:
        """Whether the model can tell which tokens it looked at."""
        return "attention" in self.settings.pooling and not self.settings.linear

    def __call__(
        self,
        texts: str | Iterable[str],
        *,
        explain: bool = False,
        min_score: float | None = None,
        uncertainty: bool = False,
        columns: Any = None,
    ) -> Any:
        """Labels texts.

        Args:
            texts: One text, or any iterable of them.
            explain: Add the attention weight of each token, for models with attention pooling.
            min_score: Where no label is as probable as this, `label` is None. Where a text may have
                several labels, those that are.
            uncertainty: Add `uncertainty`, with the `entropy` of the labels in nats (where a text
                may have several, the sum of each label's) and the `margin`: how far the likeliest
                label is before the second, or that which is nearest to 0.5 from its opposite.
            columns: Of a model that reads columns beside the text: their values by name, one
                dictionary for one text, or as many as there are texts; or a table of them (a data
                frame, a dictionary of lists).

        Returns:
            For each text `{"text", "label", "score", "scores"}`: the most probable label, its
            probability, and that of every label. Where a text may have several labels, `label` and
            `score` are lists, of all with a probability of 0.5 and more. With `explain` also
            `tokens`, a list of `{"word", "weight", "start", "end"}` with `text[start:end] == word`;
            the weights sum to 1. A text without a token is read as one unknown word.

        Raises:
            InputError: `explain` for a model without attention, or columns are missing.
        """
        options = {"explain": explain, "min_score": min_score, "uncertainty": uncertainty}
        if isinstance(texts, str):
            rows = self._rows([columns] if isinstance(columns, Mapping) else columns)
            beside = self._beside(None if rows is None else list(rows), 1)
            return self.answer(texts, columns=beside, **options)
        return list(self.predict(texts, columns=columns, **options))

    def predict(
        self, texts: str | Iterable[str], *, columns: Any = None, **options: Any
    ) -> Iterator[dict[str, Any]]:
        """The answers to any number of texts, one by one.

        Args:
            texts: Any iterable of them, read as it is asked for; a string is one text.
            columns: Of a model that reads columns beside the text: those of each, as in calling it.
            options: Any other of those in calling the pipeline.

        Raises:
            InputError: An option that the model cannot follow, or columns are missing.
        """
        if columns is None and not self.settings.columns:
            yield from super().predict(texts, **options)
            return
        rows = self._rows(columns)
        source = each_text(texts)
        while some := list(islice(source, CHUNK)):
            some_rows = None if rows is None else list(islice(rows, len(some)))
            beside = self._beside(some_rows, len(some))
            yield from super().predict(some, columns=beside, **options)
        if rows is not None and next(rows, _NONE) is not _NONE:
            names = ", ".join(column.name for column in self.settings.columns)
            raise InputError(f"more rows of columns ({names}) than texts: give one for each")

    def _rows(self, columns: Any) -> Iterator[Mapping[str, Any]] | None:
        """What was handed in beside the texts, by row.

        Raises:
            InputError: The model reads texts alone.
        """
        if columns is None:
            return None
        if not self.settings.columns:
            raise InputError("was trained on texts alone, without data.feature_columns")
        return rows_of(columns, [column.name for column in self.settings.columns])

    def _beside(self, rows: Sequence[Mapping[str, Any]] | None, texts: int) -> np.ndarray | None:
        """What is read beside some texts [texts, columns].

        Raises:
            InputError: There are none, or too few.
        """
        known = self.settings.columns
        if not known:
            return None
        names = ", ".join(column.name for column in known)
        if rows is None:
            raise InputError(
                f"the model reads {names} beside the text: give a table or JSON lines (--input), "
                "or in Python columns=[{…}]"
            )
        if len(rows) != texts:
            raise InputError(f"{len(rows)} rows of columns ({names}) for {texts} texts")
        return np.array([row_numbers(known, row) for row in rows], dtype=np.float32)

    def answers(  # type: ignore[override]
        self,
        texts: list[str],
        *,
        explain: bool = False,
        min_score: float | None = None,
        uncertainty: bool = False,
        columns: np.ndarray | None = None,
    ) -> list[dict[str, Any]]:
        """The labels of some texts.

        Args:
            texts: The texts.
            explain: Add the attention weight of each token.
            min_score: Where no label is as probable as this, `label` is None; see `__call__`.
            uncertainty: Add to each text how unsure the model is.
            columns: What stands beside each text, `[texts, columns]`; None for nothing.
        """
        if explain and not self.explains:
            raise InputError(
                "this model has no attention weights to show; train one with "
                "--model.pooling '[attention]'"
            )
        split = [self.tokens(text) for text in texts]
        answers: list[dict[str, Any]] = [{} for _ in texts]
        for rows, probabilities, weights in self._batches([tokens for tokens, _ in split], columns):
            if explain and weights is None:
                raise InputError("not all of these models have attention weights to show")
            for place, row in enumerate(rows):
                text, offsets = texts[row], split[row][1]
                answers[row] = {
                    "text": text,
                    **label_of(probabilities[place].tolist(), self.settings, min_score=min_score),
                }
                if uncertainty:
                    answers[row]["uncertainty"] = uncertainty_of(
                        probabilities[place], multilabel=self.settings.multilabel
                    )
                if explain and weights is not None:
                    answers[row]["tokens"] = [
                        {
                            "word": text[start:end],
                            "weight": round(weight, 4),
                            "start": start,
                            "end": end,
                        }
                        for (start, end), weight in zip(
                            offsets, weights[place].tolist(), strict=False
                        )
                    ]
        return answers

    def _mean(self, networks: list[Any]) -> Any:
        from rnnlp.models.classification.ensemble import ClassifierEnsemble

        return ClassifierEnsemble(networks)

    def _agreed(self, settings: list[ClassifierConfig]) -> ClassifierConfig:
        """Where a text may have several labels, one is given as its members are above their
        thresholds on the average: the mean of both decides.
        """
        thresholds: list[float] = []
        if any(each.thresholds for each in settings):
            by_label = zip(*map(thresholds_of, settings), strict=True)
            # `fsum` rounds once: the order of the models is none of the sum.
            thresholds = [math.fsum(some) / len(some) for some in by_label]
        return replace(settings[0], thresholds=thresholds)

    def stream(self) -> ClassificationStream:
        """Reads a text as it arrives, for models of one direction; see `ClassificationStream`.

        Raises:
            InputError: The model reads in both directions.
        """
        from .stream import ClassificationStream

        self.check_alone()
        return ClassificationStream(
            engine=self.engine, featurizer=self.featurizer, settings=self.settings
        )

    def tokens(self, text: str) -> tuple[list[str], Offsets]:
        """The tokens that are read of a text, at least one, and their offsets into it."""
        tokens, offsets, _ = tokenise(
            text, self.featurizer.split, max_length=self.settings.kept_length
        )
        return tokens or EMPTY, offsets

    def read_tokens(self, text: str) -> list[str]:
        """The tokens that are read of a text, none of a blank one."""
        tokens, offsets = self.tokens(text)
        return tokens if offsets else []

    def reads(self, text: str) -> tuple[FeatureRow, list[str]]:
        """What the encoder reads of a text."""
        tokens, _ = self.tokens(text)
        return self.featurizer.row(tokens), tokens

    def probabilities(
        self,
        sentences: Sequence[Sequence[str]],
        values: Sequence[Sequence[str]] | None = None,
    ) -> np.ndarray:
        """Probabilities [texts, classes] of texts given as tokens.

        Args:
            sentences: The tokens of each.
            values: Of the columns beside each, in their order.
        """
        names = [column.name for column in self.settings.columns]
        rows_beside = (
            None
            if values is None or not names
            else [dict(zip(names, row, strict=True)) for row in values]
        )
        columns = self._beside(rows_beside, len(sentences))
        results = np.empty((len(sentences), len(self.settings.classes)), dtype=np.float32)
        for rows, probabilities, _ in self._batches(sentences, columns):
            results[rows] = probabilities
        return results

    def answers_to(self, columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
        """The labels of stored texts."""
        return [
            label_of(scores, self.settings)
            for scores in self.probabilities(columns["tokens"], columns["features"]).tolist()
        ]

    def _batches(
        self, sentences: Sequence[Sequence[str]], columns: np.ndarray | None
    ) -> Iterator[tuple[list[int], np.ndarray, np.ndarray | None]]:
        check_tokens(sentences)
        for rows in by_length([len(tokens) for tokens in sentences], budget=TOKEN_BUDGET):
            batch = self.featurizer.batch([sentences[row] for row in rows])
            beside = None if columns is None else columns[rows]
            yield rows, *self.engine.probabilities(batch, beside)
