"""A classifier on ONNX Runtime: ids in, probabilities and attention weights out."""

from __future__ import annotations

import numpy as np

from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import TokenBatch
from rnnlp.tasks.model_folder.folder import ModelFolder
from rnnlp.tasks.runtime.session import Graphs, Reader

from .config import ClassifierConfig


class OnnxClassifier:
    """Answers for a classifier.

    Args:
        reader: The graph.
        settings: The labels, and whether there is attention.

    Raises:
        InputError: The graph has other labels, or no attention where there should be.
    """

    def __init__(self, reader: Reader, settings: ClassifierConfig) -> None:
        self.reader = reader
        self._window = settings.max_length if settings.long_texts == "windows" else None
        self._outputs = ["probabilities"]
        if "attention" in settings.pooling and not settings.linear:
            self._outputs.append("attention")
        size = reader.session.size("probabilities")
        if size != len(settings.classes) or self._outputs[-1] not in reader.session.outputs:
            raise InputError(
                f"has scores of {size} labels, and config.json names {len(settings.classes)}, or "
                "there is no attention, and config.json says so",
                path=reader.session.file,
            )

    @classmethod
    def of(cls, folder: ModelFolder, settings: ClassifierConfig) -> OnnxClassifier:
        """That of an exported folder."""
        return cls(Reader(Graphs.of(folder), "classification"), settings)

    def probabilities(
        self, batch: TokenBatch, columns: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Calibrated probabilities [texts, classes], and attention weights [texts, time] of models
        that have them.

        Args:
            batch: The texts.
            columns: None: models that read further columns are not exported.
        """
        probabilities, *attention = self.reader(batch, *self._outputs)
        return probabilities, attention[0] if attention else None

    def read(
        self, batch: TokenBatch, so_far: dict[str, np.ndarray] | None
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Probabilities of texts that end with these tokens, and what to pass on; see `Engine`."""
        read = 0 if so_far is None else int(so_far["read"][0])
        time = batch.tokens.shape[1]
        room = time if self._window is None else self._window - read % self._window
        while room < time:  # what is read at once lies in one window
            (), so_far = self.reader.read(_cut(batch, 0, room), so_far=so_far)
            batch, time, room = _cut(batch, room, time), time - room, self._window or 0
        (probabilities,), so_far = self.reader.read(batch, "probabilities", so_far=so_far)
        return probabilities, so_far


def _cut(batch: TokenBatch, start: int, stop: int) -> TokenBatch:
    """Some tokens of all texts, none of them padding."""
    tokens, lengths, *others = batch
    characters, features = (None if ids is None else ids[:, start:stop] for ids in others)
    return TokenBatch(
        tokens[:, start:stop], np.full_like(lengths, stop - start), characters, features
    )
