"""`rnnlp predict`: texts in, one JSON object a line out, in input order."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from rnnlp.data.errors import InputError
from rnnlp.tasks.generation.options import add_generation_options, generation_options

from .parser import OneLineParser
from .streaming import add_stream_options, check_stream_options, stream_stdin
from .texts import add_text_arguments, check_text_arguments, given_texts

CHUNK = 1024  # texts that are tagged together


def predict(arguments: Sequence[str]) -> int:
    """Runs `rnnlp predict` with these arguments."""
    parser = OneLineParser(
        prog="rnnlp predict",
        description="Labels, translates or writes texts: one JSON object a line, in input order.",
        allow_abbrev=False,
    )
    add_text_arguments(parser)
    parser.add_argument("--output", metavar="FILE", help="write here instead of stdout")
    parser.add_argument(
        "--explain",
        action="store_true",
        help="add the weight of each token (classifiers with attention pooling)",
    )
    parser.add_argument(
        "--beam_size", type=int, metavar="N", help="hypotheses followed for each translation"
    )
    parser.add_argument(
        "--nbest", type=int, metavar="N", help="how many translations to give of each text"
    )
    parser.add_argument(
        "--attention",
        metavar="FILE.png",
        help="also draw where the translation of the first text looked",
    )
    add_generation_options(parser)
    add_stream_options(parser)
    given = parser.parse_intermixed_args(list(arguments))  # options between texts
    writing = generation_options(given)
    check_stream_options(given, writing)
    if not given.stream:
        check_text_arguments(given, verb="predict", needed=given.count is None)

    from rnnlp.tasks.inference.load import load

    pipeline: Any = load(given.model)
    if given.stream:
        with destination(given.output) as out:
            stream_stdin(pipeline, given, writing.get("labels"), out)
        return 0
    task = pipeline.task
    if given.explain:
        if not getattr(pipeline, "explains", False):
            raise InputError(
                "has no token weights to show: --explain is for classifiers with attention pooling",
                path=given.model,
            )
        pipeline = partial(pipeline, explain=True)
    if writing and task != "generation":
        raise InputError(
            f"is a model for {task}: --{next(iter(writing)).removesuffix('s')} is for generation",
            path=given.model,
        )
    from_nothing = given.count is not None and not given.texts and not given.input
    source = iter([""]) if from_nothing else given_texts(given)
    searching = translation_options(given, task)
    if given.attention is not None:
        source = draw_first(pipeline, source, given.attention)
    remarks = getattr(pipeline, "notes_on", None)
    if searching:
        pipeline = partial(pipeline, **searching)
    number, empty = 0, True
    with destination(given.output) as out:
        # A pipe is answered line by line where it comes slowly; files go in chunks.
        while chunk := list(islice(source, CHUNK if given.input or given.texts else 64)):
            empty = False
            for note in remarks(chunk) if remarks else ():
                print(f"note: {note}", file=sys.stderr)
            if task == "generation":  # each text has random numbers of its own
                answers = pipeline(chunk, first=number, **writing)
                number += len(answers)
            else:
                answers = pipeline(chunk)
            for answer in answers:
                out.write(json.dumps(answer, ensure_ascii=False) + "\n")
            out.flush()
    if empty:  # an empty file is an error already
        unprompted = "; --count N writes without a prompt" if task == "generation" else ""
        print(f"note: stdin is empty{unprompted}", file=sys.stderr)
    return 0


def translation_options(given: argparse.Namespace, task: str) -> dict[str, int]:
    """How translations are searched for, where that was given, as arguments of the pipeline.

    Raises:
        InputError: One of them cannot be right, or is given to a model for something else.
    """
    if task != "translation" and (given.beam_size, given.nbest, given.attention) != (
        None,
        None,
        None,
    ):
        raise InputError(
            f"is a model for {task}: --beam_size, --nbest and --attention are for translation",
            path=given.model,
        )
    named = {"beam_size": given.beam_size, "nbest": given.nbest}
    found = {name: value for name, value in named.items() if value is not None}
    for name, value in found.items():
        if value < 1:
            raise InputError(f"--{name} is {value}: it must be 1 or more")
    return found


def draw_first(pipeline: Any, texts: Iterator[str], path: str) -> Iterator[str]:
    """Passes texts on, and draws the alignment of the first one that is not blank."""
    from rnnlp.tasks.model_folder.atomic import write_atomically
    from rnnlp.tasks.reporting.attention_map import draw_alignment

    target = Path(path)
    if target.suffix.lower() != ".png" or target.is_dir() or not target.parent.is_dir():
        raise InputError(
            "cannot be written: --attention takes a .png file in a folder there is", path=path
        )
    drawn = False
    for text in texts:
        if not drawn and text.strip():
            odd: list[str] = []
            draw = partial(draw_alignment, *pipeline.align(text), odd=odd)
            write_atomically(target, draw)
            if odd:
                print(
                    f"note: no font here has {' '.join(odd[:10])}: they are boxes in {path}; "
                    "install one such as Noto Sans CJK",
                    file=sys.stderr,
                )
            drawn = True
        yield text


@contextmanager
def destination(path: str | None) -> Iterator[TextIO]:
    """Stdout, or a file that appears under its name only when it is complete."""
    if path is None:
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")
        yield sys.stdout
        return
    target = Path(path)
    if target.is_dir() or not target.parent.is_dir():
        raise InputError("cannot be written: --output takes a file in a folder there is", path=path)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            yield file
        os.replace(part, target)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", path=path) from error
    finally:
        part.unlink(missing_ok=True)
