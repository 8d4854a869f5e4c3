"""Writes sentences and their translations by the rules of a synchronous grammar.

A rule has alternatives, one a line or parted by `;`, each of which is `Chinese = English` (a line
that begins with `=` belongs to the one above it); where there is no `=`, the text serves both
sides. `{name}` on either side is the expansion of that rule, one expansion for both sides however
often and in whatever order they name it; a digit tells two expansions of one rule apart (`{name}`,
`{name2}`). `{name:noun}` is rule `name` with each `X` in it replaced by `noun`.

English forms: `{name.form}` asks for a form of `english_forms.inflect`, and `{name.now@who}` agrees
with the subject `{who}`, as does the word in `<have.now@who>`. A form is passed down to the words
marked with `*` (`*drink {tea}`) and to the slots marked so (`{*verb}`); a text with no mark and no
slot is such a word as a whole. `object`, `own` and `again` are the pronoun's (him, his, he).

The Chinese side asks for `measure`, the measure word (written after a slash: `书/本 = book`), for
`again`, the pronoun, or for a particle, which takes the place of `~`. A noun phrase for people ends
in its pronoun: `妈妈 = mother (she)`. Both come from the marked slot where they are not given.

Some combinations are held out of training: see `Phrase.combinations`.
"""

from __future__ import annotations

import itertools
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from .english_inflection import PRONOUNS, inflect, with_articles

_SLOT = re.compile(
    r"\{(?P<head>\*?)(?P<key>[a-z_:]+\d?)(?:\.(?P<form>[^}@]+))?(?:@(?P<of>\w+))?\}"
    r"|<(?P<word>[a-z]+)\.(?P<word_form>[a-z]+)@(?P<subject>\w+)>"
)
_WORD = re.compile(r"^\*\*(.+)|\*([a-z]+)")
_ALTERNATIVES = re.compile(r"\s*(?:;|\n(?!\s*=))\s*")
_PRONOUN = re.compile(r" \((\w+)\)$")


@dataclass(frozen=True)
class Slot:
    """A place for an expansion, by its key, or else for a form of a word."""

    key: str
    word: str
    head: bool
    form: str
    of: str


@dataclass(frozen=True)
class Alternative:
    """One way to expand a rule; the texts are parted into literal text and slots."""

    name: str
    held_out: bool
    chinese: tuple[str | Slot, ...]
    english: tuple[str | Slot, ...]
    measure: str
    pronoun: str

    @cached_property
    def keys(self) -> list[str]:
        """The keys of what has to be expanded, each once."""
        slots = (part for part in self.chinese + self.english if isinstance(part, Slot))
        return list(dict.fromkeys(slot.key for slot in slots if slot.key))


@dataclass(frozen=True)
class Phrase:
    """An expansion, from which either side can be read.

    Args:
        alternative: What was chosen.
        children: The expansions of its slots by their keys.
    """

    alternative: Alternative
    children: dict[str, Phrase] = field(default_factory=dict)

    @cached_property
    def measure(self) -> str:
        """The measure word of a noun."""
        head = self._head
        return self.alternative.measure or (head.measure if head else "")

    @cached_property
    def pronoun(self) -> str:
        """The English pronoun that may stand for a person."""
        head = self._head
        return self.alternative.pronoun or (head.pronoun if head else "")

    @cached_property
    def words(self) -> list[str]:
        """The names of the alternatives without slots that it is made of."""
        if not self.children:
            return [self.alternative.name]
        return [word for child in self.children.values() for word in child.words]

    def chinese(self) -> str:
        """The Chinese side, with `~` where a particle may stand."""
        parts = []
        for part in self.alternative.chinese:
            if isinstance(part, str):
                parts.append(part)
                continue
            child = self.children[part.key]
            if part.form == "measure":
                if not child.measure:
                    raise ValueError(f"no measure word for {child.chinese()!r}")
                parts.append(child.measure)
            elif part.form == "again":
                parts.append(PRONOUNS[child.pronoun].again)
            else:
                text = child.chinese()
                parts.append(text if part.head else text.replace("~", part.form))
        return "".join(parts)

    def english(self, form: str = "", subject: str | None = None) -> str:
        """The English side in a form, agreeing with the pronoun of a subject."""
        parts = []
        for part in self.alternative.english:
            if isinstance(part, str):
                parts.append(
                    _WORD.sub(lambda word: inflect(word[1] or word[2], form, subject), part)
                )
            elif part.head and not part.form:
                parts.append(self.children[part.key].english(form, subject))
            else:
                parts.append(self._filled(part))
        return "".join(parts)

    def combinations(self) -> Iterator[tuple[str, str]]:
        """The pairs of held-out phrases that stand together in one alternative.

        That is: what is chosen for two slots of an alternative, and the alternative with each of
        them if it is held out itself. A slot whose own choice is not held out (a count of things)
        passes on the choices below it (the things). So a verb meets its objects, a noun its
        adjectives, and the pattern of a sentence its subjects and verbs.
        """
        below = [child.visible for child in self.children.values()]
        if self.alternative.held_out:
            below.append([self.alternative.name])
        for one, other in itertools.combinations(below, 2):
            yield from itertools.product(one, other)
        for child in self.children.values():
            yield from child.combinations()

    @cached_property
    def visible(self) -> list[str]:
        """What the phrase shows to the one it is part of: its name, or those of its parts."""
        if self.alternative.held_out:
            return [self.alternative.name]
        return [name for child in self.children.values() for name in child.visible]

    @property
    def _head(self) -> Phrase | None:
        for part in self.alternative.chinese:
            if isinstance(part, Slot) and part.head:
                return self.children[part.key]
        return None

    def _filled(self, slot: Slot) -> str:
        agreed = self.children[slot.of].pronoun if slot.of else None
        if slot.word:
            return inflect(slot.word, slot.form, agreed)
        child = self.children[slot.key]
        if slot.form == "object":
            text = child.english()
            return PRONOUNS[text].object if text in PRONOUNS else text
        if slot.form in ("own", "again"):
            return child.pronoun if slot.form == "again" else PRONOUNS[child.pronoun].own
        return child.english(slot.form, agreed)


