"""Reads pairs of a text and its translation from any file format that the house accepts.

Two files with a common prefix and the languages as suffixes (`train.en`, `train.de`), TSV with or
without a header, and JSON lines; recognised from name and content. Reading is one streaming pass,
so memory does not grow with the files. Splitting into tokens happens later.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.formats.delimited import is_quoted, table_rows
from rnnlp.data.formats.jsonl import json_objects
from rnnlp.data.formats.layout import JSON_LINES, Layout
from rnnlp.data.formats.own import READERS, check_format, own_lines
from rnnlp.data.formats.text_files import read_lines, stem


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
_NUMBER = re.compile(r"\s*[0-9.,:-]+\s*")
_HEAD = 100  # lines that the format is recognised from
FEATURES = "features"  # what the third column is called
_ROLES = ("source", "target", FEATURES)
NESTED = "translation"  # key of the object that holds both texts, as many data sets have it


def read_parallel(
    path: str | os.PathLike[str],
    *,
    source: str,
    target: str,
    format: str = "auto",
    source_column: str | int | None = None,
    target_column: str | int | None = None,
    features_column: str | int | None = None,
    several: bool = False,
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
        several: Whether a source may have several targets, for scoring: a list in JSON lines, or in
            TSV the columns that commas part in `target_column`. Blank ones do not count.
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
        raise _same(source_column)
    name = os.fspath(path)
    if format == "auto":
        format = _recognise(name, source, target)
    own = own_lines(name, format) if format in READERS else None
    format = format if own is None else "jsonl"
    more: Sequence[str] = ()
    if several and format == "tsv" and isinstance(target_column, str):
        target_column, *more = target_column.split(",")
    asked, _ = layout.asked(
        format,
        {"source": source_column, "target": target_column, FEATURES: features_column},
        path=name,
        notes=notes,
    )
    source_column, target_column, features_column = (asked[role] for role in _ROLES)
    files = (name, name)
    pairs: Iterable[tuple[int, str, Sequence[str]]]
    if features_column is not None and format == "pair":
        raise InputError("features stand in a column of TSV or JSON lines", path=name)
    names, columns = roles((source, target), (source_column, target_column), features_column)
    if format == "pair":
        files = _two_files(name, (source, target))
        pairs = _lines(files)
    elif format == "tsv":
        pairs = _tab_separated(name, (*names, *more), (*columns, *more), len(more), layout, notes)
    else:
        rows = json_objects(name, notes, lines=own)
        pairs = _json(rows, name, keys_of(names, columns), several, notes)
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
    """How a training file is laid out; see `read_parallel` for the arguments."""
    name = os.fspath(path)
    skipped = Notes(skip_bad_rows=True)
    if format == "auto":
        format = _recognise(name, source, target)
    if format == "pair":
        return Layout(format=format)
    names, columns = roles((source, target), (source_column, target_column), features_column)
    if format == "jsonl" or format in READERS:
        return Layout(
            format="jsonl", columns=dict(zip(_ROLES, keys_of(names, columns), strict=False))
        )
    head = list(islice(read_lines(name, rows=skipped), _HEAD))
    quoted = is_quoted(line for _, line in head)
    rows = table_rows(head, path=name, delimiter="\t", quoted=quoted, notes=skipped)
    _, header = next(rows, (1, [""]))
    try:
        places, has_header = _places(header, names, columns)
    except InputError as error:
        raise InputError(error.message, path=name, line=1) from error
    stand = [header[place].strip() if has_header else place + 1 for place in places]
    return Layout(
        format=format,
        columns=dict(zip(_ROLES, stand, strict=False)),
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
    notes.count("pairs with a blank side, left out", f"{path}:{line}")
    return None


def with_features(source: str, features: str | Sequence[str]) -> str:
    """A source as translators of level ``lemma`` read it: a tab, then features parted by `;`.

    Args:
        source: The word or text.
        features: Such as `V;PST` or `Number=Sing|Tense=Past`, or a list; those that are empty or
            `_` do not count.
    """
    parts = re.split("[;|]", features) if isinstance(features, str) else features
    marks = [part.strip() for part in parts if part.strip() not in ("", "_")]
    return f"{source.strip()}\t{';'.join(marks)}"


def roles(
    languages: tuple[str, str],
    columns: tuple[str | int | None, str | int | None],
    features_column: str | int | None,
) -> tuple[Sequence[str], Sequence[str | int | None]]:
    """What is read from a row: the names of two or three columns, and where to find them.

    Args:
        languages: Source and target, which are the names unless told otherwise.
        columns: What is told otherwise, or None.
        features_column: Where the features stand; None for nowhere.
    """
    if features_column is None:
        return languages, columns
    return (*languages, FEATURES), (*columns, features_column)


def _same(column: object) -> InputError:
    return InputError(
        f"two texts would both be column {column}: set data.source_column, "
        "data.target_column and data.features_column"
    )


def _recognise(name: str, source: str, target: str) -> str:
    if not os.path.isfile(name) or _prefix(name, (source, target)) != name:
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


def _lines(files: tuple[str, str]) -> Iterator[tuple[int, str, Sequence[str]]]:
    """Lines of the same number; a tab inside one is text."""
    counts = [0, 0]
    for left, right in zip_longest(*map(read_lines, files)):
        counts[0] += left is not None
        counts[1] += right is not None
        if left is not None and right is not None:
            yield left[0], left[1], [right[1]]
    if counts[0] != counts[1]:
        raise InputError(
            f"{counts[0]:,} lines, but {files[1]} has {counts[1]:,}: line by line they must be "
            "translations of each other; mend the files",
            path=files[0],
        )


def _two_files(name: str, languages: tuple[str, str]) -> tuple[str, str]:
    prefix = _prefix(name, languages)
    files: list[str] = []
    missing: list[str] = []
    for language in languages:
        file = f"{prefix}.{language}"
        candidates = sorted((file, f"{file}.gz"), key=lambda path: path != name)
        existing = next((path for path in candidates if os.path.isfile(path)), None)
        if existing is None:
            missing.append(file)
        else:
            files.append(existing)
    if not missing:
        return files[0], files[1]
    if os.path.isdir(name) and len(missing) == 2:
        raise InputError(
            "this is a folder; add what the names of the two files in it have in common", path=name
        )
    wanted = " and ".join(missing)
    suffixes = _suffixes(prefix)
    if suffixes:
        raise InputError(
            f"no file {wanted} (nor with .gz); with this prefix there are the suffixes "
            f"{', '.join(suffixes)}: check data.source and data.target",
            path=name,
        )
    raise InputError(
        f"no such file, and no pair {wanted} (nor with .gz); check the path", path=name
    )


def _prefix(name: str, languages: tuple[str, str]) -> str:
    """What two files have in common; the name itself if it is not that of one of the two."""
    if any(
        os.path.isfile(f"{name}.{language}{gz}") for language in languages for gz in ("", ".gz")
    ):
        return name
    plain = name.removesuffix(".gz")
    for language in languages:
        if plain.endswith(f".{language}"):
            return plain.removesuffix(f".{language}")
    return name


def _suffixes(prefix: str) -> list[str]:
    """The suffixes of the files that there are with a prefix."""
    start = f"{Path(prefix).name}."
    try:
        files = os.listdir(Path(prefix).parent)
    except OSError:
        return []
    rests = (
        file.removeprefix(start).removesuffix(".gz") for file in files if file.startswith(start)
    )
    return sorted({rest for rest in rests if rest and "." not in rest})


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
    quoted = layout.quoted if layout.format == "tsv" else is_quoted(text for _, text in first_lines)
    rows = table_rows(
        chain(first_lines, lines), path=name, delimiter="\t", quoted=quoted, notes=notes
    )
    ahead = list(islice(rows, _HEAD))
    if not ahead:
        return
    first = ahead[0]
    try:
        places, has_header = _places(first[1], languages, columns)
        head = [row for _, row in ahead]
        if not has_header and len(first[1]) > 2 and columns[:2] == (None, None):
            for place, option in zip(places, _ROLES, strict=False):
                if all(_NUMBER.fullmatch(row[place]) for row in head if len(row) > place):
                    raise InputError(
                        f"column {place + 1} of {len(first[1])} holds numbers, not texts: set "
                        f"data.{option}_column"
                    )
    except InputError as error:
        raise InputError(error.message, path=name, line=first[0]) from error
    last = max(places)
    for number, row in chain(ahead[has_header:], rows):
        if len(row) <= last:
            problem = (
                f"{len(row)} columns, and the text in {languages[places.index(last)]!r} would be "
                f"in column {last + 1}; part text and translation by a tab"
            )
            notes.bad(InputError(problem, path=name, line=number))
            continue
        left, right, *rest = (row[place] for place in places)
        marks = rest[: len(rest) - more]
        source = with_features(left, marks[0]) if marks else left
        yield number, source, [right, *rest[len(marks) :]]


def _places(
    first: Sequence[str], languages: Sequence[str], columns: Sequence[str | int | None]
) -> tuple[list[int], bool]:
    """Where the texts stand, counted from 0, and whether the first row is a header."""
    names = [field.strip().casefold() for field in first]
    wanted = [
        int(column) if isinstance(column, str) and column.isdecimal() else column
        for column in columns
    ]
    numbered = all(isinstance(column, int) for column in wanted)
    has_header = not numbered and (
        any(isinstance(column, str) for column in wanted)
        or any(language.casefold() in names for language in languages)
    )
    places: list[int] = []
    for side, column in enumerate(wanted):
        option = _ROLES[side] if side < len(_ROLES) else "target"
        if column is None and not has_header:
            column = side + 1
        if isinstance(column, int):
            if not 1 <= column <= len(names):
                raise InputError(
                    f"the text in {languages[side]!r} would be in column {column} of "
                    f"{len(names)}; part text and translation by a tab, or set "
                    f"data.{option}_column"
                )
            places.append(column - 1)
        else:
            key = languages[side] if column is None else column
            if key.casefold() not in names:
                raise InputError(
                    f"no column {key!r} among {', '.join(first)}: set data.{option} or "
                    f"data.{option}_column"
                )
            places.append(names.index(key.casefold()))
    for place in places:
        if places.count(place) > 1:
            raise _same(place + 1)
    if numbered:  # a header that names just these columns is still one
        has_header = [names[place] for place in places] == list(map(str.casefold, languages))
    return places, has_header


def _json(
    rows: Iterable[tuple[int, Mapping[str, Any]]],
    name: str,
    keys: Sequence[str],
    several: bool,
    notes: Notes,
) -> Iterator[tuple[int, str, Sequence[str]]]:
    for number, row in rows:
        try:
            source, targets = texts_of(row, keys, several=several)
        except InputError as error:
            notes.bad(InputError(error.message, path=name, line=number))
            continue
        yield number, source, targets


def keys_of(languages: Sequence[str], columns: Sequence[str | int | None]) -> tuple[str, ...]:
    """The keys that an object has its texts, and its features, under.

    Args:
        languages: The languages, which are the keys unless told otherwise.
        columns: What is told otherwise, or None.

    Raises:
        InputError: It is the same key twice.
    """
    keys = tuple(
        str(language if column is None else column)
        for language, column in zip(languages, columns, strict=True)
    )
    for key in keys:
        if keys.count(key) > 1:
            raise _same(repr(key))
    return keys


def texts_of(
    row: Mapping[str, Any], keys: Sequence[str], *, several: bool = False
) -> tuple[str, list[str]]:
    """Text and translations of one object, which may hold them in an object `translation`.

    Args:
        row: The object.
        keys: Key of the text, key of the translation, and that of features where there are some.
        several: Whether the translation may be a list of them.

    Raises:
        InputError: A key is missing, or its value is not a text.
    """
    nested = row.get(NESTED)
    values = nested if isinstance(nested, Mapping) else row
    texts: list[list[str]] = []
    for key, option in zip(keys, _ROLES, strict=False):
        if key not in values:
            raise InputError(
                f"no key {key!r} among {', '.join(map(str, values)) or 'none'}: set data.{option} "
                f"or data.{option}_column"
            )
        value = values[key]
        if (
            option == FEATURES
            and isinstance(value, list)
            and all(isinstance(mark, str) for mark in value)
        ):
            value = ";".join(value)
        listed = option == "target" and isinstance(value, list) and value
        if listed and not several:
            raise InputError(
                f"{key!r} is a list of texts, which evaluate scores against: to learn from them, "
                "write a pair a line"
            )
        texts.append(value if listed else [value])
        if not all(isinstance(text, str) for text in texts[-1]):
            raise InputError(f"{key!r} is {value!r}, not a text")
    (source,), targets, *marks = texts
    return with_features(source, marks[0][0]) if marks else source, targets
