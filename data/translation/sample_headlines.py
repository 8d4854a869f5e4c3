"""The sample corpus for summarisation: records of news, and their headlines.

A headline takes two or three of the fields, and says what follows from them (who won). Almost every
one has names and numbers that stand nowhere else: a vocabulary cannot know them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from rnnlp.data.samples.grammar import SIZES, Grammar, Split, read_rules

from .readers import ParallelExample

_MISSING = 0.4  # probability that a field is not in the record, of those that may be missing


def sample_headlines(split: Split, seed: int = 1) -> Iterator[ParallelExample]:
    """Yields records and headlines; no record twice.

    Args:
        split: "train" has as many records as `SIZES` says, and so on.
        seed: Same seed, same records.
    """
    tables = read_tables()
    grammar = Grammar(rules=tables["rules"], held_out=tables["held_out"], split=split, seed=seed)
    draw = grammar.random
    seen: set[str] = set()
    while len(seen) < SIZES[split]:
        kind = draw.choice(list(tables["kinds"]))
        fields = {
            name: grammar.text(rule)
            for name, rule in tables["kinds"][kind]["fields"].items()
            if name not in tables["kinds"][kind]["missing"] or draw.random() >= _MISSING
        }
        order = draw.sample(list(fields), len(fields))
        record = " ".join([kind, *(f"{name}: {fields[name]}" for name in order)])
        if record not in seen:
            seen.add(record)
            yield ParallelExample(record, headline(kind, fields), len(seen))


def headline(kind: str, fields: Mapping[str, str]) -> str:
    """The headline of a record.

    Args:
        kind: Of news, one of the table.
        fields: What is known.
    """
    table = read_tables()["kinds"][kind]
    templates: Mapping[str, str] = table["headlines"]
    value = fields.get(table["by"], "none")
    values = dict(fields)
    if table["by"] == "goals":
        ours, theirs = value.split()
        values |= {"ours": ours, "theirs": theirs}
        value = "home" if ours > theirs else "away" if ours < theirs else "draw"
    return templates[value if value in templates else "other"].format(**values)


@cache
def read_tables() -> dict[str, Any]:
    """The kinds of news, and the rules of what stands in their fields."""
    return read_rules("summarisation")
