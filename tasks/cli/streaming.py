"""`rnnlp predict --stream`: stdin is read as it arrives, and results leave as soon as certain.

All of stdin is one text: a line break is white space in it, as in any text, and the places of
results count characters from its beginning. Each result is a JSON line of its own, flushed at once.
A classifier labels what has been read after each line, and after whatever else arrived together.
With `--by_line` each line is a text of its own; its results say which (`line`, from 1), and its end
makes all of them certain.
"""

from __future__ import annotations

import argparse
import codecs
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from io import BufferedIOBase
from typing import TYPE_CHECKING, Any, TextIO, cast

from rnnlp.data.errors import InputError
from rnnlp.tasks.base.options import Option
from rnnlp.tasks.model_folder.files import as_json

if TYPE_CHECKING:
    from rnnlp.tasks.base.stream import Result, TextStream

_MOST_BYTES = 65536  # taken at once of what has arrived
_LINE = re.compile(r"[^\n]*\n|[^\n]+")  # the last one may have no end


def add_stream_options(parser: argparse.ArgumentParser) -> None:
    """Adds what streaming can be told."""
    parser.add_argument(
        "--stream",
        action="store_true",
        help="read stdin as it arrives, as one text, and write each result as soon as it is "
        "certain (taggers, classifiers and generators of one direction)",
    )
    parser.add_argument(
        "--by_line", action="store_true", help="with --stream: each line is a text of its own"
    )


def check_stream_options(
    args: argparse.Namespace,
    options: Iterable[Option],
    streaming: Mapping[str, Iterable[Option]],
) -> None:
    """Refuses options that mean nothing together.

    Args:
        args: What was parsed.
        options: All that tasks have.
        streaming: Those that streams of each task have.

    Raises:
        InputError: There are some.
    """
    of_streams = {option.name for some in streaming.values() for option in some}
    chosen = [option.name for option in options if getattr(args, option.name) is not None]
    if not args.stream:
        if args.by_line or "lag" in chosen:
            raise InputError("--by_line and --lag are for --stream")
        return
    if args.texts or args.input:
        raise InputError("--stream reads stdin: give neither TEXT nor --input")
    if odd := [name for name in chosen if name not in of_streams]:
        raise InputError(f"--stream gives what is certain as it comes: --{odd[0]} is not for it")


def stream_stdin(pipeline: Any, options: Mapping[str, Any], *, by_line: bool, out: TextIO) -> None:
    """Reads stdin to its end and writes the results.

    Args:
        pipeline: A loaded model.
        options: What its stream is told.
        by_line: Whether each line is a text of its own.
        out: Where results go.

    Raises:
        InputError: A model that does not stream, or bytes that are not UTF-8.
    """
    stream: TextStream = pipeline.stream(**options)
    forced = 0
    last: Result | None = None  # a label may be that of the whole text already

    def write(results: list[Result]) -> None:
        nonlocal last
        for result in results:
            last = result
            numbered = {"line": line, **result} if by_line else result
            out.write(as_json(numbered) + "\n")
        if results:
            out.flush()

    def finish() -> int:
        write([result for result in stream.finish() if result != last])
        return getattr(stream, "forced", 0)

    line, begun, held = 1, False, ""
    for arrived in arriving(cast(BufferedIOBase, sys.stdin.buffer)):
        piece, begun = held + arrived, True
        if by_line:  # what ends a line is no part of it
            text = piece.rstrip("\r\n")
            write(stream.feed(text))
            held = piece[len(text) :]
            if held.endswith("\n"):
                forced += finish()
                line, begun, held, last = line + 1, False, "", None
                stream = pipeline.stream(**options)
        else:
            write(stream.feed(piece))
    if begun:
        forced += finish()
    if forced:
        print(
            f"note: {forced} tags stayed open for as many tokens as --lag allows, so that the best "
            "ones so far decided them; without --stream they may differ",
            file=sys.stderr,
        )


def arriving(source: BufferedIOBase) -> Iterator[str]:
    """The text of a source, as soon as it arrives, cut after each line.

    Raises:
        InputError: It is not UTF-8.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    line = 1
    while True:
        data = source.read1(_MOST_BYTES)  # what there is, without waiting for more
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            bad = line + error.object.count(b"\n", 0, error.start)
            raise InputError(
                f"is not UTF-8 text: {error.reason}", path="<stdin>", line=bad
            ) from error
        line += text.count("\n")
        yield from _LINE.findall(text)
        if not data:
            return
