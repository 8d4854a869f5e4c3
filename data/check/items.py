"""Labelled data as `check` looks at it: texts with labels, for a tagger or for a classifier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from rnnlp.data.annotation.files import first_lines
from rnnlp.data.annotation.tools import tool_of
from rnnlp.data.classification.readers import classification_layout, read_classification
from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.formats.jsonl import json_object
from rnnlp.data.formats.layout import ANNOTATED, DELIMITED, JSON_LINES, Layout
from rnnlp.data.formats.text_files import stem
from rnnlp.data.formats.weights import WEIGHT
from rnnlp.data.formats.workbooks import is_workbook
from rnnlp.data.tagging.corpus import labelling
from rnnlp.data.tagging.jsonl import SPAN_KEYS, START_KEYS, TAG_KEYS
from rnnlp.data.tagging.readers import spans_of
from rnnlp.data.tagging.sources import file_source
from rnnlp.data.tagging.tables import names_tokens
from rnnlp.data.text.tokenizer import Level, splitter

Task = Literal["tagging", "classification"]
_UNKNOWN = Layout()


class Item(NamedTuple):
    """An example.

    Args:
        text: The text, or its tokens with blanks between them.
        tokens: Its tokens.
        labels: The type of each entity, each plain tag, or the labels of the text.
        answer: All that is said of it, so that two examples can be found to contradict each other.
        place: Where it stands.
        line: The line that it begins at.
        features: The values of further columns.
        beside: Its weight, and the probabilities of its labels.
        kind: What the labels are.
    """

    text: str
    tokens: list[str]
    labels: list[str]
    answer: tuple[object, ...]
    place: str
    line: int
    features: Sequence[str] = ()
    beside: tuple[object, ...] = ()
    kind: str = "labels"


def task_of(path: str) -> Task:
    """What a file is labelled for, by its first lines."""
    suffix = stem(path)[1]
    if is_workbook(path):
        return "tagging" if names_tokens(path) else "classification"
    head = first_lines(path)
    if (tool := tool_of(path, head)) is not None:
        first = next((one for one in tool.read(path, Notes()) if one.spans or one.labels), None)
        return "classification" if first is not None and not first.spans else "tagging"
    if suffix in ANNOTATED or suffix in DELIMITED:
        tokens = suffix in ANNOTATED or (suffix == ".csv" and names_tokens(path))
        return "tagging" if tokens else "classification"
    filled = [line for _, line in head if line.strip()]
    if suffix in JSON_LINES or (filled and filled[0].lstrip().startswith("{")):
        return "tagging" if any(map(_marks_spans, filled)) else "classification"
    blocks = len(filled) < len(head) and all(2 <= len(line.split()) <= 12 for line in filled)
    return "tagging" if blocks else "classification"


def _marks_spans(line: str) -> bool:
    """Whether a JSON line has tokens with tags, or spans; its label may be names or scores."""
    try:
        row = json_object(line)
    except InputError:  # its reader will tell
        return False
    if isinstance(row.get("tokens"), list):
        return "text" not in row or any(isinstance(row.get(key), list) for key in TAG_KEYS)
    for value in map(row.get, SPAN_KEYS):
        if isinstance(value, dict) and any(isinstance(one, dict) for one in value.values()):
            return True
        entries = value if isinstance(value, list) else []
        if any(isinstance(one, list | dict) and _is_span(one) for one in entries):
            return True
    return False


def _is_span(entry: list[object] | dict[str, object]) -> bool:
    return isinstance(entry, list) or any(key in entry for key in START_KEYS)


def items_of(
    path: str,
    task: Task,
    *,
    level: Level,
    text_column: str | int | None = None,
    label_column: str | int | None = None,
    label_separator: str = "",
    label_before: str = "",
    feature_columns: Sequence[str] = (),
    layout: Layout = _UNKNOWN,
    notes: Notes,
) -> Iterator[Item]:
    """Yields the examples of a file.

    Args:
        path: The file, in any format that training accepts.
        task: What it is labelled for.
        level: How raw texts are split.
        text_column: Of a classifier's table: the column of the text; None looks for usual names.
        label_column: Likewise of the label.
        label_separator: What parts the labels of a text that may have several.
        label_before: Only what stands before this mark in a label counts.
        feature_columns: Columns that a model reads beside a text.
        layout: How the file is laid out, where a model knows it.
        notes: Takes what the reader counts: what is lost, ill-formed or odd.

    Raises:
        InputError: The file cannot be read for this task.
    """
    if task == "classification":
        split = splitter(level)
        if not layout.format and None in (text_column, label_column):  # what is guessed is told
            guessed = classification_layout(
                path, format="auto", text_column=text_column, label_column=label_column
            )
            named = not text_column is label_column is None
            if how := guessed.told(path, named=named):
                notes.add(f"{path}: {how}")
        for text in read_classification(
            path,
            text_column=text_column,
            label_column=label_column,
            label_separator=label_separator,
            label_before=label_before,
            weight_column=WEIGHT,
            feature_columns=feature_columns,
            layout=layout,
            notes=notes,
        ):
            tokens = [text.text[start:end] for start, end in split(text.text)]
            labels = sorted(text.labels)
            place = text.at(path)
            beside = (text.weight, text.soft)
            yield Item(
                text.text, tokens, labels, tuple(labels), place, text.line, text.features, beside
            )
        return
    source = file_source(path, format="auto", level=level, layout=layout, weight_column=WEIGHT)
    scheme = labelling(source, notes)
    for example in source.read(notes):
        labels = example.tags or []
        answer: tuple[object, ...] = (*labels,)
        if scheme is not None:
            try:
                spans = spans_of(example, scheme, path=path, notes=notes)
            except InputError as error:
                raise InputError(error.message, path=path, line=example.line) from error
            labels, answer = [span.type for span in spans], (*spans,)
        yield Item(
            " ".join(example.tokens),
            example.tokens,
            labels,
            answer,
            example.at(path),
            example.line,
            beside=(example.weight, example.soft),
            kind="plain tags" if scheme is None else "entities",
        )
