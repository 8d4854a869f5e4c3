"""The vectors of words that came before, of a text whose tokens arrive one by one.

A word's spelling takes longer than all else that is done for its token, and words come again. In a
batch each distinct word is spelled once (`characters.py`); this is the same over time.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor

from .token import Embedding

_MOST = 4096  # words: a few megabytes


class SeenWords:
    """An embedding that keeps what it found, as long as its weights stay as they are.

    Args:
        embedding: Makes the vectors.
        most: How many vectors are kept; the one that was not asked for longest goes first.
    """

    def __init__(self, embedding: Embedding, *, most: int = _MOST) -> None:
        self._embedding = embedding
        self._most = most
        self._vectors: OrderedDict[tuple[int, ...], Tensor] = OrderedDict()

    def __call__(
        self, tokens: Tensor, characters: Tensor | None, token_features: Tensor | None
    ) -> Tensor:
        """What the embedding gives; more than one token at once is passed on to it.

        Args:
            tokens: `[batch, time]`.
            characters: `[batch, time, width]`, or None.
            token_features: `[batch, time, features]`, or None.
        """
        if tokens.numel() > 1:
            vectors: Tensor = self._embedding(tokens, characters, token_features)
            return vectors
        given = (ids for ids in (tokens, characters, token_features) if ids is not None)
        word = tuple(number for ids in given for number in ids.flatten().tolist())
        if word in self._vectors:
            self._vectors.move_to_end(word)
        else:
            self._vectors[word] = self._embedding(tokens, characters, token_features)
            if len(self._vectors) > self._most:
                self._vectors.popitem(last=False)
        return self._vectors[word]
