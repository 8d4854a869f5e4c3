"""Scores the tags of sentences that are still arriving."""

from __future__ import annotations

import numpy as np

from rnnlp.models.embeddings.seen import SeenWords
from rnnlp.models.encoders.incremental import IncrementalEncoder, Reading
from rnnlp.models.search.tensors import array

from .tagger import Tagger


class SentenceReader:
    """A tagger whose weights stay as they are while a sentence is read.

    Args:
        tagger: What reads.

    Raises:
        ValueError: It reads in two directions, or the n-grams around each token.
    """

    def __init__(self, tagger: Tagger) -> None:
        if tagger.neighbours is not None:
            raise ValueError("n-grams around a token cannot be read before what comes after it")
        self._words = SeenWords(tagger.embedding)
        self._encoder = IncrementalEncoder(tagger.encoder)
        self._weight = array(tagger.projection.weight.detach())
        self._bias = array(tagger.projection.bias.detach())

    def read(
        self,
        tokens: np.ndarray,
        characters: np.ndarray | None,
        token_features: np.ndarray | None,
        so_far: Reading,
    ) -> tuple[np.ndarray, Reading]:
        """What `Tagger.emissions` gives for the next tokens.

        Args:
            tokens: `[batch, time]`, none of them padding.
            characters: `[batch, time, width]`, or None.
            token_features: `[batch, time, features]`, or None.
            so_far: What this returned for the tokens before; `Reading()` where sentences begin.

        Returns:
            `[batch, time, tags]`, and what to pass on.
        """
        embedded = self._words(tokens, characters, token_features)
        states, so_far = self._encoder.read(embedded, so_far)
        return states @ self._weight.T + self._bias, so_far
