"""How far a long run of a verb is, on a terminal: one line on stderr that is written over."""

from __future__ import annotations

import sys
import time
from types import TracebackType

EVERY = 0.5  # seconds between two lines
_CLEAR = "\r\033[K"  # to the beginning of the line, which is wiped


class Progress:
    """Counts what is done; says nothing where stderr is no terminal, or the work is soon done.

    Args:
        unit: What is counted.
    """

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._shown = False
        self._count = 0
        self._began = self._last = time.monotonic()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._shown:
            print(_CLEAR, end="", file=sys.stderr, flush=True)

    def add(self, count: int) -> None:
        """Counts what has been done since the last time."""
        self._count += count
        now = time.monotonic()
        if now - self._last < EVERY or not sys.stderr.isatty():
            return
        self._shown, self._last = True, now
        rate = self._count / (now - self._began)
        line = f"{_CLEAR}{self._count:,} {self._unit} ({rate:,.0f} a second)"
        print(line, end="", file=sys.stderr, flush=True)
