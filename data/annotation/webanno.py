"""Reads WebAnno TSV 3, which INCEpTION writes as well: one file, or a folder of them.

Of several layers of spans, the one with named entities is read, else the first that marks
anything; chains and relations are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.formats.text_files import read_lines

from .document import Document, placed
from .files import Head, files_in

_FORMAT = "#FORMAT=WebAnno TSV 3"
_STACKED = re.compile(r"(?<!\\)\|")
_NUMBERED = re.compile(r"(.*?)(?:\[([0-9]+)\])?", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)")
_NAMED_ENTITY = re.compile(r"(^|\.)NamedEntity$")
_LABELS = ("value", "label", "type", "category", "identifier")  # usual names of the feature


class _Layer(NamedTuple):
    """A layer of spans: its name, its features, and the first of their columns."""

    name: str
    features: list[str]
    column: int


def is_webanno(head: Head) -> bool:
    """Whether a file is WebAnno TSV 3, or a folder holds such files."""
    if head.lines:
        return head.lines[0].startswith(_FORMAT)
    first = next(files_in(head.path, ".tsv"), None)
    return first is not None and next(read_lines(first))[1].startswith(_FORMAT)


def read_webanno(path: str, notes: Notes) -> Iterator[Document]:
    """Yields the sentences with their tokens."""
    for name in files_in(path, ".tsv"):
        yield from _file(name, notes)


def _file(path: str, notes: Notes) -> Iterator[Document]:
    layers: list[_Layer] = []
    column = 3
    rows: list[tuple[int, list[str]]] = []
    for number, line in read_lines(path):
        if line.startswith("#T_"):
            kind, _, rest = line.partition("=")
            name, *features = rest.split("|")
            features = features or ["*"]  # a layer without features has one column
            if kind == "#T_SP":
                layers.append(_Layer(name, features, column))
            else:
                notes.count("layers of relations or chains, ignored", f"{path}:{number}")
            column += len(features)
        elif line.strip() and not line.startswith("#"):
            fields = line.split("\t")
            if len(fields) < 3:
                raise InputError(
                    "fewer than three columns: token number, offsets, token", path=path, line=number
                )
            rows.append((number, fields))
    layer, feature = _chosen(layers, rows, path)
    notes.add(f"{path}: its spans are those of {layer.name.rsplit('.', 1)[-1]}.{feature}")
    yield from _sentences(rows, layer.column + layer.features.index(feature), path, notes)


def _chosen(
    layers: list[_Layer], rows: list[tuple[int, list[str]]], path: str
) -> tuple[_Layer, str]:
    """The layer and the feature that name the spans."""
    used = [
        layer
        for layer in layers
        if any(
            fields[c] != "_"
            for _, fields in rows
            for c in range(layer.column, min(layer.column + len(layer.features), len(fields)))
        )
    ]
    named = [layer for layer in used or layers if _NAMED_ENTITY.search(layer.name)]
    chosen = (named or used or layers)[:1]
    if not chosen:
        raise InputError("no layer of spans (#T_SP=) in the file", path=path)
    features = chosen[0].features
    return chosen[0], next((name for name in _LABELS if name in features), features[0])


def _sentences(
    rows: list[tuple[int, list[str]]], column: int, path: str, notes: Notes
) -> Iterator[Document]:
    groups: dict[str, list[tuple[int, list[str]]]] = {}
    for number, fields in rows:
        if "." in fields[0]:
            notes.count("spans over parts of tokens, ignored", f"{path}:{number}")
            continue
        groups.setdefault(fields[0].partition("-")[0], []).append((number, fields))
    for group in groups.values():
        line = group[0][0]
        place = f"{path}:{line}"
        with placed(place):
            yield _sentence(group, column, line, place)


def _sentence(rows: list[tuple[int, list[str]]], column: int, line: int, place: str) -> Document:
    offsets: list[tuple[int, int]] = []
    numbered: dict[tuple[str, str], tuple[int, int]] = {}
    spans = []
    words = [fields[2] for _, fields in rows]
    for _, fields in rows:
        start = offsets[-1][1] + 1 if offsets else 0
        offsets.append((start, start + len(fields[2])))
        value = fields[column] if column < len(fields) else "_"
        if value == "_":
            continue
        for one in _STACKED.split(value):
            match = _NUMBERED.fullmatch(one)
            assert match is not None  # it fits any text
            label = _ESCAPED.sub(r"\1", match[1])
            if label in ("*", ""):
                label = "span"  # marked, without a value
            if match[2] is None:
                spans.append((*offsets[-1], label))
            else:
                first = numbered.get((label, match[2]), offsets[-1])
                numbered[label, match[2]] = (first[0], offsets[-1][1])
    spans += [(start, end, label) for (label, _), (start, end) in numbered.items()]
    return Document(" ".join(words), spans, [], line, place, offsets)
