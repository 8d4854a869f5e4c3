"""Reads texts for a generator from any file format that the house accepts.

Plain text with one example a line or between blank lines, tunes in ABC notation, JSON lines, and
tables with a header; recognised from name and content. A folder stands for the files in it. Reading
is one streaming pass, so memory does not grow with the files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.formats.columns import is_missing
from rnnlp.data.formats.delimited import is_quoted
from rnnlp.data.formats.jsonl import accepted, json_object, json_objects
from rnnlp.data.formats.layout import DELIMITED, JSON_LINES, Layout
from rnnlp.data.formats.own import READERS, check_format, own_lines
from rnnlp.data.formats.text_files import read_lines, stem
from rnnlp.data.formats.workbooks import is_workbook

from .tables import table_format, text_table
from .vectors import vector_in


class TextExample(NamedTuple):
    """A text for a generator.

    Args:
        text: The text; never blank.
        labels: The label of each field that was asked for; None where the text has none.
        line: The line of the file that it begins at, or its row of a table, counted from 1.
        vector: What it is to be written from; None where that is not asked for.
    """

    text: str
    labels: dict[str, str | None]
    line: int
    vector: np.ndarray | None = None


class Wanted(NamedTuple):
    """What is read of each object or row, under which keys.

    Args:
        text: The text.
        labels: Its labels.
        vector: The vector that it is written from; None for none.
        vector_size: Components of that; None for those of the first row.
        strict: Refuse rows without one of the labels.
    """

    text: str = "text"
    labels: Sequence[str] = ()
    vector: str | None = None
    vector_size: int | None = None
    strict: bool = True


FORMATS = ("auto", "text", "abc", "jsonl", "table")
SEPARATORS = ("auto", "line", "blank")
TUNE_FIELDS = ("M", "K")  # metre and key: what tunes are labelled with unless told otherwise
TEXT = "text"  # key of the text unless told otherwise
_HEAD = 1000  # lines that format and separator are recognised from
_LONGEST = 20  # lines of texts that blank lines part, on average; a rarer blank line is a stray one
_UNKNOWN = Layout()
_FIELD = re.compile(r"([A-Za-z+]):(.*)")
_CONTINUED = "+"  # the field that goes on with the one before


def read_texts(
    path: str | os.PathLike[str],
    *,
    format: str = "auto",
    separator: str = "auto",
    text_column: str | None = None,
    labels: Sequence[str] | None = None,
    vector_column: str | None = None,
    vector_size: int | None = None,
    strict: bool = True,
    layout: Layout = _UNKNOWN,
    notes: Notes | None = None,
) -> Iterator[TextExample]:
    """Yields the texts of a file, or of the files of a folder in the order of their names.

    Args:
        path: The file or folder; a file is packed with gzip where its name ends in `.gz`.
        format: One of `FORMATS`; "auto" recognises it.
        separator: What parts the examples of plain text: the end of a "line", or "blank" lines;
            "auto" is as in the training file, and where that is not known blank lines if there are
            enough of them.
        text_column: JSON key of the text, or its column of a table; None for that of the training
            file, or else `text`, in a table also another usual name.
        labels: What each text is labelled with: fields of the header of a tune, keys of a JSON
            object. None takes what the format gives: metre and key of tunes, nothing elsewhere.
        vector_column: Key or column of the vector that each text is written from; None for none.
        vector_size: Components of a vector; None for as many as the first one has.
        strict: Refuse data that cannot have those labels; otherwise its texts have none.
        layout: How the training file was laid out.
        notes: Takes account of what is left out.

    Raises:
        InputError: A file is missing or cannot be read, a line is malformed, or labels are asked
            for that the format cannot give.
    """
    check_format(format, FORMATS)
    if separator not in SEPARATORS:
        raise InputError(f"unknown separator {separator!r}; choose one of {', '.join(SEPARATORS)}")
    notes = Notes() if notes is None else notes
    empty = True
    for file in _files(path):
        key = text_column or str(layout.columns.get("text", TEXT))
        kind = _recognise(file, key) if format == "auto" else format
        own = own_lines(file, kind) if kind in READERS else None
        if vector_column is not None and kind in ("abc", "text"):
            raise InputError(
                f"a file of {kind} has no vectors such as {vector_column!r}: give JSON lines or "
                "parquet, or leave out data.vector_column",
                path=file,
            )
        if text_column not in (None, TEXT) and kind in ("abc", "text"):
            raise InputError(
                f"a file of {kind} has no columns such as {text_column!r}: give a table or JSON "
                "lines, or leave out data.text_column",
                path=file,
            )
        examples: Iterator[TextExample]
        if kind == "abc":
            examples = _tunes(file, TUNE_FIELDS if labels is None else labels, strict, notes)
        elif kind in ("jsonl", "table") or own is not None:
            kept = table_format(file) if kind == "table" else "jsonl"
            asked, _ = layout.asked(kept, {"text": text_column}, path=file, notes=notes)
            column = None if asked["text"] is None else str(asked["text"])
            rows: Iterator[tuple[int, Mapping[str, Any]]]
            if kind == "table":
                column, rows = text_table(file, column, layout, notes)
            else:
                rows = json_objects(file, notes, lines=own)
            wanted = Wanted(column or TEXT, labels or (), vector_column, vector_size, strict)
            examples = _examples(rows, file, wanted, notes)
        else:
            parted = layout.separator if separator == "auto" else separator
            if not parted:
                parted, some = _separator_of([file])
                if some:
                    notes.add(f"{file}: {Layout(separator=parted).told(file)}")
            examples = _plain(file, parted, labels or (), strict, notes)
        for example in examples:
            empty = False
            if example.vector is not None:
                vector_size = len(example.vector)  # those of the next file are as long
            yield example
    if empty:
        raise InputError("no texts in it", path=path)


def text_layout(
    path: str | os.PathLike[str], *, format: str, separator: str, text_column: str | None
) -> Layout:
    """How a training file is laid out; of a folder the first file, and what parts plain texts.

    Args:
        path: The file or folder.
        format: As in `read_texts`.
        separator: As in `read_texts`.
        text_column: As in `read_texts`.

    Raises:
        InputError: It cannot be read, or the column of the text cannot be told.
    """
    check_format(format, FORMATS)
    files = _files(path)
    key = text_column or TEXT
    kinds = [_recognise(file, key) if format == "auto" else format for file in files]
    if separator == "auto":
        plain = [file for file, kind in zip(files, kinds, strict=True) if kind == "text"]
        separator = _separator_of(plain)[0]
    parted = separator if "text" in kinds else ""
    if kinds[0] in ("text", "abc"):
        return Layout(format=kinds[0], separator=parted)
    if kinds[0] != "table":
        return Layout(format="jsonl", columns={"text": key}, separator=parted)
    skipped = Notes(skip_bad_rows=True)  # reading will tell
    column, _ = text_table(files[0], text_column, _UNKNOWN, skipped)
    kept, quoted = table_format(files[0]), False
    if kept == "tsv":
        head = islice(read_lines(files[0], rows=skipped), _HEAD)
        quoted = is_quoted(line for _, line in head)
    columns = {"text": column}
    return Layout(format=kept, columns=columns, header=True, quoted=quoted, separator=parted)


def labels_of(
    row: Mapping[str, Any], fields: Sequence[str], *, strict: bool = True
) -> dict[str, str | None]:
    """The labels of one object, where null says that there is none.

    Args:
        row: The object.
        fields: The keys of its labels.
        strict: Refuse an object without one of them.

    Raises:
        InputError: A key is missing, or its value is neither a text nor a number.
    """
    named: dict[str, str | None] = {}
    for field in fields:
        if strict and field not in row:
            raise InputError(
                f"no key {field!r} among {', '.join(map(str, row)) or 'none'}: set data.labels"
            )
        value = row.get(field)
        if isinstance(value, bool) or not isinstance(value, str | int | float | None):
            raise InputError(f"{field!r} is {value!r}: a label is a text or a number")
        named[field] = None if is_missing(value) else str(value)
    return named


def _files(path: str | os.PathLike[str]) -> list[str]:
    if not os.path.isdir(path):
        return [os.fspath(path)]
    files = sorted(
        str(file)
        for file in Path(path).iterdir()
        if file.is_file() and not file.name.startswith(".")
    )
    if not files:
        raise InputError("the folder holds no files", path=path)
    return files


def _recognise(path: str, text_column: str) -> str:
    suffix = stem(path)[1]
    if suffix in JSON_LINES:
        return "jsonl"
    if is_workbook(path) or suffix in DELIMITED:
        return "table"
    if suffix == ".abc":
        return "abc"
    first = next((line for _, line in islice(read_lines(path), _HEAD) if line.strip()), "")
    if re.match(r"X:\s*\d", first):
        return "abc"
    if first.lstrip().startswith("{"):
        try:
            return "jsonl" if text_column in json_object(first) else "text"
        except InputError:
            return "text"
    return "text"


def _separator_of(files: Sequence[str]) -> tuple[str, bool]:
    """What parts the texts of plain files, by their first lines, and whether that was a choice."""
    skipped = Notes(skip_bad_rows=True)  # reading will tell
    lines = chain.from_iterable(read_lines(file, rows=skipped) for file in files)
    filled = [bool(line.strip()) for _, line in islice(lines, _HEAD)]
    inner = filled[filled.index(True) :] if True in filled else []
    gaps = sum(not a and b for a, b in pairwise(inner))
    return "blank" if gaps and sum(filled) <= _LONGEST * (gaps + 1) else "line", gaps > 0


def _records(path: str) -> Iterator[tuple[list[str], int]]:
    """Lines between blank lines, and the number of the first."""
    record: list[str] = []
    begin = 0
    for number, line in read_lines(path):
        if line.strip():
            begin = begin if record else number
            record.append(line)
        elif record:
            yield record, begin
            record = []
    if record:
        yield record, begin


def _plain(
    path: str, separator: str, labels: Sequence[str], strict: bool, notes: Notes
) -> Iterator[TextExample]:
    if labels and strict:
        raise InputError(
            f"plain text has no labels such as {labels[0]!r}: set data.labels to [], or give JSON "
            "lines",
            path=path,
        )
    if separator == "line":
        for number, line in read_lines(path, rows=notes):
            if line.strip():
                yield TextExample(line, dict.fromkeys(labels), number)
        return
    for lines, number in _records(path):
        yield TextExample("\n".join(lines), dict.fromkeys(labels), number)


def _tunes(path: str, fields: Sequence[str], strict: bool, notes: Notes) -> Iterator[TextExample]:
    for field in fields:
        if strict and not re.fullmatch("[A-Za-z]", field):
            raise InputError(
                f"no field {field!r} in a tune: data.labels takes letters such as M (metre) and K "
                "(key)",
                path=path,
            )
    for lines, number in _records(path):
        starts = [at for at, line in enumerate(lines) if line.startswith("X:")]
        if not starts or starts[0]:
            notes.count("pieces of text outside of tunes, left out", f"{path}:{number}")
        for start, end in pairwise([*starts, len(lines)]):
            tune = lines[start:end]
            header = header_fields(tune)
            own = {field: header.get(field) for field in fields}
            yield TextExample("\n".join(tune), own, number + start)


def header_fields(tune: Sequence[str]) -> dict[str, str]:
    """The fields that stand before the music; of several the last, since it holds for the music.

    A header ends with its key (K). What stands before that and is no field is the rest of a title
    or the like.
    """
    fields: dict[str, str] = {}
    unfinished = any(line.startswith("K:") for line in tune)
    name = ""
    for line in tune:
        if line.startswith("%"):
            continue
        field = _FIELD.match(line)
        if field is None:
            if unfinished:
                continue
            break
        value = field[2].split("%")[0].strip()
        if field[1] == _CONTINUED:
            value = f"{fields.get(name, '')} {value}"
        else:
            name = field[1]
        fields[name] = value
        unfinished &= name != "K"
    return {name: value for name, value in fields.items() if value}


def _examples(
    rows: Iterator[tuple[int, Mapping[str, Any]]], path: str, wanted: Wanted, notes: Notes
) -> Iterator[TextExample]:
    """The texts of objects."""
    for number, row in rows:
        if "answer" not in (wanted.text, *wanted.labels) and not accepted(
            row, f"{path}:{number}", notes
        ):
            continue
        try:
            text = row.get(wanted.text)
            if not isinstance(text, str) or not text.strip():
                raise InputError(
                    f"{wanted.text!r} is {text!r}: every object needs a text; set data.text_column "
                    "to its key"
                )
            labels = labels_of(row, wanted.labels, strict=wanted.strict)
            vector = None
            if wanted.vector is not None:
                vector = vector_in(row, wanted.vector, size=wanted.vector_size)
                wanted = wanted._replace(vector_size=len(vector))
        except InputError as error:
            notes.bad(InputError(error.message, path=path, line=number))
            continue
        yield TextExample(text, labels, number, vector)
