"""Reads JSON lines for classification: an object a line, with a text and a label, or several.

Texts and labels lie under usual keys or those that are named. A label is a string or a number, or
a list of them where a text may have several; in its place, or beside it, may stand how probable
each label is (`soft.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.formats.columns import LABEL_NAMES, TEXT_NAMES, columns_in, is_missing, joined
from rnnlp.data.formats.jsonl import accepted, group_of, json_objects, values_of
from rnnlp.data.formats.probabilities import Probabilities, label_name
from rnnlp.data.formats.weights import weight_in

from .example import ClassifiedExample
from .soft import soft_label


def read_classification_json(
    lines: Iterable[tuple[int, str]],
    *,
    path: str,
    text_key: str | int | None,
    label_key: str | int | None,
    group_key: str | int | None,
    weight_key: str | int | None,
    feature_keys: Sequence[str],
    notes: Notes,
) -> Iterator[ClassifiedExample]:
    """Yields the example of each line that is not blank.

    Args:
        lines: Line numbers and lines.
        path: The file's name, for errors and notes.
        text_key: Key of the text, or several with commas, to be joined; None looks for usual ones.
        label_key: Key of the label or labels; None looks for usual ones.
        group_key: Key of what else stays on one side of a cut.
        weight_key: Key of the weight; "weight" need not be there.
        feature_keys: Keys whose values are read beside the text.
        notes: Takes lines that are left out.

    Raises:
        InputError: A line is malformed or has no text or no label, and `notes` does not skip it.
    """
    for number, row in json_objects(path, notes, lines=lines):
        try:
            place = f"{path}:{number}"
            if not accepted(row, place, notes):
                continue
            text = text_of(row, text_key)
            labels, soft = labels_of(row, label_key, place=place, notes=notes)
            group, weight = group_of(row, group_key), weight_in(row, weight_key)
            features = values_of(row, feature_keys)
        except InputError as error:
            notes.bad(InputError(error.message, path=path, line=number))
            continue
        yield ClassifiedExample(text, labels, number, group, weight, soft, features)


def key_of(row: dict[str, Any], key: str | int | None, usual: tuple[str, ...], option: str) -> str:
    """The key that an object has a text or a label under.

    Args:
        row: The object.
        key: The key that is asked for; None looks for a usual one.
        usual: The usual ones.
        option: The setting that names it, for errors.

    Raises:
        InputError: There is none.
    """
    keys = usual if key is None else (str(key),)
    present = next((name for name in keys if name in row), None)
    if present is None:
        wanted = f"no key {key!r}" if key is not None else f"no usual key such as {usual[0]!r}"
        raise InputError(f"{wanted} among {', '.join(row) or 'none'}: set data.{option}")
    return present


def text_of(row: dict[str, Any], key: str | int | None) -> str:
    """The text of an object, or the texts of several keys with commas, joined.

    Raises:
        InputError: There is none, or it is no text.
    """
    keys = [key_of(row, part, TEXT_NAMES, "text_column") for part in columns_in(key, row)]
    parts = [row[key] for key in keys]
    if len(parts) > 1:  # a title without a body
        parts = ["" if part is None else part for part in parts]
    for part in parts:
        if not isinstance(part, str):
            raise InputError(f"the text is {part!r}, not a string")
    return joined(parts)


def labels_of(
    row: dict[str, Any], key: str | int | None, *, place: str, notes: Notes
) -> tuple[list[str], Probabilities | None]:
    """The labels of a row: those it states, or else the likeliest; and how probable each is.

    Args:
        row: The row.
        key: Key of the label or labels; None looks for usual ones.
        place: Where the row stands, for the notes.
        notes: Takes the count of scores and votes that are about other things.

    Raises:
        InputError: There are none, or what is there is none.
    """
    keys = LABEL_NAMES if key is None else (str(key),)
    value = next((row[name] for name in keys if name in row), None)
    names = value if isinstance(value, list) else [value]
    are_stated = not is_missing(value) and all(isinstance(n, str | int | float) for n in names)
    stated = _labels(value) if are_stated else None
    soft = soft_label(row, value, stated, place, notes)
    if soft is None:
        return stated or _labels(row[key_of(row, key, LABEL_NAMES, "label_column")]), None
    labels = [next(iter(soft))] if stated is None else stated
    certain = {name: p for name, p in soft.items() if p > 0.0}
    return labels, None if certain == dict.fromkeys(labels, 1.0) else soft


def _labels(value: Any) -> list[str]:
    return [label_name(label) for label in (value if isinstance(value, list) else [value])]
