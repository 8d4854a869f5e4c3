"""The texts that a verb is given: as arguments, in a file, or through a pipe on stdin.

The options that say where they are, and the choice between the three; how rows are read is in
`rows.py`. Imports nothing that takes time.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from itertools import chain

from rnnlp.data.errors import InputError, note
from rnnlp.data.formats.layout import Layout
from rnnlp.data.formats.text_files import stem
from rnnlp.tasks.model_folder.folder import CONFIG
from rnnlp.tasks.runtime.cores import check_parallel

from .parser import add_encoding
from .rows import STDIN, Lines, Row, file_rows, in_chunks, some_rows, stdin_rows
from .shards import READABLE, shards


def add_text_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the model and where the texts come from; parse them with `parse_intermixed_args`."""
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="a model folder or a hub id; predict takes several folders, and the mean answers",
    )
    parser.add_argument("texts", metavar="TEXT", nargs="*", help="texts (default: a pipe on stdin)")
    parser.add_argument(
        "--input",
        metavar="FILE",
        help="a file: one text a line, JSON lines, or a table (.csv, .tsv, .xlsx, .parquet); a "
        "folder or a pattern ('part-*.parquet') for many, in the order of their names",
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=1,
        metavar="N",
        help="processes that share the work (default: 1); answers stay in order",
    )
    parser.add_argument(
        "--text_column",
        metavar="COLUMN",
        help="where FILE has the text: a key, a name of the header, or a number from 1; several "
        "with commas are joined (default: as in training, or a usual name)",
    )
    add_encoding(parser)


def models_among(args: argparse.Namespace) -> list[str]:
    """Takes the model folders that stand before the texts out of them: the rest of an ensemble."""
    count = 0
    while count < len(args.texts) and os.path.isfile(os.path.join(args.texts[count], CONFIG)):
        count += 1
    more, args.texts = args.texts[:count], args.texts[count:]
    return list(more)


def check_text_arguments(args: argparse.Namespace, *, verb: str, needed: bool = True) -> None:
    """Refuses texts from two places, what is no text, and a wait for somebody who types.

    Args:
        args: What was parsed.
        verb: What is done with texts.
        needed: Whether there must be some.

    Raises:
        InputError: Both or neither of them are given, or a text is not UTF-8.
    """
    check_parallel(args.workers, "--workers")
    if args.encoding and not args.input:
        raise InputError("--encoding is for --input FILE; other texts are UTF-8")
    if args.texts and args.input:
        raise InputError("give texts or --input, not both")
    for number, text in enumerate(args.texts, start=1):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"text {number} is not UTF-8 text: {text!r:.80}") from error
    if args.texts or args.input or not needed:
        return
    check_stdin(verb)
    if sys.stdin.isatty():
        raise InputError(f"nothing to {verb}: give TEXT, --input FILE, or a pipe on stdin")


def check_stdin(verb: str) -> None:
    """Refuses a stdin that the process was started without.

    Raises:
        InputError: It is closed.
    """
    if sys.stdin is None or sys.stdin.closed:
        raise InputError(f"nothing to {verb}, and stdin is closed: give TEXT or --input FILE")


def given_rows(args: argparse.Namespace, layout: Layout) -> Iterator[list[Row]]:
    """The texts, some at a time; files and stdin are read as far as they are asked for.

    Args:
        args: What was parsed.
        layout: How the training file of the model was laid out.

    Raises:
        InputError: A file that cannot be read, or has no texts; a text that is the name of a file.
    """
    if args.texts:
        for text in args.texts:
            if os.path.isfile(text):
                raise InputError(f"is a file: give --input {text} for the texts in it", path=text)
            if stem(text)[1] in READABLE and " " not in text:
                note(f"{text}: no such file, so that it is taken for a text")
        yield from in_chunks(Row(text, {}) for text in args.texts)
    elif args.input:
        if len(files := shards(args.input)) > 1:
            note(f"{args.input}: {len(files):,} files, from {files[0]} to {files[-1]}")
        said: set[str] = set()
        every = (file_rows(path, args.text_column, layout, said) for path in files)
        yield from in_chunks(some_rows(chain.from_iterable(every), args.input))
    else:
        yield from stdin_rows(Lines(STDIN, args.text_column, layout, set()))
