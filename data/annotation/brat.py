"""Reads brat: `.ann` files with the `.txt` files beside them, one pair or a folder of them.

A text is parted at its line breaks, but inside a span. Its offsets count the characters of the
file, both of CR LF, unless the texts of the spans tell that CR came in later, as by Git on Windows.
A discontinuous span is read as one from its first to its last character, with a count; relations,
events and attributes are ignored. Empty texts are left out, with a count.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.formats.text_files import read_lines

from .document import Document, Mark, mark, placed
from .files import Head, files_in

_SPAN = re.compile(r"(\S+) ([0-9]+ [0-9]+(?:;[0-9]+ [0-9]+)*)")
_BREAK = re.compile(r"\r*\n|\r+")
_OTHERS = {
    "R": "relations between spans, ignored",
    "*": "relations between spans, ignored",
    "E": "events, ignored",
    "A": "attributes of spans, ignored",
    "M": "attributes of spans, ignored",
    "N": "normalisations of spans, ignored",
    "#": "notes of annotators, ignored",
}


def is_brat(head: Head) -> bool:
    """Whether a path is an annotation file of brat, the text of one, or a folder of them."""
    path = Path(head.path)
    if path.is_dir():
        return next(path.rglob("*.ann"), None) is not None
    if path.suffix == ".txt":
        return path.with_suffix(".ann").exists()
    return path.suffix == ".ann" or (
        bool(head.lines) and re.match(r"T[0-9]+\t\S+ [0-9]+ [0-9]+", head.lines[0]) is not None
    )


def read_brat(path: str, notes: Notes) -> Iterator[Document]:
    """Yields the lines of each text with the spans in them."""
    for name in files_in(path, ".ann"):
        annotations = Path(name).with_suffix(".ann")
        text_file = annotations.with_suffix(".txt")
        if not text_file.exists():
            raise InputError(
                f"has no {text_file.name} beside it: brat keeps the text there", path=name
            )
        text = ""
        if os.path.getsize(text_file) == 0:
            notes.count("empty texts, left out", str(text_file))
        else:
            text = "".join(line for _, line in read_lines(text_file, ends=True))
        if os.path.getsize(annotations) == 0:
            yield from _lines(text, [], str(text_file))
            continue
        if "\r" in text and not _fits(annotations, text):
            text = _BREAK.sub("\n", text)
        yield from _lines(text, _spans(annotations, text, notes), str(text_file))


def _fits(path: Path, text: str) -> bool:
    try:
        _spans(path, text, Notes())
    except InputError:
        return False
    return True


def _spans(path: Path, text: str, notes: Notes) -> list[Mark]:
    spans = []
    for number, line in read_lines(path):
        place = f"{path}:{number}"
        fields = line.split("\t")
        if not line.strip():
            continue
        if line[0] != "T":
            notes.count(_OTHERS.get(line[0], "lines of other kinds, ignored"), place)
            continue
        with placed(place):
            match = _SPAN.fullmatch(fields[1]) if len(fields) >= 2 else None
            if match is None:
                raise InputError("not of the form T1, tab, type start end, tab, text")
            pieces = [tuple(map(int, piece.split())) for piece in match[2].split(";")]
            start, end = pieces[0][0], pieces[-1][1]
            surface = fields[2] if len(fields) > 2 else ""
            if len(pieces) > 1 and surface:  # which has the pieces with a space between
                read = " ".join(text[a:b] for a, b in pieces)
                if read.split() != surface.split():
                    raise InputError(
                        f"span {match[2]} reads {read!r:.80}, not its own text {surface!r:.80}; "
                        "correct its offsets"
                    )
                surface = ""
            spans.append(
                mark((start, end, match[1]), text, surface=surface, place=place, notes=notes)
            )
        notes.count(
            "discontinuous spans, read from their first to their last character",
            place,
            len(pieces) > 1,
        )
    return spans


def _lines(text: str, spans: list[Mark], name: str) -> Iterator[Document]:
    """The parts between line breaks; those that a span reaches over stay together."""
    waiting = sorted(spans)
    start, line, taken = 0, 1, 0
    while start < len(text):
        reach, count = start, taken
        while True:
            gap = _BREAK.search(text, reach)
            end, after = gap.span() if gap else (len(text), len(text))
            while count < len(waiting) and waiting[count][0] < after:
                count += 1
            reach = max((stop for _, stop, _ in waiting[taken:count]), default=0)
            if reach <= after:
                break
        part = text[start : max(end, reach)]
        if part.strip():
            inside = [(a - start, b - start, label) for a, b, label in waiting[taken:count]]
            yield Document(part, inside, [], line, f"{name}:{line}")
        taken = count
        line += len(_BREAK.findall(text, start, after))
        start = after
