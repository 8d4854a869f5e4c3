"""A tagger on torch: ids in, tags and probabilities of spans out."""

from __future__ import annotations

import torch

from rnnlp.data.datamodule.tensors import as_tensors
from rnnlp.data.text.featurizer import TokenBatch
from rnnlp.models.tagging.tagger import Decoded, Tagger


class TorchTagger:
    """Answers for a tagger.

    Args:
        network: The tagger.
    """

    def __init__(self, network: Tagger) -> None:
        self.network = network.eval()

    @torch.inference_mode()
    def decode(self, batch: TokenBatch) -> Decoded:
        """The best legal tags of every row, and on demand the probabilities of spans."""
        ids = as_tensors(batch)
        return self.network.decode(ids.tokens, ids.characters, ids.token_features, ids.lengths)
