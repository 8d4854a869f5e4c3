"""Options of the command line that only some tasks have, as plain rows; imports nothing heavy.

Each task room lists its own in `options.py`. The verbs build their parsers from all of them, and
`taken` refuses those that say nothing to the model at hand.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rnnlp.data.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Option:
    """An option of a verb.

    Args:
        name: As it is written after `--`.
        help: What it means.
        type: Makes a value of text; None for a switch.
        metavar: What stands for the value in the help.
        choices: The values that there are; empty for any.
        least: The smallest value.
        repeated: Whether it may be given several times; the value is then a list.
        keyword: The argument of the pipeline that takes it, where that has another name.
        convert: Makes the argument of the value.
        structured: Whether the value is a list or an object of JSON; a server takes it as it is.
    """

    name: str
    help: str
    type: Callable[[str], Any] | None = str
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    least: int | None = None
    repeated: bool = False
    keyword: str | None = None
    convert: Callable[[Any], Any] | None = None
    structured: bool = False

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        """Adds it, without a default: what is not given is the model's business."""
        if self.type is None:
            parser.add_argument(f"--{self.name}", action="store_const", const=True, help=self.help)
            return
        parser.add_argument(
            f"--{self.name}",
            action="append" if self.repeated else "store",
            type=self.type,
            metavar=self.metavar,
            choices=self.choices or None,
            help=self.help,
        )

    def value(self, value: Any) -> Any:
        """The argument for the pipeline.

        Raises:
            InputError: It is too small, or cannot be converted.
        """
        if self.least is not None and value < self.least:
            raise InputError(f"--{self.name} is {value}: it must be {self.least} or more")
        return self.convert(value) if self.convert else value


def probability(text: str) -> float:
    """A probability as it is named on the command line.

    Raises:
        ValueError: It is none.
    """
    value = float(text)
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{text} is no probability")
    return value


MIN_SCORE = Option(
    name="min_score",
    type=probability,
    metavar="P",
    help="leave out entities of a lower score; a text whose best label has a lower one gets the "
    "label null (evaluate tells what that gains)",
)

UNCERTAINTY = Option(
    name="uncertainty",
    type=None,
    help="add how unsure the model is: entropy and margin of labels, expected errors of entities",
)
MIN_LENGTH = Option(
    name="min_length", type=int, metavar="N", least=0, help="fewest tokens that are written"
)
MAX_LENGTH = Option(
    name="max_length", type=int, metavar="N", least=1, help="most tokens that are written"
)
NO_REPEAT = Option(
    name="no_repeat_ngram_size",
    type=int,
    metavar="N",
    least=0,
    help="no N tokens in a row come twice in what is written; 0 allows all",
)
VECTOR_COLUMN = Option(
    name="vector_column",
    metavar="COLUMN",
    help="where a file has the vectors to write from: a key of JSON lines or a column of parquet "
    "(default: as in training)",
)


def column(text: str) -> str | int:
    """A column as it is named on the command line: a number from 1, or a name."""
    return int(text) if text.isascii() and text.isdigit() else text


def add_options(parser: argparse.ArgumentParser, options: Iterable[Option]) -> None:
    """Adds options to a parser, each name once."""
    for option in {option.name: option for option in options}.values():
        option.add_to(parser)


def taken(
    arguments: argparse.Namespace,
    options: Mapping[str, Iterable[Option]],
    *,
    task: str,
    model: str,
) -> dict[str, Any]:
    """The options that were given, as arguments for a pipeline.

    Args:
        arguments: What was parsed.
        options: Those of every task.
        task: The task of the model.
        model: Its name, for errors.

    Raises:
        InputError: One says nothing to this model, or its value cannot be right.
    """
    own = {option.name: option for option in options.get(task, ())}
    values: dict[str, Any] = {}
    for name in dict.fromkeys(option.name for some in options.values() for option in some):
        if (value := getattr(arguments, name)) is None:
            continue
        if name not in own:
            others = " and ".join(
                other for other, some in options.items() if name in {one.name for one in some}
            )
            raise InputError(f"is a model for {task}: --{name} is for {others}", path=model)
        values[own[name].keyword or name] = own[name].value(value)
    return values
