"""Reads what Label Studio exports: JSON, JSON-MIN and CSV (its CoNLL is read as columns).

A task has several annotations where several people worked on it; skipped ones are left out.
Offsets count UTF-16 units, as in JavaScript, unless the own texts of the spans tell otherwise.
JSON-MIN and CSV do not mark which columns are answers. In JSON-MIN those of the data stand before
`id`, unless the data have an `id` of their own; where it cannot be told, the user names the label.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.formats.columns import TEXT_NAMES, as_value, columns_in, joined
from rnnlp.data.formats.columns import placed as numbered
from rnnlp.data.formats.delimited import split_row
from rnnlp.data.formats.jsonl import json_value
from rnnlp.data.formats.text_files import read_lines, stem

from .document import Document, agreed, counts_units, mark, objects, placed
from .files import Head, json_items

Columns: TypeAlias = tuple[str | int | None, str | int | None]  # of text and label; None: unsaid

_OWN = frozenset(  # what is no data of the user's in the flat forms
    ("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement",
     "history")
)  # fmt: skip


class _Row(NamedTuple):
    """A row of the flat forms.

    Args:
        text: Its text.
        results: The answers that have parts, as spans do.
        words: What may be answers or data, by column.
        told: Whether the order of the columns tells that it is answers.
    """

    text: str
    results: list[dict[str, Any]]
    words: dict[str, list[Any]]
    told: bool


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


def read_label_studio(
    path: str, notes: Notes, columns: Columns = (None, None)
) -> Iterator[Document]:
    """Yields the annotated tasks of JSON or JSON-MIN.

    Args:
        path: The export.
        notes: Takes the counts of what is left out.
        columns: What of the data is the text, and whose choices are the label.

    Raises:
        InputError: The export is damaged, or it cannot be told what the text or the label is.
    """
    items = json_items(path)
    if items and isinstance(items[0], dict) and "annotation_id" in items[0]:
        yield from _flat(enumerate(items, start=1), path, notes, columns, ordered=True)
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
            text = _text(task["data"], _texts(task["data"], (), columns[0]))
            results = [objects(one, "result") for one in kept]
            if columns[1] is not None:
                results = [[one for one in some if _asked(one, columns[1])] for some in results]
            documents = [_document(some, text, number, place, notes) for some in results]
            yield agreed(documents, notes)


def read_label_studio_table(
    path: str, notes: Notes, columns: Columns = (None, None)
) -> Iterator[Document]:
    """Yields the annotated tasks of CSV or TSV, whose cells hold JSON.

    Args:
        path: The export.
        notes: Takes the counts of what is left out.
        columns: Those of the text and of the label.

    Raises:
        InputError: The export is damaged, or it cannot be told what the text or the label is.
    """
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
    # Its columns are sorted by name.
    yield from _flat(rows, path, notes, columns, ordered=False)


def _flat(
    rows: Iterable[tuple[int, Mapping[str, Any]]],
    path: str,
    notes: Notes,
    columns: Columns,
    *,
    ordered: bool,
) -> Iterator[Document]:
    """The documents of rows that are one annotation each, those of one task together.

    Args:
        rows: The rows with their numbers.
        path: The export, for messages.
        notes: Takes the counts of what is left out.
        columns: What the user says of the columns.
        ordered: Whether their order may tell what is data.
    """
    tasks: dict[Any, list[Document]] = {}
    words: dict[str, None] = {}  # an ordered set, as below
    names: dict[str, None] = {}
    told = True
    for number, row in rows:
        place = f"{path}, row {number}"
        with placed(place):
            if not isinstance(row, dict):
                raise InputError("no object, as the rows of Label Studio are")
            read = _row(row, columns, path, ordered=ordered)
            chosen = [{"value": {"choices": choices}} for choices in read.words.values() if choices]
            document = _document([*read.results, *chosen], read.text, number, place, notes)
        told &= read.told
        words.update(dict.fromkeys(name for name, choices in read.words.items() if choices))
        names.update(dict.fromkeys(row))
        tasks.setdefault(str(row.get("id", place)), []).append(document)
    documents = [agreed(some, notes) for some in tasks.values()]
    label = columns[1]
    if label is None:
        marked = any(one.spans for one in documents)
        if len(words) > 1 or (words and marked and not told):
            doubt = f"which column is the label: {', '.join(words)}? set data.label_column"
            documents = [
                one._replace(doubt=doubt, labels=[] if marked else one.labels) for one in documents
            ]
    elif documents and not words and str(label) not in names and not str(label).isdecimal():
        raise InputError(
            f"no column {label!r} among {', '.join(names)}: set data.label_column", path=path
        )
    yield from documents


def _row(row: Mapping[str, Any], columns: Columns, path: str, *, ordered: bool) -> _Row:
    names = list(row)
    end = names.index("id") if ordered and "id" in row else 0  # of the data
    asked = _named(columns[0], names, "text_column", path)
    label = _named(columns[1], names, "label_column", path)
    texts = _texts(row, names[:end], asked)
    told = all(name in names[:end] for name in texts)
    results: list[dict[str, Any]] = []
    words: dict[str, list[Any]] = {}
    for place, name in enumerate(names):
        value = row[name]
        if name in texts or (name in _OWN and name != label):
            continue
        if answered := isinstance(value, dict) and "choices" in value:
            value = value["choices"]
        if isinstance(value, list) and value and isinstance(value[0], dict):
            results += [{"value": one} for one in value]
        elif name == label:
            words[name] = value if isinstance(value, list) else [as_value(value)]
        elif label is None and (answered or place > end or not told):
            is_text = name in TEXT_NAMES or not isinstance(value, str)
            words[name] = value if isinstance(value, list) else [] if is_text else [value]
    words = {name: [one for one in some if one != ""] for name, some in words.items()}
    return _Row(_text(row, texts), results, words, told)


def _named(column: str | int | None, names: list[str], option: str, path: str) -> str | None:
    """What the user says of a column, by its name where it is a number."""
    if isinstance(column, int) or (column and column.isdecimal() and column not in names):
        return names[numbered(column, names, len(names), option, path)]
    return column


def _asked(result: Mapping[str, Any], label: str | int) -> bool:
    """Whether a result counts: spans, and the choices of the tag that the user names."""
    value = result.get("value")
    choices = isinstance(value, dict) and isinstance(value.get("choices"), list)
    return not choices or result.get("from_name") == str(label)


def _document(
    results: list[dict[str, Any]], text: str, number: int, place: str, notes: Notes
) -> Document:
    regions: list[tuple[Any, Any, Any, list[Any]]] = []
    labels: list[str] = []
    for result in results:
        value = result.get("value")
        if result.get("type") == "relation":
            notes.count("relations between spans, ignored", place)
        elif isinstance(value, dict) and isinstance(value.get("labels"), list):
            whole = value.get("globalOffsets")  # spans over HTML have both
            region = whole if isinstance(whole, dict) else value
            regions.append(
                (region.get("start"), region.get("end"), value.get("text"), value["labels"])
            )
        elif isinstance(value, dict) and isinstance(value.get("choices"), list):
            labels += map(str, value["choices"])
        else:
            notes.count("answers that are neither spans nor choices, ignored", place)
    units = counts_units([region[:3] for region in regions], text, usual=True)
    spans = [
        mark((start, end, label), text, surface=own, units=units, place=place, notes=notes)
        for start, end, own, names in regions
        for label in names
    ]
    return Document(text, spans, list(dict.fromkeys(labels)), number, place)


def _texts(data: Mapping[str, Any], before: Collection[str], asked: str | int | None) -> list[str]:
    """Where the text of a task stands: where the user says, under a usual name, or in all there is.

    Args:
        data: The data of the task, with its answers in the flat forms.
        before: What stands there before the answers, as far as that is known.
        asked: What the user says: a name, or several with commas.

    Raises:
        InputError: There is no text there, or it cannot be told.
    """
    if asked is not None:
        named = list(map(str, columns_in(asked, data)))
        if odd := [name for name in named if not isinstance(data.get(name), str)]:
            raise InputError(f"no text {odd[0]!r} among {', '.join(data)}: set data.text_column")
        return named
    texts = [name for name, value in data.items() if isinstance(value, str) and name not in _OWN]
    first = [name for name in texts if name in before]
    for some in (first, texts):
        if usual := [name for name in TEXT_NAMES if name in some]:
            return usual[:1]
    names = first if len(first) == 1 else texts
    if len(names) != 1:
        shown = ", ".join(names) or "none"
        raise InputError(
            f"which of its data is the text ({shown})? name it `text` (of a classifier: or set "
            "data.text_column)"
        )
    return names


def _text(data: Mapping[str, Any], names: Collection[str]) -> str:
    return joined([data[name] for name in names])


def _names(line: str) -> list[str]:
    for delimiter in (",", "\t"):
        if len(names := split_row(line, delimiter)) > 1:
            return [name.strip() for name in names]
    return []


def _cell(value: Any) -> Any:
    """The value of a cell, which is JSON where an answer has parts."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return json_value(value)
        except ValueError:
            return value
    return value
