"""The one exception that stands for a user's mistake.

Whoever reads files, options or data raises it with the place and the remedy; the command line
prints it as a single line and leaves with exit code 2. Mistakes of the programmer stay
`ValueError` or `TypeError`.
"""

from __future__ import annotations

import os


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
        place = [] if self.path is None else [self.path]
        if self.line is not None:
            place.append(str(self.line) if place else f"line {self.line}")
        message = " ".join(self.message.split("\n"))
        return f"{':'.join(place)}: {message}" if place else message
