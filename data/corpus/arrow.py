"""Examples on disk: written as Arrow in one streaming pass, then mapped and not loaded.

Memory does not grow with the corpus. What an example holds, and what its length is, is the business
of each task.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import datasets
import numpy as np
import pyarrow as pa

from rnnlp.data.corpus.report import Notes

CHUNK = 1000  # examples that are in memory at once


class Corpus(NamedTuple):
    """A split on disk."""

    name: str
    rows: datasets.Dataset
    lengths: np.ndarray  # [examples] int32, in whatever batches are measured in

    @property
    def place(self) -> str:
        """The column that says where in its file an example stands."""
        return "line" if "line" in self.rows.column_names else "index"

    def select(self, rows: np.ndarray) -> Corpus:
        """The examples with these numbers."""
        return Corpus(self.name, self.rows.select(rows), self.lengths[rows])

    def digest(self) -> str:
        """Identifies the examples and their order."""
        digest = hashlib.sha256()
        for chunk in self.rows.with_format("arrow").iter(batch_size=CHUNK):
            for batch in chunk.combine_chunks().to_batches():
                digest.update(batch.serialize())
        return digest.hexdigest()

    def column(self, name: str) -> Column:
        """One column, to be gone through as often as needed."""
        return Column(self.rows.select_columns([name]), name)


class Column:
    """The values of one column, a chunk of them in memory at a time."""

    def __init__(self, rows: datasets.Dataset, name: str) -> None:
        self._rows = rows
        self._name = name

    def __iter__(self) -> Iterator[Any]:
        for chunk in self._rows.iter(batch_size=CHUNK):
            yield from chunk[self._name]


def _tokens(row: Mapping[str, Any]) -> int:
    return len(row["tokens"])


def write(
    rows: Iterable[Mapping[str, Any]],
    path: Path,
    *,
    columns: Mapping[str, pa.DataType],
    name: str,
    notes: Notes | None = None,
    length: Callable[[Mapping[str, Any]], int] = _tokens,
) -> Corpus:
    """Writes examples into an Arrow file and maps it.

    Args:
        rows: The examples; what is not among the columns is left out.
        path: The file to write.
        columns: Names and types.
        name: Where the examples come from, for errors.
        notes: Has the counts of what was left out of them.
        length: Gives the length of an example, by default the length of its column `tokens`.

    Raises:
        InputError: Where there are no examples.
    """
    schema = pa.schema(list(columns.items()))
    notes = Notes() if notes is None else notes
    before = notes.counts()
    lengths: list[np.ndarray] = []
    examples = iter(rows)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, schema) as writer:
        while chunk := list(islice(examples, CHUNK)):
            content = {column: [row[column] for row in chunk] for column in columns}
            writer.write_batch(pa.RecordBatch.from_pydict(content, schema=schema))
            lengths.append(np.array([length(row) for row in chunk], dtype=np.int32))
    if not lengths:
        raise notes.nothing_left("examples", path=name, before=before)
    return Corpus(name, datasets.Dataset.from_file(str(path)), np.concatenate(lengths))
