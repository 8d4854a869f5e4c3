"""Which columns of a table hold the text and the label, and whether its first row names them.

Columns are named by the header, or by number where there is none; without being told, they are
guessed from usual names, and in a table without a header from the values.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from rnnlp.data.errors import InputError

TEXT_NAMES = (
    "text", "sentence", "review", "content", "comment", "question", "text_a", "body", "document",
    "tweet", "phrase", "message", "description", "title", "utterance", "input",
)  # fmt: skip
LABEL_NAMES = (
    "label", "labels", "sentiment", "class", "category", "target", "topic", "polarity", "intent",
    "emotion", "tag", "rating", "stars", "coarse_label", "label_text", "y",
)  # fmt: skip
_MOST_WORDS = 4  # of a column's name
_SENTENCE = re.compile(r"[.!?,;:…](\s|$)|[。！？，；：]")
_BY_CHANCE = 1 / 80  # how often an example may look like a header, at most


class Columns(NamedTuple):
    """Where text and label stand, counted from 0, and the number of columns."""

    text: tuple[int, ...]  # several are joined
    label: int
    width: int


def columns_in(column: str | int | None, names: Collection[str]) -> list[str | int | None]:
    """The columns that are meant by one setting: several where commas part them."""
    if isinstance(column, str) and column not in names:
        return [part.strip() for part in column.split(",")]
    return [column]


def joined(parts: Sequence[str]) -> str:
    """The text of several columns, such as a title and a body, each a line."""
    return parts[0] if len(parts) == 1 else "\n".join(part for part in parts if part.strip())


def is_missing(value: Any) -> bool:
    """Whether a value of JSON or of a typed table says that there is none: null, or NaN."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def cell_text(value: Any) -> str:
    """A value of JSON or of a typed table as it stands in CSV; "" for null.

    Numbers and lists are as JSON has them, dates as ISO has them, True and False as Python and
    pandas write them.
    """
    if isinstance(value, int | float | list | dict) and not isinstance(value, bool):
        return json.dumps(value, ensure_ascii=False, default=str)
    return "" if value is None else str(value)


def as_value(value: Any) -> str:
    """A value beside a text as it would stand in a table; "" for none."""
    if is_missing(value):
        return ""
    is_word = isinstance(value, str | bool)
    return cell_text(value).strip() if is_word else json.dumps(value, ensure_ascii=False)


def as_known(name: str, known: Collection[str]) -> str:
    """True or false as `known` spells it; JSON, pandas and spreadsheets each have their own way.

    Args:
        name: A label or a category.
        known: Those that a model knows.
    """
    if name in known or name.lower() not in ("true", "false"):
        return name
    return next((other for other in known if other.lower() == name.lower()), name)


def text_columns_of(names: Sequence[str], asked: str | int | None) -> list[int]:
    """The columns of the text of a table with a header, counted from 0.

    Args:
        names: The header.
        asked: Name or number of the column, or several with commas; None looks for a usual name.

    Raises:
        InputError: There is no such column.
    """
    names = [name.strip() for name in names]
    return [_text_column(names, part) for part in columns_in(asked, names)]


def _text_column(names: Sequence[str], asked: str | int | None) -> int:
    asked = _numbered_or_named(asked, names)
    if isinstance(asked, int):
        return _numbered(asked, len(names), "--text_column")
    lower = [name.lower() for name in names]
    wanted = [asked.lower()] if asked is not None else TEXT_NAMES
    place = next((lower.index(name) for name in wanted if name in lower), None)
    if place is None and len(names) > 1:
        what = f"no column {asked!r}" if asked is not None else "which column holds the text"
        raise InputError(f"{what} among {', '.join(names)}: set --text_column")
    return place or 0


def decide(
    head: Sequence[tuple[int, list[str]]],
    path: str,
    text_column: str | int | None,
    label_column: str | int | None,
    header: bool | None,
) -> tuple[Columns, bool]:
    """Where text and label stand, and whether the first row is a header.

    Args:
        head: The first rows with their numbers.
        path: The file, for errors.
        text_column: What is said of the text's column; None guesses.
        label_column: Likewise of the label's.
        header: Whether the first row is one; None guesses.

    Raises:
        InputError: A column is not there, or cannot be guessed.
    """
    if not head:
        raise InputError("no rows in the file", path=path)
    first = [field.strip() for field in head[0][1]]
    text_column, *more = columns_in(text_column, first)
    text_column, label_column = (_numbered_or_named(c, first) for c in (text_column, label_column))
    named = [name for name in (text_column, label_column) if isinstance(name, str)]
    usual = is_header(first) and not _recurs(head)
    has_header = bool(named) or usual
    if not has_header:
        has_header = _looks_like_header(head) if header is None else header
    try:
        if named or usual:
            columns, has_header = _from_header(first, text_column, label_column), True
        else:
            columns = _from_values([row for _, row in head], text_column, label_column)
    except InputError as error:
        raise InputError(error.message, path=path, line=head[0][0]) from error
    names = first if has_header else []
    places = [placed(part or 0, names, columns.width, "text_column", path) for part in more]
    if columns.label in places:
        raise InputError(f"column {columns.label + 1} is the label's: not in data.text_column")
    return columns._replace(text=(*columns.text, *places)), has_header


