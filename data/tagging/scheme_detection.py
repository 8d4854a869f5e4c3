"""Recognises the tagging scheme of a corpus from its tags alone.

Counts while the corpus streams by, so memory does not grow with it, and decides by majority, so
that a few ill-formed sequences do not matter. Plain tags (part of speech) have no scheme; where
most tokens are outside, tags without prefixes are entity types (`IO`).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence

from rnnlp.data.errors import InputError

from .schemes import IO, OUTSIDE_MARKS, SCHEMES, split_tag

_PREFIXED_SHARE = 0.9  # of the tags that are not O; below it, hyphens are a part of plain tags


class SchemeDetector:
    """Gathers tags sentence by sentence, then names their scheme.

    Args:
        path: The file that the tags come from, for error messages.
    """

    def __init__(self, *, path: str | os.PathLike[str] | None = None) -> None:
        self._path = path
        self._letters: Counter[str] = Counter()  # tags with a prefix, by its letter
        self._bare: Counter[str] = Counter()  # tags that are one letter of a scheme
        self._plain: Counter[str] = Counter()  # every other tag
        self._outside: Counter[str] = Counter()  # by its mark
        self._suffixed = ""  # the first tag that has its letter behind the type
        self._first: dict[str, tuple[str, int | None]] = {}  # where each kind was met first
        self._against = Counter({"IOB1": 0, "IOB2": 0})  # tags that each of the two forbids

    def add(self, tags: Sequence[str], line: int | None = None) -> None:
        """Counts the tags of one sentence, which begins at `line` of the file."""
        previous = ("O", "")
        for tag in tags:
            part = split_tag(tag)
            if part is None:
                self._plain[tag] += 1
                self._remember("plain", tag, line)
                previous = ("O", "")
                continue
            letter, kind = part
            if letter == "O":
                self._outside[tag] += 1
            elif len(tag) == 1:
                self._bare[letter] += 1
                self._remember("plain", tag, line)
            else:
                self._letters[letter] += 1
                if not self._suffixed and tag[0] != letter:
                    self._suffixed = tag
                self._remember(letter, tag, line)
            if kind != previous[1]:
                self._against["IOB1"] += letter == "B"
                self._against["IOB2"] += letter == "I"
            previous = part

    def _remember(self, key: str, tag: str, line: int | None) -> None:
        if key not in self._first:
            self._first[key] = (tag, line)

    def scheme(self) -> str | None:
        """The scheme of the tags so far, or None where they are plain tags.

        Tags that are all O are called IOB2, since that is what a corpus without entities is.

        Raises:
            InputError: Prefixes of no known scheme, or a few tags without one.
        """
        prefixed, bare, plain = self._letters.total(), self._bare.total(), self._plain.total()
        outside = self._outside.total()
        if not prefixed:
            if plain and not bare and outside >= plain:
                return IO
            if plain or (bare and "B" not in self._bare):
                return None
            if bare:
                return self._fitting(set(self._bare))
            return "IOB2" if outside else None
        scheme = self._fitting(set(self._letters))
        if prefixed < _PREFIXED_SHARE * (prefixed + bare + plain):
            if scheme is not None and "B" in self._letters and len(self._plain) == 1 and not bare:
                raise self._odd_outside(prefixed, scheme)
            return None
        if scheme is None:
            if outside or "B" in self._letters:
                raise self._unknown()
            return None  # plain tags such as V-INF, N-PL
        if bare or plain:
            tag, line = self._first["plain"]
            raise InputError(
                f"tag {tag!r} has no prefix, while {prefixed} others do ({scheme}); "
                "correct it in the sentence that begins here",
                path=self._path,
                line=line,
            )
        return scheme

    def remarks(self) -> list[str]:
        """What is unusual about tags that have a scheme, and how they are read."""
        lines = []
        if self.scheme() == IO:
            lines.append(
                f"tags such as {next(iter(self._plain))!r} have no prefix: each run of one tag is "
                "read as one entity (where entities touch, write B- and I- before their types)"
            )
        if odd := sorted(set(self._outside) - {"O"}):
            lines.append(f"the tag {', '.join(map(repr, odd))} is read as O, outside any entity")
        if self._suffixed:
            lines.append(f"tags such as {self._suffixed!r} are read with their last letter first")
        return lines

    def _odd_outside(self, prefixed: int, scheme: str) -> InputError:
        tag, line = self._first["plain"]
        return InputError(
            f"tag {tag!r} has no prefix, while {prefixed:,} others do ({scheme}); if it is what "
            f"stands outside of entities, write O (known are {', '.join(sorted(OUTSIDE_MARKS))})",
            path=self._path,
            line=line,
        )

    def _fitting(self, letters: set[str]) -> str | None:
        if letters <= set("BI"):
            return "IOB1" if self._against["IOB2"] > self._against["IOB1"] else "IOB2"
        for scheme, own, single in (
            ("BIOES", "BIES", "S"),
            ("BILOU", "BILU", "U"),
            ("BMES", "BMESW", "W"),
        ):
            if letters <= set(own) and ("B" in letters or letters == {single}):
                return scheme
        return None

    def _unknown(self) -> InputError:
        odd = next((x for x in self._letters if x not in "BIESLUMW"), next(iter(self._letters)))
        tag, line = self._first[odd]
        prefixes = ", ".join(f"{letter}-" for letter in sorted(self._letters))
        return InputError(
            f"unknown tagging scheme with the prefixes {prefixes}, "
            f"such as {tag!r} in the sentence that begins here; "
            f"write the tags as one of {', '.join(SCHEMES)}",
            path=self._path,
            line=line,
        )


def detect_scheme(sequences: Iterable[Sequence[str]]) -> str | None:
    """The scheme of a whole corpus of tag sequences; see `SchemeDetector`."""
    detector = SchemeDetector()
    for tags in sequences:
        detector.add(tags)
    return detector.scheme()
