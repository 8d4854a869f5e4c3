"""The texts that a verb is given: as arguments, in a file, or through a pipe on stdin.

Imports nothing that takes time.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator

from rnnlp.data.errors import InputError


def add_text_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the model and where the texts come from; parse them with `parse_intermixed_args`."""
    parser.add_argument("model", metavar="MODEL", help="a model folder or a hub id")
    parser.add_argument("texts", metavar="TEXT", nargs="*", help="texts (default: a pipe on stdin)")
    parser.add_argument(
        "--input", metavar="FILE", help='a file: one text a line, or JSON lines with "text"'
    )


def check_text_arguments(given: argparse.Namespace, *, verb: str, needed: bool = True) -> None:
    """Refuses texts from two places, and a wait for texts that somebody would have to type.

    Args:
        given: What was parsed.
        verb: What is done with texts.
        needed: Whether there must be some.

    Raises:
        InputError: Both or neither of them are given.
    """
    if given.texts and given.input:
        raise InputError("give texts or --input, not both")
    if needed and not given.texts and not given.input and sys.stdin.isatty():
        raise InputError(f"nothing to {verb}: give TEXT, --input FILE, or a pipe on stdin")


def given_texts(given: argparse.Namespace) -> Iterator[str]:
    """The texts, one by one; files and stdin are read as far as they are asked for.

    Raises:
        InputError: A file that cannot be read, or is neither text nor JSON lines.
    """
    return iter(given.texts) if given.texts else read_texts(given.input)


def read_texts(path: str | None) -> Iterator[str]:
    """The texts of a file, or of stdin: one a line, or JSON lines with `text`.

    JSON is recognised by the first line being an object with a string `text`.
    """
    if path is None:
        lines, name = stdin_lines(), "<stdin>"
    else:
        from rnnlp.data.formats.text_files import read_lines

        lines, name = read_lines(path), path
    is_json: bool | None = None
    for number, line in lines:
        if is_json is None:
            is_json = looks_like_json(line)
        yield text_of(line, name, number) if is_json else line


def stdin_lines() -> Iterator[tuple[int, str]]:
    """Numbered lines of stdin, which must be UTF-8."""
    for number, raw in enumerate(sys.stdin.buffer, start=1):
        try:
            yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise InputError(
                f"is not UTF-8 text: {error.reason}", path="<stdin>", line=number
            ) from error


def looks_like_json(line: str) -> bool:
    """Whether a line is a JSON object with a string `text`."""
    if not line.lstrip().startswith("{"):
        return False
    try:
        value = json.loads(line)
    except ValueError:
        return False
    return isinstance(value, dict) and isinstance(value.get("text"), str)


def text_of(line: str, name: str, number: int) -> str:
    """The `text` of a JSON line."""
    try:
        text = json.loads(line)["text"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError('is not a JSON object with "text"', path=name, line=number) from error
    if not isinstance(text, str):
        raise InputError('"text" is not a string', path=name, line=number)
    return text
