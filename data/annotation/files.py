"""How exports are opened: the beginning by which they are recognised, JSON as a whole, folders."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from rnnlp.data.errors import InputError
from rnnlp.data.formats.jsonl import json_value
from rnnlp.data.formats.text_files import read_lines

from .docbin import is_docbin

_HEAD = 2000  # lines that a tool is recognised by


class Head(NamedTuple):
    """The beginning of a file.

    Args:
        path: Its name; of a folder, there are no lines.
        lines: The first lines.
        first: The first JSON value: of an array its first item, else that of the first line.
    """

    path: str
    lines: Sequence[str]
    first: Any

    @classmethod
    def of(cls, path: str, lines: Sequence[str]) -> Head:
        """The beginning that some lines make."""
        text = "\n".join(lines).lstrip()
        first = None
        try:
            if text.startswith("["):
                inner = text[1:].lstrip()
                first = json.JSONDecoder().raw_decode(inner)[0]
            elif text.startswith("{"):
                first = json.JSONDecoder().raw_decode(text)[0]
        except (ValueError, RecursionError):
            pass
        return cls(path, lines, first)


def first_lines(path: str) -> list[tuple[int, str]]:
    """The lines by which a tool is recognised, numbered; none of what is known by its name."""
    return [] if os.path.isdir(path) or is_docbin(path) else list(islice(read_lines(path), _HEAD))


def json_items(path: str) -> list[Any]:
    """The items of a JSON array, which is read as a whole.

    Raises:
        InputError: The file is no JSON array.
    """
    text = "\n".join(line for _, line in read_lines(path))
    try:
        items = json_value(text)
        json.dumps(items, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InputError("half of a character (\\ud…): write both halves", path=path) from error
    except ValueError as error:
        raise InputError(
            f"not JSON ({error}); export it again", path=path, line=getattr(error, "lineno", None)
        ) from error
    if not isinstance(items, list):
        raise InputError(f"a JSON {type(items).__name__}, not a list of tasks", path=path)
    return items


def files_in(path: str, suffix: str) -> Iterator[str]:
    """A file itself, or those below a folder whose names end so, in order."""
    if not os.path.isdir(path):
        yield path
        return
    yield from sorted(str(file) for file in Path(path).rglob(f"*{suffix}"))
