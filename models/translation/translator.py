"""The translator: source embedding and encoder, and a decoder that attends to them.

Ids in, scores of target tokens out. Sub-words, text and training loops are not its business.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from rnnlp.models.embeddings.token import Embedding
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.layers.dropout import check_rate
from rnnlp.models.layers.losses import coverage_loss
from rnnlp.models.search.hypotheses import Step

from .decoder import Decoder, DecoderState
from .monotonic import MonotonicDecoder, MonotonicState

TranslatorState = DecoderState | MonotonicState


class Translator(nn.Module):
    """Scores target sentences given source sentences.

    Args:
        embedding: Makes vectors of source ids.
        encoder: Any module that maps `(embedded, lengths)` to an `EncoderOutput`.
        decoder: Predicts the target.
    """

    def __init__(
        self, *, embedding: Embedding, encoder: Encoder, decoder: Decoder | MonotonicDecoder
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.encoder = encoder
        self.decoder: Any = decoder  # each kind has a state of its own

    def encode(
        self,
        tokens: Tensor,
        characters: Tensor | None,
        token_features: Tensor | None,
        lengths: Tensor,
        copies: Tensor | None = None,
        candidates: Tensor | None = None,
    ) -> TranslatorState:
        """Read the sources: the state before the first target token, one row a sentence.

        Args:
            tokens: `[sentences, source]`.
            characters: `[sentences, source, width]`, or None.
            token_features: `[sentences, source, features]`, or None.
            lengths: `[sentences]`, on the CPU.
            copies: What the source tokens are on the target side, `[sentences, source]`; for a
                decoder that copies.
            candidates: The target tokens that steps score, `[sentences, candidates]` (see
                `TargetSide.candidates`); None for all.
        """
        embedded = self.embedding(tokens, characters, token_features)
        encoded = self.encoder(embedded, lengths)
        if self.decoder.lexical is not None:
            encoded = encoded._replace(states=torch.cat((encoded.states, embedded), 2))
        state: TranslatorState = self.decoder.begin(encoded, lengths, copies)
        return state if candidates is None else self.decoder.narrowed(state, candidates)

    def forward(
        self,
        state: TranslatorState,
        targets: Tensor,
        lengths: Tensor,
        seen: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Score given targets.

        Args:
            state: What `encode` made of the sources.
            targets: `[sentences, time]`, begin and end tokens included.
            lengths: Number of target tokens, both included, `[sentences]`, on the CPU.
            seen: What the decoder reads instead of the targets, for scheduled sampling.

        Returns:
            Scores `[tokens, vocabulary]` of what follows each target token but the last (see
            `Decoder.scores`), and the ids `[tokens]` that do follow: all positions that are not
            padding, sentence by sentence.
        """
        before, after = (targets if seen is None else seen)[:, :-1], targets[:, 1:]
        scores, inside, _ = self.decoder.score(before, lengths - 1, state)
        return scores, after[inside]

    def with_coverage(
        self, state: TranslatorState, targets: Tensor, lengths: Tensor, seen: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What `forward` gives, and `coverage_loss` of the attention.

        Args:
            state: What `encode` made of the sources.
            targets: `[sentences, time]`, begin and end tokens included.
            lengths: Number of target tokens, both included, `[sentences]`, on the CPU.
            seen: What the decoder reads instead of the targets.
        """
        before, after = (targets if seen is None else seen)[:, :-1], targets[:, 1:]
        scores, inside, weights = self.decoder.score(before, lengths - 1, state)
        return scores, after[inside], coverage_loss(weights, inside)

    def step(self, tokens: Tensor, state: TranslatorState) -> Step[TranslatorState]:
        """One step of a search: log probabilities of what follows `tokens` [rows]."""
        return self.decoder.follow(tokens, state)

    @torch.no_grad()
    def scheduled_sampling(
        self, state: TranslatorState, targets: Tensor, lengths: Tensor, rate: float
    ) -> Tensor:
        """Targets in which a share of the tokens is what the model itself would have said there.

        Scheduled sampling (Bengio et al. 2015) in the two passes that a decoder parallel in time
        allows (Duckworth et al. 2019): the first pass predicts every token from the true ones
        before it, the caller's second pass reads the mixture.

        Args:
            state: What `encode` made of the sources.
            targets: `[sentences, time]`.
            lengths: `[sentences]`.
            rate: Share of tokens to replace; begin and end tokens stay.
        """
        scores, inside, _ = self.decoder.score(targets[:, :-1], lengths - 1, state)
        said = targets[:, 1:].masked_scatter(inside, scores.argmax(1))  # [sentences, time - 1]
        draw = torch.rand(said.shape, device=said.device) < check_rate(rate)
        position = torch.arange(1, targets.shape[1], device=targets.device)
        words = position < (lengths - 1).to(targets.device).unsqueeze(1)
        mixed = targets.clone()
        mixed[:, 1:] = torch.where(draw & words, said, targets[:, 1:])
        return mixed
