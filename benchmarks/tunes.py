"""How many tunes are sound: they parse as ABC and their bars add up to the metre.

    python benchmarks/tunes.py DEV [--generated answers.jsonl] [--seen TRAIN]

DEV is a file or folder of tunes, `answers.jsonl` what `rnnlp predict` wrote. The share is printed
for each of them, as one JSON object, with the reasons why the others are not sound. With TRAIN it
also says how many tunes have the very music of one there: a generator should not recite.

A tune is sound if its header has X, M and K, every sign of its music is one of ABC notation (2.1),
and every bar lasts as long as the metre says. A bar may be shorter where a section begins or ends:
at the beginning or end of the tune or of a part, and at a repeat or double bar line; never longer.
Notes, rests, chords, tuplets, broken rhythm, grace notes and changes of metre or unit are counted.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction

from rnnlp.data.generation.readers import header_fields, read_texts

_LENGTH = r"(\d*)(/*)(\d*)"
_SIGN = re.compile(
    rf"""
    (?P<blank>[ \t\\`]+)
  | (?P<field>\[[A-Za-z]:[^\]]*\])
  | (?P<bar>:*\|+[\]:]*(?:\[?[1-9](?:[,-][1-9])*)?|\[\|:*|:\|*:|\[[1-9](?:[,-][1-9])*)
  | (?P<quoted>"[^"]*")
  | (?P<grace>\{{[^}}]*\}})
  | (?P<decoration>![^!]*!|\+[^+]*\+|[.~HLMOPSTuv])
  | (?P<tuplet>\((\d)(?::(\d*))?(?::(\d*))?)
  | (?P<chord>\[(?:[_^=]*[A-Ga-g][,']*\d*/*\d*)+\]{_LENGTH})
  | (?P<note>(?:[_^=]*[A-Ga-g][,']*|[zx]){_LENGTH})
  | (?P<measures>Z\d*)
  | (?P<broken>>+|<+)
  | (?P<slur>[()\-])
    """,
    re.VERBOSE,
)
_FIELD = re.compile(r"([A-Za-z]):\s*(.*?)\s*(?:%.*)?$")
_TUPLET_IN = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}  # p notes in the time of q; 5, 7 and 9 by the metre


class Unsound(Exception):
    """Why a tune is not sound, in a few words."""


def check(tune: str) -> int:
    """Counts the bars of a sound tune.

    Raises:
        Unsound: It is not.
    """
    lines = tune.split("\n")
    header = header_fields(lines)
    for field in "XMK":
        if not header.get(field):
            raise Unsound(f"no field {field}")
    music = Music(header)
    for line in lines:
        if not line.strip() or line.startswith("%"):
            continue
        field = _FIELD.match(line)
        if field is not None:
            music.field(field[1], field[2])
        else:
            music.line(line.split("%")[0])
    music.end()
    return music.bars


class Music:
    """Adds up the bars of a tune.

    Args:
        header: The fields before the music.
    """

    def __init__(self, header: dict[str, str]) -> None:
        self.metre = _metre(header["M"])
        self.unit = _unit(header.get("L"), self.metre)
        self.bars = 0
        self._open = True  # whether the bar may be short, since a section begins with it
        self._short = False  # whether the bar before is too short, unless a section ends with it
        self._time = Fraction(0)
        self._notes = 0  # in this bar
        self._tuplet = (Fraction(1), 0)  # factor, notes left
        self._broken = Fraction(1)  # of the next note
        self._last = Fraction(0)  # the note before, for broken rhythm

    def field(self, name: str, value: str) -> None:
        """A field between lines of music, or in it."""
        if name == "M":
            self._section()
            self.metre = _metre(value)
        elif name == "L":
            self.unit = _unit(value, self.metre)
        elif name in "PK":
            self._section()

    def line(self, text: str) -> None:
        """A line of music."""
        at = 0
        while at < len(text):
            sign = _SIGN.match(text, at)
            if sign is None or sign.end() == at:
                raise Unsound("a sign that is not ABC")
            at = sign.end()
            kind, value = sign.lastgroup, sign[0]
            if kind == "bar":
                self._bar(value)
            elif kind == "field":
                self.field(value[1], value[3:-1].strip())
            elif kind == "tuplet":
                self._begin_tuplet(value)
            elif kind == "note":
                length = re.search(_LENGTH + "$", value)
                assert length is not None
                self._note(_fraction(*length.groups()))
            elif kind == "chord":
                self._chord(value)
            elif kind == "measures":
                raise Unsound("rests of whole bars")
            elif kind == "broken":
                self._break(value)

    def end(self) -> None:
        """The end of the tune."""
        self._section()
        if not self.bars:
            raise Unsound("no bars")

    def _note(self, length: Fraction) -> None:
        if self._short:
            raise Unsound("a bar that is too short")
        factor, left = self._tuplet
        length *= self.unit * self._broken * (factor if left else 1)
        self._tuplet = (factor, max(0, left - 1))
        self._broken = Fraction(1)
        self._last = length
        self._time += length
        self._notes += 1

    def _chord(self, value: str) -> None:
        inner, after = value[1:].split("]")
        length = re.fullmatch(_LENGTH, after)
        first = re.match(rf"[_^=]*[A-Ga-g][,']*{_LENGTH}", inner)
        assert length is not None and first is not None
        self._note(_fraction(*first.groups()) * _fraction(*length.groups()))

    def _break(self, value: str) -> None:
        if not self._notes:
            raise Unsound("broken rhythm without a note")
        less = Fraction(1, 2 ** len(value))
        before = (2 - less) if value[0] == ">" else less
        self._time += self._last * (before - 1)
        self._broken = 2 - before

    def _begin_tuplet(self, value: str) -> None:
        parts = [*value[1:].split(":"), "", ""][:3]
        notes = int(parts[0])
        if notes < 2:
            raise Unsound("a tuplet of one note")
        compound = self.metre.numerator % 3 == 0 and self.metre.denominator == 8
        time = int(parts[1]) if parts[1] else _TUPLET_IN.get(notes, 3 if compound else 2)
        self._tuplet = (Fraction(time, notes), int(parts[2]) if parts[2] else notes)

    def _bar(self, line: str) -> None:
        """A bar line."""
        section = line != "|"
        if self._notes:
            self._close(may_be_short=self._open or section)
            self._open = section
        elif section:  # two lines side by side are one
            self._open, self._short = True, False

    def _section(self) -> None:
        """The end of a section without a bar line."""
        if self._notes:
            self._close(may_be_short=True)
        self._open, self._short = True, False

    def _close(self, *, may_be_short: bool) -> None:
        if self._tuplet[1]:
            raise Unsound("a tuplet that is not full")
        if self._time > self.metre.value:
            raise Unsound("a bar that is too long")
        self._short = self._time < self.metre.value and not may_be_short
        self.bars += self._time == self.metre.value
        self._time, self._notes = Fraction(0), 0


class Metre:
    """A metre such as 6/8.

    Args:
        numerator: Beats of a bar.
        denominator: What each of them is.
    """

    def __init__(self, numerator: int, denominator: int) -> None:
        self.numerator = numerator
        self.denominator = denominator
        self.value = Fraction(numerator, denominator)


def _metre(text: str) -> Metre:
    common = {"C": Metre(4, 4), "C|": Metre(2, 2)}
    if text in common:
        return common[text]
    match = re.fullmatch(r"(\d+)/(\d+)", text.replace(" ", ""))
    if match is None or int(match[2]) not in (1, 2, 4, 8, 16, 32) or not int(match[1]):
        raise Unsound("a metre that is none")
    return Metre(int(match[1]), int(match[2]))


def _unit(text: str | None, metre: Metre) -> Fraction:
    if text is None:
        return Fraction(1, 16) if metre.value < Fraction(3, 4) else Fraction(1, 8)
    match = re.fullmatch(r"1/(\d+)", text.replace(" ", ""))
    if match is None or not int(match[1]):
        raise Unsound("a unit of length that is none")
    return Fraction(1, int(match[1]))


def _fraction(above: str, slashes: str, below: str) -> Fraction:
    """A length such as 3/2, /, //."""
    if below and not slashes:
        raise Unsound("a length that is none")
    under = int(below) if below else 2 ** len(slashes)
    if not under:
        raise Unsound("a length that is none")
    return Fraction(int(above) if above else 1, under)


def music_of(tune: str) -> str:
    """The notes of a tune, without fields, chord names and blanks."""
    lines = [line.split("%")[0] for line in tune.split("\n") if not _FIELD.match(line)]
    return re.sub(r'"[^"]*"|\s', "", "".join(lines))


def report(tunes: Sequence[str]) -> dict[str, object]:
    """The share of sound tunes, and what is wrong with the others."""
    reasons: Counter[str] = Counter()
    for tune in tunes:
        try:
            check(tune)
        except Unsound as reason:
            reasons[str(reason)] += 1
    sound = len(tunes) - sum(reasons.values())
    return {
        "tunes": len(tunes),
        "sound": sound,
        "share": round(sound / max(1, len(tunes)), 3),
        "reasons": dict(reasons.most_common()),
    }


def generated(path: str) -> Iterator[str]:
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)["generated_text"]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dev", help="file or folder of tunes")
    parser.add_argument("--generated", metavar="FILE", help="what `rnnlp predict` wrote")
    parser.add_argument("--seen", metavar="TRAIN", help="the tunes that were trained on")
    args = parser.parse_args(arguments)
    dev = [example.text for example in read_texts(args.dev, format="abc")]
    reports: dict[str, object] = {"dev": report(dev)}
    if args.generated:
        tunes = list(generated(args.generated))
        reports["generated"] = report(tunes)
        if args.seen:
            train = {music_of(e.text) for e in read_texts(args.seen, format="abc")}
            reports["recited"] = sum(music_of(tune) in train for tune in tunes)
    print(json.dumps(reports, indent=2))


if __name__ == "__main__":
    main()
