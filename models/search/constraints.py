"""What a search must not produce: banned tokens, ends too early or too late, repeated n-grams.

Constraints act on the log-probabilities of the next token before anything is chosen, so every
search obeys them in the same way. They know nothing of beams: a row is a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor


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
        max_lengths: Tensor,
        banned: Sequence[int] = (),
        min_length: int | Tensor = 0,
        no_repeat_ngram_size: int = 0,
        beginnings: Beginnings | None = None,
    ) -> None:
        if end in banned:
            raise ValueError(f"the end token {end} is banned, so no sequence could end")
        device = max_lengths.device
        shortest = torch.as_tensor(min_length, device=device).expand(len(max_lengths))
        if (shortest < 0).any() or no_repeat_ngram_size < 0 or (max_lengths < 0).any():
            raise ValueError(
                "min_length, max_lengths and no_repeat_ngram_size must not be negative"
            )
        self.end = end
        self.max_lengths = max_lengths
        self.no_repeat_ngram_size = no_repeat_ngram_size
        self.beginnings = beginnings
        self._shortest = int(max_lengths.min()) if len(max_lengths) else 0
        self._min_lengths = shortest
        self._latest = int(shortest.max()) if len(shortest) else 0
        self._banned = torch.tensor(list(banned), dtype=torch.long, device=device)

    def full(self, time: int, sentences: Tensor) -> Tensor | None:
        """Say which rows may only end at step `time`, as a mask `[rows]`; None if no row is full.

        Args:
            time: How many tokens the rows have.
            sentences: `[rows]`: the number of each row's sentence.
        """
        return self.max_lengths[sentences] <= time if time >= self._shortest else None

    def apply(self, log_probs: Tensor, time: int, sentences: Tensor, history: Tensor) -> None:
        """Write -inf over what is not allowed.

        Args:
            log_probs: `[rows, vocabulary]`, changed in place.
            time: How many tokens the rows have.
            sentences: `[rows]`: the number of each row's sentence.
            history: `[rows, time]`: the tokens; read only where n-grams are blocked.
        """
        ends = log_probs[:, self.end].clone()
        early = None
        log_probs.index_fill_(1, self._banned, -torch.inf)
        if time < self._latest:
            early = time < self._min_lengths[sentences]  # [rows]
            log_probs[early, self.end] = -torch.inf
        if self.no_repeat_ngram_size and time >= self.no_repeat_ngram_size:
            row, at = self._repeats(history).nonzero(as_tuple=True)
            log_probs[row, history[row, at]] = -torch.inf
        if self.beginnings is not None:
            for of_row, sentence in zip(log_probs, sentences.tolist(), strict=True):
                if (ids := self.beginnings.allowed(sentence)) is not None:
                    kept = of_row[ids]
                    of_row.fill_(-torch.inf)
                    of_row[ids] = kept
        only_end = self.full(time, sentences)
        if early is not None:
            empty = early & (log_probs.amax(1) == -torch.inf)
            only_end = empty if only_end is None else only_end | empty
        if only_end is not None and only_end.any():
            log_probs[only_end] = -torch.inf
            log_probs[only_end, self.end] = ends[only_end]

    def chosen(self, tokens: Tensor, sentences: Tensor) -> None:
        """Says which tokens [rows] were taken, where something is asked of beginnings."""
        if self.beginnings is not None:
            for token, sentence in zip(tokens.tolist(), sentences.tolist(), strict=True):
                self.beginnings.chosen(sentence, token)

    def _repeats(self, history: Tensor) -> Tensor:
        """Return `[rows, time]`: whether the token there would complete an old n-gram again."""
        width = self.no_repeat_ngram_size - 1  # the last so many tokens are how the n-gram begins
        rows, time = history.shape
        same = torch.ones(rows, time - width, dtype=torch.bool, device=history.device)
        for k in range(width):
            same &= history[:, k : k + time - width] == history[:, time - width + k, None]
        mask = torch.zeros(rows, time, dtype=torch.bool, device=history.device)
        mask[:, width:] = same
        return mask
