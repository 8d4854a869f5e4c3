"""Tagging schemes: how spans are written as one tag a token, and read back.

Knows five schemes. IOB1, IOB2, BIOES and BILOU are as in Ratinov and Roth (2009); BMES is the
Chinese habit of writing M for the inside and S (or W) for a single token. Internally every
scheme is spelt with the letters of BIOES, so that IOB1 and IOB2 are the only special cases. Files
may besides have tags without any prefix (`IO`), the letter behind the type (`PER-B`), and another
mark than O for outside; no model is trained so.

Does not read files and does not score: see `readers.py`, `tasks/tagging/scores.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from rnnlp.data.errors import InputError

SCHEMES = ("IOB1", "IOB2", "BIOES", "BILOU", "BMES")
IO = "IO"  # tags are types alone, and a run of one type is one span: read, never written
UNTYPED = "_"  # the type of a span whose tags are bare letters, as in word segmentation

OUTSIDE_MARKS = frozenset(("O", "o", "0", "_", "-"))
_TAG = re.compile(r"([A-Za-z])[-_](.*)", re.DOTALL)
_SUFFIXED = re.compile(r"(.+)[-_]([BIESLUMW])", re.DOTALL)
# Letters of each scheme -> the letter of BIOES that means the same.
_CANONICAL = {
    "IOB1": {"B": "B", "I": "I"},
    "IOB2": {"B": "B", "I": "I"},
    "BIOES": {"B": "B", "I": "I", "E": "E", "S": "S"},
    "BILOU": {"B": "B", "I": "I", "L": "E", "U": "S"},
    "BMES": {"B": "B", "M": "I", "E": "E", "S": "S", "W": "S"},
}
_BARE = frozenset("BIMESLUW")


class Span(NamedTuple):
    """An entity: token indices, end exclusive, and its type."""

    start: int
    end: int
    type: str


class Part(NamedTuple):
    """A tag taken apart: its prefix letter ("O" for outside) and its type ("" for outside)."""

    letter: str
    type: str


_OUTSIDE = Part("O", "")


@lru_cache(maxsize=65536)
def split_tag(tag: str) -> Part | None:
    """Takes `B-PER` (or `B_PER`, `PER-B`, `B`, `O`) apart; None for a tag without a letter."""
    if tag in OUTSIDE_MARKS:
        return _OUTSIDE
    if match := _TAG.fullmatch(tag):
        return Part(match[1], match[2] or UNTYPED)
    if match := _SUFFIXED.fullmatch(tag):
        return Part(match[2], match[1])
    return Part(tag, UNTYPED) if tag in _BARE else None


@lru_cache(maxsize=65536)
def _canonical(tag: str, scheme: str) -> Part:
    """The tag with its letter as BIOES would write it."""
    if scheme == IO:
        return _OUTSIDE if tag in OUTSIDE_MARKS else Part("I", tag)
    if scheme not in _CANONICAL:
        raise ValueError(f"unknown scheme {scheme!r}; the schemes are {', '.join(SCHEMES)}")
    part = split_tag(tag)
    if part == _OUTSIDE:
        return _OUTSIDE
    letters = _CANONICAL[scheme]
    if part is None or part.letter not in letters:
        prefixes = ", ".join(f"{letter}-" for letter in letters)
        raise InputError(f"tag {tag!r} is not of scheme {scheme}: use O or a prefix of {prefixes}")
    return Part(letters[part.letter], part.type)


def _may_follow(previous: Part, current: Part, scheme: str) -> bool:
    """Whether `current` may come right after `previous`; sentence borders count as outside."""
    same = previous.type == current.type
    if scheme in ("IOB1", IO):  # B only parts two spans of one type
        return current.letter != "B" or same
    if scheme == "IOB2":
        return current.letter != "I" or same
    is_open = previous.letter in ("B", "I")
    return same and current.letter in ("I", "E") if is_open else current.letter in ("O", "B", "S")


def is_valid(tags: Sequence[str], scheme: str) -> bool:
    """Whether a tag sequence is well-formed, its first and last tag included."""
    parts = [_OUTSIDE, *(_canonical(tag, scheme) for tag in tags), _OUTSIDE]
    return all(_may_follow(a, b, scheme) for a, b in pairwise(parts))


def allowed_transitions(
    tags: Sequence[str], scheme: str | None
) -> tuple[list[list[bool]], list[bool], list[bool]]:
    """What a decoder may do so that every sequence it gives is well-formed.

    Args:
        tags: All tags, in the order of their ids.
        scheme: Their scheme; None for plain tags, where everything is allowed.

    Returns:
        `transition[i][j]`: may tag j follow tag i; `start[j]`: may tag j be the first;
        `end[i]`: may tag i be the last.
    """
    if scheme is None:
        return [[True] * len(tags) for _ in tags], [True] * len(tags), [True] * len(tags)
    parts = [_canonical(tag, scheme) for tag in tags]
    transition = [[_may_follow(a, b, scheme) for b in parts] for a in parts]
    start = [_may_follow(_OUTSIDE, part, scheme) for part in parts]
    end = [_may_follow(part, _OUTSIDE, scheme) for part in parts]
    return transition, start, end


def ids_by_letter(tags: Sequence[str], scheme: str) -> dict[str, dict[str, int]]:
    """Of each type the ids of its tags, by the letter that BIOES would write.

    Args:
        tags: All tags, in the order of their ids.
        scheme: Their scheme.
    """
    ids: dict[str, dict[str, int]] = {}
    for number, tag in enumerate(tags):
        part = _canonical(tag, scheme)
        if part.letter != "O":
            ids.setdefault(part.type, {})[part.letter] = number
    return ids


def tags_to_spans(tags: Sequence[str], scheme: str, *, strict: bool = False) -> list[Span]:
    """The spans that a tag sequence stands for.

    Args:
        tags: One tag a token, in `scheme`; need not be well-formed.
        scheme: One of `SCHEMES`, or `IO`.
        strict: False follows conlleval, which lets an ill-formed tag open or continue a span.
            True counts only what `seqeval` counts with `mode="strict"` and this scheme.

    Raises:
        InputError: A tag whose prefix the scheme does not have.
    """
    parts = [_canonical(tag, scheme) for tag in tags]
    if not strict:
        return _lenient(parts)
    return _strict_iob1(parts) if scheme == "IOB1" else _strict(parts, scheme)


def _lenient(parts: list[Part]) -> list[Span]:
    spans: list[Span] = []
    start, previous = 0, _OUTSIDE
    for index, part in enumerate([*parts, _OUTSIDE]):
        continues = (
            part.letter in ("I", "E")
            and previous.letter in ("B", "I")
            and part.type == previous.type
        )
        if not continues:
            if previous is not _OUTSIDE:
                spans.append(Span(start, index, previous.type))
            start = index
        previous = part
    return spans


def _run_end(parts: list[Part], start: int) -> int:
    """The end (exclusive) of the well-formed run of I and E tags after the tag at `start`."""
    end = start + 1
    while (
        end < len(parts)
        and parts[end - 1].letter in ("B", "I")
        and parts[end].letter in ("I", "E")
        and parts[end].type == parts[start].type
    ):
        end += 1
    return end


def _strict(parts: list[Part], scheme: str) -> list[Span]:
    spans = []
    for start, part in enumerate(parts):
        if part.letter in ("B", "S"):
            end = _run_end(parts, start)
            if scheme == "IOB2" or parts[end - 1].letter in ("E", "S"):
                spans.append(Span(start, end, part.type))
    return spans


def _strict_iob1(parts: list[Part]) -> list[Span]:
    """`seqeval`'s reading of IOB1: a B that parts nothing opens no span, but an I after it does."""
    spans = []
    start, previous = 0, _OUTSIDE
    while start < len(parts):
        part, end = parts[start], start + 1
        same = part.type == previous.type
        if (part.letter == "I" and not (same and previous.letter == "I")) or (
            part.letter == "B" and same
        ):
            end = _run_end(parts, start)
            follower = parts[end] if end < len(parts) else _OUTSIDE
            if not (parts[end - 1].letter == follower.letter == "B" and follower.type != part.type):
                spans.append(Span(start, end, part.type))
        previous, start = parts[end - 1], end
    return spans


