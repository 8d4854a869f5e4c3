"""Small sample texts that are written from vectors: scenes of two things, in English and Chinese.

A vector has the numbers of either thing: its colour as shares of light, its size, where it
is, and what kind of thing it is, one number of each. The numbers come with noise, as a camera's
would; a text says in words what they amount to. Held out are combinations, not words: which colour
stands with which kind differs between training, validation and test.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from rnnlp.data.errors import InputError
from rnnlp.data.samples.grammar import SIZES, Grammar, Language, Split, read_rules

from .readers import TextExample
from .sample import written_english

_NOISE = 0.03  # standard deviation of colours and sizes
_ALONG, _ACROSS = (0.2, 0.5), 0.1  # how far the things are apart, and at most the other way


def sample_scenes(
    language: Language, split: Split, *, seed: int = 1, labels: Sequence[str] | None = None
) -> Iterator[TextExample]:
    """Yields scenes and what is to be seen in them.

    Args:
        language: "english" or "chinese".
        split: "train" has 2,000 scenes, "validation" and "test" 300 each.
        seed: Same seed, same scenes.
        labels: None or none of them: scenes have none.

    Raises:
        InputError: Labels are asked for.
    """
    if labels:
        raise InputError(
            f"the sample corpus of scenes has no labels such as {labels[0]!r}: leave out "
            "data.labels"
        )
    tables = read_rules("scenes")
    grammar = Grammar(rules=tables["rules"], held_out=tables["held_out"], split=split, seed=seed)
    random = grammar.random
    for line in range(1, SIZES[split] + 1):
        things = [grammar.text("thing").split() for _ in range(2)]
        large = [random.random() < 0.5 for _ in range(2)]
        place = random.randrange(len(tables["places"][language]))
        along = random.uniform(*_ALONG) * (1 if place % 2 else -1)
        across = random.uniform(-_ACROSS, _ACROSS)
        offset = np.array([along, across] if place < 2 else [across, along])
        middle = np.array([random.uniform(0.3, 0.7) for _ in range(2)])
        vector: list[float] = []
        for (colour, kind), big, where in zip(
            things, large, (middle + offset / 2, middle - offset / 2), strict=True
        ):
            light = [share + random.gauss(0, _NOISE) for share in tables["colours"][colour][:3]]
            size = (0.7 if big else 0.3) + random.gauss(0, _NOISE)
            vector += [*light, size, *where, *(float(kind == one) for one in tables["kinds"])]
        text = _described(language, tables, things, large, place)
        yield TextExample(text, {}, line, np.array(vector, np.float32))


def _described(
    language: Language,
    tables: dict[str, Any],
    things: Sequence[Sequence[str]],
    large: Sequence[bool],
    place: int,
) -> str:
    """A scene in words; `place` is the number of where the first thing is."""
    sizes, where = tables["sizes"][language], tables["places"][language][place]
    if language == "english":
        one, other = (
            f"a {sizes[big]} {colour} {kind}"
            for (colour, kind), big in zip(things, large, strict=True)
        )
        return written_english(f"{one} {where} {other}")
    one, other = (
        f"一个{tables['colours'][colour][3]}的{sizes[big]}{tables['kinds'][kind]}"
        for (colour, kind), big in zip(things, large, strict=True)
    )
    return f"{one}在{other}的{where}"
