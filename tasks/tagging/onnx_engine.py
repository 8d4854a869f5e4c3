"""A tagger on ONNX Runtime: ids in, scores of tags out."""

from __future__ import annotations

import numpy as np

from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import TokenBatch
from rnnlp.models.tagging.paths import Decoded, Paths
from rnnlp.tasks.model_folder.folder import ModelFolder
from rnnlp.tasks.runtime.session import Graphs, Reader

from .config import TaggerConfig


class OnnxTagger:
    """Answers for a tagger.

    Args:
        reader: The graph.
        settings: Tags, and whether there is a CRF.

    Raises:
        InputError: The graph has other tags.
    """

    def __init__(self, reader: Reader, settings: TaggerConfig) -> None:
        self.reader = reader
        self.paths = Paths(*reader.path_scores(), crf=settings.crf)
        if (size := len(self.paths.start)) != len(settings.tags):
            raise InputError(
                f"has scores of {size} tags, and config.json names {len(settings.tags)}",
                path=reader.session.file,
            )

    @classmethod
    def of(cls, folder: ModelFolder, settings: TaggerConfig) -> OnnxTagger:
        """That of an exported folder."""
        return cls(Reader(Graphs.of(folder), "tagging"), settings)

    def decode(self, batch: TokenBatch) -> Decoded:
        """The best legal tags of every row, and on demand the probabilities of spans."""
        (emissions,) = self.reader(batch, "emissions")
        return self.paths.decode(emissions, batch.lengths)

    def read(
        self, batch: TokenBatch, so_far: dict[str, np.ndarray] | None
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Emissions [batch, time, tags] of the next tokens of texts that go on; see `Engine`."""
        (emissions,), so_far = self.reader.read(batch, "emissions", so_far=so_far)
        return emissions, so_far
