"""Readers of one's own: a function of the user's that takes a path and yields an object an example.

An object holds what a line of JSON lines of the task holds, and is checked as that is: readers take
it for such a line, whose number is that of the example.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from rnnlp.data.errors import InputError

Reader = Callable[[str], Iterable[Mapping[str, Any]]]
READERS: dict[str, Reader] = {}  # by what `data.format` names them: `module.function`


def check_format(format: str, formats: Iterable[str]) -> None:
    """Refuses a format that there is not.

    Args:
        format: What is asked for.
        formats: Those of the task; readers of one's own come beside them.

    Raises:
        InputError: It is neither.
    """
    if format not in formats and format not in READERS:
        raise InputError(
            f"unknown format {format!r}; choose one of {', '.join(formats)}, or name a function of "
            "your own, module.function"
        )


def own_lines(path: str, format: str) -> Iterator[tuple[int, str]]:
    """What the user's reader of this name finds in a file, as numbered JSON lines.

    Raises:
        InputError: It gives something else than objects that JSON can hold.
    """
    for number, row in enumerate(READERS[format](path), start=1):
        if not isinstance(row, Mapping):
            raise InputError(f"{format} gives {row!r}, not a dictionary", path=path, line=number)
        try:
            yield number, json.dumps(dict(row), ensure_ascii=False)
        except (TypeError, ValueError) as error:
            raise InputError(f"{format} gives {row!r}: {error}", path=path, line=number) from error
