"""What can be told of a token besides which one it is: its shape, its ends, its neighbour.

Where training data is small, most names of new text were never seen in it; their capitals, digits
and endings were. (Shape, prefix and suffix are those of spaCy's embeddings; bigrams are
the habit in Chinese tagging.) Gives strings; `featurizer.py` looks them up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain, groupby
from typing import Literal

TokenFeature = Literal["bigram", "shape", "prefix", "suffix"]
TOKEN_FEATURES: tuple[TokenFeature, ...] = ("bigram", "shape", "prefix", "suffix")

_BOUNDARY = "\N{SYMBOL FOR START OF TEXT}"
_AFFIX = 3  # characters of a prefix or suffix
_SHAPE_RUN = 2  # like characters in a row that a shape tells apart: Xx, Xxx, but not Xxxx
_SHAPE_LENGTH = 8


def token_feature(
    name: TokenFeature, tokens: Sequence[str], *, before: str | None = None
) -> list[str]:
    """One attribute of every token of a sentence.

    Args:
        name: "bigram" joins a token to the one before it; "shape" writes capitals as X, small
            letters as x, letters without case as c and digits as d; "prefix" and "suffix" are the
            first and last three characters in lower case.
        tokens: The sentence.
        before: The token before it, where it is the rest of a sentence.
    """
    if name == "bigram":
        first = _BOUNDARY if before is None else before
        return [a + b for a, b in zip(chain((first,), tokens), tokens, strict=False)]
    if name == "shape":
        return [_shape(token) for token in tokens]
    if name == "prefix":
        return [token[:_AFFIX].lower() for token in tokens]
    if name == "suffix":
        return [token[-_AFFIX:].lower() for token in tokens]
    raise ValueError(f"unknown attribute {name!r}: use {', '.join(TOKEN_FEATURES)}")


def in_order(names: Iterable[TokenFeature]) -> tuple[TokenFeature, ...]:
    """The attributes named, each once and in the one order that data and models agree on."""
    wanted = set(names)
    if unknown := wanted.difference(TOKEN_FEATURES):
        raise ValueError(f"unknown attribute {min(unknown)!r}: use {', '.join(TOKEN_FEATURES)}")
    return tuple(name for name in TOKEN_FEATURES if name in wanted)


@lru_cache(maxsize=100_000)
def _shape(token: str) -> str:
    letters = (_letter(character) for character in token)
    runs = (letter * min(_SHAPE_RUN, sum(1 for _ in run)) for letter, run in groupby(letters))
    return "".join(runs)[:_SHAPE_LENGTH]


def _letter(character: str) -> str:
    if character.isdigit():
        return "d"
    if character.isupper():
        return "X"
    if character.islower():
        return "x"
    return "c" if character.isalpha() else character
