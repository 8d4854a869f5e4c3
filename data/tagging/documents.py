"""Makes sentences for a tagger of texts with spans over characters, whatever they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from rnnlp.data.annotation.document import Document, Mark
from rnnlp.data.annotation.tools import Tool
from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError

from .example import TaggedExample
from .schemes import Span
from .span_alignment import align, drop_overlaps

Split = Callable[[str], list[tuple[int, int]]]
WITHOUT_TOKEN = "texts without a token, left out"


def token_spans(
    marks: Iterable[Mark], offsets: Sequence[tuple[int, int]], place: str, notes: Notes
) -> list[Span]:
    """Spans over tokens without overlaps, of spans over characters; what is lost is counted.

    Args:
        marks: Spans over characters.
        offsets: Those of the tokens.
        place: Where the text stands, for the notes.
        notes: Takes the counts.
    """
    spans, widened, lost = align((Span(*one) for one in marks), offsets)
    spans, overlapping = drop_overlaps(spans)
    notes.count("spans that begin or end inside a token, widened to it", place, widened)
    notes.count("spans over white space alone, dropped", place, lost)
    notes.count("overlapping spans dropped (the longer one stays)", place, overlapping)
    return spans


def read_documents(path: str, tool: Tool, *, split: Split, notes: Notes) -> Iterator[TaggedExample]:
    """Yields the texts of an annotation tool's export.

    Args:
        path: The export.
        tool: The tool that wrote it.
        split: Gives the offsets of a text's tokens, where the export has none.
        notes: Takes the counts of what is lost.

    Raises:
        InputError: The export is damaged, or labels whole texts and marks no span.
    """
    notes.add(f"{path}: read as an export of {tool.name}")
    marked = labelled = False
    for document in tool.read(path, notes):
        marked |= bool(document.spans)
        labelled |= bool(document.labels)
        example = _example(document, split, notes)
        if example is not None:
            yield example
    if labelled and not marked:
        raise InputError(
            "labels whole texts and marks no span: train a classifier on it", path=path
        )


def _example(document: Document, split: Split, notes: Notes) -> TaggedExample | None:
    offsets = document.tokens or split(document.text)
    if not offsets:
        notes.count(WITHOUT_TOKEN, document.place)
        return None
    tokens = [document.text[start:end] for start, end in offsets]
    spans = token_spans(document.spans, offsets, document.place, notes)
    return TaggedExample(tokens, None, spans, document.line, place=document.place)
