"""The vectors of words that came before, of a text whose tokens arrive one by one.

A word's spelling takes longer than all else that is done for its token, and words come again. In a
batch each distinct word is spelled once (`characters.py`); this is the same over time.
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import torch

from rnnlp.models.search.tensors import array

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
        self._vectors: OrderedDict[bytes, np.ndarray] = OrderedDict()

    def __call__(self, *ids: np.ndarray | None) -> np.ndarray:
        """What the embedding gives; of more than one token at once nothing is kept.

        Args:
            ids: What the embedding reads, as arrays.
        """
        if ids[0] is not None and ids[0].size > 1:
            return self._embedded(*ids)
        word = b"".join(each.tobytes() for each in ids if each is not None)
        if word in self._vectors:
            self._vectors.move_to_end(word)
        else:
            self._vectors[word] = self._embedded(*ids)
            if len(self._vectors) > self._most:
                self._vectors.popitem(last=False)
        return self._vectors[word]

    @torch.inference_mode()
    def _embedded(self, *ids: np.ndarray | None) -> np.ndarray:
        tensors = (None if each is None else torch.from_numpy(each) for each in ids)
        return array(self._embedding(*tensors))
