"""A translator on torch: ids of sources in, translations and probabilities of targets out."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rnnlp.data.datamodule.tensors import TokenTensors, as_tensors
from rnnlp.data.text.featurizer import TokenBatch
from rnnlp.data.translation.pairs_of_ids import Pairs
from rnnlp.models.search.hypotheses import Hypothesis
from rnnlp.models.translation.translator import Translator, TranslatorState

from .config import SearchConfig
from .search import search


class TorchTranslator:
    """Answers for a translator.

    Args:
        network: The translator.
    """

    def __init__(self, network: Translator) -> None:
        self.network = network.eval()

    @torch.inference_mode()
    def search(
        self,
        batch: TokenBatch,
        settings: SearchConfig,
        *,
        copies: np.ndarray | None = None,
        candidates: np.ndarray | None = None,
        nbest: int = 1,
        keep_attention: bool = False,
    ) -> list[list[Hypothesis]]:
        """The best translations of each source, best first.

        Args:
            batch: Sources as ids.
            settings: Beam, penalties and bounds.
            copies: For each source token the id that it can be copied to; None without copying.
            candidates: The target tokens that are looked at for each source; None for all.
            nbest: How many translations of each source.
            keep_attention: Keep the attention weights of each token.
        """
        features = as_tensors(batch)
        return search(
            self.network.step,
            encode(self.network, features, *map(as_tensor, (copies, candidates))),
            features.lengths.to(next(self.network.parameters()).device),
            settings,
            candidates=candidates,
            nbest=nbest,
            keep_attention=keep_attention,
        )

    @torch.inference_mode()
    def log_probabilities(self, pairs: Pairs) -> list[float]:
        """Log probability in nats of each target, its end included, given its source."""
        state = encode(self.network, as_tensors(pairs.features), as_tensor(pairs.copies))
        target, lengths = torch.from_numpy(pairs.target), torch.from_numpy(pairs.target_lengths)
        device = next(self.network.parameters()).device
        logits, following = self.network(state, target.to(device), lengths)
        of_each = logits.log_softmax(1).gather(1, following.unsqueeze(1)).squeeze(1)
        return [float(one.sum()) for one in of_each.split((lengths - 1).tolist())]


def as_tensor(ids: np.ndarray | None) -> Tensor | None:
    """Ids as a tensor, where there are any."""
    return None if ids is None else torch.from_numpy(ids)


def encode(
    network: Translator,
    features: TokenTensors,
    copies: Tensor | None = None,
    candidates: Tensor | None = None,
) -> TranslatorState:
    """The state before the first target token, of a batch of sources.

    Args:
        network: The translator.
        features: Ids of the sources; moved to its device.
        copies: For each source token the id that it can be copied to; None without copying.
        candidates: The target tokens that a search looks at for each source; None for all.
    """
    device = next(network.parameters()).device
    features = features.to(device)
    return network.encode(
        features.tokens,
        features.characters,
        features.token_features,
        features.lengths,
        *(None if ids is None else ids.to(device) for ids in (copies, candidates)),
    )
