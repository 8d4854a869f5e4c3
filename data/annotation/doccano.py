"""Reads doccano's JSON lines: spans, labels of texts, relations, several annotators.

Exports of which only the plain keys are left (`text` and `label`) are read as any JSON lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.formats.jsonl import json_object
from rnnlp.data.formats.text_files import read_lines

from .document import Document, agreed, listed, mark, objects, placed
from .files import Head

_SIGNS = ("Comments", "annotation_approver", "cats")


def is_doccano(head: Head) -> bool:
    """Whether a file is an export of doccano."""
    first = head.first
    if not isinstance(first, dict) or not isinstance(_text(first), str) or "answer" in first:
        return False
    entities = first.get("entities")
    return (
        any(sign in first for sign in _SIGNS)
        or (isinstance(entities, list) and "relations" in first)
        or (isinstance(first.get("annotations"), list) and "data" not in first)
    )


def read_doccano(path: str, notes: Notes) -> Iterator[Document]:
    """Yields the texts with what is marked in them."""
    for number, line in read_lines(path):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        with placed(place):
            row = json_object(line)
            text = _text(row)
            if not isinstance(text, str):
                raise InputError("no `text`, as doccano's rows have")
            notes.count("relations between spans, ignored", place, len(listed(row, "relations")))
            users: dict[Any, list[Any]] = {}
            for one in objects(row, "annotations"):
                user = str(one.get("user"))
                users.setdefault(user, []).append(one)
            unnamed: list[Any] = []
            for key in ("entities", "label", "labels", "cats"):
                value = row.get(key)
                unnamed += value if isinstance(value, list) else [] if value is None else [value]
            versions = [*users.values(), *([unnamed] if unnamed or not users else [])]
            documents = [_document(one, text, number, place, notes) for one in versions]
            yield agreed(documents, notes)


def _document(marks: list[Any], text: str, number: int, place: str, notes: Notes) -> Document:
    document = Document(text, [], [], number, place)
    for one in marks:
        if isinstance(one, str):
            document.labels.append(one)
        elif isinstance(one, list) and len(one) == 3:
            document.spans.append(mark(one, text, place=place, notes=notes))
        elif isinstance(one, dict):
            label = one.get("label")
            if isinstance(label, int):
                raise InputError(
                    f"the label {label} is a number: export with the text of labels (JSONL)"
                )
            if "start_offset" in one:
                ends = one["start_offset"], one.get("end_offset")
                document.spans.append(mark((*ends, label), text, place=place, notes=notes))
            elif isinstance(label, str):
                document.labels.append(label)
            else:
                notes.count("answers that are neither spans nor labels, ignored", place)
        else:
            raise InputError(f"{one!r:.80} is neither a label nor [start, end, label]")
    return document


def _text(row: dict[str, Any]) -> Any:
    return row.get("text", row.get("data"))
