"""JSON lines as dictionaries, or a clear word on why a line is none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError

from .columns import as_value
from .text_files import read_lines

_REFUSED = ("reject", "ignore")  # Prodigy's answers beside "accept"


def json_value(text: str) -> Any:
    """The value that a text is in JSON.

    Raises:
        ValueError: It is not JSON, or of too many lists within lists.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("too many lists within lists") from error


def json_object(line: str) -> dict[str, Any]:
    """The object that a line holds.

    Raises:
        InputError: The line is not JSON, not an object, or holds half a character.
    """
    try:
        row = json_value(line)
    except ValueError as error:
        raise InputError(f"not JSON ({error}); write one JSON object a line") from error
    if "\\ud" in line.lower():
        _refuse_surrogates(row)
    if not isinstance(row, dict):
        raise InputError(f"a JSON {type(row).__name__}; write one JSON object a line")
    return row


def json_objects(
    path: str, notes: Notes, *, lines: Iterable[tuple[int, str]] | None = None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file, each with its line; blank lines are left out.

    Args:
        path: The file; gzip-packed where its name ends in `.gz`.
        notes: Takes lines that are no objects.
        lines: The numbered lines of the file, where they are at hand.
    """
    for number, line in read_lines(path, rows=notes) if lines is None else lines:
        if line.strip():
            try:
                yield number, json_object(line)
            except InputError as error:
                notes.bad(InputError(error.message, path=path, line=number))


def accepted(row: Mapping[str, Any], where: str, notes: Notes) -> bool:
    """Whether an annotator let the example of a row stand; those who did not are counted.

    Args:
        row: An object that may have an `answer`, as Prodigy writes it.
        where: Its place, for the note.
        notes: Takes the count.
    """
    if row.get("answer") not in _REFUSED:
        return True
    notes.count('examples whose answer is "reject" or "ignore", left out', where)
    return False


def group_of(row: dict[str, Any], key: str | int | None) -> str | None:
    """What a row says it belongs with; None where nothing is asked for.

    Raises:
        InputError: There is no such key.
    """
    if key is None:
        return None
    if str(key) not in row:
        raise InputError(f"no key {str(key)!r} among {', '.join(row)}: set data.group_column")
    return None if row[str(key)] is None else str(row[str(key)])


def values_of(row: dict[str, Any], keys: Sequence[str]) -> list[str]:
    """The values of a row under some keys, as they would stand in a table.

    Args:
        row: The row.
        keys: The keys.

    Raises:
        InputError: There is no such key.
    """
    if missing := [key for key in keys if key not in row]:
        raise InputError(f"no key {missing[0]!r} among {', '.join(row)}: set data.feature_columns")
    return [as_value(row[key]) for key in keys]


def _refuse_surrogates(row: Any) -> None:
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        raise InputError(
            f"\\u{ord(half):x} is half of a character; write both halves or the character itself"
        ) from error
