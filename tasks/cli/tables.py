"""Answers as a table: the columns of the input, and those of the answer after them.

The suffix of `predict --output` chooses it: .csv, .tsv, .xlsx or .parquet. What is no single value,
such as entities, stands in its column as JSON. In a workbook no text is a formula.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from rnnlp.data.errors import InputError, note
from rnnlp.data.formats.layout import DELIMITED, PREDICTED
from rnnlp.data.formats.text_files import stem
from rnnlp.data.formats.workbooks import EXCEL, PARQUET
from rnnlp.tasks.model_folder.files import as_json

from .rows import Row

SUFFIXES = (*DELIMITED, EXCEL, PARQUET)
_EXCEL_ROWS, _EXCEL_CELL = 1 << 20, 32_767  # rows of a sheet, characters of a cell


class Answers:
    """Takes answers in; as a context, whose end is the end of what is written."""

    def __enter__(self) -> Answers:
        """Begins to take answers in."""
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Writes the end, but for what failed: nobody will find that."""
        if kind is None:
            self.close()
        else:
            self.give_up()

    def add(self, answered: Sequence[tuple[Row, Mapping[str, Any]]]) -> None:
        """Adds rows of the input with their answers."""
        raise NotImplementedError

    def close(self) -> None:
        """Writes the end."""
        raise NotImplementedError

    def give_up(self) -> None:
        """Lets go of what is not finished."""


class AnswerTable(Answers):
    """Writes a table, some rows at a time.

    Args:
        out: The file.
        path: Its name; the suffix says how it is written.

    Raises:
        InputError: It is packed by its own format, and its name ends in .gz.
    """

    def __init__(self, out: TextIO, path: str) -> None:
        self._out, self._path = out, path
        self._suffix = stem(path)[1]
        if self._suffix in (EXCEL, PARQUET) and Path(path).suffix.lower() != self._suffix:
            raise InputError("is packed already: drop .gz from its name", path=path)
        self._names: dict[str, str] = {}  # of the answer's columns, by its keys
        self._columns: list[str] = []
        self._csv = csv.writer(out, delimiter="\t" if self._suffix == ".tsv" else ",")
        self._parquet: Any = None
        self._held: list[Any] = []  # tables of rows that wait for the kind of a column
        self._sheet: Any = _sheet(path) if self._suffix == EXCEL else None
        self._rows = 0  # of the sheet

    def add(self, answered: Sequence[tuple[Row, Mapping[str, Any]]]) -> None:
        """Adds rows of the input with their answers.

        Raises:
            InputError: A row has other columns than the first one, or what the format cannot hold.
        """
        rows = [(row.columns, answer) for row, answer in answered]
        if not self._columns and rows:
            self._begin(*rows[0])
        cells = [self._row(source, answer) for source, answer in rows]
        if self._suffix == PARQUET:
            self._add_parquet(cells)
            return
        for row in cells:
            self._write([row[name] for name in self._columns])

    def close(self) -> None:
        """Writes the end."""
        if self._suffix == PARQUET:
            if self._parquet is None:  # of no answers at all, or with columns of nothing
                self._add_parquet([], last=True)
            self._parquet.close()
        if self._sheet is not None:
            self._sheet.parent.save(self._out.buffer)

    def give_up(self) -> None:
        """Closes what would try to write its end later, when the file is closed."""
        if self._parquet is not None:
            self._parquet.close()

    def _write(self, values: list[Any]) -> None:
        if self._sheet is None:
            self._csv.writerow(values)
            return
        from openpyxl.utils.exceptions import IllegalCharacterError

        self._rows += 1
        problem = f"more than {_EXCEL_ROWS:,} rows" if self._rows > _EXCEL_ROWS else ""
        for column, value in enumerate(values, start=1):
            if isinstance(value, str) and len(value) > _EXCEL_CELL:
                problem = f"a text of more than {_EXCEL_CELL:,} characters"
            try:
                cell = self._sheet.cell(self._rows, column, value)
            except (IllegalCharacterError, TypeError, ValueError):
                problem = "a text with control characters, or a value of no kind that it knows"
            if problem:
                raise InputError(
                    f"row {self._rows}: {problem}, which Excel cannot hold: write .csv",
                    path=self._path,
                )
            if isinstance(value, str):
                cell.data_type = "s"  # also where it begins with "="

    def _begin(self, source: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        for key in answer:
            if key != "text":
                name = key
                while name in source:
                    name = PREDICTED + name
                self._names[key] = name
        self._columns = [*source, *self._names.values()]
        renamed = [f"{key} in {name}" for key, name in self._names.items() if name != key]
        if renamed:
            note(f"{self._path}: columns of the input stay, so the answers' {', '.join(renamed)}")
        if self._suffix != PARQUET:
            self._write(self._columns)

    def _row(self, source: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
        own = {name: answer.get(key) for key, name in self._names.items()}
        row = {**source, **own}
        if set(row) != set(self._columns):
            odd = sorted(set(row) ^ set(self._columns))
            raise InputError(
                f"a row has other columns than the first one ({', '.join(odd)[:100]}), which a "
                "table cannot hold: write .jsonl",
                path=self._path,
            )
        flat = (dict, list, tuple)
        cells = {
            name: as_json(v, cells=True) if isinstance(v, flat) else v for name, v in row.items()
        }
        if self._suffix == ".tsv" and any(set("\t\r\n") & set(str(v)) for v in cells.values()):
            raise InputError(
                "a text has a tab or a line break, which TSV cannot hold: write .csv",
                path=self._path,
            )
        return cells

    def _add_parquet(self, cells: list[dict[str, Any]], *, last: bool = False) -> None:
        """Writes rows, once each column has had a value that says of which kind it is."""
        import pyarrow
        from pyarrow import parquet

        try:
            schema = None if self._parquet is None else self._parquet.schema
            self._held.append(pyarrow.Table.from_pylist(cells, schema=schema))
            table = pyarrow.concat_tables(self._held, promote_options="permissive")
        except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError) as error:
            raise InputError(
                f"a column has values of several kinds ({str(error)[:100]}): write .csv",
                path=self._path,
            ) from error
        if self._parquet is None:
            if not last and any(map(pyarrow.types.is_null, table.schema.types)):
                return
            self._parquet = parquet.ParquetWriter(self._out.buffer, table.schema)
        self._parquet.write_table(table)
        self._held.clear()


def _sheet(path: str) -> Any:
    try:
        from openpyxl import Workbook
    except ImportError as error:
        raise InputError(
            "Excel is written by openpyxl: pip install 'rnnlp[excel]'", path=path
        ) from error
    return Workbook().active
