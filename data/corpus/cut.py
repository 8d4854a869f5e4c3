"""Cuts what is validated on out of the training data: seeded, stratified, equal texts together.

Examples of one group are never parted: those with the same text, and those that a column of the
file joins. What a text and its labels are is the business of each task.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from rnnlp.data.errors import InputError

from .arrow import Corpus
from .duplicates import number_of


class Kin(NamedTuple):
    """What decides on which side of the cut an example may come.

    Args:
        text: Examples with equal ones stay together, white space aside.
        labels: Each should stand on both sides in the same share.
        group: Examples with equal ones stay together; None for no such group.
    """

    text: str
    labels: Sequence[str] = ()
    group: str | None = None


class Cut(NamedTuple):
    """The two sides, the lines of the training file validated on, and what stays together."""

    train: Corpus
    validation: Corpus
    lines: list[int]
    alike: str


class Fold(NamedTuple):
    """One of the parts that a corpus is cut into, each about as large."""

    fold: int  # from 1
    folds: int


def cut(corpus: Corpus, kin: Iterable[Kin], *, part: float | Fold, seed: int) -> Cut:
    """Takes a random part out of a corpus.

    Args:
        corpus: The training data.
        kin: That of each of its examples.
        part: The share of the examples, kept to as closely as whole groups allow, or a fold; the
            folds of one seed have no example in common, and together all.
        seed: Same seed, same cut.

    Raises:
        InputError: Where nothing would be left.
    """
    groups, strata, grouped = _groups(kin)
    alike = "equal texts and groups" if grouped else "equal texts"
    if isinstance(part, Fold):
        what, advice = f"each of {part.folds:,} folds", "lower data.folds"
        enough = len(strata) >= part.folds  # said in the first fold, not in the last
        chosen = _deal(groups, strata, folds=part.folds, seed=seed) == part.fold - 1
    else:
        what, advice = "a part", "set data.validation"
        chosen = _choose(groups, strata, share=part, seed=seed)
        enough = bool(chosen.any() and not chosen.all())
    if not enough:
        raise InputError(
            f"{len(groups):,} examples are too few to validate on {what} of them ({alike} stay "
            f"together, which leaves {len(strata):,}): {advice}",
            path=corpus.name,
        )
    validation = corpus.select(np.flatnonzero(chosen))
    lines = [int(line) for line in validation.column(corpus.place)]
    return Cut(corpus.select(np.flatnonzero(~chosen)), validation, lines, alike)


def _groups(kin: Iterable[Kin]) -> tuple[np.ndarray, np.ndarray, bool]:
    """For each example the number of its group, and for each group that of its rarest label; and
    whether more than equal texts make a group.
    """
    texts, joined, joints = array("q"), array("q"), array("q")  # flat: there may be many millions
    labels, ends = array("i"), array("q", [0])
    ids: dict[str, int] = {}
    for row, one in enumerate(kin):
        texts.append(number_of(" ".join(one.text.split())))
        if one.group is not None:
            joined.append(row)
            joints.append(number_of(one.group))
        labels.extend({ids.setdefault(label, len(ids)) for label in one.labels})
        ends.append(len(labels))
    roots = np.unique(_oldest(texts, joined, joints), return_inverse=True)
    groups: np.ndarray = roots[1]
    counts = np.bincount(np.array(labels), minlength=len(ids)).tolist()
    strata = np.full(len(roots[0]), -1)
    for row, group in enumerate(groups):
        own = (strata[group], *labels[ends[row] : ends[row + 1]])
        strata[group] = min(own, key=lambda label: counts[label] if label >= 0 else len(texts) + 1)
    return groups, strata, bool(joined)


def _oldest(texts: array[int], joined: array[int], joints: array[int]) -> np.ndarray:
    """For each example the first one that it belongs together with.

    Args:
        texts: Their texts, as numbers.
        joined: The examples that have a group.
        joints: The groups of these.
    """
    _, first, text = np.unique(np.array(texts), return_index=True, return_inverse=True)
    roots: np.ndarray = first[text]
    if not joined:
        return roots
    rows, joint = np.array(joined), np.unique(np.array(joints), return_inverse=True)[1]
    before = None
    while before is None or (roots != before).any():  # the lowest number spreads through both
        before = roots
        lowest = np.full(joint.max() + 1, len(roots))
        np.minimum.at(lowest, joint, roots[rows])
        roots = roots.copy()
        roots[rows] = lowest[joint]
        np.minimum.at(first, text, roots)
        roots = first[text]
    return roots


def _choose(groups: np.ndarray, strata: np.ndarray, *, share: float, seed: int) -> np.ndarray:
    """Which examples are taken: of each stratum its share, but never its last group."""
    sizes = np.bincount(groups)
    order = np.random.default_rng(seed).permutation(len(sizes))
    taken = np.zeros(len(sizes), dtype=bool)
    owed = 0.0  # examples that rarer strata were too small to give
    by_stratum = order[np.argsort(strata[order], kind="stable")]
    borders = np.flatnonzero(np.diff(strata[by_stratum])) + 1
    for members in sorted(np.split(by_stratum, borders), key=lambda one: int(sizes[one].sum())):
        owed += share * sizes[members].sum()
        for group in members[:-1]:
            if sizes[group] < owed + 0.5:
                taken[group] = True
                owed -= sizes[group]
    if not taken.any() and len(sizes) > 1:  # fewer examples than labels or shares
        taken[order[0]] = True
    return taken[groups]


def _deal(groups: np.ndarray, strata: np.ndarray, *, folds: int, seed: int) -> np.ndarray:
    """The fold of each example: of each stratum all folds get about as much."""
    sizes = np.bincount(groups)
    order = np.random.default_rng(seed).permutation(len(sizes))
    fold = np.zeros(len(sizes), dtype=np.int64)
    total = np.zeros(folds, dtype=np.int64)  # examples of each fold
    by_stratum = order[np.argsort(strata[order], kind="stable")]
    borders = np.flatnonzero(np.diff(strata[by_stratum])) + 1
    for members in np.split(by_stratum, borders):
        own = np.zeros(folds, dtype=np.int64)
        for group in members[np.argsort(-sizes[members], kind="stable")]:
            smallest = np.lexsort((total, own))[0]
            fold[group] = smallest
            own[smallest] += sizes[group]
            total[smallest] += sizes[group]
    return fold[groups]
