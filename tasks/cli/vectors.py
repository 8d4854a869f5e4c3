"""The vectors that texts are written from: in a file, or through a pipe on stdin.

JSON lines or parquet, as `fit` reads them. A row may have a prompt, too, where --text_column says
so: the text that stands beside a vector in training is what is to be written.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import starmap
from typing import Any

from rnnlp.data.errors import InputError, note

from .rows import STDIN, Row, in_chunks, stdin_rows
from .shards import shards
from .texts import check_stdin


def reads_vectors(args: argparse.Namespace, pipeline: Any) -> bool:
    """Whether vectors come from a file or from stdin.

    Raises:
        InputError: The model takes none, or they come from elsewhere, too.
    """
    takes = getattr(pipeline.settings, "vector_column", None) is not None
    if args.vector_column is not None and not takes:
        raise InputError(
            "was trained without vectors: --vector_column is not for it", path=args.model
        )
    if takes and args.texts and args.vectors is None:
        raise InputError(
            "writes from vectors: give them with --vectors, or --input FILE", path=args.model
        )
    if takes and args.vectors is not None and args.input:
        raise InputError("vectors come from --vectors or from --input: leave out one of them")
    return takes and args.vectors is None


def vector_rows(args: argparse.Namespace, settings: Any) -> Iterator[list[Row]]:
    """The vectors of a file or of stdin, some at a time.

    Args:
        args: What was parsed.
        settings: What the model was trained with: name and width of the vectors.

    Raises:
        InputError: A file that cannot be read, or a row without such a vector; `file:row`.
    """
    from rnnlp.data.corpus.report import Notes
    from rnnlp.data.formats.jsonl import json_objects
    from rnnlp.data.formats.workbooks import is_workbook, table_objects

    name = args.vector_column or settings.vector_column
    reader = partial(_Objects, vector=name, size=settings.vector_size, text=args.text_column)
    if args.input is None:
        check_stdin("predict")
        if sys.stdin.isatty():
            raise InputError("nothing to predict: give --vectors, --input FILE, or a pipe on stdin")
        yield from stdin_rows(reader(STDIN))
        return
    note(f"{args.input}: each text is written from {name!r}, which answers leave out")
    for path in shards(args.input):
        rows = table_objects(path) if is_workbook(path) else json_objects(path, Notes())
        yield from in_chunks(starmap(reader(path).row, rows))


class _Objects:
    """JSON lines to rows.

    Args:
        path: The file, for errors.
        vector: The key of vectors.
        size: Their width.
        text: The key of prompts; None for none.
    """

    def __init__(self, path: str, vector: str, size: int, text: str | None) -> None:
        self._path = path
        self._vector, self._size, self._text = vector, size, text
        self.held: list[Row] = []

    def rows(self, number: int, line: str) -> list[Row]:
        """The row of a line; none of a blank one."""
        from rnnlp.data.formats.jsonl import json_object

        if not line.strip():
            return []
        try:
            values = json_object(line)
        except InputError as error:
            raise InputError(error.message, path=self._path, line=number) from error
        return [self.row(number, values)]

    def row(self, number: int, values: Mapping[str, Any]) -> Row:
        """The row of an object.

        Raises:
            InputError: It has no such vector or prompt.
        """
        from rnnlp.data.generation.vectors import vector_in

        try:
            vector = vector_in(values, self._vector, size=self._size)
            others = {key: value for key, value in values.items() if key != self._vector}
            if self._text is None:
                return Row("", others, key=None, vector=vector)
            place = list(others).index(self._text) if self._text in others else 0
            if not isinstance(text := others.pop(self._text, None), str):
                raise InputError(f"{self._text!r} is {text!r:.60}, not a text")
            return Row(text, others, self._text, place, vector)
        except InputError as error:
            raise InputError(error.message, path=self._path, line=number) from error