class SpanReader:
    """Reads the spans of a well-formed tag sequence that is still arriving.

    Args:
        scheme: One of `SCHEMES`; None makes every tag a span of its own.

    Attributes:
        settled: Position up to which all spans have been given out, and none is open.
    """

    def __init__(self, scheme: str | None) -> None:
        self.settled = 0
        self._scheme = scheme
        self._count = 0
        self._last = _OUTSIDE

    def read(self, tag: str) -> list[Span]:
        """Takes the next tag and gives the spans that are complete with it, at most two."""
        if self._scheme is None:
            return [self._span(self._count + 1, tag)]
        part = _canonical(tag, self._scheme)
        inner = part.letter in ("I", "E") and self._last.letter in ("B", "I")
        spans = [] if inner and part.type == self._last.type else self.finish()
        self._count += 1
        self._last = part
        if part == _OUTSIDE:
            self.settled = self._count
        if part.letter in ("E", "S"):
            spans += self.finish()
        return spans

    def finish(self) -> list[Span]:
        """Gives the span that is open, if any: the sequence ends here."""
        last, self._last = self._last, _OUTSIDE
        return [] if last == _OUTSIDE else [self._span(self._count, last.type)]

    def _span(self, end: int, kind: str) -> Span:
        span = Span(self.settled, end, kind)
        self._count = max(self._count, end)
        self.settled = end
        return span


