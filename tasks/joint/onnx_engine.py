"""A tagger and a classifier of one encoder on ONNX Runtime."""

from __future__ import annotations

from rnnlp.tasks.classification.onnx_engine import OnnxClassifier
from rnnlp.tasks.model_folder.folder import ModelFolder
from rnnlp.tasks.runtime.session import Graphs, Reader
from rnnlp.tasks.tagging.onnx_engine import OnnxTagger

from .config import JointConfig


class OnnxJoint:
    """Answers for both.

    Args:
        folder: The exported folder.
        settings: Tags and labels.
    """

    def __init__(self, folder: ModelFolder, settings: JointConfig) -> None:
        self.reader = Reader(Graphs.of(folder), "joint")
        self.tagging = OnnxTagger(self.reader, settings.tagging)
        self.classification = OnnxClassifier(self.reader, settings.classification)
