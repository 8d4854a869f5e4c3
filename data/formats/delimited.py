"""Reads CSV and TSV: the text and the label of each row.

CSV is read with its quoting. TSV has none, a quotation mark there is a mark, unless its first rows
are as spreadsheets write them, with marks around columns and doubled ones inside.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError, counted

from .columns import decide, is_header, joined, placed
from .layout import PREDICTED, Layout
from .probabilities import SCORES
from .text_files import read_lines, stem
from .weights import WEIGHT, weight_of

_TAB_INSIDE = "a text cannot hold a tab or a line break in TSV without quoting: write CSV for that"
_HEAD = 2000  # rows that columns are guessed from
_FIELD = r'(?:"(?:[^"]|"")*"|(?!")[^\t]*)'  # of a TSV with quotation marks
_FIELDS = re.compile(rf"(?:^|\t)({_FIELD})")
_LINE = re.compile(rf"{_FIELD}(?:\t{_FIELD})*")
_LARGEST_FIELD = 20_000_000  # characters; more is a quotation mark that never closes


def delimiter_of(line: str) -> str | None:
    """What parts the columns of a header with a usual name, or None if this is no such header."""
    for delimiter in ("\t", ",", ";"):
        names = split_row(line, delimiter)
        if len(names) > 1 and is_header(names):
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
    whole, doubled = _marks(lines)
    return whole or doubled


def quoted_as_trained(lines: Iterable[str], trained: bool) -> tuple[bool, str]:
    """Whether a TSV beside the training file has quotation marks around columns, and a note on it.

    As the training file has, but where marks doubled inside leave no doubt that they are quoting.
    """
    whole, doubled = _marks(lines)
    if trained or not (whole or doubled):
        return trained, ""
    if doubled:
        return True, "has quotation marks around columns, unlike the training data: taken off"
    return False, (
        "quotation marks around columns are read as text, as in the training data; where they are "
        "not, save it without them"
    )


def _marks(lines: Iterable[str]) -> tuple[bool, bool]:
    """Whether quotation marks stand around whole columns, and whether they are doubled inside."""
    filled = [line for line in lines if line.strip()]
    if not all(map(_LINE.fullmatch, filled)):
        return False, False
    rows = [_FIELDS.findall(line) for line in filled]
    opened = [field for row in rows for field in row if field.startswith('"')]
    below = rows[1:]  # the first may be a header
    columns = min(map(len, below), default=0)
    whole = any(all(row[place][:1] == '"' for row in below) for place in range(columns))
    return whole and len(below) > 1, any('""' in field[1:-1] for field in opened)


class TableRow(NamedTuple):
    """A row of a table of labelled texts."""

    line: int
    text: str
    label: str
    group: str | None
    weight: float
    features: list[str]
    scores: str = ""  # of the labels


def read_table(
    lines: Iterable[tuple[int, str]],
    *,
    path: str,
    delimiter: str,
    quoted: bool,
    text_column: str | int | None,
    label_column: str | int | None,
    group_column: str | int | None = None,
    weight_column: str | int | None = None,
    feature_columns: Sequence[str] = (),
    header: bool | None = None,
    notes: Notes,
) -> Iterator[TableRow]:
    """Yields each row.

    Args:
        lines: Numbered lines.
        path: The file's name, for errors.
        delimiter: What parts the columns.
        quoted: Whether columns may stand in quotation marks.
        text_column: Name or number (from 1) of the text's column, or several with commas, to be
            joined; None guesses.
        label_column: Name or number of the label's column; None guesses.
        group_column: Name or number of a column of groups; None for no groups.
        weight_column: Name or number of a column of weights; None for no weights.
        feature_columns: Names of columns whose values are given as well.
        header: Whether the first row names the columns; None guesses.
        notes: Takes bad rows.

    Raises:
        InputError: A column is not there or cannot be guessed, a row has another number of columns
            than the first one, or its quoting is broken.
    """
    rows = table_rows(lines, path=path, delimiter=delimiter, quoted=quoted, notes=notes)
    head = list(islice(rows, _HEAD))
    columns, has_header = decide(head, path, text_column, label_column, header)
    names = [name.strip() for name in head[0][1]] if has_header else []
    if weight_column == WEIGHT and WEIGHT not in names:
        weight_column = None
    group, weight = (
        None if column is None else placed(column, names, columns.width, option, path)
        for column, option in ((group_column, "group_column"), (weight_column, "weight_column"))
    )
    further = [
        placed(column, names, columns.width, "feature_columns", path) for column in feature_columns
    ]
    scores = _scores_beside(names, columns.label)
    for number, row in chain(head[1:] if has_header else head, rows):
        if len(row) != columns.width:
            notes.bad(
                InputError(
                    f"{counted(len(row), 'column')} where the first line has {columns.width}; "
                    + ("check the quoting" if quoted else _TAB_INSIDE),
                    path=path,
                    line=number,
                )
            )
            continue
        try:
            counts = 1.0 if weight is None else weight_of(row[weight].strip())
        except InputError as error:
            notes.bad(InputError(error.message, path=path, line=number))
            continue
        group_name = None if group is None else row[group].strip() or None
        text = joined([row[place] for place in columns.text])
        values = [row[place].strip() for place in further]
        said = "" if scores is None else row[scores]
        yield TableRow(number, text, row[columns.label].strip(), group_name, counts, values, said)


def _scores_beside(names: Sequence[str], label: int) -> int | None:
    """The column of the scores of a label, as predict writes it: after the label and its score.

    Elsewhere, as behind a label of the input that stands before the predicted one, it is another's.
    """
    for place in range(label + 1, len(names)):
        name = names[place]
        while name.startswith(PREDICTED):
            name = name.removeprefix(PREDICTED)
        if name in SCORES:
            return place
        if name != "score":
            break
    return None


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


def delimited_rows(
    path: str, layout: Layout, notes: Notes, remark: Callable[[str], None]
) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV or TSV by its name, as `table_rows` yields them.

    Args:
        path: The file.
        layout: How the training file was laid out.
        notes: Takes rows that cannot be read.
        remark: Is told where its quoting is unlike that of the training file.
    """
    lines = read_lines(path, rows=notes)
    head = list(islice(lines, _HEAD))
    first = next((line for _, line in head if line.strip()), "")
    delimiter, quoted = "\t", True
    if stem(path)[1] != ".tsv":
        delimiter = csv_delimiter(first)
    elif layout.format == "tsv":
        quoted, what = quoted_as_trained((line for _, line in head), layout.quoted)
        if what:
            remark(what)
    else:
        quoted = is_quoted(line for _, line in head)
    yield from table_rows(
        chain(head, lines), path=path, delimiter=delimiter, quoted=quoted, notes=notes
    )


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
    columns, has_header = decide(head, path, text_column, label_column, None)
    names = [name.strip() for name in head[0][1]]

    def named(place: int) -> str | int:
        return names[place] if has_header and names.count(names[place]) == 1 else place + 1

    texts = [named(place) for place in columns.text]
    return Layout(
        format=format,
        columns={
            "text": texts[0] if len(texts) == 1 else ",".join(map(str, texts)),
            "label": named(columns.label),
        },
        header=has_header,
        quoted=quoted and format == "tsv",
    )


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
        if line.strip() or delimiter in line:  # empty cells make a row
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
