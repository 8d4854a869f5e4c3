"""Where the examples of a split come from, whatever an example is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from .report import Notes

Example = TypeVar("Example")


@dataclass(frozen=True)
class Source(Generic[Example]):
    """A split that can be gone through again and again; nothing is kept in memory.

    Args:
        name: What messages call it.
        read: Begins a new round; what is legal but lossy goes into the notes.
    """

    name: str
    read: Callable[[Notes], Iterator[Example]]
