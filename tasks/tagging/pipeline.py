"""A trained tagger in use: raw text in, entities with character offsets out.

Lives on torch, tokenizers and safetensors alone. Sentences are batched by length inside; neither
their order nor the batch they fall into changes a result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

import torch

from rnnlp.data.datamodule.tensors import TokenTensors, as_tensors
from rnnlp.data.tagging.schemes import Span, tags_to_spans
from rnnlp.data.text.featurizer import Featurizer
from rnnlp.models.tagging.tagger import Tagger
from rnnlp.tasks.base.length_batches import by_length
from rnnlp.tasks.model_folder.folder import CONFIG, ModelFolder

from .config import TaggerConfig
from .outputs import decode_tags, entity, names_of, span_rules

if TYPE_CHECKING:
    from .stream import TaggingStream

TOKEN_BUDGET = 8192  # padded positions of a batch


class TaggingPipeline:
    """Tags texts or sentences.

    Args:
        network: The tagger.
        featurizer: Splits and looks up what the tagger reads.
        settings: Tags and scheme, and what the network was built from.
    """

    task = "tagging"

    def __init__(self, *, network: Tagger, featurizer: Featurizer, settings: TaggerConfig) -> None:
        self.network = network.eval()
        self.featurizer = featurizer
        self.settings = settings
        self._rules = span_rules(settings.tags, settings.scheme)

    @classmethod
    def from_folder(cls, folder: ModelFolder) -> TaggingPipeline:
        """Reads a model folder."""
        settings = TaggerConfig.from_json(folder.config, source=str(folder.path / CONFIG))
        network = folder.network(settings.build)
        featurizer = folder.featurizer()
        return cls(network=network, featurizer=featurizer, settings=settings)

    @overload
    def __call__(self, texts: str) -> dict[str, Any]: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, texts: Sequence[str]) -> list[dict[str, Any]]: ...
    def __call__(self, texts: str | Sequence[str]) -> dict[str, Any] | list[dict[str, Any]]:
        """Finds the entities of texts.

        Args:
            texts: One text, or several.

        Returns:
            For each text `{"text", "entities": [...]}`, each entity with `entity_group`, `score`,
            `word`, `start` and `end`: `text[start:end] == word`, and the score is the probability
            of the whole entity.
        """
        if isinstance(texts, str):
            return self([texts])[0]
        offsets = [self.featurizer.split(text) for text in texts]
        sentences = [
            [text[start:end] for start, end in places]
            for text, places in zip(texts, offsets, strict=True)
        ]
        found = self.spans(sentences)
        return [
            {
                "text": text,
                "entities": [
                    entity(text, places[span.start][0], places[span.end - 1][1], span.type, score)
                    for span, score in spans
                ],
            }
            for text, places, spans in zip(texts, offsets, found, strict=True)
        ]

    def stream(self, *, lag: int = 64) -> TaggingStream:
        """Reads a text as it arrives, for taggers of one direction; see `TaggingStream`.

        Args:
            lag: Most tokens whose tag may stay open; then the best tags so far decide.

        Raises:
            InputError: The tagger reads in both directions.
        """
        from .stream import TaggingStream

        return TaggingStream(
            network=self.network, featurizer=self.featurizer, settings=self.settings, lag=lag
        )

    def spans(self, sentences: Sequence[Sequence[str]]) -> list[list[tuple[Span, float]]]:
        """Entities of tokenised sentences and their probabilities; each plain tag is a span."""
        found: list[list[tuple[Span, float]]] = [[] for _ in sentences]
        for rows, batch in self._batches(sentences):
            with torch.inference_mode():
                decoded = self.network.decode(
                    batch.tokens, batch.characters, batch.token_features, batch.lengths
                )
                names = names_of(decoded.tags, batch.lengths, self.settings.tags)
                spans = [self._spans_of(tags) for tags in names]
                scores = iter(
                    decoded.span_scores(
                        [
                            (number, span.start, span.end, self._rules[span.type])
                            for number, row in enumerate(spans)
                            for span in row
                        ]
                    )
                )
            for row, row_spans in zip(rows, spans, strict=True):
                found[row] = [(span, next(scores)) for span in row_spans]
        return found

    def tags(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """One tag a token for tokenised sentences."""
        found: list[list[str]] = [[] for _ in sentences]
        for rows, batch in self._batches(sentences):
            with torch.inference_mode():
                decoded = decode_tags(self.network, batch, self.settings.tags)
            for row, names in zip(rows, decoded, strict=True):
                found[row] = names
        return found

    def _spans_of(self, tags: list[str]) -> list[Span]:
        scheme = self.settings.scheme
        if scheme is None:
            return [Span(place, place + 1, tag) for place, tag in enumerate(tags)]
        return tags_to_spans(tags, scheme, strict=True)

    def _batches(
        self, sentences: Sequence[Sequence[str]]
    ) -> Iterator[tuple[list[int], TokenTensors]]:
        """Sentences of like length together; empty ones are left out."""
        for rows in by_length([len(tokens) for tokens in sentences], budget=TOKEN_BUDGET):
            yield rows, as_tensors(self.featurizer.batch([sentences[row] for row in rows]))
