"""The sample corpus for normalisation: sentences as people type them, and as they are meant.

Words are shortened, letters are left out, doubled, swapped or hit beside, capitals and marks are
forgotten; names, numbers and codes are typed as they are, and must come out so.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from rnnlp.data.samples.grammar import SIZES, Grammar, Split, read_rules

from .readers import ParallelExample

_SHORT = 0.6  # share of the words that are shortened, of those that can be
_MISTYPED = 0.2  # share of other words with a slip
_FORGOTTEN = 0.5  # share of sentences without the capital at the start, and without the mark
_SHORTEST = 4  # letters of a word that is mistyped
_JOINED = re.compile(r" ([.,?!])")  # a mark stands at the word before it


def sample_typing(split: Split, seed: int = 1) -> Iterator[ParallelExample]:
    """Yields sentences as typed, and as meant; none twice.

    Args:
        split: "train" has as many sentences as `SIZES` says, and so on.
        seed: Same seed, same sentences.
    """
    tables = read_tables()
    grammar = Grammar(rules=tables["rules"], held_out=tables["held_out"], split=split, seed=seed)
    seen: set[str] = set()
    while len(seen) < SIZES[split]:
        words = grammar.text("text").split()
        typed = type_words(words, grammar.random)
        meant = _JOINED.sub(r"\1", " ".join(words))
        meant = meant[0].upper() + meant[1:] if words[0] in lexicon() else meant
        if typed not in seen:
            seen.add(typed)
            yield ParallelExample(typed, meant, len(seen))


def type_words(words: list[str], draw: random.Random) -> str:
    """A sentence as it is typed.

    Args:
        words: The sentence, its marks apart.
        draw: Decides every slip.
    """
    short: Mapping[str, list[str]] = read_tables()["short"]
    typed = []
    for word in words:
        if word in short and draw.random() < _SHORT:
            word = draw.choice(short[word])
        elif word in lexicon() and len(word) >= _SHORTEST and draw.random() < _MISTYPED:
            word = slip(word, draw)
        typed.append("i" if word == "I" and draw.random() < _FORGOTTEN else word)
    end = max(at for at, word in enumerate(words) if word in ".!?")
    if draw.random() < _FORGOTTEN:
        del typed[end]
    text = _JOINED.sub(r"\1", " ".join(typed))
    if words[0] in lexicon() and draw.random() >= _FORGOTTEN:
        text = text[0].upper() + text[1:]
    return text


def slip(word: str, draw: random.Random) -> str:
    """A word with one letter left out, doubled, swapped with the next, or hit beside."""
    at = draw.randrange(1, len(word) - 1)
    before, letter, after = word[:at], word[at], word[at + 1 :]
    near = draw.choice(read_tables()["neighbours"].get(letter, letter))
    return draw.choice(
        (
            before + after,
            before + letter * draw.choice((2, 3)) + after,
            before + after[0] + letter + after[1:],
            before + near + after,
        )
    )


@cache
def read_tables() -> dict[str, Any]:
    """The rules of the sentences, and of how they are typed."""
    return read_rules("normalisation")


@cache
def lexicon() -> frozenset[str]:
    """All words that are no names: those that may be mistyped."""
    tables = read_tables()
    words = (
        word for name in tables["prose"] for word in re.split(r"[\s|]+", tables["rules"][name])
    )
    return frozenset(word for word in words if re.fullmatch("[a-z']+", word))
