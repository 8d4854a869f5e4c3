"""Where source, target and features stand in a row: columns of a table, or keys of an object."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rnnlp.data.errors import InputError

FEATURES = "features"  # what the third column is called
ROLES = ("source", "target", FEATURES)
_NUMBER = re.compile(r"\s*[0-9.,:-]+\s*")
NESTED = "translation"  # key of the object that holds both texts, as many data sets have it


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


def features_key(names: Sequence[str], trained: str | int, *, taken: Sequence[str]) -> str:
    """What a file to be predicted calls the features; what it should call them where it has none.

    Args:
        names: Its columns, or the keys of its first object.
        trained: Where the training file had them.
        taken: Those of them that are the text.
    """
    wanted = trained if isinstance(trained, str) else FEATURES
    for name in names:
        if name.strip().casefold() == wanted.casefold() and name not in taken:
            return name
    if isinstance(trained, int):
        return next((n for n in names[trained - 1 : trained] if n not in taken), wanted)
    return wanted


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


def same_column(column: object) -> InputError:
    """What to say where two texts would be one column."""
    return InputError(
        f"two texts would both be column {column}: set data.source_column, "
        "data.target_column and data.features_column"
    )


def refuse_numbers(
    rows: Sequence[Sequence[str]],
    places: Sequence[int],
    has_header: bool,
    columns: Sequence[str | int | None],
) -> None:
    """Refuses ids for texts, where nobody said which column is which.

    Args:
        rows: The first rows of a table.
        places: Where the texts would stand, counted from 0.
        has_header: Whether the first row names the columns.
        columns: What the user says of them.

    Raises:
        InputError: A column of more than two holds numbers alone.
    """
    width = len(rows[0])
    if has_header or width <= 2 or any(column is not None for column in columns[:2]):
        return
    for place, option in zip(places, ROLES, strict=False):
        if all(_NUMBER.fullmatch(row[place]) for row in rows if len(row) > place):
            raise InputError(
                f"column {place + 1} of {width} holds numbers, not texts: set data.{option}_column"
            )


def places_of(
    first: Sequence[str], languages: Sequence[str], columns: Sequence[str | int | None]
) -> tuple[list[int], bool]:
    """Where the texts stand, counted from 0, and whether the first row is a header.

    Args:
        first: The fields of the first row.
        languages: Names of the languages, source first, as a header may have them.
        columns: Column of each text, by name or number from 1; None looks for the language.
    """
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
        option = ROLES[side] if side < len(ROLES) else "target"
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
                    f"no column {key!r} among {', '.join(first)}: {_how_to_name(option)}"
                )
            places.append(names.index(key.casefold()))
    for place in places:
        if places.count(place) > 1:
            raise same_column(place + 1)
    if numbered:  # a header that names just these columns is still one
        has_header = [names[place] for place in places] == list(map(str.casefold, languages))
    return places, has_header


def _how_to_name(option: str) -> str:
    both = "" if option == FEATURES else f"data.{option} or "  # a language names its column
    return f"set {both}data.{option}_column"


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
            raise same_column(repr(key))
    return keys


def texts_of(
    row: Mapping[str, Any], keys: Sequence[str], *, multi_reference: bool = False
) -> tuple[str, list[str]]:
    """Text and translations of one object, which may hold them in an object `translation`.

    Args:
        row: The object.
        keys: Key of the text, key of the translation, and that of features where there are some.
        multi_reference: Whether the translation may be a list of them.

    Raises:
        InputError: A key is missing, or its value is not a text.
    """
    nested = row.get(NESTED)
    values = nested if isinstance(nested, Mapping) else row
    texts: list[list[str]] = []
    for key, option in zip(keys, ROLES, strict=False):
        if key not in values:
            raise InputError(
                f"no key {key!r} among {', '.join(map(str, values)) or 'none'}: "
                f"{_how_to_name(option)}"
            )
        value = values[key]
        if (
            option == FEATURES
            and isinstance(value, list)
            and all(isinstance(mark, str) for mark in value)
        ):
            value = ";".join(value)
        listed = option == "target" and isinstance(value, list) and value
        if listed and not multi_reference:
            raise InputError(
                f"{key!r} is a list of texts, which evaluate scores against: to learn from them, "
                "write a pair a line"
            )
        texts.append(value if listed else [value])
        if not all(isinstance(text, str) for text in texts[-1]):
            raise InputError(f"{key!r} is {value!r}, not a text")
    (source,), targets, *marks = texts
    return with_features(source, marks[0][0]) if marks else source, targets
