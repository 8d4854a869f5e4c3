"""Vectors that texts are written from: what is one, and how training vectors are spread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from rnnlp.data.errors import InputError


def vector_of(value: Any, *, name: str, size: int | None = None) -> np.ndarray:
    """A vector [size] float32 of what a row has.

    Args:
        value: A list of numbers, or an array of one dimension.
        name: What the row calls it, for errors.
        size: Its components; None for any number of them.

    Raises:
        InputError: It is no such list, too short or too long, or a component is no finite number.
    """
    try:
        array = np.asarray(value)
    except ValueError:  # lists of unequal length
        array = np.asarray(None)
    if array.dtype.kind not in "fiub" or array.ndim != 1 or not len(array):
        raise InputError(f"{name} is {value!r:.60}: a list of numbers is wanted")
    if size not in (None, len(array)):
        raise InputError(f"{name} has {len(array)} components, where those in training have {size}")
    with np.errstate(over="ignore"):
        vector = array.astype(np.float32)
    if not np.isfinite(vector).all():
        place = int(np.flatnonzero(~np.isfinite(vector))[0])
        raise InputError(
            f"component {place + 1} of {name} is {array[place]}: give finite numbers of 32 bits"
        )
    return vector


def vector_in(row: Mapping[str, Any], name: str, *, size: int | None = None) -> np.ndarray:
    """The vector [size] float32 that an object has under a name; see `vector_of`.

    Args:
        row: The object.
        name: The key.
        size: Number of components; None for any.

    Raises:
        InputError: It has none of this name, or one that is none.
    """
    if name not in row:
        raise InputError(
            f"no key {name!r} among {', '.join(map(str, row)) or 'none'}: set data.vector_column"
        )
    return vector_of(row[name], name=repr(name), size=size)


class VectorScale(NamedTuple):
    """How the components of vectors are spread."""

    mean: np.ndarray  # [size] float32
    deviation: np.ndarray  # [size] float32; 0 where all vectors have the same


def scale_of(vectors: Iterable[Sequence[float]]) -> VectorScale:
    """Mean and standard deviation of each component, in one pass (Welford 1962).

    Args:
        vectors: Of one size each; at least one.
    """
    count, mean, squares = 0, np.zeros(1), np.zeros(1)
    for vector in vectors:
        values = np.asarray(vector, np.float64)
        count += 1
        off = values - mean
        mean = mean + off / count
        squares = squares + off * (values - mean)
    deviation = np.sqrt(squares / max(count, 1))
    return VectorScale(mean.astype(np.float32), deviation.astype(np.float32))
