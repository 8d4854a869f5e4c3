"""`rnnlp predict`: texts in, one JSON object a line out, in input order."""

from __future__ import annotations

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

from ..data.errors import InputError
from .arguments import OneLineParser
from .generation_options import add_generation_options, generation_options

CHUNK = 1024  # texts that are tagged together


def predict(arguments: Sequence[str]) -> int:
    """Runs `rnnlp predict` with these arguments."""
    parser = OneLineParser(
        prog="rnnlp predict",
        description="Labels, translates or writes texts: one JSON object a line, in input order.",
        allow_abbrev=False,
    )
    parser.add_argument("model", metavar="MODEL", help="a model folder or a hub id")
    parser.add_argument("texts", metavar="TEXT", nargs="*", help="texts (default: a pipe on stdin)")
    parser.add_argument(
        "--input", metavar="FILE", help='a file: one text a line, or JSON lines with "text"'
    )
    parser.add_argument("--output", metavar="FILE", help="write here instead of stdout")
    parser.add_argument(
        "--explain",
        action="store_true",
        help="add the weight of each token (classifiers with attention pooling)",
    )
    parser.add_argument(
        "--beam", type=int, metavar="N", help="hypotheses followed for each translation"
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
    given = parser.parse_intermixed_args(list(arguments))  # options between texts
    writing = generation_options(given)
    if given.texts and given.input:
        raise InputError("give texts or --input, not both")
    from_nothing = given.count is not None and not given.texts and not given.input
    if not given.texts and not given.input and not from_nothing and sys.stdin.isatty():
        raise InputError("nothing to predict: give TEXT, --input FILE, or a pipe on stdin")

    from .pipeline import load

    pipeline: Any = load(given.model)
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
    prompts = [""] if from_nothing else given.texts
    source = iter(prompts) if prompts else read_texts(given.input)
    if any(value is not None for value in (given.beam, given.nbest, given.attention)):
        if pipeline.task != "translation":
            raise InputError(
                f"is a model for {pipeline.task}: --beam, --nbest and --attention are for "
                "translation",
                path=given.model,
            )
        for name in ("beam", "nbest"):
            if (value := getattr(given, name)) is not None and value < 1:
                raise InputError(f"--{name} is {value}: it must be 1 or more")
        if given.attention:
            source = draw_first(pipeline, source, given.attention)
    remarks = getattr(pipeline, "notes_on", None)
    if given.beam or given.nbest:
        pipeline = partial(pipeline, beam=given.beam, nbest=given.nbest or 1)
    number = 0
    with destination(given.output) as out:
        # A pipe is answered line by line where it comes slowly; files go in chunks.
        while chunk := list(islice(source, CHUNK if given.input or given.texts else 64)):
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
    return 0


def read_texts(path: str | None) -> Iterator[str]:
    """The texts of a file, or of stdin: one a line, or JSON lines with `text`.

    JSON is recognised by the first line being an object with a string `text`.
    """
    if path is None:
        lines, name = stdin_lines(), "<stdin>"
    else:
        from ..data.files import read_lines

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


def draw_first(pipeline: Any, texts: Iterator[str], path: str) -> Iterator[str]:
    """Passes texts on, and draws the alignment of the first one that is not blank."""
    from .alignment import draw_alignment
    from .folder import write_atomically

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
