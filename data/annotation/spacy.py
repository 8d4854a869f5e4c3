"""Reads spaCy's training data as JSON: that of version 2, and lists of a text and its annotations.

The former has tokens with BILUO tags in documents, paragraphs and sentences; the latter is
`[text, {"entities": [[start, end, label]], "cats": {label: 1.0}}]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError

from .document import Document, Mark, listed, mark, objects, placed
from .files import Head, json_items


def is_spacy(head: Head) -> bool:
    """Whether a file is training data of spaCy."""
    first = head.first
    if isinstance(first, dict):
        return isinstance(first.get("paragraphs"), list)
    return (
        isinstance(first, list)
        and len(first) == 2
        and isinstance(first[0], str)
        and isinstance(first[1], dict)
    )


def read_spacy(path: str, notes: Notes) -> Iterator[Document]:
    """Yields sentences with their tokens, or texts."""
    for number, item in enumerate(json_items(path), start=1):
        place = f"{path}, item {number}"
        with placed(place):
            if isinstance(item, dict) and isinstance(item.get("paragraphs"), list):
                for paragraph in objects(item, "paragraphs"):
                    yield from _paragraph(paragraph, number, place, notes)
            elif isinstance(item, list) and len(item) == 2 and isinstance(item[0], str):
                annotations = item[1] or {}
                if not isinstance(annotations, dict):
                    raise InputError(f"the annotations are {annotations!r:.60}, not an object")
                yield _pair(item[0], annotations, number, place, notes)
            else:
                raise InputError("neither a document with `paragraphs` nor [text, annotations]")


def _pair(
    text: str, annotations: dict[str, Any], number: int, place: str, notes: Notes
) -> Document:
    spans = []
    for one in listed(annotations, "entities"):
        if not isinstance(one, list) or len(one) < 3:
            raise InputError(f"entity {one!r:.80} is not [start, end, label]")
        spans.append(mark(one[:3], text, place=place, notes=notes))
    return Document(text, spans, _cats(annotations.get("cats")), number, place)


def _paragraph(paragraph: Any, number: int, place: str, notes: Notes) -> Iterator[Document]:
    labels = _cats(paragraph.get("cats"))
    for sentence in objects(paragraph, "sentences"):
        tokens = objects(sentence, "tokens")
        words: list[Any] = [token.get("orth") for token in tokens]
        tags = [str(token.get("ner") or "-") for token in tokens]
        if not words or not all(isinstance(word, str) and word for word in words):
            raise InputError("a sentence without tokens, or a token without `orth`")
        if "-" in tags:
            notes.count("tokens whose entity is open (-), read as O", place, tags.count("-"))
        offsets: list[tuple[int, int]] = []
        for word in words:
            start = offsets[-1][1] + 1 if offsets else 0
            offsets.append((start, start + len(word)))
        yield Document(" ".join(words), _biluo(tags, offsets), labels, number, place, offsets)


def _biluo(tags: list[str], offsets: list[tuple[int, int]]) -> list[Mark]:
    spans: list[Mark] = []
    start = 0
    for place, tag in enumerate(tags):
        letter, _, label = tag.partition("-")
        if letter in ("B", "U"):
            start = place
        if letter in ("L", "U") and label:
            spans.append((offsets[start][0], offsets[place][1], label))
        if letter not in ("B", "I", "L", "U", "O", ""):
            raise InputError(f"tag {tag!r} is not of BILUO")
    return spans


def _cats(categories: Any) -> list[str]:
    """The categories that hold: `{label: 1.0}` or `[{"label": label, "value": 1.0}]`."""
    if isinstance(categories, list):
        categories = {
            str(one.get("label")): one.get("value") for one in objects({"cats": categories}, "cats")
        }
    if categories is not None and not isinstance(categories, dict):
        raise InputError(f"`cats` is {categories!r:.60}, not an object")
    for label, value in (categories or {}).items():
        if not isinstance(value, int | float):
            raise InputError(f"the category {label!r} has the value {value!r:.60}, not a number")
    return [label for label, value in (categories or {}).items() if value >= 0.5]
