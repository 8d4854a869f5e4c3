"""Looks for what makes a model worse or a score untrue: doubles, leaks, contradictions, damage.

Everything is counted with its first place. Facts are told apart from problems: only the latter
make `rnnlp check` fail.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from rnnlp.data.classification.readers import alike_across, alike_labels
from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError, counted

from .items import Item

RARE = 5  # examples of a label from which it can hardly be learned
_SHOWN = 20  # labels
# Text that was read in another encoding than it was written in, and control characters.
_DAMAGE = re.compile(
    "\ufffd|[\u00c2\u00c3][\u0080-\u00bf]|\u00e2\u20ac|\u00ef\u00bf\u00bd"
    "|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f]"
)


class Split(NamedTuple):
    """What is known of a file once it was gone through."""

    name: str
    kind: str  # of the labels
    examples: int
    texts: dict[str, set[tuple[object, ...]]]  # what is said of each
    words: Counter[str]
    labels: Counter[str]
    facts: list[str]
    problems: list[str]


def look(name: str, items: Iterable[Item], notes: Notes, *, training: bool) -> Split:
    """Goes through a file.

    Args:
        name: The file.
        items: Its examples.
        notes: What the reader tells of them, once they were gone through; problems are added.
        training: Whether it is to be learned from.
    """
    texts: dict[str, set[tuple[object, ...]]] = defaultdict(set)
    words: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    lengths: list[int] = []
    empty, kind = 0, ""
    for item in items:
        text = " ".join(item.tokens)
        if text in texts:
            new = item.answer not in texts[text]
            notes.count("examples whose text stands there before", item.place)
            notes.count("of them labelled otherwise than before", item.place, new)
        texts[text].add(item.answer)
        words.update(item.tokens)
        labels.update(item.labels)
        lengths.append(len(item.tokens))
        kind = item.kind
        empty += not item.labels
        if _DAMAGE.search(item.text):
            notes.count("texts with damaged characters (a wrong encoding?)", item.place)
    problems = notes.counts()
    for kinds in alike_labels(sorted(labels)):
        problems.append(f"labels that may mean the same: {', '.join(kinds)}")
    rare = [f"{label} {count}" for label, count in sorted(labels.items()) if count < RARE]
    if training and rare:
        problems.append(f"labels with fewer than {RARE} examples: {', '.join(rare)}")
    lengths.sort()
    common = ", ".join(f"{label} {count:,}" for label, count in labels.most_common(_SHOWN))
    facts = [
        *notes.statements(),
        f"{counted(len(lengths), 'example')}, {len(words):,} different of {sum(lengths):,} tokens",
        f"length in tokens: shortest {lengths[0]:,}, median {lengths[len(lengths) // 2]:,}, "
        f"longest {lengths[-1]:,}",
        f"{counted(len(labels), 'label')}: {common or 'none'}"
        + (f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""),
    ]
    if empty:
        facts.append(f"examples without a label or an entity: {empty:,}")
    return Split(name, kind, len(lengths), texts, words, labels, facts, problems)


def compare(train: Split, other: Split) -> tuple[list[str], list[str]]:
    """What a file is against the training data: facts, and problems.

    Raises:
        InputError: It is labelled in another way.
    """
    if other.kind != train.kind:
        raise InputError(
            f"has {other.kind}, and {train.name} has {train.kind}: they cannot be compared",
            path=other.name,
        )
    total = max(other.words.total(), 1)
    unknown = sum(count for word, count in other.words.items() if word not in train.words)
    facts = [f"tokens that {train.name} lacks: {100 * unknown / total:.1f} %"]
    problems = []
    leaked = [text for text in other.texts if text in train.texts]
    if leaked:
        share = 100 * len(leaked) / len(other.texts)
        otherwise = sum(not other.texts[text] <= train.texts[text] for text in leaked)
        problems.append(
            f"texts that {train.name} has as well: {len(leaked):,} ({share:.1f} %)"
            + (f", {otherwise:,} of them labelled otherwise" if otherwise else "")
        )
    if unseen := sorted(set(other.labels) - set(train.labels)):
        alike = alike_across(train.labels, other.labels)
        problems.append(
            f"labels that {train.name} lacks: {', '.join(unseen)}"
            + (f" (these may mean the same: {alike})" if alike else "")
        )
    return facts, problems
