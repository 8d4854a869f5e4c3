"""Tables of tokens, one a row, as JSON lines for the reader of those.

Spreadsheets and Kaggle's corpora are such: `Sentence #,Word,POS,Tag`. A column that numbers the
sentences tells where each begins, also where only the first row of a sentence fills it; without one
blank rows part sentences. So does a column that names the document, in each of which the numbers
may begin anew. What holds a sentence a row instead (Parquet of the hub has lists of
tokens and tags) is handed on as it is. Columns are named by the first row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError, counted
from rnnlp.data.formats.delimited import csv_delimiter, table_rows
from rnnlp.data.formats.jsonl import json_value
from rnnlp.data.formats.layout import Layout
from rnnlp.data.formats.workbooks import is_workbook, table_lines

TABLE = "table"  # the format's name
_TOKENS = ("token", "tokens", "word", "words", "form", "character", "char", "text")
_TAGS = ("tag", "tags", "ner_tag", "ner_tags", "ner", "label", "labels", "entity", "iob", "bio",
         "pos", "upos")  # fmt: skip
_SENTENCES = ("sentence #", "sentence", "sentence_id", "sentence id", "sentence_number", "sent_id",
              "sent", "sentence_idx", "sentence_no", "sid")  # fmt: skip
_DOCUMENTS = ("doc", "doc_id", "document", "document_id", "doc #", "document #", "file", "filename",
              "file_name")  # fmt: skip
_JSON = re.compile(r"\s*(\[.+\]|\{.+\})\s*", re.DOTALL)  # a list; a bracket alone is a token
_LONGEST = 5_000  # tokens of a sentence in whose place a missing column is likelier


class _Table(NamedTuple):
    names: list[str]
    columns: dict[str, int]  # of the token and the tag, from 1; none where rows are sentences
    sentence: int | None  # index of the column that numbers the sentences
    document: int | None  # likewise of that which names the document
    rows: Iterator[tuple[int, list[str]]]


def names_tokens(path: str) -> bool:
    """Whether a table says by its header that it holds tokens with tags."""
    try:
        table = _open(path, None, None, Notes(skip_bad_rows=True))
    except InputError:  # other columns, or a fault that its reader will tell
        return False
    if not table.columns:
        return "tokens" in table.names
    return table.sentence is not None or table.names[table.columns["token"] - 1].lower() != "text"


def table_layout(path: str, *, token_column: int | None, tag_column: int | None) -> Layout:
    """Where a table has tokens and tags.

    Args:
        path: The file.
        token_column: Number of the token's column, from 1; None finds it by its name.
        tag_column: Likewise of the tag's.

    Raises:
        InputError: There is no such column, or no row.
    """
    table = _open(path, token_column, tag_column, Notes(skip_bad_rows=True))  # reading will tell
    return Layout(format=TABLE, columns=dict(table.columns), header=True)


def table_sentences(
    path: str, *, token_column: int | None, tag_column: int | None, notes: Notes
) -> Iterator[tuple[int, str]]:
    """The sentences of a table as numbered JSON lines: the number is that of their first row.

    Args:
        path: The file: CSV, Excel or Parquet.
        token_column: Number of the token's column, from 1; None finds it by its name.
        tag_column: Likewise of the tag's.
        notes: Takes what parts the sentences, and bad rows, whose sentences are left out.

    Raises:
        InputError: There is no such column, a row has another number of cells than the first, or
            nothing parts the sentences.
    """
    table = _open(path, token_column, tag_column, notes)
    if not table.columns:
        yield from _objects(table, path, notes)
        return
    by = ["blank rows" if table.sentence is None else table.names[table.sentence]]
    by += [] if table.document is None else [table.names[table.document]]
    notes.add(f"{path}: a token a row, parted into sentences by {' and '.join(by)}")
    for begin, tokens, tags in _sentences(table, path, notes):
        yield begin, json.dumps({"tokens": tokens, "tags": tags}, ensure_ascii=False)


def _open(path: str, token_column: int | None, tag_column: int | None, notes: Notes) -> _Table:
    lines = table_lines(path)
    head = list(islice(lines, 1))
    delimiter = "," if is_workbook(path) or not head else csv_delimiter(head[0][1])
    rows = table_rows(chain(head, lines), path=path, delimiter=delimiter, quoted=True, notes=notes)
    number, names = next(rows, (1, []))
    names = [cell.strip() for cell in names]
    first = next(rows, None)
    if first is None:
        raise InputError("no rows below the header", path=path)
    rows = chain([first], rows)
    if any(map(_JSON.fullmatch, first[1])):
        return _Table(names, {}, None, None, rows)
    try:
        columns = {
            "token": _column(names, token_column, _TOKENS, "token"),
            "tag": _column(names, tag_column, _TAGS, "tag"),
        }
    except InputError as error:
        raise InputError(error.message, path=path, line=number) from error
    sentence, document = (
        next((place for place, name in enumerate(names) if name.lower() in usual), None)
        for usual in (_SENTENCES, _DOCUMENTS)
    )
    return _Table(names, columns, sentence, document, rows)


def _column(names: Sequence[str], column: int | None, usual: Sequence[str], role: str) -> int:
    if column is not None:
        if not 1 <= column <= len(names):
            raise InputError(
                f"{counted(len(names), 'column')}, no column {column}: set data.{role}_column"
            )
        return column
    lower = [name.lower() for name in names]
    place = next((lower.index(name) for name in usual if name in lower), None)
    if place is None:
        raise InputError(
            f"which column holds the {role} of each token among {', '.join(names)}: set "
            f"data.{role}_column to its number, or give CoNLL columns or JSON lines"
        )
    return place + 1


def _sentences(
    table: _Table, path: str, notes: Notes
) -> Iterator[tuple[int, list[str], list[str]]]:
    """First row, tokens and tags of each sentence; one with a bad row is none."""
    token, tag = table.columns["token"] - 1, table.columns["tag"] - 1
    begin, tokens, tags = 0, list[str](), list[str]()
    parting = [place for place in (table.document, table.sentence) if place is not None]
    current = dict.fromkeys(parting, "")
    whole, fitted, after = True, True, 0
    for number, cells in table.rows:
        row = [cell.strip() for cell in cells]
        blank, fits = not any(row), len(row) == len(table.names)
        new = False
        if fits:
            new = table.sentence is None and (blank or number > after)  # blank lines are no rows
            begun = {place: row[place] for place in parting if row[place]}
            new |= any(current[place] != name for place, name in begun.items())
            current |= begun
        after = number + 1 + sum(cell.count("\n") for cell in cells)
        if new:
            if tokens and whole:
                yield begin, tokens, tags
            # A row of other columns may have been the first of this sentence.
            tokens, tags, whole = [], [], not parting or fitted
        fitted = fits
        problem = "" if blank else _problem(row, token, tag, len(table.names))
        if len(tokens) == _LONGEST:
            problem = (
                f"a sentence of more than {_LONGEST:,} tokens: part sentences by a blank row, or "
                "number them in a column sentence_id"
            )
        if problem:
            notes.bad(InputError(problem, path=path, line=number))
            whole = False
        elif not blank:
            begin = begin if tokens else number
            tokens.append(row[token])
            tags.append(row[tag])
    if tokens and whole:
        yield begin, tokens, tags


def _problem(row: Sequence[str], token: int, tag: int, width: int) -> str:
    """What is wrong with a row; "" for nothing."""
    if len(row) != width:
        return f"{counted(len(row), 'column')} where the first line has {width}"
    if not (row[token] and row[tag]):
        return f"a token {row[token]!r} with the tag {row[tag]!r}: every row has both"
    if len(row[token].split()) > 1:
        return (
            f"{row[token]!r:.60} is no token, it has a blank: here is one a row; texts with a "
            "label each are for a classifier (--config sentiment)"
        )
    return ""


def _objects(table: _Table, path: str, notes: Notes) -> Iterator[tuple[int, str]]:
    """Rows whose cells hold JSON, such as lists of tokens, as an object each."""
    for number, row in table.rows:
        try:
            values = [json_value(cell) if _JSON.fullmatch(cell) else cell for cell in row]
            row_object = dict(zip(table.names, values, strict=True))
        except ValueError as error:
            reason = f"other cells than the header has, or a list that is not JSON: {error}"
            notes.bad(InputError(reason, path=path, line=number))
            continue
        yield number, json.dumps(row_object, ensure_ascii=False)
