"""What the readers give: one labelled example each, before any token has become a number."""

from __future__ import annotations

from typing import NamedTuple

from .schemes import Span


class TaggedExample(NamedTuple):
    """A sentence for a tagger; `tags` or `spans` is set, or neither where nothing is labelled.

    Args:
        tokens: The tokens, at least one.
        tags: One tag a token, in the scheme of its file.
        spans: Entities as token spans, sorted, without overlaps.
        line: The line of the file that the sentence begins at, counted from 1.
    """

    tokens: list[str]
    tags: list[str] | None
    spans: list[Span] | None
    line: int


class ClassifiedExample(NamedTuple):
    """A text for a classifier.

    Args:
        text: The text, as its file has it.
        labels: Its labels: one, or where a text may have several, any number of them.
        line: The line of the file that it begins at, counted from 1.
    """

    text: str
    labels: list[str]
    line: int


class ParallelExample(NamedTuple):
    """A text and its translation.

    Args:
        source: The text to translate, without white space at its ends; never empty.
        target: Its translation, likewise.
        line: The line of the file, or of both files, that the pair stands in, counted from 1.
    """

    source: str
    target: str
    line: int


class TextExample(NamedTuple):
    """A text for a generator.

    Args:
        text: The text; never blank.
        labels: The label of each field that was asked for; None where the text has none.
        line: The line of the file that it begins at, counted from 1.
    """

    text: str
    labels: dict[str, str | None]
    line: int
