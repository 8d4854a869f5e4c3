"""Reads what Label Studio exports: JSON, JSON-MIN and CSV (its CoNLL is read as columns).

A task has several annotations where several people worked on it; skipped ones are left out.
Offsets count UTF-16 units, as in JavaScript; spans that bring their own text are converted.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.formats.columns import TEXT_NAMES
from rnnlp.data.formats.delimited import split_row
from rnnlp.data.formats.text_files import read_lines, stem

from .document import Document, Mark, agreed, mark, objects, placed
from .files import Head, json_items

_OWN = frozenset(  # what is no data of the user's in the flat forms
    ("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement")
)


def is_label_studio(head: Head) -> bool:
    """Whether a file is JSON or JSON-MIN of Label Studio."""
    first = head.first
    if not isinstance(first, dict):
        return False
    whole = isinstance(first.get("data"), dict) and bool(
        {"annotations", "completions", "predictions"} & set(first)
    )
    return whole or {"id", "annotation_id", "annotator"} <= set(first)


def is_label_studio_table(head: Head) -> bool:
    """Whether a file is a CSV or TSV of Label Studio."""
    names = _names(head.lines[0]) if head.lines else []
    return {"id", "annotation_id", "annotator"} <= set(names)


def read_label_studio(path: str, notes: Notes) -> Iterator[Document]:
    """Yields the annotated tasks of JSON or JSON-MIN."""
    items = json_items(path)
    if items and isinstance(items[0], dict) and "annotation_id" in items[0]:
        yield from _flat(enumerate(items, start=1), path, notes)
        return
    for number, task in enumerate(items, start=1):
        place = f"{path}, task {number}"
        with placed(place):
            if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
                raise InputError("no object with `data`, as Label Studio's tasks are")
            annotations = objects(task, "annotations" if "annotations" in task else "completions")
            kept = [one for one in annotations if not one.get("was_cancelled")]
            notes.count("skipped annotations, left out", place, len(annotations) - len(kept))
            if not kept:
                notes.count("tasks without an annotation, left out", place)
                continue
            kept = [one for one in kept if one.get("ground_truth")] or kept
            text = _text(task["data"])
            documents = [
                _document(objects(one, "result"), text, number, place, notes) for one in kept
            ]
            yield agreed(documents, notes)


def read_label_studio_table(path: str, notes: Notes) -> Iterator[Document]:
    """Yields the annotated tasks of CSV or TSV, whose cells hold JSON."""
    lines = iter(read_lines(path))
    names = _names(next(lines)[1])
    reader = csv.DictReader(
        (line + "\n" for _, line in lines),
        fieldnames=names,
        delimiter="\t" if stem(path)[1] == ".tsv" else ",",
    )
    try:
        rows = [
            (reader.line_num + 1, {name: _cell(value) for name, value in row.items() if name})
            for row in reader
        ]
    except csv.Error as error:
        raise InputError(f"is not CSV: {error}", path=path, line=reader.line_num + 1) from error
    yield from _flat(rows, path, notes)


def _flat(
    rows: Iterable[tuple[int, Mapping[str, Any]]], path: str, notes: Notes
) -> Iterator[Document]:
    """The documents of rows that are one annotation each, those of one task together."""
    tasks: dict[Any, list[Document]] = {}
    for number, row in rows:
        place = f"{path}, row {number}"
        with placed(place):
            if not isinstance(row, dict):
                raise InputError("no object, as the rows of Label Studio are")
            marked = {
                name: value
                for name, value in row.items()
                if name not in _OWN and not (isinstance(value, str) and name in TEXT_NAMES)
            }
            text = _text({k: v for k, v in row.items() if k not in _OWN})
            results = []
            for name, value in marked.items():
                if isinstance(value, dict) and "choices" in value:
                    value = value["choices"]
                if isinstance(value, list) and value and isinstance(value[0], dict):
                    results += [_region(name, one) for one in value]
                elif isinstance(value, list) or (isinstance(value, str) and value != text):
                    choices = value if isinstance(value, list) else [value] if value else []
                    results.append({"from_name": name, "value": {"choices": choices}})
            document = _document(results, text, number, place, notes)
            tasks.setdefault(str(row.get("id", place)), []).append(document)
    for documents in tasks.values():
        yield agreed(documents, notes)


def _region(name: str, value: Any) -> dict[str, Any]:
    return {"from_name": name, "value": value}


def _document(
    results: list[dict[str, Any]], text: str, number: int, place: str, notes: Notes
) -> Document:
    spans: list[Mark] = []
    labels: list[str] = []
    for result in results:
        value = result.get("value")
        if result.get("type") == "relation":
            notes.count("relations between spans, ignored", place)
        elif isinstance(value, dict) and isinstance(value.get("labels"), list):
            whole = value.get("globalOffsets")  # spans over HTML have both
            region = whole if isinstance(whole, dict) else value
            for label in value["labels"]:
                ends = region.get("start"), region.get("end")
                surface = value.get("text")
                spans.append(mark((*ends, label), text, surface=surface, place=place, notes=notes))
        elif isinstance(value, dict) and isinstance(value.get("choices"), list):
            labels += map(str, value["choices"])
        else:
            notes.count("answers that are neither spans nor choices, ignored", place)
    return Document(text, spans, list(dict.fromkeys(labels)), number, place)


def _text(data: Mapping[str, Any]) -> str:
    """The text of a task: under a usual name, or all that there is."""
    texts = {name: value for name, value in data.items() if isinstance(value, str)}
    usual = [name for name in TEXT_NAMES if name in texts]
    names = usual[:1] or (list(texts) if len(texts) == 1 else [])
    if not names:
        shown = ", ".join(texts) or "none"
        raise InputError(f"which of its data is the text ({shown})? name it `text`")
    return texts[names[0]]


def _names(line: str) -> list[str]:
    for delimiter in (",", "\t"):
        if len(names := split_row(line, delimiter)) > 1:
            return [name.strip() for name in names]
    return []


def _cell(value: Any) -> Any:
    """The value of a cell, which is JSON where an answer has parts."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
