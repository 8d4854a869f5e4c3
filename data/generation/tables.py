"""Tables of texts for a generator: CSV, TSV, Excel and parquet, with a header."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError, counted
from rnnlp.data.formats.columns import TEXT_NAMES, cell_text, placed
from rnnlp.data.formats.delimited import delimited_rows
from rnnlp.data.formats.layout import Layout
from rnnlp.data.formats.text_files import stem
from rnnlp.data.formats.workbooks import is_workbook, typed_rows


def table_format(path: str) -> str:
    """What its layout calls the format of a table; workbooks are as CSV is."""
    return "tsv" if stem(path)[1] == ".tsv" else "csv"


def text_table(
    path: str, text_column: str | None, layout: Layout, notes: Notes
) -> tuple[str, Iterator[tuple[int, dict[str, Any]]]]:
    """The column of the text, and the rows below the header by its names, with their numbers.

    Args:
        path: The table.
        text_column: Name or number of the column; None looks for a usual name.
        layout: How the training file was laid out.
        notes: Takes rows that cannot be read.

    Raises:
        InputError: There is no such column.
    """

    def remark(what: str) -> None:
        notes.add(f"{path}: {what}")

    rows: Iterator[tuple[int, list[Any]]]
    book = is_workbook(path)
    rows = typed_rows(path) if book else delimited_rows(path, layout, notes, remark)
    number, header = next(rows, (1, []))
    if not header:
        raise InputError("no texts in it", path=path)
    names = [cell_text(name).strip() for name in header]
    usual = (name for wanted in TEXT_NAMES for name in names if name.lower() == wanted)
    if text_column is not None:
        column = names[placed(text_column, names, len(names), "text_column", path)]
    elif (column := next(usual, "")) == "":
        raise InputError(
            f"which column holds the text among {', '.join(names)}: set data.text_column; a table "
            "has a header, and what is none is read with data.format text",
            path=path,
            line=number,
        )
    return column, _objects(rows, names, path, notes)


def _objects(
    rows: Iterable[tuple[int, list[Any]]], names: Sequence[str], path: str, notes: Notes
) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, row in rows:
        if not row:  # blank, of a workbook
            continue
        if len(row) != len(names):
            problem = f"{counted(len(row), 'column')} where the first line has {len(names)}"
            notes.bad(InputError(problem, path=path, line=number))
            continue
        # An empty cell of text says that there is none, as null does.
        yield number, {n: None if v == "" else v for n, v in zip(names, row, strict=True)}
