"""`rnnlp evaluate`: scores a model on a file, as a table or as one JSON object."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from rnnlp.data.errors import InputError
from rnnlp.tasks.reporting.score_table import table

from .parser import OneLineParser


def evaluate(arguments: Sequence[str]) -> int:
    """Runs `rnnlp evaluate` with these arguments."""
    parser = OneLineParser(
        prog="rnnlp evaluate", description="Scores a model on a file.", allow_abbrev=False
    )
    parser.add_argument("model", metavar="MODEL", help="a model folder or a hub id")
    parser.add_argument("data", metavar="DATA", help="a file in any format that training accepts")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--task", metavar="TASK", help="tagging or classification, of a model that does both"
    )
    parser.add_argument("--format", default="auto", help="the format of DATA (default: look at it)")
    parser.add_argument("--token_column", type=int, help="column of the tokens, from 1")
    parser.add_argument("--tag_column", type=int, help="column of the tags, from 1")
    for what in ("text", "label", "source", "target"):
        parser.add_argument(
            f"--{what}_column",
            type=column,
            help=f"column of the {what}: a name, or a number from 1",
        )
    parser.add_argument(
        "--separator",
        choices=("auto", "line", "blank"),
        help="what parts the texts of a plain file: line ends or blank lines",
    )
    parser.add_argument("--beam_size", type=int, help="hypotheses followed for each translation")
    parser.add_argument(
        "--against", metavar="FILE", help="other translations, one a line, to compare with"
    )
    given = parser.parse_args(list(arguments))
    if given.beam_size is not None and given.beam_size < 1:
        raise InputError(f"--beam_size is {given.beam_size}: it must be 1 or more")

    from rnnlp.tasks.inference.load import load
    from rnnlp.tasks.registry import evaluate_file, part_of

    common = ("model", "data", "json", "format", "task")
    options = {name: value for name, value in vars(given).items() if name not in common}
    result, policy, notes = evaluate_file(
        part_of(load(given.model), given.task),
        given.data,
        format=given.format,
        options={name: value for name, value in options.items() if value is not None},
    )
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    if given.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        print(table(result, policy))
    return 0


def column(text: str) -> str | int:
    """A column as it is named on the command line."""
    return int(text) if text.isascii() and text.isdigit() else text
