"""The one exception that stands for a user's mistake, and how it and notes are shown.

Whoever reads files, options or data raises it with the place and the remedy; the command line
prints it as a single line and leaves with exit code 2. Mistakes of the programmer stay
`ValueError` or `TypeError`.
"""

from __future__ import annotations

import os
import re
import sys
from functools import cache

LONGEST = 2000  # characters of a message: it may repeat what stands in a file of any size
# What could steer a terminal or turn the order of what it shows; and half a character.
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: object) -> str:
    """A text from data or a model as it may be shown: in one line, with controls as escapes."""
    return _STEERING.sub(lambda match: match[0].encode("unicode_escape").decode(), str(text))


def clipped(message: str) -> str:
    """A message as it may be shown: of a long one the beginning and the end."""
    if len(message) <= LONGEST:
        return message
    return f"{message[: LONGEST // 2]} […] {message[-LONGEST // 2 :]}"


def counted(number: int, one: str) -> str:
    """A number and what it counts, in the plural but for 1: "1 column", "1,200 columns"."""
    return f"{number:,} {one}{'s' * (number != 1)}"


def note(message: object) -> None:
    """Tells on stderr, in one line, what was guessed, dropped or changed."""
    print(f"note: {printable(clipped(str(message)))}", file=sys.stderr)


@cache
def note_once(message: str) -> None:
    """Tells what holds for a file however often it is opened."""
    note(message)


class InputError(Exception):
    """A mistake in what the user gave: a file, a path, an option.

    Args:
        message: What is wrong and what to do about it, in one line.
        path: The file that the mistake is in.
        line: The line of that file, counted from 1.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | os.PathLike[str] | None = None,
        line: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = None if path is None else os.fspath(path)
        self.line = line

    def __str__(self) -> str:
        place = [] if self.path is None else [self.path or '""']
        if self.line is not None:
            place.append(str(self.line) if place else f"line {self.line}")
        message = clipped(" ".join(self.message.split("\n")))
        return printable(f"{':'.join(place)}: {message}" if place else message)
