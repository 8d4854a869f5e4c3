"""What a generator is built from: the values under `model` in a config and in `config.json`.

Annotations here are real types, since LightningCLI reads those of inherited fields. torch is
imported where a network is built: a model on another engine needs the values only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rnnlp.data.formats.layout import Layout
from rnnlp.data.text.tokenizer import BOS, PAD, UNK
from rnnlp.tasks.base.components import ModelConfig, check_ranges

if TYPE_CHECKING:
    from rnnlp.models import LanguageModel


BANNED = (PAD, UNK, BOS)  # never part of a text


@dataclass(frozen=True, kw_only=True)
class SamplingConfig:
    """How texts are drawn, unless told otherwise.

    Args:
        temperature: Below 1 the probable becomes more probable, above 1 less so.
        top_k: Draw among so many most probable tokens only; 0 for all.
        top_p: Draw among the most probable tokens that together have this probability; 1 for all.
        min_length: Fewest tokens that are added to a prompt.
        max_length: Most tokens that are added to a prompt.
        no_repeat_ngram_size: No n-gram of this size twice in what is added; 0 allows all.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_length: int = 0
    max_length: int = 1000
    no_repeat_ngram_size: int = 0


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig(ModelConfig):
    """Everything needed to build a generator: what `config.json` keeps under `model`.

    Args:
        encoder: The recurrent layers, in one direction.
        fields: What texts may be labelled with, and the labels in the order of their ids.
        reverse: Whether texts are read from the end to the start.
        vector_column: What the vector is called that texts are written from; null for none.
        vector_size: Its components.
        vector_every_step: Whether it says something at every token; else the state before the first
            one comes of it, and no more.
        tie_embeddings: Whether the table of the embedding is also that of the output layer.
        dropout: Share of components of the states dropped before the output layer, the same ones
            at each position.
        sampling: How texts are drawn, once training is done.
        layout: How the training file was laid out, and others are read.
    """

    fields: Mapping[str, list[str]] = field(default_factory=dict)
    reverse: bool = False
    vector_column: str | None = None
    vector_size: int = 0
    vector_every_step: bool = False
    tie_embeddings: bool = True
    dropout: float = 0.3
    sampling: SamplingConfig = SamplingConfig()
    layout: Layout = field(default_factory=Layout)

    def build(self) -> "LanguageModel":
        """The generator with fresh weights."""
        from rnnlp.models import LanguageModel

        embedding = self.embedding.build(self.sizes)
        return LanguageModel(
            embedding=embedding,
            encoder=self.encoder.build(embedding.output_size),
            vocabulary_size=self.sizes.tokens,
            label_sizes=[1 + len(labels) for labels in self.fields.values()],
            tie_embeddings=self.tie_embeddings,
            dropout=self.dropout,
            vector_size=self.vector_size,
            vector_every_step=self.vector_every_step,
        )


def check_sampling(sampling: SamplingConfig, *, prefix: str = "") -> None:
    """Refuses values that nothing can be drawn with.

    Args:
        sampling: The values.
        prefix: What stands before their names where the user gives them.

    Raises:
        InputError: One is out of its range.
    """
    check_ranges(
        sampling,
        ("temperature", sampling.temperature > 0, "above 0"),
        ("top_k", sampling.top_k >= 0, "0 (for all) or more"),
        ("top_p", 0 < sampling.top_p <= 1, "above 0 and at most 1"),
        ("min_length", sampling.min_length >= 0, "0 or more"),
        (
            "max_length",
            sampling.max_length >= max(1, sampling.min_length),
            "1 or more, and not below min_length",
        ),
        ("no_repeat_ngram_size", sampling.no_repeat_ngram_size >= 0, "0 (for none) or more"),
        prefix=prefix,
    )
