"""An argparse parser whose errors are one line, like every other mistake of a user."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from rnnlp.data.errors import InputError
from rnnlp.tasks.base.own_parts import load_plugins

_SETTING = re.compile(r"(?<!-)\bdata\.(\w+)")  # what has dashes is an option of `fit` by its name


class OneLineParser(argparse.ArgumentParser):
    """Raises `InputError` where argparse would print its usage and leave.

    Its help tells of `--plugin`, which every verb has; see `without_plugins`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if self.add_help:
            _add_plugin(self)

    @contextmanager
    def own_options(self) -> Iterator[None]:
        """Errors name options of this verb, where readers name settings of `fit`: data.… ."""
        try:
            yield
        except InputError as error:
            own = self._option_string_actions
            error.message = _SETTING.sub(
                lambda said: option if (option := f"--{said[1]}") in own else said[0],
                error.message,
            )
            raise

    def error(self, message: str) -> NoReturn:
        """Reports a wrong command line."""
        raise InputError(f"{message} (see {self.prog} --help)")


def shows_help(arguments: Sequence[str], text: str) -> int | None:
    """Answers a verb that is asked for its help, or called bare, with the exit code; else None."""
    if arguments and not {"-h", "--help"} & set(arguments):
        return None
    (sys.stdout if arguments else sys.stderr).write(text)
    return 0 if arguments else 2


def add_encoding(parser: argparse.ArgumentParser) -> None:
    """Adds `--encoding`, of the files that a verb reads."""
    parser.add_argument(
        "--encoding",
        metavar="NAME",
        help="of the file, such as gb18030 (default: UTF-8, or what is recognised, with a note)",
    )


def add_threads(parser: argparse.ArgumentParser) -> None:
    """Adds `--threads`, of what a model computes with."""
    parser.add_argument(
        "--threads",
        type=int,
        metavar="N",
        help="cores that answers are computed on (default: all; a short text takes one)",
    )


def _add_plugin(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--plugin",
        action="append",
        default=[],
        metavar="MODULE|FILE.py",
        help="Python of your own, run first: it holds parts, or registers tasks and cells",
    )


def without_plugins(arguments: Sequence[str]) -> list[str]:
    """The other arguments, once the values of `--plugin`, which decide what can be said, are run.

    Raises:
        InputError: There is no such module or file.
    """
    parser = OneLineParser(add_help=False, allow_abbrev=False)
    _add_plugin(parser)
    args, rest = parser.parse_known_args(list(arguments))
    load_plugins(args.plugin)
    return rest
