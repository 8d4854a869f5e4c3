"""Small sample texts of four kinds, in English and Chinese, to learn to write from.

A kind is a class that a text is written for. Names and pronouns, numbers and verbs, and what was
named in one sentence and comes up again in the next agree over dozens of characters, which is what
a recurrence is for. Held out are combinations, not words: which adjective stands with which noun,
and which first name with which surname, differs between training, validation and test.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from rnnlp.data.errors import InputError
from rnnlp.data.samples.grammar import SIZES, Grammar, Language, Split, read_rules

from .readers import TextExample

FIELD = "kind"  # the one field that texts are labelled with
_ARTICLE = re.compile(r"\b([Aa]) (?=[aeiou])")
_START = re.compile(r"(?:^|[.!?] )[a-z]")
_SAME = re.compile(r"<(\w+)>")  # a word that comes up again


def sample_generation(
    language: Language, split: Split, *, seed: int = 1, labels: Sequence[str] | None = None
) -> Iterator[TextExample]:
    """Yields weather reports, letters, recipes and announcements.

    Args:
        language: "english" or "chinese".
        split: "train" has 2,000 texts, "validation" and "test" 300 each.
        seed: Same seed, same texts.
        labels: Fields to label texts with: "kind", or none of them; None for all.

    Raises:
        InputError: There is no such label.
    """
    if odd := [label for label in labels or () if label != FIELD]:
        raise InputError(
            f"the sample corpus has no labels of {odd[0]!r}, only of {FIELD!r}: set data.labels"
        )
    tables = read_rules(f"generation_{language}")
    names = tables.pop("kinds")
    grammar = Grammar(**tables, split=split, seed=seed)
    kinds = random.Random(f"kinds {split} {seed}")
    for line in range(1, SIZES[split] + 1):
        kind = kinds.choice(names)
        text = "".join(text for text, _ in grammar.pieces(kind))
        again: dict[str, str] = {}
        for name in dict.fromkeys(_SAME.findall(text)):  # drawn once, and the same at each place
            again[name] = grammar.text(name)
        text = _SAME.sub(lambda place: again[place[1]], text)  # noqa: B023
        if language == "english":
            text = written_english(text)
        yield TextExample(text, {FIELD: kind} if labels is None or labels else {}, line)


def written_english(text: str) -> str:
    """English with "an" before vowels, and a capital letter where a sentence begins."""
    text = _ARTICLE.sub(r"\1n ", text)
    return _START.sub(lambda start: start[0].upper(), text)
