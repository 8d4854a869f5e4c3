"""Reads rows from files and pipes: of each the text, and what else there is.

A file is read as `fit` reads it: plain lines, JSON lines, or a table, whose other columns are kept.
What comes through a pipe is handed on as soon as it is there. Which file or pipe it is was decided
before (`texts.py`). Imports nothing that takes time.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from io import BufferedIOBase
from itertools import chain, islice
from typing import Any, NamedTuple, Protocol, cast

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError, counted, note
from rnnlp.data.formats.layout import ANNOTATED, DELIMITED, JSON_LINES, TABLES, Layout
from rnnlp.data.formats.text_files import stem
from rnnlp.data.translation.columns import FEATURES, features_key, with_features

STDIN = "<stdin>"  # its name, for errors
CHUNK = 1024  # texts that are worked on together
_TOKENS = "holds tokens and tags, not texts: evaluate scores it"
_HEAD = 100  # lines by which a file of tokens is recognised
_MOST_BYTES = 65536  # taken at once of what a pipe holds
_OBJECT = re.compile(r'\s*\{\s*(\}\s*$|"(\\.|[^"\\])*"\s*:)')  # the beginning of a JSON object


class Row(NamedTuple):
    """A text, and what else its row holds."""

    text: str
    others: dict[str, Any]
    key: str | None = "text"  # what the row calls the text; None where no single column holds it
    place: int = 0  # of the text among its columns
    vector: Any = None  # that its text is to be written from
    origin: tuple[str, int] = ("", 0)  # its file and line, where it has other columns

    @property
    def columns(self) -> dict[str, Any]:
        """All of the row, in its order."""
        columns = list(self.others.items())
        if self.key is not None:
            columns.insert(self.place, (self.key, self.text))
        return dict(columns)


def columns_beside(rows: Sequence[Row], settings: Any, notes: Notes) -> list[dict[str, Any]] | None:
    """The columns of some rows, for a model that reads any; None for others, and of mere texts.

    Args:
        rows: The rows.
        settings: Those of the model.
        notes: Takes the count of categories that training never saw.

    Raises:
        InputError: A row lacks one that the model reads, or has no number where it should.
    """
    known = getattr(settings, "columns", None)
    if not known or not all(row.others for row in rows):
        return None
    from rnnlp.data.classification.columns import check_rows

    columns = [row.columns for row in rows]
    check_rows(known, columns, (row.origin for row in rows), notes)
    return columns


def some_rows(rows: Iterator[Row], path: str) -> Iterator[Row]:
    """Passes rows on.

    Args:
        rows: The rows.
        path: What they are read from.

    Raises:
        InputError: There are none.
    """
    first = next(rows, None)
    if first is None:
        raise InputError("no texts in the file", path=path)
    yield first
    yield from rows


def in_chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Some rows at a time."""
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def file_rows(path: str, text_column: str | None, layout: Layout, said: set[str]) -> Iterator[Row]:
    """The rows of a file.

    Args:
        path: The file.
        text_column: What the user says of the column of the text.
        layout: How the training file was laid out.
        said: What was noted of files before it, and is not noted again.

    Raises:
        InputError: The file cannot be read, holds tokens, or its column of texts is not known.
    """
    from rnnlp.data.formats.text_files import read_lines
    from rnnlp.data.formats.workbooks import is_workbook
    from rnnlp.data.tagging.conll import holds_tags

    suffix = stem(path)[1]
    if suffix in ANNOTATED:
        raise InputError(_TOKENS, path=path)
    if suffix in DELIMITED or is_workbook(path):
        yield from _table(path, text_column, layout, said)
        return
    reader = Lines(path, text_column, layout, said, is_json=suffix in JSON_LINES or None)
    lines = read_lines(path)
    if holds_tags(head := list(islice(lines, _HEAD))):
        raise InputError(_TOKENS, path=path)
    for number, line in chain(head, lines):
        yield from reader.rows(number, line)
    yield from reader.held


