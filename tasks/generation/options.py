"""What the verbs can be told about generators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rnnlp.data.errors import InputError
from rnnlp.data.formats.jsonl import json_value
from rnnlp.tasks.base.options import (
    MAX_LENGTH,
    MIN_LENGTH,
    NO_REPEAT,
    VECTOR_COLUMN,
    Option,
    column,
)


def labels_from(pairs: Sequence[str]) -> dict[str, str]:
    """Labels by field, from `FIELD=VALUE`.

    Raises:
        InputError: Something else, or a field twice.
    """
    labels: dict[str, str] = {}
    for pair in pairs:
        field, equals, label = pair.partition("=")
        if not (field and equals and label):
            raise InputError(f"--label is {pair!r}: write FIELD=VALUE, such as M=6/8")
        if field in labels:
            raise InputError(f"--label names {field} twice")
        labels[field] = label
    return labels


def numbers(text: str) -> Any:
    """Lists of numbers as JSON.

    Raises:
        ValueError: It is no JSON.
    """
    return json_value(text)


def vectors_from(value: Any) -> list[Any]:
    """Several vectors, where a single one may be given.

    Raises:
        InputError: It is no list.
    """
    if not isinstance(value, list):
        raise InputError(f"vectors is {value!r:.60}: give a list of numbers, or of such lists")
    return value if value and isinstance(value[0], list) else [value]


VECTORS = Option(
    name="vectors",
    type=numbers,
    convert=vectors_from,
    structured=True,
    metavar="JSON",
    help="what to write from, of a model with vectors: a list of numbers, or a list of such lists; "
    "--input reads them from a file",
)
LABEL = Option(
    name="label",
    keyword="labels",
    repeated=True,
    convert=labels_from,
    metavar="FIELD=VALUE",
    help="what to write texts for, such as M=6/8; may be given several times",
)
EVALUATE = (
    Option(name="text_column", type=column, help="column of the text: a name, or a number from 1"),
    Option(
        name="separator",
        choices=("auto", "line", "blank"),
        help="what parts the texts of a plain file: line ends or blank lines",
    ),
    VECTOR_COLUMN,
)
PREDICT = (
    Option(
        name="count",
        type=int,
        metavar="N",
        least=1,
        help="how many texts to write, for each prompt if TEXT or --input gives some",
    ),
    LABEL,
    VECTORS,
    Option(
        name="temperature",
        type=float,
        help="of writing: below 1 the probable becomes more probable",
    ),
    Option(name="top_k", type=int, metavar="N", help="write with the N likeliest tokens"),
    Option(
        name="top_p",
        type=float,
        metavar="P",
        help="write with the likeliest tokens, P of all chances",
    ),
    MIN_LENGTH,
    MAX_LENGTH,
    NO_REPEAT,
    Option(name="seed", type=int, help="decides what is written (default: 1)"),
)
STREAM = (LABEL, VECTORS)
