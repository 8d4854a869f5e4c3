"""Sample corpora of short strings: letters to sounds, and lemma with features to form.

Both are made up, with rules and exceptions as real languages have them. A word, or a lemma with all
its forms, belongs to one split by a checksum, so that scores say what is known of unseen ones.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from typing import Any

from rnnlp.data.samples.grammar import SIZES, Split, read_rules

from .columns import with_features
from .readers import ParallelExample

_VOICELESS = {"d": "t", "b": "p", "g": "k"}
_SOFT = {"k": "g", "t": "d", "p": "b"}
_UMLAUT = {"a": "e", "o": "ö", "u": "ü"}
_LETTERS = {"V": "[aeiouy]", "C": "[^aeiouy]", "#": ""}
_TENTHS: dict[int, Split] = {0: "validation", 1: "test"}
_EXCEPTIONAL = 0.15  # share of words with a part that is read by no rule
_CELLS = 5  # forms of a lemma


def sample_sounds(split: Split, seed: int = 1) -> Iterator[ParallelExample]:
    """Yields made-up words and their phones, parted by blanks; no word twice.

    Args:
        split: "train" has as many words as `SIZES` says, and so on.
        seed: Same seed, same words.
    """
    tables = read_tables()["sounds"]
    pick = _Picker(tables, f"sounds {split} {seed}")
    exceptions = list(tables["exceptions"])
    seen: set[str] = set()
    while len(seen) < SIZES[split]:
        syllables = [
            pick("onsets") + pick("nuclei") + pick("codas")
            for _ in range(pick.random.choice((1, 2, 2, 3)))
        ]
        if pick.random.random() < _EXCEPTIONAL:
            syllables[pick.random.randrange(len(syllables))] = pick.random.choice(exceptions)
        word = "".join(syllables) + pick("endings")
        if word not in seen and _split_of(word) == split:
            seen.add(word)
            yield ParallelExample(word, " ".join(sounds(word)), len(seen))


def sounds(word: str) -> list[str]:
    """The phones of a word of the made-up language."""
    exceptions: Mapping[str, str] = read_tables()["sounds"]["exceptions"]
    phones: list[str] = []
    at = 0
    while at < len(word):
        part = next((part for part in exceptions if word.startswith(part, at)), None)
        if part is not None:
            spelling, read = part, exceptions[part]
        else:
            spelling, read = next(
                (spelling, read)
                for spelling, read, before, after in _sound_rules()
                if word.startswith(spelling, at)
                and before.search(word[:at])
                and after.match(word, at + len(spelling))
            )
        if phones and read.split()[:1] == phones[-1:] and spelling == word[at - 1]:
            read = " ".join(read.split()[1:])  # a letter written twice is one sound
        phones += read.split()
        at += len(spelling)
    return phones


def sample_forms(split: Split, seed: int = 1) -> Iterator[ParallelExample]:
    """Yields lemmas with features and their forms, in a made-up inflecting language.

    Suffixes go with the vowels of the stem, stems soften and change their vowel. No lemma is in two
    splits.

    Args:
        split: "train" has as many forms as `SIZES` says, and so on.
        seed: Same seed, same forms.
    """
    tables = read_tables()["forms"]
    pick = _Picker(tables, f"forms {split} {seed}")
    lemmas: set[str] = set()
    line = 0
    while line < SIZES[split]:
        vowels = pick.random.choice(("back", "front"))
        count = pick.random.choice((1, 2, 2, 3))
        stem = "".join(pick("onsets") + pick(vowels) + pick("codas") for _ in range(count))
        if stem in lemmas or _split_of(stem) != split:
            continue
        lemmas.add(stem)
        kind = pick.random.choice(("nouns", "verbs"))
        paradigm = [
            dict(zip(tables[kind], values, strict=True))
            for values in product(*tables[kind].values())
        ]
        for features in pick.random.sample(paradigm, min(_CELLS, SIZES[split] - line)):
            marks = [kind[0].upper(), *map(str, features.values())]
            line += 1
            yield ParallelExample(with_features(stem, marks), form(stem, kind, features), line)


def form(stem: str, kind: str, features: Mapping[str, Any]) -> str:
    """A form of a stem of the made-up language.

    Args:
        stem: Of one kind of vowels, back or front.
        kind: "nouns" or "verbs".
        features: A value for each category of the kind.
    """
    tables = read_tables()["forms"]
    if kind == "nouns" and features["number"] == "PL":
        short = re.fullmatch(r"([^aouieöü]+)([aou])([^aouieöü]+)", stem)
        if short is not None:  # one syllable: hat, het-ler
            stem = short[1] + _UMLAUT[short[2]] + short[3]
    word = stem
    for name, value in features.items():
        suffix: str = tables[kind][name][value]
        if not suffix:
            continue
        front = re.findall("[aouieöü]", word)[-1] in "eiöü"
        suffix = suffix.replace("A", "e" if front else "a").replace("U", "i" if front else "u")
        if suffix[0] in "aeiu":
            if word[-1] in "aouieöü":
                suffix = "j" + suffix
            elif word == stem:
                word = word[:-1] + _SOFT.get(word[-1], word[-1])
        elif word[-1] in "ptks":
            suffix = _VOICELESS.get(suffix[0], suffix[0]) + suffix[1:]
        elif suffix in ("m", "n") and word[-1] not in "aouieöü":
            suffix = ("i" if front else "u") + suffix
        word += suffix
    return word


class _Picker:
    """Chooses among the alternatives of a table."""

    def __init__(self, tables: Mapping[str, str], seed: str) -> None:
        self._tables = tables
        self.random = random.Random(seed)

    def __call__(self, name: str) -> str:
        return self.random.choice(self._tables[name].split()).replace("-", "")


@cache
def read_tables() -> dict[str, Any]:
    """The rules of both languages."""
    return read_rules("transduction")


@cache
def _sound_rules() -> list[tuple[str, str, re.Pattern[str], re.Pattern[str]]]:
    """Spelling, phones, what stands before, what follows; the longest spellings first."""
    rules = []
    for line in read_tables()["sounds"]["rules"].strip().splitlines():
        spelling, read = (part.strip() for part in line.split("=", 1))
        read, _, context = read.partition("/")
        before, _, after = context.strip().partition("_")
        rules.append(
            (
                spelling,
                read.strip(),
                re.compile(("^" if "#" in before else "") + _pattern(before) + "$"),
                re.compile(_pattern(after) + ("$" if "#" in after else "")),
            )
        )
    return sorted(rules, key=lambda rule: -len(rule[0]))


def _pattern(context: str) -> str:
    return "".join(_LETTERS.get(letter, letter) for letter in context.strip())


def _split_of(word: str) -> Split:
    return _TENTHS.get(zlib.crc32(word.encode()) % 10, "train")
