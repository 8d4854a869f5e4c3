"""An argparse parser whose errors are one line, like every other mistake of a user."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from rnnlp.data.errors import InputError


class OneLineParser(argparse.ArgumentParser):
    """Raises `InputError` where argparse would print its usage and leave."""

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


def add_plugin(parser: argparse.ArgumentParser) -> None:
    """Adds `--plugin`, for the help of a verb whose arguments went through `plugins_of`."""
    parser.add_argument(
        "--plugin",
        action="append",
        default=[],
        metavar="MODULE|FILE.py",
        help="Python of your own, run first: it may register tasks and cells",
    )


def plugins_of(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The values of `--plugin`, which decide what else can be said, and the other arguments."""
    parser = OneLineParser(add_help=False, allow_abbrev=False)
    add_plugin(parser)
    args, rest = parser.parse_known_args(list(arguments))
    return args.plugin, rest
