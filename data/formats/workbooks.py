"""Tables that are no text: Excel workbooks (.xlsx, by openpyxl) and Parquet (by pyarrow).

Their rows as values, or as lines of CSV for whoever reads tables from text. Of a workbook the first
sheet counts, and of formulas the values that were last computed.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from zipfile import BadZipFile

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError, note_once

from .columns import cell_text
from .text_files import read_lines, stem

EXCEL, PARQUET = ".xlsx", ".parquet"
_CHUNK = 1024  # rows of Parquet that are in memory at once


def is_workbook(path: str | os.PathLike[str]) -> bool:
    """Whether a file is one of these, by its name."""
    return stem(path)[1] in (EXCEL, PARQUET)


def table_lines(
    path: str | os.PathLike[str], *, rows: Notes | None = None
) -> Iterator[tuple[int, str]]:
    """Numbered lines as `read_lines` yields them, of these files as CSV with commas."""
    if not is_workbook(path):
        yield from read_lines(path, rows=rows)
        return
    for number, row in typed_rows(path):  # a blank one is a blank line
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(map(cell_text, row))
        yield number, line.getvalue()


def typed_rows(path: str | os.PathLike[str]) -> Iterator[tuple[int, list[Any]]]:
    """Yields the rows with their numbers, the header first; one without a value is empty.

    Args:
        path: A file whose name ends in `.xlsx` or `.parquet`.

    Raises:
        InputError: It cannot be read, or what reads it is not installed.
    """
    if not os.path.isfile(path):
        raise InputError("no such file; check the path", path=path)
    rows = _sheet(path) if stem(path)[1] == EXCEL else _parquet(path)
    width = 0
    for number, row in enumerate(rows, start=1):
        while row and row[-1] is None:
            row.pop()
        width = width or len(row)
        if len(row) > width:
            raise InputError(
                f"a value in column {len(row)}, and the first row ends in column {width}: give "
                "that column a name there, or clear it",
                path=path,
                line=number,
            )
        yield number, row + [None] * (width - len(row)) * bool(row)
    if not width:
        raise InputError("no rows in the file", path=path)


def table_objects(path: str | os.PathLike[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows below the header as dictionaries, with their numbers; see `typed_rows`."""
    rows = typed_rows(path)
    _, names = next(rows)
    yield from ((number, dict(zip(names, row, strict=True))) for number, row in rows if row)


def _sheet(path: str | os.PathLike[str]) -> Iterator[list[Any]]:
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise InputError(
            "Excel is read by openpyxl: pip install 'rnnlp[excel]'", path=path
        ) from error
    with open(path, "rb") as file:
        try:
            book = load_workbook(file, read_only=True, data_only=True)
            names = book.sheetnames
            if len(names) > 1:
                note_once(f"{os.fspath(path)}: the first of {len(names)} sheets, {names[0]}")
            for row in book.worksheets[0].iter_rows(values_only=True):
                yield list(row)
        # A broken workbook ends in whatever its parser meets first.
        except (BadZipFile, KeyError, ValueError, OSError, SyntaxError, IndexError) as error:
            raise InputError(
                f"no workbook that can be read ({str(error)[:100]}); save it as .xlsx or .csv anew",
                path=path,
            ) from error


def check_parquet(path: str | os.PathLike[str]) -> None:
    """Looks at the end of a Parquet file, which says what is in it.

    Raises:
        InputError: It is damaged, or pyarrow is not installed.
    """
    next(_parquet(path))


def _parquet(path: str | os.PathLike[str]) -> Iterator[list[Any]]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise InputError("parquet is read by pyarrow: pip install pyarrow", path=path) from error
    try:
        file = parquet.ParquetFile(path)
        names = file.schema_arrow.names
        labels = _label_names(file.schema_arrow.metadata or {})
        yield list(names)
        for batch in file.iter_batches(_CHUNK):
            columns = batch.to_pydict()
            for name in labels.keys() & columns.keys():
                columns[name] = [_named(value, labels[name]) for value in columns[name]]
            yield from map(list, zip(*columns.values(), strict=True))
    except (OSError, ArrowException) as error:
        raise InputError(f"cannot be read: {str(error)[:200]}", path=path) from error


def _label_names(metadata: Mapping[bytes, bytes]) -> dict[str, list[str]]:
    """The names that numbers stand for, by column, as `datasets` writes them into its Parquet."""
    names: dict[str, list[str]] = {}
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        for column, kind in features.items():
            kind = kind[0] if isinstance(kind, list) else kind.get("feature", kind)  # of a list
            if isinstance(kind, dict) and kind.get("_type") == "ClassLabel":
                names[column] = list(map(str, kind["names"]))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return {}  # nothing that `datasets` wrote
    return names


def _named(value: Any, names: Sequence[str]) -> Any:
    if isinstance(value, list):
        return [_named(one, names) for one in value]
    is_label = isinstance(value, int) and 0 <= value < len(names)
    return names[value] if is_label else None  # -1 is no label
