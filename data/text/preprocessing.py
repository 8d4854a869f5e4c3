"""Running text to the tokens that a classifier reads, and how texts of a corpus repeat.

White space is no token here, not even at character level. Where a longest length is set, an
over-long text keeps its head and its tail, a quarter and three quarters of it: what a review comes
to is said at the end (Sun et al. 2019 found the like).
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Sequence

import numpy as np

from .cleaning import clean
from .tokenizer import SPECIALS, UNK, Offsets

_ODD = np.int64(0x5851F42D4C957F2D)  # mixes two numbers of 64 bits into one
EMPTY = [SPECIALS[UNK]]  # what a text without a token is read as


def tokenise(
    text: str, split: Callable[[str], Offsets], *, max_length: int | None
) -> tuple[list[str], Offsets, int]:
    """Cleans a text and splits it.

    Args:
        text: The text as given.
        split: Gives the offsets of the tokens of a text.
        max_length: Most tokens to keep; None keeps all.

    Returns:
        The tokens, their character offsets into the text as given, and how many tokens there were
        before the middle was left out. All of it is empty for a text without a token.
    """
    text = clean(text)
    offsets = [(start, end) for start, end in split(text) if not text[start:end].isspace()]
    count = len(offsets)
    if max_length is not None and count > max_length:
        head = max_length // 4
        offsets = offsets[:head] + offsets[count - (max_length - head) :]
    return [text[start:end] for start, end in offsets], offsets, count


class Fingerprints:
    """Sixteen bytes for each text of a split, enough to find repeats."""

    def __init__(self) -> None:
        self._texts = array("q")
        self._labels = array("q")

    def add(self, text: str, labels: Sequence[str]) -> None:
        """Adds a text with its labels."""
        self._texts.append(_number(" ".join(text.split())))
        self._labels.append(_number("\0".join(sorted(labels))))

    def __len__(self) -> int:
        return len(self._texts)

    def contradictions(self) -> int:
        """How many different texts occur with different labels."""
        both = np.unique(np.stack([np.array(self._texts), np.array(self._labels)]), axis=1)
        return int((np.unique(both[0], return_counts=True)[1] > 1).sum())

    def shared(self, other: Fingerprints, *, with_labels: bool = False) -> int:
        """How many texts, repeats counted, are in the other split as well.

        Args:
            other: The other split.
            with_labels: Count only those that have the same labels there.
        """
        return int(np.isin(self._numbers(with_labels), other._numbers(with_labels)).sum())

    def _numbers(self, with_labels: bool) -> np.ndarray:
        texts = np.array(self._texts)
        return texts * _ODD + np.array(self._labels) if with_labels else texts  # wraps around


def _number(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
