"""Pairwise testing: few combinations, in which every two values of two options meet."""

from itertools import combinations, product


def pairwise(*options):
    """Combinations of one value of each option, until all pairs of values have occurred.

    Faults that need three certain values at once are rare; those that need two are not.
    """
    places = [range(len(values)) for values in options]
    every = list(product(*places))
    open_pairs = {pair for row in every for pair in _pairs(row)}
    chosen = []
    while open_pairs:
        best = max(every, key=lambda row: len(open_pairs & _pairs(row)))
        open_pairs -= _pairs(best)
        chosen.append(tuple(values[at] for values, at in zip(options, best, strict=True)))
    return chosen


def _pairs(row):
    return set(combinations(enumerate(row), 2))
