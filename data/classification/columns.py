"""Further columns beside a text, categories and numbers: what they are, and as numbers for a model.

A column whose training values are all numbers is one of numbers, brought to mean 0 and deviation 1;
any other has categories. An empty value is missing, and so is NaN among numbers. Annotations are
real types, since configs are read by them.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rnnlp.data.errors import InputError
from rnnlp.data.formats.columns import as_value
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
            InputError: It is no number, in a column of numbers.
        """
        text = as_value(value)
        if self.categories is not None:
            return self._ids.get(text, OTHER)
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


def row_numbers(columns: Sequence[FurtherColumn], row: Mapping[str, Any]) -> list[float]:
    """What a model reads of a row beside its text.

    Raises:
        InputError: A column is missing, or holds no number where it should.
    """
    missing = [column.name for column in columns if column.name not in row]
    if missing:
        raise InputError(
            f"no {missing[0]} beside the text: the model also reads "
            f"{', '.join(column.name for column in columns)}"
        )
    return [column.number(row[column.name]) for column in columns]


def check_rows(
    columns: Sequence[FurtherColumn],
    rows: Iterable[Mapping[str, Any]],
    places: Iterable[tuple[str, int]],
) -> None:
    """Refuses rows that a model cannot read, by their places.

    Args:
        columns: What the model reads beside a text.
        rows: The rows.
        places: The file and line of each.

    Raises:
        InputError: A column is missing, or holds no number where it should.
    """
    for row, (path, line) in zip(rows, places, strict=True):
        try:
            row_numbers(columns, row)
        except InputError as error:
            raise InputError(error.message, path=path, line=line) from error


def check_values(
    columns: Sequence[FurtherColumn],
    values: Iterable[Sequence[str]],
    places: Iterable[tuple[str, int]],
) -> None:
    """The same of rows of which only the values of these columns are known, in their order.

    Args:
        columns: What the model reads beside a text.
        values: Of each row.
        places: The file and line of each.

    Raises:
        InputError: As `check_rows`.
    """
    names = [column.name for column in columns]
    check_rows(columns, (dict(zip(names, row, strict=True)) for row in values), places)


def _number(text: str) -> float | None:
    """A number, or NaN for a missing one; None where a text is neither."""
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isinf(number) else number


def _is_nan(text: str) -> bool:
    return (number := _number(text)) is not None and math.isnan(number)