def stdin_rows(reader: Reader) -> Iterator[list[Row]]:
    """The rows of stdin, as they arrive.

    Args:
        reader: Makes rows of lines.

    Raises:
        InputError: It is not UTF-8, its JSON has no texts, or what is there at once at the
            beginning are tokens and tags.
    """
    from rnnlp.data.formats.text_files import LONGEST_LINE
    from rnnlp.data.tagging.conll import holds_tags

    source = cast(BufferedIOBase, sys.stdin.buffer)
    number = size = 0
    parts: list[bytes] = []  # of a line whose end has not arrived
    while True:
        data = source.read1(_MOST_BYTES)
        first, *others = data.split(b"\n")
        parts.append(first)
        size += len(first)
        if size > LONGEST_LINE:
            raise InputError(
                f"a line of more than {LONGEST_LINE >> 20} MiB", path=STDIN, line=number + 1
            )
        lines: list[bytes] = []
        if others or not data:
            whole = b"".join(parts)
            lines = [whole, *others[:-1]] if data or whole else []
            parts, size = (others[-1:], len(others[-1])) if others else ([], 0)
        numbered: list[tuple[int, str]] = []
        for raw in lines:
            number += 1
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r")
            except UnicodeDecodeError as error:
                raise InputError(
                    f"is not UTF-8 text: {error.reason}", path=STDIN, line=number
                ) from error
            numbered.append((number, line))
        if numbered and numbered[0][0] == 1 and holds_tags(numbered[:_HEAD]):
            raise InputError(_TOKENS, path=STDIN)
        rows = [row for line in numbered for row in reader.rows(*line)]
        if not data:
            rows += reader.held
        if rows:
            yield rows
        if not data:
            return


class Reader(Protocol):
    """Makes rows of lines."""

    held: list[Row]  # that wait for a line after them

    def rows(self, number: int, line: str) -> list[Row]:
        """Those that a line makes."""


class Lines:
    """Lines to rows: the first line that is not blank tells whether they are JSON.

    Args:
        name: The file, for errors.
        text_column: What the user says of the key of the text.
        layout: How the training file was laid out.
        said: What was noted of files before it.
        is_json: Whether they are JSON, where the name of the file says so.
    """

    def __init__(
        self,
        name: str,
        text_column: str | None,
        layout: Layout,
        said: set[str],
        *,
        is_json: bool | None = None,
    ) -> None:
        self._name, self._said = name, said
        self._asked, self._trained = text_column, layout
        self._keys: list[str] = []
        self._features: str | None = None
        self._is_json = is_json
        self.held: list[Row] = []  # blank lines at the beginning, which are texts of plain files

    def rows(self, number: int, line: str) -> list[Row]:
        """The row of a line, and those that were held back; none of a blank line of JSON lines.

        Raises:
            InputError: It is not JSON where the first line was, or has no text.
        """
        blank = not line.strip()
        if self._is_json is None:
            if blank:
                self.held.append(Row(line, {}))
                return []
            self._is_json = _OBJECT.match(line) is not None
            held, self.held = self.held, []
            if not self._is_json:
                return [*held, Row(line, {})]
        if not self._is_json:
            return [Row(line, {})]
        return [] if blank else [self._json(number, line)]

    def _json(self, number: int, line: str) -> Row:
        from rnnlp.data.formats.jsonl import json_object

        try:
            row = json_object(line)
            if not self._keys:
                self._keys = self._keys_of(row)
                trained = self._trained.columns.get(FEATURES)
                if trained is not None:  # a number counts columns, not keys
                    named = trained if isinstance(trained, str) else FEATURES
                    self._features = features_key(list(row), named, taken=self._keys)
            for key in self._keys:
                if not isinstance(text := row.get(key), str):
                    raise InputError(f"{key!r} is {text!r:.60}, not a text")
        except InputError as error:
            raise InputError(error.message, path=self._name, line=number) from error
        return _row_of(row, self._keys, self._features, (self._name, number))

    def _keys_of(self, row: dict[str, Any]) -> list[str]:
        from rnnlp.data.formats.columns import TEXT_NAMES, columns_in

        if self._asked is not None:
            keys = list(map(str, columns_in(self._asked, row)))
            if odd := [key for key in keys if key not in row]:
                raise InputError(f"no key {odd[0]!r} among {', '.join(row) or 'none'}")
            return keys
        trained = self._trained.columns.get("text", self._trained.columns.get("source"))
        for column in (trained, *TEXT_NAMES):
            keys = list(map(str, columns_in(column, row)))
            if isinstance(column, str) and all(key in row for key in keys):
                if keys != ["text"]:
                    what = f"the text is {' and '.join(map(repr, keys))}"
                    _note_new(self._name, what, self._said)
                return keys
        raise InputError(f"no text among the keys {', '.join(row) or 'none'}: set --text_column")


