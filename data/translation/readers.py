"""Reads pairs of a text and its translation from any file format that the house accepts.

Two files with a common prefix and the languages as suffixes (`train.en`, `train.de`), TSV with or
without a header, and JSON lines; recognised from name and content. Reading is one streaming pass,
so memory does not grow with the files. Splitting into tokens happens later.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError, counted
from rnnlp.data.formats.delimited import is_quoted, quoted_as_trained, table_rows
from rnnlp.data.formats.jsonl import accepted, json_objects
from rnnlp.data.formats.layout import JSON_LINES, Layout
from rnnlp.data.formats.own import READERS, check_format, own_lines
from rnnlp.data.formats.text_files import read_lines, stem

from .columns import (
    FEATURES,
    ROLES,
    keys_of,
    places_of,
    refuse_numbers,
    roles,
    same_column,
    texts_of,
    with_features,
)
from .parallel_files import line_pairs, prefix_of, two_files


class ParallelExample(NamedTuple):
    """A text and its translation.

    Args:
        source: The text to translate, without white space at its ends; never empty. Features that
            it comes with stand after a tab, parted by `;`.
        target: Its translation, likewise.
        line: The line of the file, or of both files, that the pair stands in, counted from 1.
        others: Further translations that are as right.
    """

    source: str
    target: str
    line: int
    others: tuple[str, ...] = ()

    @property
    def references(self) -> tuple[str, ...]:
        """All that are right."""
        return (self.target, *self.others)


FORMATS = ("auto", "pair", "tsv", "jsonl")
_UNKNOWN = Layout()
BLANK = "pairs with a blank side, left out"
_HEAD = 100  # lines that the format is recognised from


def read_parallel(
    path: str | os.PathLike[str],
    *,
    source: str,
    target: str,
    format: str = "auto",
    source_column: str | int | None = None,
    target_column: str | int | None = None,
    features_column: str | int | None = None,
    multi_reference: bool = False,
    layout: Layout = _UNKNOWN,
    notes: Notes,
) -> Iterator[ParallelExample]:
    """Yields the pairs of a file, or of two files.

    Args:
        path: The file; of two files, the common prefix or either name. Every file may be packed
            with gzip, its name then ends in `.gz`.
        source: Language to translate from: suffix of its file, name of its column, or JSON key.
        target: Language to translate into.
        format: One of `FORMATS`; "auto" recognises it.
        source_column: Column of the sources in TSV, by name or by number from 1, or JSON key, where
            that is not the name of the language; 1 in TSV without a header.
        target_column: Likewise for the targets; 2 in TSV without a header.
        features_column: Column of features that a source comes with, such as `V;PST`; parted by
            `;` or `|`, in JSON also a list.
        multi_reference: Whether a source may have several targets, for scoring: a list in JSON
            lines, or in TSV the columns that commas part in `target_column`. Blank ones do not
            count.
        layout: How the training file was laid out.
        notes: Takes the count of pairs that are left out since a side is blank.

    Raises:
        InputError: A file is missing or cannot be read, the two files have different numbers of
            lines, or a line is malformed.
    """
    check_format(format, FORMATS)
    if source == target:
        raise InputError(f"source and target are both {source!r}: name two languages")
    if source_column is not None and str(source_column) == str(target_column):
        raise same_column(source_column)
    name = os.fspath(path)
    if format == "auto":
        format = _recognise(name, source, target)
    own = own_lines(name, format) if format in READERS else None
    format = format if own is None else "jsonl"
    more: Sequence[str] = ()
    if multi_reference and format == "tsv" and isinstance(target_column, str):
        target_column, *more = target_column.split(",")
    asked, _ = layout.asked(
        format,
        {"source": source_column, "target": target_column, FEATURES: features_column},
        path=name,
        notes=notes,
    )
    source_column, target_column, features_column = (asked[role] for role in ROLES)
    if features_column is None and FEATURES in layout.columns:  # of another format: by their name
        trained = layout.columns[FEATURES]
        features_column = trained if isinstance(trained, str) else FEATURES
    files = (name, name)
    pairs: Iterable[tuple[int, str, Sequence[str]]]
    if features_column is not None and format == "pair":
        raise InputError("features stand in a column of TSV or JSON lines", path=name)
    names, columns = roles((source, target), (source_column, target_column), features_column)
    if format == "pair":
        files = two_files(name, (source, target))
        pairs = line_pairs(files)
    elif format == "tsv":
        pairs = _tab_separated(name, (*names, *more), (*columns, *more), len(more), layout, notes)
    else:
        rows = json_objects(name, notes, lines=own)
        pairs = _json(rows, name, keys_of(names, columns), multi_reference, notes)
    empty = True
    for line, left, rights in pairs:
        right, *others = [text.strip() for text in rights if text.strip()] or [""]
        pair = whole_pair(left, right, path=files[0], line=line, notes=notes)
        if pair is not None:
            empty = False
            yield pair._replace(others=tuple(others))
    if empty:
        raise InputError("no pairs in the file", path=name)


def parallel_layout(
    path: str | os.PathLike[str],
    *,
    source: str,
    target: str,
    format: str,
    source_column: str | int | None,
    target_column: str | int | None,
    features_column: str | int | None,
) -> Layout:
    """How a training file is laid out.

    Args:
        path: The file; of two files, the common prefix or either name.
        source: Language to translate from, as in `read_parallel`.
        target: Language to translate into.
        format: One of `FORMATS`; "auto" recognises it.
        source_column: As in `read_parallel`.
        target_column: As in `read_parallel`.
        features_column: As in `read_parallel`.

    Raises:
        InputError: The file cannot be read, or its columns cannot be told.
    """
    name = os.fspath(path)
    skipped = Notes(skip_bad_rows=True)
    if format == "auto":
        format = _recognise(name, source, target)
    if format == "pair":
        return Layout(format=format)
    names, columns = roles((source, target), (source_column, target_column), features_column)
    if format == "jsonl" or format in READERS:
        return Layout(
            format="jsonl", columns=dict(zip(ROLES, keys_of(names, columns), strict=False))
        )
    head = list(islice(read_lines(name, rows=skipped), _HEAD))
    quoted = is_quoted(line for _, line in head)
    rows = table_rows(head, path=name, delimiter="\t", quoted=quoted, notes=skipped)
    _, header = next(rows, (1, [""]))
    try:
        places, has_header = places_of(header, names, columns)
        refuse_numbers([header, *(row for _, row in rows)], places, has_header, columns)
    except InputError as error:
        raise InputError(error.message, path=name, line=1) from error
    stand = [header[place].strip() if has_header else place + 1 for place in places]
    return Layout(
        format=format,
        columns=dict(zip(ROLES, stand, strict=False)),
        header=has_header,
        quoted=quoted,
    )


def whole_pair(
    source: str, target: str, *, path: str, line: int, notes: Notes
) -> ParallelExample | None:
    """A pair without the white space at the ends of its texts; None if a text is blank.

    Args:
        source: The text.
        target: Its translation.
        path: The file, for the note.
        line: The line of both.
        notes: Takes the count of blank ones.
    """
    source, target = source.strip(), target.strip()
    if source and target:
        return ParallelExample(source, target, line)
    notes.count(BLANK, f"{path}:{line}")
    return None


def _recognise(name: str, source: str, target: str) -> str:
    if not os.path.isfile(name) or prefix_of(name, (source, target)) != name:
        return "pair"
    filled = (line for _, line in islice(read_lines(name), _HEAD) if line.strip())
    first = next(filled, "")
    suffix = stem(name)[1]
    if suffix in JSON_LINES or first.lstrip().startswith("{"):
        return "jsonl"
    if suffix == ".tsv" or "\t" in first:
        return "tsv"
    raise InputError(
        "the format is not recognised: give TSV, JSON lines, or the common prefix of two files "
        f"with the suffixes .{source} and .{target}",
        path=name,
    )


def _tab_separated(
    name: str,
    languages: Sequence[str],
    columns: Sequence[str | int | None],
    more: int,
    layout: Layout,
    notes: Notes,
) -> Iterator[tuple[int, str, Sequence[str]]]:
    """Two or three columns of a table, and `more` further targets; others do not matter."""
    lines = read_lines(name, rows=notes)
    first_lines = list(islice(lines, _HEAD))
    quoted = is_quoted(text for _, text in first_lines)
    if layout.format == "tsv":
        quoted, remark = quoted_as_trained((text for _, text in first_lines), layout.quoted)
        if remark:
            notes.add(f"{name}: {remark}")
    rows = table_rows(
        chain(first_lines, lines), path=name, delimiter="\t", quoted=quoted, notes=notes
    )
    ahead = list(islice(rows, _HEAD))
    if not ahead:
        return
    number, first = ahead[0]
    if more:  # the first source may have fewer targets than others
        first = [*first, *[""] * (max(len(row) for _, row in ahead) - len(first))]
    try:
        places, has_header = places_of(first, languages, columns)
        refuse_numbers([row for _, row in ahead], places, has_header, columns)
    except InputError as error:
        raise InputError(error.message, path=name, line=number) from error
    last = max(places[: len(places) - more])
    for number, row in chain(ahead[has_header:], rows):
        if len(row) <= last:
            problem = (
                f"{counted(len(row), 'column')}, and the text in "
                f"{languages[places.index(last)]!r} would be in column {last + 1}; part text and "
                "translation by a tab"
            )
            notes.bad(InputError(problem, path=name, line=number))
            continue
        left, right, *rest = (row[place] if place < len(row) else "" for place in places)
        marks = rest[: len(rest) - more]
        source = with_features(left, marks[0]) if marks else left
        yield number, source, [right, *rest[len(marks) :]]


def _json(
    rows: Iterable[tuple[int, Mapping[str, Any]]],
    name: str,
    keys: Sequence[str],
    multi_reference: bool,
    notes: Notes,
) -> Iterator[tuple[int, str, Sequence[str]]]:
    for number, row in rows:
        try:
            if "answer" not in keys and not accepted(row, f"{name}:{number}", notes):
                continue
            source, targets = texts_of(row, keys, multi_reference=multi_reference)
        except InputError as error:
            notes.bad(InputError(error.message, path=name, line=number))
            continue
        yield number, source, targets
