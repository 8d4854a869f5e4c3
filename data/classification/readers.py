"""Reads labelled texts for a classifier from any file format that the house accepts.

CSV and TSV with a header, TSV without one, JSON lines, `label text` lines, and fastText's
`__label__x text`; recognised from content, the name is only a hint. Reading is one streaming pass,
so memory does not grow with the file. Cleaning and splitting into tokens happen later; how a JSON
object is read is in `jsonl.py`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice
from typing import Any
from unicodedata import normalize

from rnnlp.data.annotation.docbin import is_docbin
from rnnlp.data.annotation.tools import ANNOTATION, tool_for, tool_of
from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.formats.columns import LABEL_NAMES, TEXT_NAMES
from rnnlp.data.formats.delimited import (
    TableRow,
    csv_delimiter,
    delimiter_of,
    is_quoted,
    quoted_as_trained,
    read_table,
    table_layout,
)
from rnnlp.data.formats.jsonl import json_object, json_value
from rnnlp.data.formats.layout import DELIMITED, JSON_LINES, TABLES, Layout
from rnnlp.data.formats.own import READERS, check_format, own_lines
from rnnlp.data.formats.probabilities import Probabilities
from rnnlp.data.formats.text_files import stem
from rnnlp.data.formats.weights import WEIGHT
from rnnlp.data.formats.workbooks import is_workbook, table_lines

from .example import ClassifiedExample
from .jsonl import key_of, labels_of, read_classification_json

FORMATS = ("auto", "csv", "tsv", "jsonl", "fasttext", "lines", ANNOTATION)
_UNKNOWN = Layout()
_HEAD = 2000  # lines that the format is recognised from
_ENOUGH = 10  # lines from which words that differ cannot be taken for labels
_PARTING = re.compile(r"(?<=[^\W_])[\s_-]+(?=[^\W_])")  # words of a label
_FASTTEXT = re.compile(r"(?<!\S)__label__(\S+)\s?")


def read_classification(
    path: str | os.PathLike[str],
    *,
    format: str = "auto",
    text_column: str | int | None = None,
    label_column: str | int | None = None,
    label_separator: str = "",
    label_before: str = "",
    group_column: str | int | None = None,
    weight_column: str | int | None = None,
    feature_columns: Sequence[str] = (),
    layout: Layout = _UNKNOWN,
    notes: Notes,
) -> Iterator[ClassifiedExample]:
    """Yields the texts of a file with their labels.

    Args:
        path: The file; gzip-packed where its name ends in `.gz`.
        format: One of `FORMATS`; "auto" recognises it.
        text_column: Column of the text: a name of the header or key of the JSON objects, or a
            number from 1, or several with commas, to be joined; None looks for usual names.
        label_column: Likewise for the label.
        label_separator: What parts the labels of a text that may have several.
        label_before: Only what stands before this mark in a label counts: with ":" the label
            "LOC:city" is "LOC".
        group_column: Column or key of what else stays on one side of a cut.
        weight_column: Column or key of the weight; "weight" need not be there.
        feature_columns: Columns or keys whose values are read beside the text.
        layout: How the training file was laid out.
        notes: Takes the count of what is left out.

    Raises:
        InputError: The file cannot be read, or a line of it is malformed or has no label.
    """
    check_format(format, FORMATS)
    # Who names columns, now or in training, means the keys of the rows.
    named = (text_column, label_column) != (None, None) or layout.format == "jsonl"
    name, format, lines, delimiter, quoted = _open(path, format, named=named, notes=notes)
    if format == layout.format == "tsv":
        head = list(islice(lines, _HEAD))
        lines = chain(head, lines)
        quoted, remark = quoted_as_trained((line for _, line in head), layout.quoted)
        if remark:
            notes.add(f"{name}: {remark}")
    asked, header = layout.asked(
        format, {"text": text_column, "label": label_column}, path=name, notes=notes
    )
    text_column, label_column = asked["text"], asked["label"]
    asked_for = {"group_column": group_column, "weight_column": weight_column}
    for option, column in asked_for.items():
        if column not in (None, WEIGHT) and format not in ("jsonl", *TABLES):
            raise InputError(f"data.{option} is for tables and JSON lines, not {format}", path=path)
    if feature_columns and format not in ("jsonl", *TABLES):
        raise InputError(
            f"data.feature_columns is for tables and JSON lines, not {format}", path=path
        )
    examples: Iterable[ClassifiedExample]
    if format == ANNOTATION:
        examples = _annotated(name, (text_column, label_column), notes)
    elif format == "jsonl":
        examples = read_classification_json(
            lines,
            path=name,
            text_key=text_column,
            label_key=label_column,
            group_key=group_column,
            weight_key=weight_column,
            feature_keys=feature_columns,
            notes=notes,
        )
    elif format == "fasttext":
        examples = _fasttext(lines)
    elif format == "lines":
        examples = _label_first(lines, name)
    else:
        rows = read_table(
            lines,
            path=name,
            delimiter=delimiter,
            quoted=quoted,
            text_column=text_column,
            label_column=label_column,
            group_column=group_column,
            weight_column=weight_column,
            feature_columns=feature_columns,
            header=header,
            notes=notes,
        )
        examples = _labelled_rows(rows, name, notes)
    empty, before = True, notes.counts()
    for example in examples:
        labels = example.labels
        if label_separator:
            labels = [part.strip() for label in labels for part in label.split(label_separator)]
            labels = [label for label in labels if label]
        if label_before:
            labels = [label.split(label_before, 1)[0] for label in labels]
            if example.soft is not None:
                merged: Probabilities = {}
                for label, probability in example.soft.items():
                    label = label.split(label_before, 1)[0]
                    merged[label] = merged.get(label, 0.0) + probability
                example = example._replace(soft=merged)
        if not all(labels):
            problem = "the label is empty; add one or drop the line"
            notes.bad(InputError(problem, path=name, line=example.line))
            continue
        empty = False
        yield example._replace(labels=list(dict.fromkeys(labels)))
    if empty:
        raise notes.nothing_left("texts", path=name, before=before)


def classification_layout(
    path: str | os.PathLike[str],
    *,
    format: str,
    text_column: str | int | None,
    label_column: str | int | None,
) -> Layout:
    """How a training file is laid out.

    Args:
        path: The file.
        format: One of `FORMATS`; "auto" recognises it.
        text_column: As in `read_classification`.
        label_column: As in `read_classification`.

    Raises:
        InputError: The file cannot be read, or its columns cannot be guessed.
    """
    said = {"text": text_column, "label": label_column}
    named = any(column is not None for column in said.values())
    name, format, lines, delimiter, quoted = _open(
        path, format, named=named, notes=Notes(skip_bad_rows=True)
    )
    if format in TABLES:
        return table_layout(
            lines,
            path=name,
            format=format,
            delimiter=delimiter,
            quoted=quoted,
            text_column=text_column,
            label_column=label_column,
        )
    columns: dict[str, str | int] = {}
    if format == ANNOTATION:
        columns = {role: column for role, column in said.items() if column is not None}
    if format == "jsonl":
        line = next((line for _, line in lines if line.strip()), "{}")
        for role, key, usual in (
            ("text", text_column, TEXT_NAMES),
            ("label", label_column, LABEL_NAMES),
        ):
            if key is not None:
                columns[role] = key
                continue
            with suppress(InputError):  # reading will tell
                columns[role] = key_of(json_object(line), key, usual, f"{role}_column")
    return Layout(format=format, columns=columns)


def _open(
    path: str | os.PathLike[str], format: str, *, named: bool, notes: Notes
) -> tuple[str, str, Iterator[tuple[int, str]], str, bool]:
    """Name, format, lines, delimiter and quoting of a file, or of an export of annotation tools.

    Args:
        path: The file.
        format: One of `FORMATS`.
        named: Whether the user names columns.
        notes: Takes lines that are left out.
    """
    name = os.fspath(path)
    if format in READERS:
        return name, "jsonl", own_lines(name, format), ",", False
    lines = iter(()) if is_docbin(name) else table_lines(path, rows=notes)
    head = list(islice(lines, _HEAD))
    if format == "auto":
        tool = None if is_workbook(name) else tool_of(name, head)
        known = tool is not None and (not named or tool.pick is not None)
        format = ANNOTATION if known else _recognise(name, head)
    first = next((line for _, line in head if line.strip()), "")
    delimiter = "\t" if format == "tsv" else "," if is_workbook(name) else csv_delimiter(first)
    quoted = format == "csv" or is_quoted(line for _, line in head)
    return name, format, chain(head, lines), delimiter, quoted


def single_label(labels: list[str], *, path: str, line: int) -> str:
    """The label of a text that has exactly one.

    Args:
        labels: Its labels.
        path: The file, for the error.
        line: The line, likewise.

    Raises:
        InputError: It has none or several, which the model cannot give.
    """
    if len(labels) != 1:
        raise InputError(
            f"{len(labels)} labels ({', '.join(labels) or 'none'}) where the training data has one "
            "a text; keep one",
            path=path,
            line=line,
        )
    return labels[0]


def alike_labels(labels: Iterable[str]) -> list[list[str]]:
    """Labels that differ in case, width, or what parts their words, or as 5 and 5.0, 1 and true."""
    groups: dict[str, list[str]] = {}
    for label in labels:
        key = _PARTING.sub(" ", normalize("NFKC", label).strip().casefold())
        key = {"true": "1", "false": "0"}.get(key, key)
        with suppress(ValueError):
            key = str(float(key))
        groups.setdefault(key, []).append(label)
    return [names for names in groups.values() if len(names) > 1]


def alike_across(trained: Iterable[str], others: Iterable[str]) -> str:
    """In words, which labels of other data than training's may mean one of its; "" for none."""
    trained = set(trained)
    kinds = alike_labels(sorted({*trained, *others}))
    return "; ".join(", ".join(names) for names in kinds if set() < trained & {*names} < {*names})