def placed(column: str | int, names: Sequence[str], width: int, option: str, path: str) -> int:
    """The place of a column, counted from 0.

    Args:
        column: Its name, or its number from 1.
        names: The header; empty for none.
        width: How many columns there are.
        option: The setting that names it, for errors.
        path: The file, for errors.

    Raises:
        InputError: There is no such column.
    """
    column = _numbered_or_named(column, names) or 0
    try:
        if isinstance(column, int):
            return _numbered(column, width, f"data.{option}")
        if column not in names:
            raise InputError(f"no column {column!r} among {', '.join(names)}: set data.{option}")
    except InputError as error:
        raise InputError(error.message, path=path) from error
    return names.index(column)


def is_header(fields: Sequence[str]) -> bool:
    """Whether a row has a usual name of a column."""
    return any(field.strip().lower() in (*TEXT_NAMES, *LABEL_NAMES) for field in fields)


def _recurs(head: Sequence[tuple[int, Sequence[str]]]) -> bool:
    """Whether a usual name of the first row stands below as well: then it is a value."""
    first, rest = head[0][1], [row for _, row in head[1:]]
    return any(
        len(row) > place and row[place].strip() == name.strip()
        for place, name in enumerate(first)
        if is_header([name])
        for row in rest
    )


def _numbered_or_named(column: str | int | None, names: Sequence[str]) -> str | int | None:
    """A column as it is meant: the command line gives numbers as texts."""
    if isinstance(column, str) and column.isdecimal() and column not in names:
        return int(column)
    return column


def _looks_like_header(head: Sequence[tuple[int, Sequence[str]]]) -> bool:
    """Whether the first row is names: a label that never comes again, and a text as few are short.

    An example has both by chance as often as the rows have each; names where that is too seldom.
    """
    first = head[0][1]
    rows = [row for _, row in head if len(row) == len(first)]
    if len(rows) < 2 or len(first) < 2 or not all(map(_is_name, first)):
        return False  # of one column, `_from_values` says that two are needed
    label, text = _label_guess(rows[1:]), _text_guess(rows[1:], _label_guess(rows[1:]))
    counts = Counter(row[label] for row in rows)
    alone = sum(count == 1 for count in counts.values())
    short = sum(len(row[text]) <= len(first[text]) for row in rows)
    return counts[first[label]] == 1 and alone * short <= _BY_CHANCE * len(rows) ** 2


def _is_name(field: str) -> bool:
    """Whether a cell may name a column: some words, and nothing that ends or parts a sentence."""
    letters = any(map(str.isalpha, field))
    return letters and len(field.split()) <= _MOST_WORDS and not _SENTENCE.search(field)


def _from_header(
    names: list[str], text_column: str | int | None, label_column: str | int | None
) -> Columns:
    shown = ", ".join(names)
    places: list[int | None] = []
    for column, usual, option in (
        (text_column, TEXT_NAMES, "text_column"),
        (label_column, LABEL_NAMES, "label_column"),
    ):
        if column is None:
            lower = [name.lower() for name in names]
            places.append(next((lower.index(name) for name in usual if name in lower), None))
        elif isinstance(column, int):
            places.append(_numbered(column, len(names), f"data.{option}"))
        elif column in names:
            places.append(names.index(column))
        else:
            raise InputError(f"no column {column!r} among {shown}: set data.{option}")
    text, label = places
    if len(names) == 2:  # where one is known, the other is the other
        text = 1 - label if text is None and label is not None else text
        label = 1 - text if label is None and text is not None else label
    for place, what, option in ((text, "text", "text_column"), (label, "label", "label_column")):
        if place is None:
            raise InputError(f"which column holds the {what}: {shown}? set data.{option}")
    return _checked(text, label, len(names))


def _from_values(
    rows: Sequence[Sequence[str]], text_column: str | int | None, label_column: str | int | None
) -> Columns:
    count = len(rows[0])
    if count < 2:
        raise InputError("one column only; a text and a label are needed")
    whole = [row for row in rows if len(row) == count]
    label = _label_guess(whole) if label_column is None else None
    if isinstance(label_column, int):
        label = _numbered(label_column, count, "data.label_column")
    if isinstance(text_column, int):
        text = _numbered(text_column, count, "data.text_column")
    else:
        text = _text_guess(whole, label)
    return _checked(text, label, count)


def _label_guess(rows: Sequence[Sequence[str]]) -> int:
    """The column with the fewest different values."""
    different = [len({row[column] for row in rows}) for column in range(len(rows[0]))]
    return different.index(min(different))


def _text_guess(rows: Sequence[Sequence[str]], label: int | None) -> int:
    """The column with the most characters that is not the label's."""
    columns = [place for place in range(len(rows[0])) if place != label]
    return max(columns, key=lambda place: sum(len(row[place]) for row in rows))


def _numbered(column: int, count: int, option: str) -> int:
    if not 1 <= column <= count:
        raise InputError(f"{option} is {column}; the columns are 1 to {count}")
    return column - 1


def _checked(text: int | None, label: int | None, count: int) -> Columns:
    assert text is not None and label is not None
    if text == label:
        raise InputError(
            f"text and label would both be column {text + 1}: set data.text_column and "
            "data.label_column"
        )
    return Columns((text,), label, count)
