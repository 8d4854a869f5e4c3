"""What a generator is built from: the values under `model` in a config and in `config.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rnnlp.data.errors import InputError
from rnnlp.models.generation.language_model import LanguageModel

if TYPE_CHECKING:
    pass

from dataclasses import asdict, dataclass, field

from rnnlp.tasks.base.components import (
    EmbeddingConfig,
    EncoderConfig,
    Sizes,
    from_mapping,
    with_parts,
)


@dataclass(frozen=True, kw_only=True)
class SamplingConfig:
    """How texts are drawn, unless told otherwise.

    Args:
        temperature: Below 1 the probable becomes more probable, above 1 less so.
        top_k: Draw among so many most probable tokens only; 0 for all.
        top_p: Draw among the most probable tokens that together have this probability; 1 for all.
        max_length: Most tokens that are added to a prompt.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    max_length: int = 1000


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig:
    """Everything needed to build a generator: what `config.json` keeps under `model`.

    Args:
        sizes: Vocabulary sizes.
        embedding: How tokens become vectors.
        encoder: The recurrent layers.
        fields: What texts may be labelled with, and the labels in the order of their ids.
        reverse: Whether texts are read from the end to the start.
        tie_embeddings: Whether the table of the embedding is also that of the output layer.
        dropout: Share of components of the states dropped before the output layer.
        sampling: How texts are drawn.
    """

    sizes: Sizes
    embedding: EmbeddingConfig
    encoder: EncoderConfig
    fields: Mapping[str, list[str]] = field(default_factory=dict)
    reverse: bool = False
    tie_embeddings: bool = True
    dropout: float = 0.0
    sampling: SamplingConfig = SamplingConfig()

    def build(self) -> LanguageModel:
        """The generator with fresh weights."""
        embedding = self.embedding.build(self.sizes)
        return LanguageModel(
            embedding=embedding,
            encoder=self.encoder.build(embedding.output_size),
            vocabulary_size=self.sizes.tokens,
            label_sizes=[1 + len(labels) for labels in self.fields.values()],
            tie_embeddings=self.tie_embeddings,
            dropout=self.dropout,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain scalars, lists and dictionaries; fields as pairs, whose order matters."""
        fields = [[name, list(labels)] for name, labels in self.fields.items()]
        return {**asdict(self), "fields": fields}

    @classmethod
    def from_json(cls, values: Mapping[str, Any], *, source: str) -> GeneratorConfig:
        """The inverse of `to_json`.

        Args:
            values: What `config.json` holds under `model`.
            source: The file it came from, named in errors.

        Raises:
            InputError: A value is missing or unknown.
        """
        parts = {
            **with_parts(values, source),
            "fields": dict(values.get("fields", [])),
            "sampling": from_mapping(SamplingConfig, values.get("sampling"), source),
        }
        config: GeneratorConfig = from_mapping(cls, parts, source)
        return config


def check_sampling(sampling: SamplingConfig, *, prefix: str = "") -> None:
    """Refuses values that nothing can be drawn with.

    Args:
        sampling: The values.
        prefix: What stands before their names where the user gives them.

    Raises:
        InputError: One is out of its range.
    """
    for name, fits, what in (
        ("temperature", sampling.temperature > 0, "above 0"),
        ("top_k", sampling.top_k >= 0, "0 (for all) or more"),
        ("top_p", 0 < sampling.top_p <= 1, "above 0 and at most 1"),
        ("max_length", sampling.max_length >= 1, "1 or more"),
    ):
        if not fits:
            value = getattr(sampling, name)
            raise InputError(f"{prefix}{name} is {value}: it must be {what}")
