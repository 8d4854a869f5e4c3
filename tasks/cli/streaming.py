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
import json
import re
import sys
from collections.abc import Iterator, Mapping
from io import BufferedIOBase
from typing import TYPE_CHECKING, Any, TextIO, cast

from rnnlp.data.errors import InputError

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
    parser.add_argument(
        "--lag",
        type=int,
        metavar="N",
        help="with --stream: most tokens whose tag may stay open before the best ones so far "
        "decide (default: 64)",
    )


def check_stream_options(given: argparse.Namespace, writing: Mapping[str, Any]) -> None:
    """Refuses options that mean nothing together.

    Args:
        given: What was parsed.
        writing: The options of generation that were given.

    Raises:
        InputError: There are some.
    """
    if not given.stream:
        if given.by_line or given.lag is not None:
            raise InputError("--by_line and --lag are for --stream")
        return
    if given.texts or given.input:
        raise InputError("--stream reads stdin: give neither TEXT nor --input")
    others = {"explain", "beam_size", "nbest", "attention"}
    chosen = [name for name in sorted(others) if getattr(given, name)]
    chosen += [name for name in writing if name != "labels"]
    if chosen:
        raise InputError(f"--stream gives what is certain as it comes: --{chosen[0]} is not for it")


def stream_stdin(pipeline: Any, given: argparse.Namespace, labels: Any, out: TextIO) -> None:
    """Reads stdin to its end and writes the results.

    Args:
        pipeline: A loaded model.
        given: What was parsed.
        labels: Labels of a generator's texts by field; None if none were given.
        out: Where results go.

    Raises:
        InputError: A model that does not stream, an option that is not for it, or bytes that are
            not UTF-8.
    """
    options: dict[str, Any] = {}
    for name, value, task in (("lag", given.lag, "tagging"), ("label", labels, "generation")):
        if value is not None:
            if pipeline.task != task:
                message = f"is a model for {pipeline.task}: --{name} is for {task}"
                raise InputError(message, path=given.model)
            options["labels" if name == "label" else name] = value
    stream: TextStream = pipeline.stream(**options)
    forced = 0
    last: Result | None = None  # a label may be that of the whole text already

    def write(results: list[Result]) -> None:
        nonlocal last
        for result in results:
            last = result
            numbered = {"line": line, **result} if given.by_line else result
            out.write(json.dumps(numbered, ensure_ascii=False) + "\n")
        if results:
            out.flush()

    def finish() -> int:
        write([result for result in stream.finish() if result != last])
        return getattr(stream, "forced", 0)

    line, begun, held = 1, False, ""
    for arrived in arriving(cast(BufferedIOBase, sys.stdin.buffer)):
        piece, begun = held + arrived, True
        if given.by_line:  # what ends a line is no part of it
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
