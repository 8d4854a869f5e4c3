"""Duplicates: fingerprints of texts, by which equal ones are counted in little memory."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence

import numpy as np

_UNSTATED = 0  # in place of labels, where there are none to contradict
_ODD = np.int64(0x5851F42D4C957F2D)  # mixes two numbers of 64 bits into one


class Fingerprints:
    """Sixteen bytes for each text of a split, enough to find repeats."""

    def __init__(self) -> None:
        self._texts = array("q")
        self._labels = array("q")

    def add(self, text: str, labels: Sequence[str] | None) -> None:
        """Adds a text with its labels; None where only their probabilities are stated."""
        self._texts.append(number_of(" ".join(text.split())))
        self._labels.append(_UNSTATED if labels is None else number_of("\0".join(sorted(labels))))

    def __len__(self) -> int:
        return len(self._texts)

    def contradictions(self) -> int:
        """How many different texts occur with different labels that are stated."""
        texts, labels = _numbers(self._texts), _numbers(self._labels)
        texts, labels = texts[labels != _UNSTATED], labels[labels != _UNSTATED]
        order = np.argsort(texts)
        texts, labels = texts[order], labels[order]
        other = (texts[1:] == texts[:-1]) & (labels[1:] != labels[:-1])
        return len(np.unique(texts[1:][other]))

    def shared(self, other: Fingerprints, *, with_labels: bool = False) -> int:
        """How many texts, repeats counted, are in the other split as well.

        Args:
            other: The other split.
            with_labels: Count only those that have the same labels there.
        """
        if not len(other):
            return 0
        own, others = (each._identities(with_labels) for each in (self, other))
        others = np.sort(others)
        places = np.searchsorted(others, own).clip(max=len(others) - 1)
        return int((others[places] == own).sum())

    def _identities(self, with_labels: bool) -> np.ndarray:
        texts = _numbers(self._texts)
        return texts * _ODD + _numbers(self._labels) if with_labels else texts  # wraps around


def _numbers(values: array[int]) -> np.ndarray:
    """The same memory, seen as numpy's."""
    return np.frombuffer(values, dtype=np.int64)


def number_of(text: str) -> int:
    """A text as 64 bits; different ones have different numbers, but for one case in 10^19."""
    digest = hashlib.blake2b(text.encode("utf-8", errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
