"""Sample corpora from a seeded grammar, so that everything can be tried without any data.

A grammar is a table of rules: a name, and its alternatives. An alternative is text with slots:
`{name}` is replaced by an alternative of that rule, `[name]` as well but marks an entity of that
type, `{1-31}` is a number of that range. The words that names are made of are dealt out among
training, validation and test by a checksum, so that the last two hold only names that training
never saw, and a score says how well a model reads shape and context.

The tables are the files in `rules/`: `read_rules` gives one of them. Translations come from a
grammar of two languages (`synchronous_grammar.py`).
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any, Literal

import yaml

Language = Literal["english", "chinese"]
Split = Literal["train", "validation", "test"]
SIZES: dict[Split, int] = {"train": 2000, "validation": 300, "test": 300}

_SLOT = re.compile(r"\{(\d+)-(\d+)\}|\{(\w+)\}|\[(\w+)\]")
_ALTERNATIVES = re.compile(r"\s*[|\n]\s*")
_SHARES: tuple[Split, ...] = ("train", "train", "train", "validation", "test")


Piece = tuple[str, str | None]  # text, the type of the entity that it is


def read_rules(name: str) -> dict[str, Any]:
    """The tables of a sample corpus: `held_out`, `rules`, and what its task adds to them.

    Args:
        name: Of the file in `rules/`, without its ending.
    """
    text = resources.files(__package__).joinpath("rules", f"{name}.yaml").read_text("utf-8")
    tables: dict[str, Any] = yaml.safe_load(text)
    return tables


class Grammar:
    """Writes random text by the rules of a table.

    Args:
        rules: The alternatives of each rule, parted by `|` or by line ends.
        held_out: The rules whose results are dealt out among the splits.
        split: The split to write for.
        seed: Decides every choice, together with the split.
    """

    def __init__(
        self, *, rules: Mapping[str, str], held_out: Iterable[str], split: Split, seed: int
    ) -> None:
        self._rules = {name: _ALTERNATIVES.split(text.strip()) for name, text in rules.items()}
        self._held_out = frozenset(held_out)
        self._split = split
        self.random = random.Random(f"{split} {seed}")

    def pieces(self, rule: str) -> list[Piece]:
        """An expansion of a rule as text parted into entities and what lies between."""
        template = self.random.choice(self._rules[rule])
        pieces: list[Piece] = []
        end = 0
        for slot in _SLOT.finditer(template):
            pieces.append((template[end : slot.start()], None))
            low, high, plain, entity = slot.groups()
            if low:
                pieces.append((str(self.random.randint(int(low), int(high))), None))
            elif plain in self._held_out:
                pieces.append((self.text(plain), None))
            elif plain:
                pieces.extend(self.pieces(plain))
            else:
                pieces.append((self.text(entity), entity))
            end = slot.end()
        pieces.append((template[end:], None))
        return pieces

    def text(self, rule: str) -> str:
        """An expansion of a rule; one that belongs to the split if the rule is held out."""
        while True:
            text = "".join(text for text, _ in self.pieces(rule))
            if rule not in self._held_out or _split_of(text) == self._split:
                return text


def _split_of(text: str) -> Split:
    return _SHARES[zlib.crc32(text.encode()) % len(_SHARES)]
