"""A tagger and a classifier of one encoder on torch."""

from __future__ import annotations

from rnnlp.models.joint import JointNetwork
from rnnlp.tasks.classification.torch_engine import TorchClassifier
from rnnlp.tasks.tagging.torch_engine import TorchTagger


class TorchJoint:
    """Answers for both.

    Args:
        network: Tagger and classifier.
    """

    def __init__(self, network: JointNetwork) -> None:
        self.network = network.eval()
        self.tagging = TorchTagger(network.tagger)
        self.classification = TorchClassifier(network.classifier)
