"""What `rnnlp predict` can be told about how texts are written; imports nothing that takes time."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from rnnlp.data.errors import InputError

NAMES = ("count", "label", "temperature", "top_k", "top_p", "max_length", "seed")


def add_generation_options(parser: argparse.ArgumentParser) -> None:
    """Adds them, all without a default: what is not given is the model's business."""
    parser.add_argument(
        "--count",
        type=int,
        metavar="N",
        help="how many texts to write, for each prompt if TEXT or --input gives some",
    )
    parser.add_argument(
        "--label",
        action="append",
        metavar="FIELD=VALUE",
        help="what to write texts for, such as M=6/8; may be given several times",
    )
    parser.add_argument(
        "--temperature", type=float, help="of writing: below 1 the probable becomes more probable"
    )
    parser.add_argument("--top_k", type=int, metavar="N", help="write with the N likeliest tokens")
    parser.add_argument(
        "--top_p", type=float, metavar="P", help="write with the likeliest tokens, P of all chances"
    )
    parser.add_argument(
        "--max_length", type=int, metavar="N", help="most tokens that are added to a prompt"
    )
    parser.add_argument("--seed", type=int, help="decides what is written (default: 1)")


def generation_options(given: argparse.Namespace) -> dict[str, Any]:
    """Those that were given, as arguments of a pipeline for generation.

    Raises:
        InputError: One of them cannot be right.
    """
    found = {name: getattr(given, name) for name in NAMES if getattr(given, name) is not None}
    if found.get("count", 1) < 1:
        raise InputError(f"--count is {given.count}: it must be 1 or more")
    if (pairs := found.pop("label", None)) is not None:
        found["labels"] = labels_from(pairs)
    return found


def labels_from(pairs: Sequence[str]) -> dict[str, str]:
    """Labels by field, from `FIELD=VALUE`.

    Raises:
        InputError: Something else, or a field twice.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        field, equals, label = pair.partition("=")
        if not (field and equals and label):
            raise InputError(f"--label is {pair!r}: write FIELD=VALUE, such as M=6/8")
        if field in found:
            raise InputError(f"--label names {field} twice")
        found[field] = label
    return found
