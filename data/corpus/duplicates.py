"""Duplicates: fingerprints of texts, by which equal ones are counted in little memory."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence

import numpy as np

_ODD = np.int64(0x5851F42D4C957F2D)  # mixes two numbers of 64 bits into one


class Fingerprints:
    """Sixteen bytes for each text of a split, enough to find repeats."""

    def __init__(self) -> None:
        self._texts = array("q")
        self._labels = array("q")

    def add(self, text: str, labels: Sequence[str]) -> None:
        """Adds a text with its labels."""
        self._texts.append(number_of(" ".join(text.split())))
        self._labels.append(number_of("\0".join(sorted(labels))))

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


def number_of(text: str) -> int:
    """A text as 64 bits; different ones have different numbers, but for one case in 10^19."""
    digest = hashlib.blake2b(text.encode("utf-8", errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
