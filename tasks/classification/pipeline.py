"""A trained classifier in use: raw text in, labels with probabilities out.

Lives on torch, tokenizers and safetensors alone. Texts are batched by length inside; neither their
order nor the batch they fall into changes a result.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

import torch
from torch import Tensor

from rnnlp.data.datamodule.tensors import as_tensors
from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import Featurizer
from rnnlp.data.text.preprocessing import EMPTY, tokenise
from rnnlp.data.text.tokenizer import Offsets
from rnnlp.models.classification.classifier import Classifier
from rnnlp.tasks.base.length_batches import by_length
from rnnlp.tasks.model_folder.folder import CONFIG, ModelFolder

from .config import ClassifierConfig
from .outputs import label_of, run

if TYPE_CHECKING:
    from .stream import ClassificationStream

TOKEN_BUDGET = 8192  # padded positions of a batch


class ClassificationPipeline:
    """Gives texts their labels.

    Args:
        network: The classifier.
        featurizer: Splits and looks up what the classifier reads.
        settings: The labels, and what the network was built from.
    """

    task = "classification"

    def __init__(
        self, *, network: Classifier, featurizer: Featurizer, settings: ClassifierConfig
    ) -> None:
        if not network.temperature > 0.0:
            raise InputError(
                f"the temperature among the weights is {network.temperature.item():g}, and "
                "probabilities need one above 0: the model is damaged"
            )
        self.network = network.eval()
        self.featurizer = featurizer
        self.settings = settings

    @classmethod
    def from_folder(cls, folder: ModelFolder) -> ClassificationPipeline:
        """Reads a model folder."""
        settings = ClassifierConfig.from_json(folder.config, source=str(folder.path / CONFIG))
        network = folder.network(settings.build)
        return cls(network=network, featurizer=folder.featurizer(), settings=settings)

    @property
    def explains(self) -> bool:
        """Whether the model can tell which tokens it looked at."""
        return "attention" in self.settings.pooling

    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, texts: str, *, explain: bool = False
    ) -> dict[str, Any]: ...
    @overload
    def __call__(self, texts: Sequence[str], *, explain: bool = False) -> list[dict[str, Any]]: ...
    def __call__(
        self, texts: str | Sequence[str], *, explain: bool = False
    ) -> dict[str, Any] | list[dict[str, Any]]:
        """Labels texts.

        Args:
            texts: One text, or several.
            explain: Add the attention weight of each token, for models with attention pooling.

        Returns:
            For each text `{"text", "label", "score", "scores"}`: the most probable label, its
            probability, and that of every label. Where a text may have several labels, `label` and
            `score` are lists, of all with a probability of 0.5 and more. With `explain` also
            `tokens`, a list of `{"word", "weight", "start", "end"}` with `text[start:end] == word`;
            the weights sum to 1. A text without a token is read as one unknown word.

        Raises:
            InputError: `explain` for a model without attention.
        """
        if isinstance(texts, str):
            return self([texts], explain=explain)[0]
        if explain and not self.explains:
            raise InputError(
                "this model has no attention weights to show; train one with "
                "--model.pooling '[attention]'"
            )
        split = [self.tokens(text) for text in texts]
        answers: list[dict[str, Any]] = [{} for _ in texts]
        sentences = [tokens for tokens, _ in split]
        for rows, scores in self._scores(sentences):
            found = self.network.probabilities(scores.logits).tolist()
            for place, (row, probabilities) in enumerate(zip(rows, found, strict=True)):
                answer = {"text": texts[row], **label_of(probabilities, self.settings)}
                if explain and scores.weights is not None:
                    weights = scores.weights[place].tolist()
                    answer["tokens"] = [
                        {
                            "word": texts[row][start:end],
                            "weight": round(weight, 4),
                            "start": start,
                            "end": end,
                        }
                        for (start, end), weight in zip(split[row][1], weights, strict=False)
                    ]
                answers[row] = answer
        return answers

    def stream(self) -> ClassificationStream:
        """Reads a text as it arrives, for models of one direction; see `ClassificationStream`.

        Raises:
            InputError: The model reads in both directions.
        """
        from .stream import ClassificationStream

        return ClassificationStream(
            network=self.network, featurizer=self.featurizer, settings=self.settings
        )

    def tokens(self, text: str) -> tuple[list[str], Offsets]:
        """The tokens that are read of a text, at least one, and their offsets into it."""
        tokens, offsets, _ = tokenise(
            text, self.featurizer.split, max_length=self.settings.kept_length
        )
        return tokens or EMPTY, offsets

    def probabilities(self, sentences: Sequence[Sequence[str]]) -> Tensor:
        """Probabilities [texts, classes] of texts given as tokens."""
        found = torch.empty(len(sentences), len(self.settings.classes))
        for rows, scores in self._scores(sentences):
            found[rows] = self.network.probabilities(scores.logits)
        return found

    def _scores(self, sentences: Sequence[Sequence[str]]) -> Any:
        for rows in by_length([len(tokens) for tokens in sentences], budget=TOKEN_BUDGET):
            batch = as_tensors(self.featurizer.batch([sentences[row] for row in rows]))
            with torch.inference_mode():
                yield rows, run(self.network, batch)
