"""A tagger and a classifier on one encoder as plain values, and their rebuilding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnnlp.data.errors import InputError
from rnnlp.tasks.base.components import EmbeddingConfig, EncoderConfig, Sizes
from rnnlp.tasks.classification.config import ClassifierConfig
from rnnlp.tasks.tagging.config import TaggerConfig

if TYPE_CHECKING:
    from rnnlp.models.joint import JointNetwork

_SHARED = ("sizes", "embedding", "encoder")


@dataclass(frozen=True, kw_only=True)
class JointConfig:
    """Everything needed to build both: what `config.json` keeps under `model`, shared parts once.

    Args:
        tagging: The tagger.
        classification: The classifier, with the same sizes, embedding and encoder.
    """

    tagging: TaggerConfig
    classification: ClassifierConfig

    @property
    def sizes(self) -> Sizes:
        """Vocabulary sizes."""
        return self.tagging.sizes

    @property
    def embedding(self) -> EmbeddingConfig:
        """How tokens become vectors."""
        return self.tagging.embedding

    @property
    def encoder(self) -> EncoderConfig:
        """The recurrent layers."""
        return self.tagging.encoder

    def build(self) -> JointNetwork:
        """Both networks with fresh weights, on the same embedding and encoder."""
        from rnnlp.models.joint import JointNetwork

        tagger = self.tagging.build()
        classifier = self.classification.build_on(tagger.embedding, tagger.encoder)
        return JointNetwork(tagger=tagger, classifier=classifier)

    def to_json(self) -> dict[str, Any]:
        """Plain scalars, lists and dictionaries."""
        heads = {"tagging": self.tagging.to_json(), "classification": self.classification.to_json()}
        shared = {name: heads["tagging"][name] for name in _SHARED}
        return shared | {
            task: {name: value for name, value in head.items() if name not in shared}
            for task, head in heads.items()
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any], *, source: str) -> JointConfig:
        """The inverse of `to_json`.

        Args:
            values: What `config.json` holds under `model`.
            source: The file it came from, named in errors.

        Raises:
            InputError: A value is missing or unknown.
        """
        shared = {name: values.get(name) for name in _SHARED}
        heads = [values.get(task) for task in ("tagging", "classification")]
        if not all(isinstance(head, Mapping) for head in heads) or len(values) != 5:
            raise InputError(
                "does not hold the settings of a tagger and of a classifier: the folder was "
                "changed by hand, or written by another version",
                path=source,
            )
        tagging, classification = ({**head, **shared} for head in heads if head is not None)
        return cls(
            tagging=TaggerConfig.from_json(tagging, source=source),
            classification=ClassifierConfig.from_json(classification, source=source),
        )
