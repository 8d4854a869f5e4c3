"""The annotation tools whose exports are read: one row each, by which they are recognised."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError

from .brat import is_brat, read_brat
from .docbin import is_docbin, read_docbin
from .doccano import is_doccano, read_doccano
from .document import Document
from .files import Head, first_lines
from .label_studio import (
    Columns,
    is_label_studio,
    is_label_studio_table,
    read_label_studio,
    read_label_studio_table,
)
from .prodigy import is_prodigy, read_prodigy
from .spacy import is_spacy, read_spacy
from .webanno import is_webanno, read_webanno

ANNOTATION = "annotation"  # how settings call an export of any of these tools


class Tool(NamedTuple):
    """A kind of export.

    Args:
        name: What notes call it.
        recognises: Whether a file that begins so is one.
        read: Yields its texts; counts what is left out.
        pick: The same with columns of text and label that the user may name; None where a file is
            read as plain rows when they are named.
    """

    name: str
    recognises: Callable[[Head], bool]
    read: Callable[[str, Notes], Iterator[Document]]
    pick: Callable[[str, Notes, Columns], Iterator[Document]] | None = None


TOOLS = (
    Tool("Label Studio", is_label_studio, read_label_studio, read_label_studio),
    Tool(
        "Label Studio (CSV)",
        is_label_studio_table,
        read_label_studio_table,
        read_label_studio_table,
    ),
    Tool("spaCy (DocBin)", lambda head: is_docbin(head.path), read_docbin),
    Tool("spaCy (JSON)", is_spacy, read_spacy),
    Tool("Prodigy", is_prodigy, read_prodigy),
    Tool("doccano", is_doccano, read_doccano),
    Tool("WebAnno TSV", is_webanno, read_webanno),
    Tool("brat", is_brat, read_brat),
)


def tool_of(path: str | os.PathLike[str], lines: Sequence[tuple[int, str]]) -> Tool | None:
    """The tool that wrote a file, or None for none that is known.

    Args:
        path: The file, or a folder of files.
        lines: Its first lines with their numbers; of a folder none.
    """
    head = Head.of(os.fspath(path), [line for _, line in lines])
    return next((tool for tool in TOOLS if tool.recognises(head)), None)


def tool_for(path: str) -> Tool:
    """The tool that wrote a file or the files of a folder.

    Raises:
        InputError: None that is known did.
    """
    tool = tool_of(path, first_lines(path))
    if tool is None:
        names = ", ".join(one.name for one in TOOLS)
        what = "a folder without" if os.path.isdir(path) else "no"
        raise InputError(f"{what} export of a tool that is known ({names})", path=path)
    return tool
