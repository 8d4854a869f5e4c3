"""A tagger on torch: ids in, scores of tags out."""

from __future__ import annotations

import numpy as np
import torch

from rnnlp.data.datamodule.tensors import as_tensors
from rnnlp.data.text.featurizer import TokenBatch
from rnnlp.models.encoders.incremental import Reading
from rnnlp.models.tagging.ensemble import TaggerEnsemble
from rnnlp.models.tagging.paths import Decoded, Paths
from rnnlp.models.tagging.reader import SentenceReader
from rnnlp.models.tagging.tagger import Tagger


class TorchTagger:
    """Answers for a tagger.

    Args:
        network: The tagger, or several as one.
    """

    def __init__(self, network: Tagger | TaggerEnsemble) -> None:
        self.network = network.eval()

    @property
    def paths(self) -> Paths:
        """What scores sequences of tags, besides emissions."""
        return self.network.output.paths()

    @torch.inference_mode()
    def decode(self, batch: TokenBatch) -> Decoded:
        """The best legal tags of every row, and on demand the probabilities of spans."""
        ids = as_tensors(batch)
        emissions = self.network.emissions(
            ids.tokens, ids.characters, ids.token_features, ids.lengths
        )
        return self.paths.decode(emissions.cpu().numpy(), batch.lengths)

    def read(
        self, batch: TokenBatch, so_far: tuple[SentenceReader, Reading] | None
    ) -> tuple[np.ndarray, tuple[SentenceReader, Reading]]:
        """Emissions [batch, time, tags] of the next tokens of texts that go on; see `Engine`."""
        assert isinstance(self.network, Tagger)  # an ensemble has no streams
        reader, reading = so_far or (SentenceReader(self.network), Reading())
        emissions, reading = reader.read(
            batch.tokens, batch.characters, batch.token_features, reading
        )
        return emissions, (reader, reading)
