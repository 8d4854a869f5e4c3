"""Reads labelled sentences for a tagger from any file format that the house accepts.

The format is recognised from content; the name is only a hint. Reading is one streaming pass, so
memory does not grow with the file. Does not choose a scheme and does not make batches.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import cast

from rnnlp.data.annotation.docbin import is_docbin
from rnnlp.data.annotation.tools import ANNOTATION, tool_for, tool_of
from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.formats.layout import JSON_LINES, Layout
from rnnlp.data.formats.own import READERS, check_format, own_lines
from rnnlp.data.formats.text_files import read_lines, stem
from rnnlp.data.formats.weights import WEIGHT
from rnnlp.data.formats.workbooks import is_workbook
from rnnlp.data.text.tokenizer import splitter

from .conll import FORM, UPOS, conll_layout, is_conllu, read_conll, read_conllu
from .documents import Split, read_documents
from .example import TaggedExample
from .jsonl import read_tagging_json
from .schemes import Span, is_valid, tags_to_spans
from .tables import TABLE, table_layout, table_sentences

__all__ = ["FORMATS", "TaggedExample", "read_tagging", "spans_of"]

FORMATS = ("auto", "conll", "conllu", "jsonl", TABLE, ANNOTATION)
_UNKNOWN = Layout()
_HEAD = 2000  # lines that the format is recognised from


def read_tagging(
    path: str | os.PathLike[str],
    *,
    format: str = "auto",
    split: Split,
    token_column: int | None = None,
    tag_column: int | None = None,
    labelled: bool = True,
    group_column: str | int | None = None,
    weight_column: str | int | None = None,
    layout: Layout = _UNKNOWN,
    notes: Notes,
) -> Iterator[TaggedExample]:
    """Yields the sentences of a file.

    Column files give `tags` in the scheme of the file, JSON lines `tags` or `spans`; see
    `spans_of`, which makes the two alike.

    Args:
        path: The file; gzip-packed where its name ends in `.gz`.
        format: One of `FORMATS`; "auto" recognises it.
        split: Gives the offsets of a raw text's tokens; for JSON lines with `text`.
        token_column: Number of the token's column, from 1; None for the usual one.
        tag_column: Number of the tag's column, from 1; None for the usual one.
        labelled: Whether sentences without tags or spans are an error.
        group_column: Key of what else stays on one side of a cut, in JSON lines.
        weight_column: Key of the weight, in JSON lines; "weight" need not be there.
        layout: How the training file was laid out.
        notes: Takes counts of what is legal but lossy.

    Raises:
        InputError: The file cannot be read as any format, or a line of it is malformed.
    """
    check_format(format, FORMATS)
    name, format, head, lines = _open(path, format)
    asked, _ = layout.asked(
        format, {"token": token_column, "tag": tag_column}, path=name, notes=notes
    )
    token_column, tag_column = (cast(int | None, asked[role]) for role in ("token", "tag"))
    for option, key in {"group_column": group_column, "weight_column": weight_column}.items():
        if key not in (None, WEIGHT) and format != "jsonl":
            raise InputError(f"data.{option} is for JSON lines, not {format}", path=path)
    if format == ANNOTATION:
        examples = read_documents(name, tool_for(name), split=split, notes=notes)
    elif format in ("jsonl", TABLE):
        if format == TABLE:
            lines = table_sentences(
                name, token_column=token_column, tag_column=tag_column, notes=notes
            )
        examples = read_tagging_json(
            lines,
            path=name,
            split=split,
            labelled=labelled,
            group_key=group_column,
            weight_key=weight_column,
            notes=notes,
        )
    elif format == "conllu":
        examples = read_conllu(
            lines,
            path=name,
            token_column=token_column,
            tag_column=tag_column,
            labelled=labelled,
            notes=notes,
        )
    else:
        examples = read_conll(
            head,
            lines,
            path=name,
            token_column=token_column,
            tag_column=tag_column,
            labelled=labelled,
            notes=notes,
        )
    empty, before = True, notes.counts()
    for example in examples:
        empty = False
        yield example
    if empty:
        raise notes.nothing_left("sentences", path=str(path), before=before)


def tagging_layout(
    path: str | os.PathLike[str], *, format: str, token_column: int | None, tag_column: int | None
) -> Layout:
    """How a training file is laid out.

    Args:
        path: The file.
        format: One of `FORMATS`; "auto" recognises it.
        token_column: As in `read_tagging`.
        tag_column: As in `read_tagging`.

    Raises:
        InputError: The file cannot be read, or its format is not recognised.
    """
    name, format, head, _ = _open(path, format)
    if format == "conll":
        return conll_layout(head, path=name, token_column=token_column, tag_column=tag_column)
    if format == TABLE:
        return table_layout(name, token_column=token_column, tag_column=tag_column)
    if format == "conllu":
        return Layout(
            format=format, columns={"token": token_column or FORM, "tag": tag_column or UPOS}
        )
    return Layout(format=format)


def _open(
    path: str | os.PathLike[str], format: str
) -> tuple[str, str, list[tuple[int, str]], Iterator[tuple[int, str]]]:
    """Name, format, first lines and all lines of a file."""
    name = os.fspath(path)
    if format in READERS:
        return name, "jsonl", [], own_lines(name, format)
    folder = os.path.isdir(name) and format in ("auto", ANNOTATION)  # of files of one tool
    binary = folder or is_docbin(name) or is_workbook(name)
    lines = iter(()) if binary else read_lines(path)
    head = list(islice(lines, _HEAD))
    if format == "auto" and is_workbook(name):
        format = TABLE
    elif format == "auto":
        known = tool_of(name, head)
        format = ANNOTATION if known or folder else _recognise(name, head)
    return name, format, head, chain(head, lines)


def spans_of(
    example: TaggedExample,
    scheme: str,
    *,
    path: str | os.PathLike[str],
    notes: Notes,
) -> list[Span]:
    """The gold spans of an example, whichever way its file states them.

    Ill-formed tag sequences are counted and read by the rules of conlleval.

    Args:
        example: A sentence with `tags` or `spans`.
        scheme: The scheme of its tags.
        path: Its file, for errors and notes.
        notes: Takes the count of ill-formed sequences.

    Raises:
        InputError: A tag that the scheme does not have.
    """
    if example.spans is not None:
        return example.spans
    tags = example.tags or []
    try:
        if not is_valid(tags, scheme):
            notes.count(
                f"sentences with ill-formed {scheme} tags, read as conlleval does",
                f"{os.fspath(path)}:{example.line}",
            )
        return tags_to_spans(tags, scheme)
    except InputError as error:
        raise InputError(error.message, path=path, line=example.line) from error


def _recognise(name: str, head: list[tuple[int, str]]) -> str:
    suffix = stem(name)[1]
    if suffix == ".csv":
        return TABLE
    if suffix in JSON_LINES:
        return "jsonl"
    first = next((line.strip() for _, line in head if line.strip()), "")
    if first.startswith("{") and first.endswith("}") and len(first) > 1:
        return "jsonl"
    return "conllu" if suffix == ".conllu" or is_conllu(head) else "conll"


def no_characters(tokens: Iterable[str]) -> int:
    """How many tokens are no single character, as texts are split for a model of characters."""
    split = splitter("character")
    return sum(len(token) > 1 and len(split(token)) > 1 for token in tokens)
