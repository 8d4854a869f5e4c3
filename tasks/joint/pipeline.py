"""A trained tagger and classifier on one encoder in use: entities and labels of the same texts.

Lives on torch, tokenizers and safetensors alone, like the pipelines of either task, which do the
work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, overload

from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import Featurizer
from rnnlp.models.joint import JointNetwork
from rnnlp.tasks.classification.pipeline import ClassificationPipeline
from rnnlp.tasks.classification.scores import score_lines as classification_lines
from rnnlp.tasks.model_folder.folder import CONFIG, ModelFolder
from rnnlp.tasks.tagging.pipeline import TaggingPipeline
from rnnlp.tasks.tagging.scores import score_lines as tagging_lines

from .config import JointConfig


class JointPipeline:
    """Finds entities in texts and gives texts their labels.

    Args:
        network: Tagger and classifier.
        featurizer: Splits and looks up what they read.
        settings: Tags and labels, and what the network was built from.

    Attributes:
        tagging: The tagger alone.
        classification: The classifier alone.
    """

    task = "joint"

    def __init__(
        self, *, network: JointNetwork, featurizer: Featurizer, settings: JointConfig
    ) -> None:
        self.network = network.eval()
        self.featurizer = featurizer
        self.settings = settings
        self.tagging = TaggingPipeline(
            network=network.tagger, featurizer=featurizer, settings=settings.tagging
        )
        self.classification = ClassificationPipeline(
            network=network.classifier, featurizer=featurizer, settings=settings.classification
        )

    @classmethod
    def from_folder(cls, folder: ModelFolder) -> JointPipeline:
        """Reads a model folder."""
        settings = JointConfig.from_json(folder.config, source=str(folder.path / CONFIG))
        network = folder.network(settings.build)
        return cls(network=network, featurizer=folder.featurizer(), settings=settings)

    @property
    def explains(self) -> bool:
        """Whether the classifier can tell which tokens it looked at."""
        return self.classification.explains

    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, texts: str, *, explain: bool = False
    ) -> dict[str, Any]: ...
    @overload
    def __call__(self, texts: Sequence[str], *, explain: bool = False) -> list[dict[str, Any]]: ...
    def __call__(
        self, texts: str | Sequence[str], *, explain: bool = False
    ) -> dict[str, Any] | list[dict[str, Any]]:
        """Tags and labels texts.

        Args:
            texts: One text, or several.
            explain: Add the attention weight of each token, for models with attention pooling.

        Returns:
            For each text `{"text", "entities", "label", "score", "scores"}`, with `explain` also
            `tokens`: what the pipelines of both tasks give.

        Raises:
            InputError: `explain` for a model without attention.
        """
        if isinstance(texts, str):
            return self([texts], explain=explain)[0]
        labels = self.classification(texts, explain=explain)
        return [found | label for found, label in zip(self.tagging(texts), labels, strict=True)]

    def stream(self) -> NoReturn:
        """Refuses: the two tasks give different results at different times.

        Raises:
            InputError: Always.
        """
        raise InputError(
            "a joint model gives entities and labels, and a stream gives one of them: in Python, "
            "take model.tagging.stream() or model.classification.stream()"
        )


def score_lines(result: Mapping[str, Any], policy: Mapping[str, str]) -> list[str]:
    """The scores of each task as lines for people, one task after the other."""
    lines: list[str] = []
    for task, lay_out in (("tagging", tagging_lines), ("classification", classification_lines)):
        if task in result:
            lines += [f"{task}:", *lay_out(result[task], policy[task]), ""]
    return lines