def _recognise(name: str, head: list[tuple[int, str]]) -> str:
    if is_workbook(name):
        return "csv"
    suffix = stem(name)[1]
    filled = [line for _, line in head if line.strip()]
    first = filled[0] if filled else ""
    if suffix in JSON_LINES or first.lstrip().startswith("{"):
        return "jsonl"
    if 2 * sum(_FASTTEXT.match(line) is not None for line in filled) > len(filled):
        return "fasttext"
    if (delimiter := delimiter_of(first)) is not None:
        return "tsv" if delimiter == "\t" else "csv"
    tabs = first.count("\t")
    if tabs and sum(line.count("\t") == tabs for line in filled) >= 0.9 * len(filled):
        return "tsv"
    if suffix in DELIMITED:
        return suffix[1:]
    labels = {line.split(None, 1)[0] for line in filled}
    if len(filled) >= _ENOUGH and 2 * len(labels) > len(filled):
        raise InputError(
            f"the format is not recognised: {len(labels)} different words begin {len(filled)} "
            "lines, too many to be labels; give CSV or TSV with a header, JSON lines, or "
            "`label text` lines, or set data.format",
            path=name,
        )
    return "lines"


def _labelled_rows(
    rows: Iterable[TableRow], path: str, notes: Notes
) -> Iterator[ClassifiedExample]:
    """Rows of a table; labels may be lists or probabilities in JSON, as Parquet and predict do."""
    for row in rows:
        stated = {"label": _cell(row.label), "scores": _cell(row.scores)}
        if row.scores and not row.label:  # predict --min_score left it open
            stated["label"] = None
        try:
            labels, soft = labels_of(stated, "label", place=f"{path}:{row.line}", notes=notes)
        except InputError as error:
            notes.bad(InputError(error.message, path=path, line=row.line))
            continue
        yield ClassifiedExample(
            row.text, labels, row.line, row.group, row.weight, soft, row.features
        )


