"""A trained tagger in use: raw text in, entities with character offsets out.

Sentences are batched by length inside; neither their order nor the batch they fall into changes a
result.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from rnnlp.data.tagging.schemes import Span
from rnnlp.data.text.featurizer import Featurizer, TokenBatch
from rnnlp.tasks.base.length_batches import TOKEN_BUDGET, by_length, positions
from rnnlp.tasks.base.pipeline import Pipeline, check_tokens
from rnnlp.tasks.model_folder.folder import CONFIG, ModelFolder

from .config import TaggerConfig
from .outputs import entity, names_of, span_rules, spans_in
from .scores import labels_of

if TYPE_CHECKING:
    from rnnlp.models.tagging.paths import Decoded, Paths

    from .stream import TaggingStream

SUMS = 12  # numbers that forward and backward sums hold for each tag of a position: six float64


class Engine(Protocol):
    """What answers for a tagger."""

    @property
    def paths(self) -> Paths:
        """What scores sequences of tags, besides emissions."""

    def decode(self, batch: TokenBatch) -> Decoded:
        """The best legal tags of each row, and how sure they are."""

    def read(self, batch: TokenBatch, so_far: Any) -> tuple[np.ndarray, Any]:
        """Emissions [batch, time, tags] of the next tokens of texts that go on, none of them
        padding, and what to pass on; None begins texts.
        """


class TaggingPipeline(Pipeline):
    """Tags texts or sentences.

    Args:
        engine: Answers for the tagger.
        featurizer: Splits and looks up what the tagger reads.
        settings: Tags and scheme, and what the network was built from.
    """

    task = "tagging"
    alike = ("tags", "scheme", "crf")
    engine: Engine
    settings: TaggerConfig

    def __init__(self, *, engine: Engine, featurizer: Featurizer, settings: TaggerConfig) -> None:
        super().__init__(engine=engine, featurizer=featurizer, settings=settings)
        self._rules = span_rules(settings.tags, settings.scheme)

    @property
    def labels(self) -> list[str]:
        """The types of entities, or the plain tags."""
        return sorted(labels_of(self.settings.tags, self.settings.scheme))

    @classmethod
    def from_folder(cls, folder: ModelFolder) -> TaggingPipeline:
        """Reads a model folder."""
        settings = TaggerConfig.from_json(folder.config, source=str(folder.path / CONFIG))
        engine: Engine
        if folder.export is not None:
            from .onnx_engine import OnnxTagger

            engine = OnnxTagger.of(folder, settings)
        else:
            from .torch_engine import TorchTagger

            engine = TorchTagger(folder.network(settings.build))
        return cls(engine=engine, featurizer=folder.featurizer(), settings=settings)

    def __call__(
        self,
        texts: str | Iterable[str],
        *,
        min_score: float | None = None,
        uncertainty: bool = False,
    ) -> Any:
        """Finds the entities of texts.

        Args:
            texts: One text, or any iterable of them.
            min_score: Entities of a lower score are left out.
            uncertainty: Add `uncertainty`, with `expected_errors`: how many of the entities found
                are wrong, and how many others there are, on the average over all tag sequences.

        Returns:
            For each text `{"text", "entities": [...]}`, each entity with `entity_group`, `score`,
            `word`, `start` and `end`: `text[start:end] == word`, and the score is the probability
            of the whole entity. A tagger of plain tags adds `tokens` and their `tags`, as training
            data has them.
        """
        return self.answer(texts, min_score=min_score, uncertainty=uncertainty)

    def answers(  # type: ignore[override]
        self, texts: list[str], *, min_score: float | None = None, uncertainty: bool = False
    ) -> list[dict[str, Any]]:
        """The entities of some texts.

        Args:
            texts: The texts.
            min_score: Leave out entities less probable than this; None keeps all.
            uncertainty: Add to each text how unsure the model is.
        """
        offsets = [self.featurizer.split(text) for text in texts]
        sentences = [
            [text[start:end] for start, end in places]
            for text, places in zip(texts, offsets, strict=True)
        ]
        errors: list[float] = [0.0] * len(texts)
        spans_of_all = self.spans(sentences, errors if uncertainty else None)
        answers: list[dict[str, Any]] = [
            {
                "text": text,
                "entities": [
                    entity(text, places[span.start][0], places[span.end - 1][1], span.type, score)
                    for span, score in spans
                    if min_score is None or score >= min_score
                ],
            }
            for text, places, spans in zip(texts, offsets, spans_of_all, strict=True)
        ]
        if self.settings.scheme is None:
            for answer, tokens, spans in zip(answers, sentences, spans_of_all, strict=True):
                answer |= {"tokens": tokens, "tags": [span.type for span, _ in spans]}
        if uncertainty:
            for answer, value in zip(answers, errors, strict=True):
                answer["uncertainty"] = {"expected_errors": round(value, 4)}
        return answers

    def _mean(self, networks: list[Any]) -> Any:
        from rnnlp.models.tagging.ensemble import TaggerEnsemble

        return TaggerEnsemble(networks)

    def stream(self, *, lag: int = 64) -> TaggingStream:
        """Reads a text as it arrives, for taggers of one direction; see `TaggingStream`.

        Args:
            lag: Most tokens whose tag may stay open; then the best tags so far decide.

        Raises:
            InputError: The tagger reads in both directions.
        """
        from .stream import TaggingStream

        self.check_alone()
        return TaggingStream(
            engine=self.engine, featurizer=self.featurizer, settings=self.settings, lag=lag
        )

    def spans(
        self, sentences: Sequence[Sequence[str]], errors: list[float] | None = None
    ) -> list[list[tuple[Span, float]]]:
        """Entities of tokenised sentences and their probabilities; each plain tag is a span.

        Args:
            sentences: The tokens of each.
            errors: Takes how many errors are to be expected in each: wrong ones and missing ones.
        """
        results: list[list[tuple[Span, float]]] = [[] for _ in sentences]
        for rows, decoded, names in self._decoded(sentences):
            spans = spans_in(decoded, names, self.settings.scheme, self._rules)
            for row, row_spans in zip(rows, spans, strict=True):
                results[row] = row_spans
            if errors is not None:
                expected = decoded.expected_spans(self._rules.values())
                for row, all_spans in zip(rows, expected, strict=True):
                    right = sum(score for _, score in results[row])
                    errors[row] = max(0.0, len(results[row]) + all_spans - 2.0 * right)
        return results

    def tags(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """One tag a token for tokenised sentences."""
        return [tags for tags, _ in self.tags_and_spans(sentences, scored=False)]

    def tags_and_spans(
        self, sentences: Sequence[Sequence[str]], *, scored: bool = True
    ) -> list[tuple[list[str], list[tuple[Span, float]]]]:
        """The tags of tokenised sentences and, unless not `scored`, what `spans` gives."""
        results: list[tuple[list[str], list[tuple[Span, float]]]] = [([], []) for _ in sentences]
        for rows, decoded, names in self._decoded(sentences):
            spans: Sequence[list[tuple[Span, float]]] = [[]] * len(rows)
            if scored:
                spans = spans_in(decoded, names, self.settings.scheme, self._rules)
            for row, result in zip(rows, zip(names, spans, strict=True), strict=True):
                results[row] = result
        return results

    def marginals(self, sentences: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """The probability of each tag of each token of tokenised sentences, [tokens, tags] each."""
        results = [np.zeros((0, len(self.settings.tags)))] * len(sentences)
        for rows, decoded, _ in self._decoded(sentences):
            for row, marginals in zip(rows, decoded.marginals(), strict=True):
                results[row] = marginals[: len(sentences[row])]
        return results

    def answers_to(self, columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
        """The tags of stored sentences."""
        return [{"tags": tags} for tags in self.tags(columns["tokens"])]

    def _decoded(
        self, sentences: Sequence[Sequence[str]]
    ) -> Iterator[tuple[list[int], Decoded, list[list[str]]]]:
        """The rows of each batch, what the engine says of it, and the names of the tags.

        Sentences of like length are together; empty ones are left out.
        """
        check_tokens(sentences)
        budget = positions(TOKEN_BUDGET, width=SUMS * len(self.settings.tags))
        for rows in by_length([len(tokens) for tokens in sentences], budget=budget):
            batch = self.featurizer.batch([sentences[row] for row in rows])
            decoded = self.engine.decode(batch)
            yield rows, decoded, names_of(decoded.tags, batch.lengths, self.settings.tags)