def spans_to_tags(spans: Iterable[Span], length: int, scheme: str) -> list[str]:
    """Writes spans as tags; the inverse of `tags_to_spans`.

    Args:
        spans: Spans in any order that do not overlap.
        length: Number of tokens.
        scheme: One of `SCHEMES`.

    Raises:
        ValueError: A span that is empty, outside the sentence or overlaps another.
    """
    spelling = {canonical: letter for letter, canonical in reversed(_CANONICAL[scheme].items())}
    tags = ["O"] * length
    previous = Span(0, 0, "")
    for span in sorted(spans):
        start, end, kind = span
        if not 0 <= start < end <= length:
            raise ValueError(f"span {start}..{end} does not fit a sentence of {length} tokens")
        if start < previous.end:
            raise ValueError(f"span {start}..{end} overlaps span {previous.start}..{previous.end}")
        letters = ["I"] * (end - start)
        if scheme != "IOB1" or (start == previous.end and kind == previous.type):
            letters[0] = "B"
        if "E" in spelling:
            letters[-1] = "E" if end - start > 1 else "S"
        suffix = "" if kind == UNTYPED else f"-{kind}"
        tags[start:end] = [spelling[letter] + suffix for letter in letters]
        previous = span
    return tags


def spelling(tags: Iterable[str], scheme: str) -> dict[str, str]:
    """How a corpus writes the tags that `spans_to_tags` gives: `B_PER`, `PER-B`, 0 for O.

    Args:
        tags: All tags of the corpus; of several ways to write one, the commonest counts.
        scheme: Their scheme; `IO` has a way to write O only.

    Returns:
        Of each tag of the scheme, with the types of the corpus, how it is written there; one that
        the corpus lacks, like another of its type.
    """
    written: dict[Part, str] = {}
    for tag, _ in Counter(tags).most_common():
        written.setdefault(_canonical(tag, scheme), tag)
    result = {"O": written.pop(_OUTSIDE, "O")}
    for (_, kind), like in reversed(written.items()):  # the commonest of a type last
        before = kind == UNTYPED or _TAG.fullmatch(like)
        for letter, canonical in _CANONICAL.get(scheme, {}).items():
            usual = letter if kind == UNTYPED else f"{letter}-{kind}"
            other = f"{letter}{like[1:]}" if before else f"{like[:-1]}{letter}"
            result[usual] = written.get(Part(canonical, kind), other)
    return result
