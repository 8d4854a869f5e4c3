"""What every reader of an annotation tool's export gives: a text, its spans, its labels.

Spans are checked against the text here, whatever tool wrote them. Splitting into tokens is the
business of tagging.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeAlias

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError

Mark: TypeAlias = tuple[int, int, str]  # start, end (exclusive) in code points, label


class Document(NamedTuple):
    """A text as an annotator left it.

    Args:
        text: The text.
        spans: What is marked in it, in any order; may overlap.
        labels: What the text as a whole is labelled with.
        line: Its line, or the number of its task, counted from 1.
        place: Where it stands, for messages.
        tokens: Start and end of each token, where the file has its own.
        doubt: Why its labels cannot be told, for whoever needs them; "" where they can.
    """

    text: str
    spans: list[Mark]
    labels: list[str]
    line: int
    place: str
    tokens: list[tuple[int, int]] | None = None
    doubt: str = ""


@contextmanager
def placed(place: str) -> Iterator[None]:
    """Adds the place to errors that have none."""
    try:
        yield
    except InputError as error:
        if error.path is not None:
            raise
        raise InputError(error.message, path=place) from error


def listed(row: Mapping[str, Any], key: str) -> list[Any]:
    """The list under a key; empty where there is none.

    Raises:
        InputError: Something else stands there.
    """
    value = row.get(key)
    if value is not None and not isinstance(value, list):
        raise InputError(f"`{key}` is {value!r:.60}, not a list")
    return value or []


def objects(row: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The objects in the list under a key.

    Raises:
        InputError: Something else stands there.
    """
    for one in listed(row, key):
        if not isinstance(one, dict):
            raise InputError(f"`{key}` holds {one!r:.60}, not an object")
    return listed(row, key)


def mark(
    span: Sequence[Any],
    text: str,
    *,
    surface: Any = None,
    inclusive: bool = False,
    units: bool = False,
    place: str = "",
    notes: Notes | None = None,
) -> Mark:
    """A checked span.

    Args:
        span: Offset of its first character, offset one past its last one, its type.
        text: The text that it lies in.
        surface: Its own text, where it brings one: by it wrong offsets show, and those of
            JavaScript, which count UTF-16 units, are converted.
        inclusive: Whether the second offset is that of the last character.
        units: Whether the offsets count UTF-16 units, whatever stands at those characters.
        place: Where it stands, for the notes.
        notes: Takes the count of converted offsets.

    Raises:
        InputError: It has no type, lies outside the text, or reads otherwise than its own text.
    """
    start, end, label = span
    if type(start) is not int or type(end) is not int:
        raise InputError(f"span {start!r}..{end!r}: start and end must be whole numbers")
    if not isinstance(label, str) or not label:
        raise InputError(f"span {start}..{end} has the type {label!r}; name it")
    stop = end + inclusive
    own = surface if isinstance(surface, str) and surface.strip() else None
    if units or (own is not None and not _reads(text[max(start, 0) : max(stop, 0)], own)):
        if own is not None and not _reads(_in_units(text, start, stop), own):
            raise InputError(
                f"span {start}..{end} reads {text[max(start, 0) : max(stop, 0)]!r:.80}, not its "
                f"own text {own!r:.80}; correct its offsets"
            )
        if 0 <= start < stop <= len(text.encode("utf-16-le")) // 2:  # else it is refused below
            given = start, stop
            start = len(text.encode("utf-16-le")[: 2 * start].decode("utf-16-le", "ignore"))
            stop = len(_in_units(text, 0, stop))
            if notes is not None and given != (start, stop):
                notes.count("spans whose offsets count UTF-16 units, converted", place)
    if not 0 <= start < stop <= len(text):
        problem = "is empty" if start >= stop else "is outside the text"
        raise InputError(
            f"span {start}..{end} of {label!r} {problem}, which has {len(text)} characters; "
            "correct its offsets"
        )
    return start, stop, label


def counts_units(spans: Sequence[Sequence[Any]], text: str, *, usual: bool) -> bool:
    """Whether the offsets of a text's spans count UTF-16 units, as in JavaScript.

    What a span reads may be its own text by either count, as where a character is repeated; so all
    spans of a text tell together. Where they contradict each other, each is left to `mark`.

    Args:
        spans: Start, end (exclusive) and the own text of each, whatever stands there.
        text: The text that they lie in.
        usual: Whether the tool is known to count so: then it does unless the spans tell otherwise.
    """
    if not text or max(text) <= "\uffff":
        return False  # the counts are the same
    told = [
        (_reads(text[max(start, 0) : max(stop, 0)], own), _reads(_in_units(text, start, stop), own))
        for start, stop, own in spans
        if type(start) is int and type(stop) is int and isinstance(own, str) and own.strip()
    ]
    by_units = all(units for _, units in told)
    return by_units and (usual or not all(points for points, _ in told))


def _in_units(text: str, start: int, stop: int) -> str:
    """A piece of a text by its offsets in UTF-16 units."""
    raw = text.encode("utf-16-le")[2 * max(start, 0) : 2 * max(stop, 0)]
    return raw.decode("utf-16-le", errors="replace")


def _reads(piece: str, own: str) -> bool:
    """Whether a piece of text is what it says, white space aside."""
    return piece.split() == own.split()


def agreed(documents: Sequence[Document], notes: Notes) -> Document:
    """What several annotators made of one text: the most frequent, the first of equals."""
    keys = [(frozenset(one.spans), frozenset(one.labels)) for one in documents]
    if len(keys) > 1:
        place = documents[0].place
        notes.count("texts with several annotations, the most frequent one taken", place)
        notes.count("texts whose annotators disagree", place, len(set(keys)) > 1)
    return documents[keys.index(Counter(keys).most_common(1)[0][0])]
