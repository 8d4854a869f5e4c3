"""Decoding: translations searched for batches of sources, and targets scored."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from rnnlp.data.datamodule.tensors import TokenTensors
from rnnlp.data.text.tokenizer import BOS, EOS, PAD, UNK
from rnnlp.data.translation.collate import TranslationBatch
from rnnlp.models.search.beam import beam_search
from rnnlp.models.search.hypotheses import Hypothesis
from rnnlp.models.translation.translator import Translator

from .config import SearchConfig

_BANNED = (PAD, UNK, BOS)  # never part of a translation


def score(network: Translator, batch: TranslationBatch) -> tuple[Tensor, Tensor]:
    """Logits of the target tokens of a batch, and their ids (see `Translator.forward`)."""
    features = batch.features
    state = network.encode(
        features.tokens, features.characters, features.token_features, features.lengths
    )
    found: tuple[Tensor, Tensor] = network(state, batch.target, batch.target_lengths)
    return found


@torch.inference_mode()
def translate(
    network: Translator,
    batch: TokenTensors,
    settings: SearchConfig,
    *,
    beam_size: int | None = None,
    nbest: int = 1,
) -> list[list[Hypothesis]]:
    """Searches translations of a batch of sources."""
    device = next(network.parameters()).device
    batch = batch.to(device)
    state = network.encode(batch.tokens, batch.characters, batch.token_features, batch.lengths)
    lengths = batch.lengths.to(device)
    width = settings.beam_size if beam_size is None else beam_size
    return beam_search(
        network.step,
        state,
        begin=BOS,
        end=EOS,
        max_lengths=longest_target(lengths),
        beam_size=max(width, nbest),
        banned=_BANNED,
        min_length=settings.min_length,
        length_penalty=settings.length_penalty,
        coverage_penalty=settings.coverage_penalty,
        no_repeat_ngram_size=settings.no_repeat_ngram_size,
        nbest=nbest,
        source_lengths=lengths,
    )


def longest_target(lengths: Tensor) -> Tensor:
    """How many tokens a translation of sources of these lengths may have."""
    return 3 * lengths + 10


def perplexity(log_probability: float, tokens: int) -> float:
    """Of a text with this log probability in nats."""
    return math.exp(min(-log_probability / max(tokens, 1), 700.0))