class SynchronousGrammar:
    """Expands the rules of a table at random.

    Args:
        rules: The alternatives of each rule, as the module says.
        held_out: The rules whose alternatives count in `Phrase.combinations`.
        seed: Decides every choice.
    """

    def __init__(self, *, rules: Mapping[str, str], held_out: frozenset[str], seed: str) -> None:
        self._rules = rules
        self._held_out = held_out
        self._alternatives: dict[str, list[Alternative]] = {}
        self._kept: Counter[str] = Counter()
        self.random = random.Random(seed)

    def alternatives(self, rule: str) -> list[Alternative]:
        """The alternatives of a rule (`name` or `name:noun`)."""
        if rule not in self._alternatives:
            name, _, noun = rule.partition(":")
            text = self._rules[name].strip()
            lines = _ALTERNATIVES.split(
                re.sub(r"(?<=[{*_:])X|X(?=_)", noun, text) if noun else text
            )
            self._alternatives[rule] = [_parsed(line, name in self._held_out) for line in lines]
        return self._alternatives[rule]

    def expand(self, rule: str) -> Phrase:
        """An expansion of a rule: of two held-out ones, the one that was kept less often."""
        first, second = self.random.choices(self.alternatives(rule), k=2)
        rarer = self._kept[second.name] < self._kept[first.name]
        return self.filled(second if rarer and first.held_out and second.held_out else first)

    def keep(self, phrase: Phrase) -> None:
        """Counts what a phrase is made of, so that held-out words come up about equally often."""
        if phrase.alternative.held_out:
            self._kept[phrase.alternative.name] += 1
        for child in phrase.children.values():
            self.keep(child)

    def filled(self, alternative: Alternative) -> Phrase:
        """An alternative with its slots expanded."""
        return Phrase(
            alternative, {key: self.expand(key.rstrip("0123456789")) for key in alternative.keys}
        )


def sentences(phrase: Phrase) -> tuple[str, str]:
    """The Chinese and the English sentence that a phrase is, the latter with its capital."""
    english = with_articles(phrase.english())
    return phrase.chinese().replace("~", ""), english[0].upper() + english[1:]


def _parsed(line: str, held_out: bool) -> Alternative:
    chinese, _, english = (side.strip() for side in line.partition("="))
    chinese, _, measure = chinese.partition("/")
    english = english or chinese
    pronoun = _PRONOUN.search(english)
    return Alternative(
        name=chinese,
        held_out=held_out and bool(_SLOT.sub("", chinese)),  # what only passes on is seen through
        chinese=_parts(chinese),
        english=_parts(_marked(_PRONOUN.sub("", english))),
        measure=measure,
        pronoun=pronoun[1] if pronoun else "",
    )


def _marked(text: str) -> str:
    return text if "{" in text or "*" in text else f"**{text}"


def _parts(text: str) -> tuple[str | Slot, ...]:
    parts: list[str | Slot] = []
    end = 0
    for match in _SLOT.finditer(text):
        parts.append(text[end : match.start()])
        form, of = match["form"] or match["word_form"], match["of"] or match["subject"]
        parts.append(
            Slot(match["key"] or "", match["word"] or "", bool(match["head"]), form or "", of or "")
        )
        end = match.end()
    parts.append(text[end:])
    return tuple(part for part in parts if part)
