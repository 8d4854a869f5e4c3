"""What a tagger is built from: plain values on one side, the network on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rnnlp.data.tagging.schemes import allowed_transitions
from rnnlp.models.tagging.crf import CRF
from rnnlp.models.tagging.softmax import ConstrainedSoftmax
from rnnlp.models.tagging.tagger import Tagger
from rnnlp.tasks.base.components import (
    EmbeddingConfig,
    EncoderConfig,
    Sizes,
    from_mapping,
    with_parts,
)


@dataclass(frozen=True, kw_only=True)
class TaggerConfig:
    """Everything needed to build a tagger: what `config.json` keeps under `model`.

    Args:
        tags: The tags, in the order of the output layer.
        scheme: The scheme that the tags follow; None for plain tags such as parts of speech.
        sizes: Vocabulary sizes.
        embedding: How tokens become vectors.
        encoder: The recurrent layers.
        crf: Whether a CRF scores whole sequences; otherwise each tag by softmax.
        dropout: Share of encoder outputs dropped before the tag scores.
    """

    tags: Sequence[str]
    scheme: str | None
    sizes: Sizes
    embedding: EmbeddingConfig
    encoder: EncoderConfig
    crf: bool = True
    dropout: float = 0.3

    def build(self) -> Tagger:
        """The tagger with fresh weights. Either way of decoding obeys the scheme."""
        allowed, start, end = allowed_transitions(self.tags, self.scheme)
        head = CRF if self.crf else ConstrainedSoftmax
        embedding = self.embedding.build(self.sizes)
        encoder = self.encoder.build(embedding.output_size)
        return Tagger(
            embedding=embedding,
            encoder=encoder,
            output=head(tags=len(self.tags), allowed=allowed, start=start, end=end),
            dropout=self.dropout,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain scalars, lists and dictionaries."""
        return {**asdict(self), "tags": list(self.tags)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any], *, source: str) -> TaggerConfig:
        """The inverse of `to_json`.

        Args:
            values: What `config.json` holds under `model`.
            source: The file it came from, named in errors.

        Raises:
            InputError: A value is missing or unknown.
        """
        config: TaggerConfig = from_mapping(cls, with_parts(values, source), source)
        return config
