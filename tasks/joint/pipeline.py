"""A trained tagger and classifier on one encoder in use: entities and labels of the same texts.

The pipelines of either task do the work.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import Featurizer
from rnnlp.tasks.base.pipeline import Pipeline
from rnnlp.tasks.classification.pipeline import ClassificationPipeline
from rnnlp.tasks.model_folder.folder import CONFIG, ModelFolder
from rnnlp.tasks.tagging.pipeline import TaggingPipeline

from .config import JointConfig


class JointPipeline(Pipeline):
    """Finds entities in texts and gives texts their labels.

    Args:
        engine: Answers for both, as `tagging` and `classification`.
        featurizer: Splits and looks up what they read.
        settings: Tags and labels, and what the network was built from.

    Attributes:
        tagging: The tagger alone.
        classification: The classifier alone.
    """

    task = "joint"
    settings: JointConfig

    def __init__(self, *, engine: Any, featurizer: Featurizer, settings: JointConfig) -> None:
        super().__init__(engine=engine, featurizer=featurizer, settings=settings)
        self.tagging = TaggingPipeline(
            engine=engine.tagging, featurizer=featurizer, settings=settings.tagging
        )
        self.classification = ClassificationPipeline(
            engine=engine.classification, featurizer=featurizer, settings=settings.classification
        )

    @classmethod
    def from_folder(cls, folder: ModelFolder) -> JointPipeline:
        """Reads a model folder."""
        settings = JointConfig.from_json(folder.config, source=str(folder.path / CONFIG))
        engine: Any
        if folder.export is not None:
            from .onnx_engine import OnnxJoint

            engine = OnnxJoint(folder, settings)
        else:
            from .torch_engine import TorchJoint

            engine = TorchJoint(folder.network(settings.build))
        return cls(engine=engine, featurizer=folder.featurizer(), settings=settings)

    @property
    def explains(self) -> bool:
        """Whether the classifier can tell which tokens it looked at."""
        return self.classification.explains

    def __call__(
        self,
        texts: str | Iterable[str],
        *,
        explain: bool = False,
        min_score: float | None = None,
        uncertainty: bool = False,
    ) -> Any:
        """Tags and labels texts.

        Args:
            texts: One text, or any iterable of them.
            explain: Add the attention weight of each token, for models with attention pooling.
            min_score: Entities and labels of a lower score are left out.
            uncertainty: Add `uncertainty`, with what both tasks say of it: `expected_errors`,
                `entropy` and `margin`.

        Returns:
            For each text `{"text", "entities", "label", "score", "scores"}`, with `explain` also
            `tokens`: what the pipelines of both tasks give.

        Raises:
            InputError: `explain` for a model without attention.
        """
        return self.answer(texts, explain=explain, min_score=min_score, uncertainty=uncertainty)

    def answers(  # type: ignore[override]
        self,
        texts: list[str],
        *,
        explain: bool = False,
        min_score: float | None = None,
        uncertainty: bool = False,
    ) -> list[dict[str, Any]]:
        """Entities and labels of some texts.

        Args:
            texts: The texts.
            explain: Add the attention weight of each token.
            min_score: Entities less probable than this are left out, and a label is None.
            uncertainty: Add to each text how unsure the model is of both.
        """
        told: dict[str, Any] = {"min_score": min_score, "uncertainty": uncertainty}
        labels = self.classification.answers(texts, explain=explain, **told)
        answers = []
        for entities, label in zip(self.tagging.answers(texts, **told), labels, strict=True):
            both = {**entities, **label}
            if uncertainty:
                both["uncertainty"] = {**entities["uncertainty"], **label["uncertainty"]}
            answers.append(both)
        return answers

    def stream(self) -> NoReturn:
        """Refuses: the two tasks give different results at different times.

        Raises:
            InputError: Always.
        """
        raise InputError(
            "a joint model gives entities and labels, and a stream gives one of them: in Python, "
            "take model.tagging.stream() or model.classification.stream()"
        )
