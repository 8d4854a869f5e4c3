"""Further columns beside a text, categories and numbers: what they are, and as numbers for a model.

A column whose training values are all numbers is one of numbers, brought to mean 0 and deviation 1;
any other has categories. An empty value is missing, and so is NaN among numbers. Annotations are
real types, since configs are read by them.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.formats.columns import as_known, as_value
from rnnlp.data.formats.layout import Layout

OTHER = 0  # id of categories that training never saw, and of none


@dataclass(frozen=True, kw_only=True)
class FurtherColumn:
    """A column beside the text.

    Args:
        name: Its name, or key.
        categories: What training has in it, in the order of their ids from 1; null for numbers.
        mean: Of the numbers of training.
        deviation: Their standard deviation.
    """

    name: str
    categories: list[str] | None = field(default=None)
    mean: float = 0.0
    deviation: float = 1.0

    def number(self, value: Any) -> float:
        """The id of a category, or the number to be read; NaN where there is none.

        Raises:
            InputError: It is no number, in a column of numbers, or nothing that JSON has.
        """
        try:
            text = as_value(_plain(value))
        except TypeError as error:
            raise InputError(f"{self.name} is {value!r:.60}: give a text or a number") from error
        if self.categories is not None:
            return self._ids.get(as_known(text, self._ids), OTHER)
        if not text:
            return math.nan
        if (number := _number(text)) is None:
            raise InputError(f"{self.name} is {text!r:.60}; in training it is a number")
        return (number - self.mean) / self.deviation

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.categories or (), start=1)}


def learn_columns(names: Sequence[str], rows: Iterable[Sequence[str]]) -> list[FurtherColumn]:
    """What each column holds.

    Args:
        names: Of the columns.
        rows: The training values, in this order.

    Raises:
        InputError: A column is empty.
    """
    values: list[dict[str, int]] = [{} for _ in names]
    for row in rows:
        for counts, value in zip(values, row, strict=True):
            counts[value] = counts.get(value, 0) + 1
    columns = []
    for name, counts in zip(names, values, strict=True):
        counts.pop("", None)
        if all(map(_is_nan, counts)):
            raise InputError(f"data.feature_columns names {name}, which is empty in all of train")
        read = {value: _number(value) for value in counts}
        if None in read.values():
            columns.append(FurtherColumn(name=name, categories=sorted(counts)))
            continue
        numbers = [(n, counts[v]) for v, n in read.items() if n is not None and not math.isnan(n)]
        total = sum(count for _, count in numbers)
        mean = sum(number * count for number, count in numbers) / total
        square = sum((number - mean) ** 2 * count for number, count in numbers) / total
        deviation = math.sqrt(square) or 1.0
        columns.append(FurtherColumn(name=name, mean=mean, deviation=deviation))
    return columns


def check_names(names: Sequence[str], layout: Layout) -> None:
    """Refuses columns that are no further ones.

    Args:
        names: Of the columns.
        layout: Where text and label stand.

    Raises:
        InputError: One is named twice, or is that of the text or of the label.
    """
    taken: dict[str, str] = {}
    for role, column in layout.columns.items():
        for name in {str(column), *str(column).split(",")}:  # texts of several are joined
            taken[name.strip()] = f"is the column of the {role}"
    for name in names:
        if name in taken:
            raise InputError(
                f"data.feature_columns names {name}, which {taken[name]}: leave it out"
            )
        taken[name] = "is named already"


def rows_of(columns: Any, names: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """The rows of columns that come as Python objects, each looked at once.

    Args:
        columns: A dictionary for each row, one of lists by name, one of a single row, or a table
            (pandas, polars, Arrow).
        names: Of the columns that are read.

    Raises:
        InputError: It is none of these, or the columns of a table are not there or not as long.
    """
    table = getattr(columns, "column_names", getattr(columns, "columns", None))
    if isinstance(columns, Mapping):
        if not all(map(_is_list, columns.values())):
            yield columns
            return
        table = columns
    if table is not None:
        _check_present(names, table)
        lists = {name: list(columns[name]) for name in names}
        if len({len(values) for values in lists.values()}) > 1:
            sizes = ", ".join(f"{len(values):,} of {name}" for name, values in lists.items())
            raise InputError(f"columns has {sizes}: give as many of each")
        for row in zip(*lists.values(), strict=True):
            yield dict(zip(names, row, strict=True))
        return
    if not _is_list(columns):
        raise InputError(f"columns is {columns!r:.60}: give a dictionary for each text, or a table")
    for number, row in enumerate(columns):
        if not isinstance(row, Mapping):
            raise InputError(
                f"columns[{number}] is {row!r:.60}: give a dictionary of values by name"
            )
        yield row


def _is_list(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)


def row_numbers(columns: Sequence[FurtherColumn], row: Mapping[str, Any]) -> list[float]:
    """What a model reads of a row beside its text.

    Raises:
        InputError: A column is missing, or holds no number where it should.
    """
    _check_present([column.name for column in columns], row)
    return [column.number(row[column.name]) for column in columns]


def _check_present(names: Sequence[str], there: Any) -> None:
    if missing := [name for name in names if name not in there]:
        raise InputError(
            f"no {missing[0]} beside the text: the model also reads {', '.join(names)}"
        )


def check_rows(
    columns: Sequence[FurtherColumn],
    rows: Iterable[Mapping[str, Any]],
    places: Iterable[tuple[str, int]],
    notes: Notes,
    *,
    what: str = "texts",
) -> None:
    """Refuses rows that a model cannot read, by their places.

    Args:
        columns: What the model reads beside a text.
        rows: The rows.
        places: The file and line of each.
        notes: Takes the count of categories that training never saw.
        what: What the rows are, for the notes.

    Raises:
        InputError: A column is missing, or holds no number where it should.
    """
    for row, (path, line) in zip(rows, places, strict=True):
        try:
            for column, number in zip(columns, row_numbers(columns, row), strict=True):
                unseen = column.categories is not None and number == OTHER
                notes.count(
                    f"{what} with a {column.name} that training never saw, read as without one",
                    f"{path}:{line}",
                    unseen and bool(as_value(row[column.name])),
                )
        except InputError as error:
            raise InputError(error.message, path=path, line=line) from error


def check_values(
    columns: Sequence[FurtherColumn],
    values: Iterable[Sequence[str]],
    places: Iterable[tuple[str, int]],
    notes: Notes,
    *,
    what: str = "texts",
) -> None:
    """The same of rows of which only the values of these columns are known, in their order.

    Args:
        columns: What the model reads beside a text.
        values: Of each row.
        places: The file and line of each.
        notes: Takes the count of categories that training never saw.
        what: What the rows are, for the notes.

    Raises:
        InputError: As `check_rows`.
    """
    names = [column.name for column in columns]
    rows = (dict(zip(names, row, strict=True)) for row in values)
    check_rows(columns, rows, places, notes, what=what)


def _plain(value: Any) -> Any:
    """A scalar of numpy or Arrow as a value of Python; what pandas calls missing as None."""
    if isinstance(value, np.generic):
        return value.item()
    if type(value).__name__ == "NAType":
        return None
    return value.as_py() if hasattr(value, "as_py") else value


def _number(text: str) -> float | None:
    """A number, or NaN for a missing one; None where a text is neither."""
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isinf(number) else number


def _is_nan(text: str) -> bool:
    return (number := _number(text)) is not None and math.isnan(number)
