"""Which cell to take: a recommendation in words that follows from the figures by fixed rules."""

from __future__ import annotations

from collections.abc import Sequence

from .results import AS_FAST, Cell, Comparison

WIDE = 3.0  # margins of chance, in points, from which more runs are advised
RULES = (
    "A cell is as good as the best one where its mean score lies within the margin of chance. Of "
    "the cells as good as the best, the one that trains fastest is recommended; cells count as "
    f"equally fast up to {100 * (AS_FAST - 1):.0f} %, and then the smaller one is taken. Where "
    "resources are scarce: the smallest of the cells that lose at most one point (of scores "
    "without bounds, one per cent). For streams: the recommended cell where it reads in one "
    "direction, else the same choice among those that do. For the quickest answer: the lowest "
    "latency of all."
)


def advice(comparison: Comparison) -> list[str]:
    """The recommendation, a paragraph for each need."""
    if len(comparison.cells) < 2:
        return ["Only one cell was trained: there is nothing to choose from."]
    able = [cell for cell in comparison.cells if cell.learned]
    if not able:
        return [
            "None: no cell learned anything, so that their scores say nothing of them. Give them "
            "more data, more epochs, or another learning rate."
        ]
    taken = choose(comparison, able)
    paragraphs = [_main(comparison, taken)]
    if idle := [f"`{cell.name}`" for cell in comparison.cells if not cell.learned]:
        paragraphs.append(f"Learned nothing: {', '.join(idle)}.")
    if comparison.match == "hidden":
        paragraphs.append(_scarce(comparison, taken))
    if any(cell.bidirectional for cell in comparison.cells):
        paragraphs.append(_stream(comparison, taken))
    paragraphs.append(_latency(comparison, taken))
    if comparison.seeds < 3 or comparison.margin > WIDE * comparison.tolerance:
        paragraphs.append(
            f"With {_runs(comparison.seeds)} of each cell, differences below "
            f"{_points(comparison, comparison.margin)} may be chance. The same command with more "
            f"seeds (`--seeds {comparison.seeds + 3}`) goes on with this comparison and tells more."
        )
    return paragraphs


def equals(comparison: Comparison, cells: Sequence[Cell]) -> list[Cell]:
    """The cells that are as good as the best of them."""
    best = next(cell for cell in comparison.ranked() if cell in cells)
    return [cell for cell in cells if not comparison.better(best, cell)]


def choose(comparison: Comparison, cells: Sequence[Cell]) -> Cell:
    """The cell to take: the fastest of those as good as the best."""
    good = equals(comparison, cells)
    fastest = max(cell.training for cell in good)
    quick = [cell for cell in good if AS_FAST * cell.training >= fastest]
    return min(quick, key=lambda cell: cell.parameters)


def _main(comparison: Comparison, taken: Cell) -> str:
    best = comparison.ranked()[0]
    others = [cell for cell in equals(comparison, comparison.cells) if cell is not taken]
    text = f"Take `{taken.name}`: {_score(comparison, taken)} {comparison.score.short}"
    if not others:
        second = comparison.ranked()[1]
        return (
            f"{text}, clearly the best; the next is `{second.name}` with "
            f"{_score(comparison, second)}."
        )
    if best is taken:
        text += ", the best mean"
    else:
        text += (
            f"; the best mean, {_score(comparison, best)} of `{best.name}`, is not clearly better"
        )
    names = ", ".join(f"`{cell.name}`" for cell in others)
    slowest = min(others, key=lambda cell: cell.training)
    ratio = taken.training / slowest.training
    how = f"it trains up to {ratio:.1f} times as fast" if ratio > AS_FAST else "it is no slower"
    least = min(cell.parameters for cell in others)
    smallest = comparison.match == "hidden" and taken.parameters <= least
    size = " and is the smallest" if smallest else ""
    return (
        f"{text}. As good within the margin of {_points(comparison, comparison.margin)}: {names}; "
        f"of these {how}{size}."
    )


def _scarce(comparison: Comparison, taken: Cell) -> str:
    best = comparison.ranked()[0]
    near = [c for c in comparison.cells if comparison.gain(best, c) <= comparison.tolerance]
    small = min([taken, *near], key=lambda cell: cell.parameters)
    what = f"within {_points(comparison, comparison.tolerance)} of the best"
    if small is taken:
        return f"Scarce resources: `{taken.name}` again; nothing {what} is smaller."
    return (
        f"Scarce resources: `{small.name}` has {small.parameters:,} parameters "
        f"({small.parameters / taken.parameters:.0%} of those of `{taken.name}`) and lies {what} "
        f"with {_score(comparison, small)}; it trains at {small.training / taken.training:.2f} "
        "times the speed."
    )


def _stream(comparison: Comparison, taken: Cell) -> str:
    single = [cell for cell in comparison.cells if not cell.bidirectional]
    if not single:
        return "Streams: no cell of one direction was compared."
    # Where the best cell reads in both directions, more of one direction lie within its margin.
    cell = choose(comparison, single) if taken.bidirectional else taken
    if cell is taken:
        return f"Streams, where the end of the text is not there yet: `{cell.name}` again."
    loss = comparison.gain(taken, cell)
    change = "loses" if loss >= 0 else "gains"
    return (
        f"Streams, where the end of the text is not there yet: `{cell.name}`, the choice among the "
        f"cells of one direction; it {change} {_points(comparison, abs(loss))} against "
        f"`{taken.name}`."
    )


def _latency(comparison: Comparison, taken: Cell) -> str:
    quick = min(comparison.cells, key=lambda cell: cell.latency)
    what = "token written" if comparison.task == "generation" else "text"
    if AS_FAST * quick.latency >= taken.latency:
        return f"Quickest answer: `{taken.name}`, {taken.latency:.2g} ms for one {what}."
    loss = comparison.gain(taken, quick)
    change = "losing" if loss >= 0 else "gaining"
    return (
        f"Quickest answer: `{quick.name}`, {quick.latency:.2g} ms for one {what} against "
        f"{taken.latency:.2g} ms of `{taken.name}`, {change} {_points(comparison, abs(loss))}."
    )


def _score(comparison: Comparison, cell: Cell) -> str:
    spread = cell.spread(lambda run: run.quality)
    show = comparison.score.show
    return show(cell.quality) + ("" if spread is None else f" ± {show(spread)}")


def _points(comparison: Comparison, points: float) -> str:
    if comparison.score.higher_is_better:
        return f"{points:.1f} points"
    return f"{points:.3f} {comparison.score.short}"


def _runs(number: int) -> str:
    return "one run" if number == 1 else f"{number} runs"
