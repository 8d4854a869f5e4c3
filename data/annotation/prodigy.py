"""Reads Prodigy's JSON lines: spans, labels and choices that were accepted.

Rejected and ignored answers are left out. Several sessions are several annotators; of one session,
answers about one text are put together, since some recipes ask about one span at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.formats.jsonl import accepted, json_object
from rnnlp.data.formats.text_files import read_lines

from .document import Document, agreed, counts_units, listed, mark, objects, placed
from .files import Head

_ANSWERS = ("accept", "reject", "ignore")


def is_prodigy(head: Head) -> bool:
    """Whether a file is an export of Prodigy."""
    first = head.first
    return (
        isinstance(first, dict)
        and isinstance(first.get("text"), str)
        and ("_input_hash" in first or first.get("answer") in _ANSWERS)
        and ("_task_hash" in first or bool({"spans", "accept", "label"} & set(first)))
    )


def read_prodigy(path: str, notes: Notes) -> Iterator[Document]:
    """Yields the texts whose annotations were accepted."""
    texts: dict[Any, dict[Any, Document]] = {}
    for number, line in read_lines(path):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        with placed(place):
            row = json_object(line)
            if not accepted(row, place, notes):
                continue
            document = _document(row, number, place, notes)
        sessions = texts.setdefault(str(row.get("_input_hash", place)), {})
        session = str(row.get("_session_id", row.get("_annotator_id")))
        if (before := sessions.get(session)) is not None:
            notes.count("further answers about a text, put together with the first", place)
            document = before._replace(
                spans=list(dict.fromkeys([*before.spans, *document.spans])),
                labels=list(dict.fromkeys([*before.labels, *document.labels])),
            )
        sessions[session] = document
    for sessions in texts.values():
        yield agreed(list(sessions.values()), notes)


def _document(row: dict[str, Any], number: int, place: str, notes: Notes) -> Document:
    text = row.get("text")
    if not isinstance(text, str):
        raise InputError("no `text`, as Prodigy's rows for texts have")
    marked = [
        (one.get("start"), one.get("end"), one.get("text"), one.get("label"))
        for one in objects(row, "spans")
    ]
    units = counts_units([one[:3] for one in marked], text, usual=False)
    spans = [
        mark((start, end, label), text, surface=own, units=units, place=place, notes=notes)
        for start, end, own, label in marked
    ]
    notes.count("relations between spans, ignored", place, len(listed(row, "relations")))
    chosen = row.get("accept")
    if not isinstance(chosen, list):
        chosen = [row["label"]] if isinstance(row.get("label"), str) and not spans else []
    return Document(text, spans, [str(label) for label in chosen], number, place)
