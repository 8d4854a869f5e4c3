"""A text classifier as plain values: what `config.json` of its folder keeps, and its rebuilding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from rnnlp.models.classification.classifier import Classifier
from rnnlp.models.classification.pooling import Pooling, Way
from rnnlp.models.embeddings.token import Embedding
from rnnlp.models.encoders.bag import BagEncoder
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.encoders.windowed import WindowedEncoder
from rnnlp.tasks.base.components import (
    EmbeddingConfig,
    EncoderConfig,
    Sizes,
    from_mapping,
    with_parts,
)

LongTexts = Literal["head_tail", "windows"]


@dataclass(frozen=True, kw_only=True)
class ClassifierConfig:
    """Everything needed to build a classifier: what `config.json` keeps under `model`.

    Args:
        classes: The labels, in the order of the output layer.
        multilabel: Whether a text may have any number of labels.
        sizes: Vocabulary sizes.
        embedding: How tokens become vectors.
        encoder: The recurrent layers.
        recurrent: Whether there are recurrent layers at all; else a bag of embeddings.
        pooling: How the states of a text become one vector.
        attention_size: Width of the layer that attention weights come from.
        max_length: Most tokens of a text that are read, or tokens of a window; null for no limit.
        long_texts: What is done with more tokens: keep head and tail, or read in windows.
        state_dropout: Share of components of the states dropped before pooling.
        dropout: Share of the pooled vector dropped.
        label_separator: What parts the labels of a text in files.
        label_before: The mark up to which a label in a file counts.
    """

    classes: Sequence[str]
    multilabel: bool
    sizes: Sizes
    embedding: EmbeddingConfig
    encoder: EncoderConfig
    recurrent: bool = True
    pooling: Sequence[Way] = ("max",)
    attention_size: int = 100
    max_length: int | None = 512
    long_texts: LongTexts = "head_tail"
    state_dropout: float = 0.0
    dropout: float = 0.5
    label_separator: str | None = None
    label_before: str | None = None

    @property
    def kept_length(self) -> int | None:
        """Most tokens of a text that are kept; windows read all of them."""
        return self.max_length if self.long_texts == "head_tail" else None

    def build(self) -> Classifier:
        """The classifier with fresh weights."""
        embedding = self.embedding.build(self.sizes)
        return self.build_on(
            embedding,
            self.encoder.build(embedding.output_size)
            if self.recurrent
            else BagEncoder(input_size=embedding.output_size),
        )

    def build_on(self, embedding: Embedding, reader: Encoder | BagEncoder) -> Classifier:
        """The classifier around an embedding and an encoder that there are already."""
        encoder: Encoder | BagEncoder | WindowedEncoder = reader
        if self.long_texts == "windows" and self.max_length is not None:
            encoder = WindowedEncoder(encoder=reader, window=self.max_length)
        pooling = Pooling(
            size=encoder.output_size, ways=self.pooling, attention_size=self.attention_size
        )
        return Classifier(
            embedding=embedding,
            encoder=encoder,
            pooling=pooling,
            classes=len(self.classes),
            multilabel=self.multilabel,
            state_dropout=self.state_dropout,
            dropout=self.dropout,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain scalars, lists and dictionaries."""
        return {**asdict(self), "classes": list(self.classes), "pooling": list(self.pooling)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any], *, source: str) -> ClassifierConfig:
        """The inverse of `to_json`.

        Args:
            values: What `config.json` holds under `model`.
            source: The file it came from, named in errors.

        Raises:
            InputError: A value is missing or unknown.
        """
        config: ClassifierConfig = from_mapping(cls, with_parts(values, source), source)
        return config
