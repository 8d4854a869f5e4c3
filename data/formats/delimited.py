"""Reads CSV and TSV, and finds the column of the text and that of the label.

CSV is read with its quoting. TSV has none, a quotation mark there is a mark, unless its first rows
are as spreadsheets write them, with marks around columns and doubled ones inside. Columns are named
by the header, or by number where there is none; without being told, they are guessed from usual
names, and in a file without a header from the values.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError

from .layout import Layout

TEXT_NAMES = (
    "text", "sentence", "review", "content", "comment", "question", "text_a", "body", "document",
    "tweet", "phrase", "message", "description", "title", "utterance", "input",
)  # fmt: skip
LABEL_NAMES = (
    "label", "labels", "sentiment", "class", "category", "target", "topic", "polarity", "intent",
    "emotion", "tag", "rating", "stars", "coarse_label", "label_text", "y",
)  # fmt: skip

_TAB_INSIDE = "a text cannot hold a tab in TSV"
_HEAD = 2000  # rows that columns are guessed from
_FIELD = r'(?:"(?:[^"]|"")*"|(?!")[^\t]*)'  # of a TSV with quotation marks
_FIELDS = re.compile(rf"(?:^|\t)({_FIELD})")
_LINE = re.compile(rf"{_FIELD}(?:\t{_FIELD})*")
_LARGEST_FIELD = 20_000_000  # characters; more is a quotation mark that never closes


class Columns(NamedTuple):
    """Where text and label stand, counted from 0, and the number of columns."""

    text: int
    label: int
    width: int


def delimiter_of(line: str) -> str | None:
    """What parts the columns of a header with a usual name, or None if this is no such header."""
    for delimiter in ("\t", ",", ";"):
        names = split_row(line, delimiter)
        if len(names) > 1 and _is_header(names):
            return delimiter
    return None


def csv_delimiter(line: str) -> str:
    """What parts the columns of CSV, by its first line: as a usual header says, or the commoner."""
    return delimiter_of(line) or max(",;", key=line.count)


def is_quoted(lines: Iterable[str]) -> bool:
    """Whether a TSV has quotation marks around its columns, as spreadsheets write them.

    Then every mark that begins a column is closed at its end, and either a whole column is so, or
    marks inside are doubled.

    Args:
        lines: Its first lines.
    """
    filled = [line for line in lines if line.strip()]
    if not all(map(_LINE.fullmatch, filled)):
        return False
    rows = [_FIELDS.findall(line) for line in filled]
    opened = [field for row in rows for field in row if field.startswith('"')]
    below = rows[1:]  # the first may be a header
    columns = min(map(len, below), default=0)
    whole = any(all(row[place][:1] == '"' for row in below) for place in range(columns))
    return (whole and len(below) > 1) or any('""' in field[1:-1] for field in opened)


def read_table(
    lines: Iterable[tuple[int, str]],
    *,
    path: str,
    delimiter: str,
    quoted: bool,
    text_column: str | int | None,
    label_column: str | int | None,
    group_column: str | int | None = None,
    header: bool | None = None,
    notes: Notes,
) -> Iterator[tuple[int, str, str, str | None]]:
    """Yields line number, text, label and group of each row.

    Args:
        lines: Numbered lines.
        path: The file's name, for errors.
        delimiter: What parts the columns.
        quoted: Whether columns may stand in quotation marks.
        text_column: Name or number (from 1) of the text's column; None guesses.
        label_column: Name or number of the label's column; None guesses.
        group_column: Name or number of a column of groups; None for no groups.
        header: Whether the first row names the columns; None guesses.
        notes: Takes bad rows.

    Raises:
        InputError: A column is not there or cannot be guessed, a row has another number of columns
            than the first one, or its quoting is broken.
    """
    rows = table_rows(lines, path=path, delimiter=delimiter, quoted=quoted, notes=notes)
    head = list(islice(rows, _HEAD))
    columns, has_header = _decide(head, path, text_column, label_column, header)
    group: int | None = None
    if group_column is not None:
        names = [name.strip() for name in head[0][1]] if has_header else []
        group = _group(group_column, names, columns.width, path)
    for number, row in chain(head[1:] if has_header else head, rows):
        if len(row) != columns.width:
            notes.bad(
                InputError(
                    f"{len(row)} columns where the first line has {columns.width}; "
                    + ("check the quoting" if quoted else _TAB_INSIDE),
                    path=path,
                    line=number,
                )
            )
            continue
        found = None if group is None else row[group].strip() or None
        yield number, row[columns.text], row[columns.label].strip(), found


def table_rows(
    lines: Iterable[tuple[int, str]], *, path: str, delimiter: str, quoted: bool, notes: Notes
) -> Iterator[tuple[int, list[str]]]:
    """The rows of a table, each with the number of its first line; blank ones are left out.

    Args:
        lines: Numbered lines.
        path: The file's name, for errors.
        delimiter: What parts the columns.
        quoted: Whether columns may stand in quotation marks.
        notes: Takes rows whose quoting is broken.
    """
    return _csv_rows(lines, path, delimiter, notes) if quoted else _plain_rows(lines, delimiter)


def table_layout(
    lines: Iterable[tuple[int, str]],
    *,
    path: str,
    format: str,
    delimiter: str,
    quoted: bool,
    text_column: str | int | None,
    label_column: str | int | None,
) -> Layout:
    """What `read_table` would decide of a file, from its first rows.

    Args:
        lines: Its lines.
        path: Its name, for errors.
        format: Its format.
        delimiter: What parts the columns.
        quoted: Whether columns may stand in quotation marks.
        text_column: What is said of the text's column.
        label_column: What is said of the label's column.
    """
    skipped = Notes(skip_bad_rows=True)  # reading will tell
    rows = table_rows(lines, path=path, delimiter=delimiter, quoted=quoted, notes=skipped)
    head = list(islice(rows, _HEAD))
    columns, has_header = _decide(head, path, text_column, label_column, None)
    names = [name.strip() for name in head[0][1]]

    def named(place: int) -> str | int:
        return names[place] if has_header and names.count(names[place]) == 1 else place + 1

    return Layout(
        format=format,
        columns={"text": named(columns.text), "label": named(columns.label)},
        header=has_header,
        quoted=quoted and format == "tsv",
    )


def text_column_of(names: Sequence[str], asked: str | int | None) -> int:
    """The column of the text of a table with a header, counted from 0.

    Args:
        names: The header.
        asked: Name or number of the column; None looks for a usual name.

    Raises:
        InputError: There is no such column.
    """
    names = [name.strip() for name in names]
    asked = _numbered_or_named(asked, names)
    if isinstance(asked, int):
        return _numbered(asked, len(names), "text_column")
    lower = [name.lower() for name in names]
    wanted = [asked.lower()] if asked is not None else TEXT_NAMES
    place = next((lower.index(name) for name in wanted if name in lower), None)
    if place is None and len(names) > 1:
        what = f"no column {asked!r}" if asked is not None else "which column holds the text"
        raise InputError(f"{what} among {', '.join(names)}: set --text_column")
    return place or 0


def _decide(
    head: Sequence[tuple[int, list[str]]],
    path: str,
    text_column: str | int | None,
    label_column: str | int | None,
    header: bool | None,
) -> tuple[Columns, bool]:
    """Where text and label stand, and whether the first row is a header."""
    if not head:
        raise InputError("no rows in the file", path=path)
    first = [field.strip() for field in head[0][1]]
    text_column, label_column = (_numbered_or_named(c, first) for c in (text_column, label_column))
    named = [name for name in (text_column, label_column) if isinstance(name, str)]
    usual = _is_header(first) and not _recurs(head)
    has_header = bool(named) or usual
    if not has_header:
        has_header = _looks_like_header(head) if header is None else header
    try:
        if named or usual:
            return _from_header(first, text_column, label_column), True
        columns = _from_values([row for _, row in head], text_column, label_column)
    except InputError as error:
        raise InputError(error.message, path=path, line=head[0][0]) from error
    return columns, has_header


def _group(column: str | int, names: Sequence[str], width: int, path: str) -> int:
    """The column of groups, counted from 0."""
    column = _numbered_or_named(column, names) or 0
    try:
        if isinstance(column, int):
            return _numbered(column, width, "group_column")
        if column not in names:
            raise InputError(
                f"no column {column!r} among {', '.join(names)}: set data.group_column"
            )
    except InputError as error:
        raise InputError(error.message, path=path) from error
    return names.index(column)


def split_row(line: str, delimiter: str) -> list[str]:
    """The columns of one line; none where its quoting is broken."""
    if delimiter == "\t":
        return line.split("\t")
    try:
        return next(csv.reader(io.StringIO(line), delimiter=delimiter), [])
    except csv.Error:
        return []


def _plain_rows(
    lines: Iterable[tuple[int, str]], delimiter: str
) -> Iterator[tuple[int, list[str]]]:
    for number, line in lines:
        if line.strip():
            yield number, line.split(delimiter)


def _csv_rows(
    lines: Iterable[tuple[int, str]], path: str, delimiter: str, notes: Notes
) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(
        (line.replace("\r", " ") + "\n" for _, line in lines), delimiter=delimiter, strict=True
    )
    while True:
        start = reader.line_num + 1
        before = csv.field_size_limit(_LARGEST_FIELD)  # a setting of the whole program
        try:
            row = next(reader, None)
        except csv.Error as error:
            notes.bad(
                InputError(
                    f"is not CSV: {error}; double the quotation marks inside a quoted text",
                    path=path,
                    line=start,
                )
            )
            continue
        finally:
            csv.field_size_limit(before)
        if row is None:
            return
        if row:
            yield start, row


def _is_header(fields: Sequence[str]) -> bool:
    return any(field.strip().lower() in (*TEXT_NAMES, *LABEL_NAMES) for field in fields)


def _recurs(head: Sequence[tuple[int, Sequence[str]]]) -> bool:
    """Whether a usual name of the first row stands below as well: then it is a value."""
    first, rest = head[0][1], [row for _, row in head[1:]]
    return any(
        len(row) > place and row[place].strip() == name.strip()
        for place, name in enumerate(first)
        if _is_header([name])
        for row in rest
    )


def _numbered_or_named(column: str | int | None, names: Sequence[str]) -> str | int | None:
    """A column as it is meant: the command line gives numbers as texts."""
    if isinstance(column, str) and column.isdecimal() and column not in names:
        return int(column)
    return column


def _looks_like_header(head: Sequence[tuple[int, Sequence[str]]]) -> bool:
    """Whether the first row is of another kind: short in every column, its label never again."""
    first, rest = head[0][1], [row for _, row in head[1:] if len(row) == len(head[0][1])]
    if len(rest) < 10 or any(len(field.split()) != 1 for field in first):
        return False
    label = _label_guess(rest)
    values = [row[label] for row in rest]
    return first[label] not in values and len(set(values)) * 4 < len(values)


def _from_header(
    names: list[str], text_column: str | int | None, label_column: str | int | None
) -> Columns:
    shown = ", ".join(names)
    found: list[int | None] = []
    for column, usual, option in (
        (text_column, TEXT_NAMES, "text_column"),
        (label_column, LABEL_NAMES, "label_column"),
    ):
        if column is None:
            lower = [name.lower() for name in names]
            found.append(next((lower.index(name) for name in usual if name in lower), None))
        elif isinstance(column, int):
            found.append(_numbered(column, len(names), option))
        elif column in names:
            found.append(names.index(column))
        else:
            raise InputError(f"no column {column!r} among {shown}: set data.{option}")
    text, label = found
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
        label = _numbered(label_column, count, "label_column")
    if isinstance(text_column, int):
        text = _numbered(text_column, count, "text_column")
    else:
        sizes = [sum(len(row[c]) for row in whole) if c != label else -1 for c in range(count)]
        text = sizes.index(max(sizes))
    return _checked(text, label, count)


def _label_guess(rows: Sequence[Sequence[str]]) -> int:
    """The column with the fewest different values."""
    different = [len({row[column] for row in rows}) for column in range(len(rows[0]))]
    return different.index(min(different))


def _numbered(column: int, count: int, option: str) -> int:
    if not 1 <= column <= count:
        raise InputError(f"data.{option} is {column}; the columns are 1 to {count}")
    return column - 1


def _checked(text: int | None, label: int | None, count: int) -> Columns:
    assert text is not None and label is not None
    if text == label:
        raise InputError(
            f"text and label would both be column {text + 1}: set data.text_column and "
            "data.label_column"
        )
    return Columns(text, label, count)