def _note_new(name: str, what: str, said: set[str]) -> None:
    if what not in said:
        said.add(what)
        note(f"{name}: {what}")


def _table(path: str, text_column: str | None, layout: Layout, said: set[str]) -> Iterator[Row]:
    from rnnlp.data.formats.columns import cell_text, columns_in, text_columns_of
    from rnnlp.data.formats.delimited import delimited_rows
    from rnnlp.data.formats.workbooks import PARQUET, is_workbook, typed_rows

    def remark(what: str) -> None:
        _note_new(path, what, said)

    book = is_workbook(path)
    rows: Iterator[tuple[int, list[Any]]]
    is_parquet = stem(path)[1] == PARQUET
    rows = typed_rows(path) if book else delimited_rows(path, layout, Notes(), remark)
    if book and not is_parquet:
        rows = (one for one in rows if one[1])  # blank rows of a sheet are none of the table
    number, header_row = next(rows, (1, [""]))
    names = list(map(cell_text, header_row))
    trained = layout if layout.format in TABLES else Layout()
    asked = text_column or trained.columns.get("text", trained.columns.get("source"))
    named = text_column is not None and not text_column.replace(",", "").isdecimal()
    marks = layout.columns.get(FEATURES)
    titled = marks is not None and FEATURES in (name.strip().casefold() for name in names)
    header = trained.header is not False or named or is_parquet or titled
    try:
        if header:
            places = text_columns_of(names, asked)
        else:  # trained on a table without a header: so is this one
            places = [int(part or 1) - 1 for part in columns_in(asked, ())]
            names = [str(n) for n in range(1, len(names) + 1)]
            if max(places) >= len(names):
                raise InputError(
                    f"{counted(len(names), 'column')}, and the text would be in column "
                    f"{max(places) + 1}: set --text_column"
                )
            rows = chain([(number, header_row)], rows)
    except InputError as error:
        raise InputError(error.message, path=path, line=number) from error
    names = _apart(names, path, said)
    keys = [names[place] for place in places]
    what = f"a table {'with' if header else 'without'} a header"
    features = None if marks is None else features_key(names, marks, taken=keys)
    beside = f", its features in {features}" if features in names else ""
    _note_new(path, f"{what}, the text in {' and '.join(keys)}{beside}", said)
    for number, row in rows:
        if is_parquet and not row:  # a row all the same
            row = [None] * len(names)
        if len(row) != len(names):
            raise InputError(
                f"{counted(len(row), 'column')} where the first line has {len(names)}",
                path=path,
                line=number,
            )
        yield _row_of(dict(zip(names, row, strict=True)), keys, features, (path, number))


def _apart(names: Sequence[str], path: str, said: set[str]) -> list[str]:
    """Names of columns of which no two are the same, so that none is lost."""
    different: list[str] = []
    for name in names:
        number, other = 1, name
        while other in different or (other != name and other in names):
            number += 1
            other = f"{name or 'column'}_{number}"
        if other != name:
            _note_new(path, f"another column {name!r} is called {other!r}", said)
        different.append(other)
    return different


def _row_of(
    row: dict[str, Any], keys: Sequence[str], features: str | None, origin: tuple[str, int]
) -> Row:
    """A row, whose text stands under a key, or parts of it under several.

    Args:
        row: Its values by name.
        keys: Those of the text.
        features: That of features, of a model that reads them; None of others.
        origin: Its file and line.

    Raises:
        InputError: The model reads features, and there are none.
    """
    from rnnlp.data.formats.columns import cell_text, joined

    text = joined([cell_text(row[key]) for key in keys])
    if features is not None and "\t" not in text:  # else they stand there, as predict writes them
        if features not in row or features in keys:
            path, line = origin
            raise InputError(
                f"no features beside the text among {', '.join(row)}, and the model reads them: "
                f"call their column {features!r}",
                path=path,
                line=line,
            )
        marks = row[features]
        named = list(map(cell_text, marks)) if isinstance(marks, list) else cell_text(marks)
        return Row(with_features(text, named), row, None, origin=origin)
    if len(keys) > 1:
        return Row(text, row, None, origin=origin)
    others = {name: value for name, value in row.items() if name != keys[0]}
    return Row(text, others, keys[0], list(row).index(keys[0]), origin=origin)