def _cell(text: str) -> Any:
    """A list, an object or NaN where a cell holds one in JSON; else what stands there."""
    if text[:1] in ("[", "{") or text == "NaN":
        with suppress(ValueError):
            return json_value(text)
    return text


def _label_first(lines: Iterable[tuple[int, str]], path: str) -> Iterator[ClassifiedExample]:
    for number, line in lines:
        if not line.strip():
            continue
        label, *text = line.split(None, 1)
        yield ClassifiedExample("".join(text), [label], number)


def _fasttext(lines: Iterable[tuple[int, str]]) -> Iterator[ClassifiedExample]:
    for number, line in lines:
        if line.strip():
            yield ClassifiedExample(_FASTTEXT.sub("", line), _FASTTEXT.findall(line), number)


def _annotated(
    path: str, columns: tuple[str | int | None, str | int | None], notes: Notes
) -> Iterator[ClassifiedExample]:
    tool = tool_for(path)
    notes.add(f"{path}: read as an export of {tool.name}")
    marked = labelled = False
    for document in tool.pick(path, notes, columns) if tool.pick else tool.read(path, notes):
        if document.doubt:
            raise InputError(document.doubt, path=path)
        marked |= bool(document.spans)
        labelled |= bool(document.labels)
        if document.labels:
            yield ClassifiedExample(
                document.text, document.labels, document.line, place=document.place
            )
        else:
            notes.count("texts without a label, left out", document.place)
    if marked and not labelled:
        raise InputError("marks spans and labels no text: train a tagger on it", path=path)
