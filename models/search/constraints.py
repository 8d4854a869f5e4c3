"""What a search must not produce: banned tokens, ends too early or too late, repeated n-grams.

Constraints act on the log-probabilities of the next token before anything is chosen, so every
search obeys them in the same way. They know nothing of beams: a row is a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np


class Beginnings(Protocol):
    """What each sequence must begin with."""

    def allowed(self, sentence: int) -> Sequence[int] | None:
        """The tokens that may come next; None for all."""

    def chosen(self, sentence: int, token: int) -> None:
        """Says which of them was taken."""


class Constraints:
    """Rules on token sequences, for rows that all have the same number of tokens so far.

    Args:
        end: The token that ends a sequence.
        max_lengths: `[sentences]`: most tokens before the end; then nothing but the end is allowed.
        banned: Tokens that are never allowed.
        min_length: Fewest tokens before the end, one number or one for each sentence
            `[sentences]`. It gives way to `max_lengths`, and where the end is the only token left.
        no_repeat_ngram_size: No n-gram of this size occurs twice in a sequence; 0 allows all.
        beginnings: What sequences must begin with; None for nothing.

    Raises:
        ValueError: the end is banned, or a number is negative.
    """

    def __init__(
        self,
        *,
        end: int,
        max_lengths: np.ndarray,
        banned: Sequence[int] = (),
        min_length: Any = 0,
        no_repeat_ngram_size: int = 0,
        beginnings: Beginnings | None = None,
    ) -> None:
        if end in banned:
            raise ValueError(f"the end token {end} is banned, so no sequence could end")
        shortest = np.broadcast_to(min_length, max_lengths.shape)
        if (shortest < 0).any() or no_repeat_ngram_size < 0 or (max_lengths < 0).any():
            raise ValueError(
                "min_length, max_lengths and no_repeat_ngram_size must not be negative"
            )
        self.end = end
        self.max_lengths = max_lengths
        self.no_repeat_ngram_size = no_repeat_ngram_size
        self.beginnings = beginnings
        self._min_lengths = shortest
        self._banned = list(banned)

    def full(self, time: int, sentences: np.ndarray) -> np.ndarray:
        """Say which rows may only end at step `time`, as a mask `[rows]`.

        Args:
            time: How many tokens the rows have.
            sentences: `[rows]`: the number of each row's sentence.
        """
        full: np.ndarray = self.max_lengths[sentences] <= time
        return full

    def apply(
        self, log_probs: np.ndarray, time: int, sentences: np.ndarray, history: np.ndarray
    ) -> None:
        """Write -inf over what is not allowed.

        Args:
            log_probs: `[rows, vocabulary]`, changed in place.
            time: How many tokens the rows have.
            sentences: `[rows]`: the number of each row's sentence.
            history: `[rows, time]`: the tokens; read only where n-grams are blocked.
        """
        ends = log_probs[:, self.end].copy()
        log_probs[:, self._banned] = -np.inf
        early = self._min_lengths[sentences] > time
        log_probs[early, self.end] = -np.inf
        if (size := self.no_repeat_ngram_size) and time >= size:
            begin = history[:, time - size + 1 :]  # of the n-gram that would be completed
            for at in range(time - size + 1):
                same = (history[:, at : at + size - 1] == begin).all(1)
                log_probs[same, history[same, at + size - 1]] = -np.inf
        if self.beginnings is not None:
            for of_row, sentence in zip(log_probs, sentences.tolist(), strict=True):
                if (ids := self.beginnings.allowed(sentence)) is not None:
                    kept = of_row[ids]
                    of_row[:] = -np.inf
                    of_row[ids] = kept
        only_end = self.full(time, sentences)
        if early.any():
            only_end |= early & (log_probs.max(1) == -np.inf)
        log_probs[only_end] = -np.inf
        log_probs[only_end, self.end] = ends[only_end]

    def chosen(self, tokens: np.ndarray, sentences: np.ndarray) -> None:
        """Says which tokens [rows] were taken, where something is asked of beginnings."""
        if self.beginnings is not None:
            for token, sentence in zip(tokens.tolist(), sentences.tolist(), strict=True):
                self.beginnings.chosen(sentence, token)
