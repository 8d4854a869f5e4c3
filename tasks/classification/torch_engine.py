"""A classifier on torch: ids in, probabilities and attention weights out."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from rnnlp.data.datamodule.tensors import TokenTensors, as_tensors
from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import TokenBatch
from rnnlp.models.classification.classifier import Classifier, Scores, TextSoFar
from rnnlp.models.classification.linear import LinearClassifier

Network: TypeAlias = Classifier | LinearClassifier


class TorchClassifier:
    """Answers for a classifier.

    Args:
        network: The classifier.

    Raises:
        InputError: Its temperature is not above 0.
    """

    def __init__(self, network: Network) -> None:
        if not network.temperature > 0.0:
            raise InputError(
                f"the temperature among the weights is {network.temperature.item():g}, and "
                "probabilities need one above 0: the model is damaged"
            )
        self.network = network.eval()

    @torch.inference_mode()
    def probabilities(
        self, batch: TokenBatch, columns: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Calibrated probabilities [texts, classes], and attention weights [texts, time] of models
        that have them.

        Args:
            batch: The texts.
            columns: What is read beside them [texts, columns].
        """
        beside = None if columns is None else torch.from_numpy(columns)
        scores = run(self.network, as_tensors(batch), beside)
        weights = None if scores.weights is None else scores.weights.numpy()
        return self.network.probabilities(scores.logits).numpy(), weights

    @torch.inference_mode()
    def read(self, batch: TokenBatch, so_far: TextSoFar | None) -> tuple[np.ndarray, TextSoFar]:
        """Probabilities of texts that end with these tokens, and what to pass on; see `Engine`."""
        so_far = self.network.read(batch.tokens, batch.characters, batch.token_features, so_far)
        return self.network.probabilities(self.network.score(so_far)).numpy(), so_far


def run(network: Network, batch: TokenTensors, columns: Tensor | None = None) -> Scores:
    """The scores of a batch of features, and of columns beside the texts.

    Args:
        network: The classifier.
        batch: Ids of the texts.
        columns: What stands beside each text, `[texts, columns]`; None for nothing.
    """
    ids = (batch.tokens, batch.characters, batch.token_features, batch.lengths)
    scores: Scores = network(*ids, columns)
    return scores
