"""What textbooks say about recurrent cells, each claim held against what was measured.

A claim is confirmed where every pair of cells that can decide it does, not confirmed where one of
them does not, and not tested where the comparison has no such pair or data of another kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from .results import AS_FAST, Cell, Comparison

SHORT, LONG = 50, 100  # tokens of a text, the median, below and from which it is short or long


class Verdict(NamedTuple):
    """A claim and what became of it."""

    claim: str
    verdict: str  # confirmed, not confirmed, or not tested
    figures: str  # those that decide, or why there are none


class Evidence(NamedTuple):
    """What one pair of cells says about a claim."""

    holds: bool
    figures: str


Check = Callable[[Comparison], "Sequence[Evidence] | str"]


def verdicts(comparison: Comparison) -> list[Verdict]:
    """Every claim with its verdict."""
    return [judge(claim, check(comparison)) for claim, check in CLAIMS]


def judge(claim: str, evidence: Sequence[Evidence] | str) -> Verdict:
    """The verdict on a claim.

    Args:
        claim: The claim.
        evidence: What the pairs of cells say; or, in words, why it could not be tested.
    """
    if isinstance(evidence, str):
        return Verdict(claim, "not tested", evidence)
    if not evidence:
        return Verdict(claim, "not tested", "the cells that decide it are not compared")
    verdict = "confirmed" if all(one.holds for one in evidence) else "not confirmed"
    return Verdict(claim, verdict, "; ".join(one.figures for one in evidence))


def pairs(comparison: Comparison, *names: tuple[str, str]) -> list[tuple[Cell, Cell]]:
    """Those of the pairs of cells whose members are both compared."""
    named = [(comparison.get(one), comparison.get(other)) for one, other in names]
    return [(one, other) for one, other in named if one and other]


def directions(comparison: Comparison) -> list[tuple[Cell, Cell]]:
    """Each cell that was trained in one direction and in both."""
    return pairs(comparison, *((c.name, f"bi{c.name}") for c in comparison.cells))


def both(one: str, other: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """A pair of cells, in one direction and in both."""
    return (one, other), (f"bi{one}", f"bi{other}")


def parameters(comparison: Comparison) -> Sequence[Evidence] | str:
    """RNN < GRU < LSTM."""
    if comparison.match == "parameters":
        return "the sizes were chosen so that all have about equally many"
    evidence = []
    for prefix in ("", "bi"):
        cells = [comparison.get(prefix + name) for name in ("rnn", "gru", "lstm")]
        sizes = [cell.encoder_parameters for cell in cells if cell]
        if len(sizes) == len(cells):
            named = ", ".join(f"{c.name} {c.encoder_parameters:,}" for c in cells if c)
            holds = sizes[0] < sizes[1] < sizes[2]
            evidence.append(Evidence(holds, f"{named} recurrent parameters"))
    return evidence


def faster(comparison: Comparison, fast: Cell, slow: Cell) -> Evidence:
    """Whether a cell trains faster than another one.

    Args:
        comparison: What was measured.
        fast: The cell that is claimed to be faster.
        slow: The other one.
    """
    return Evidence(
        fast.training > AS_FAST * slow.training,
        f"{fast.name} {fast.training:,.0f}, {slow.name} {slow.training:,.0f} tokens/s in training "
        f"({fast.training / slow.training:.2f} times)",
    )


def rnn_trains_fastest(comparison: Comparison) -> Sequence[Evidence]:
    """Faster than GRU and LSTM."""
    names = (*both("rnn", "gru"), *both("rnn", "lstm"))
    return [faster(comparison, *pair) for pair in pairs(comparison, *names)]


def gru_trains_faster(comparison: Comparison) -> Sequence[Evidence]:
    """Faster than LSTM."""
    return [faster(comparison, *pair) for pair in pairs(comparison, *both("gru", "lstm"))]


def one_direction_trains_faster(comparison: Comparison) -> Sequence[Evidence]:
    """Faster than two."""
    return [faster(comparison, *pair) for pair in directions(comparison)]


def parallel(comparison: Comparison) -> Sequence[Evidence]:
    """minGRU is computed for all steps at once; the claim holds where that gains nothing."""
    checks = [faster(comparison, *pair) for pair in pairs(comparison, *both("mingru", "gru"))]
    return [Evidence(not evidence.holds, evidence.figures) for evidence in checks]


def better(comparison: Comparison, good: Cell, bad: Cell) -> Evidence:
    """Whether a cell is clearly better than another one.

    Args:
        comparison: What was measured.
        good: The cell that is claimed to be better.
        bad: The other one.
    """
    return Evidence(comparison.better(good, bad), scores(comparison, good, bad))


def as_good(comparison: Comparison, cell: Cell, other: Cell) -> Evidence:
    """Whether a cell is not clearly worse than another one.

    Args:
        comparison: What was measured.
        cell: The cell that is claimed to be as good.
        other: The one it is held against.
    """
    return Evidence(not comparison.better(other, cell), scores(comparison, cell, other))


def scores(comparison: Comparison, *cells: Cell) -> str:
    """The scores of cells, in words."""
    show = comparison.score.show
    figures = ", ".join(f"{cell.name} {show(cell.quality)}" for cell in cells)
    return f"{comparison.score.short}: {figures}"


def gates_remember(comparison: Comparison) -> Sequence[Evidence] | str:
    """LSTM and GRU better than the simple RNN on long texts."""
    if comparison.length < LONG:
        return long_needed(comparison)
    names = (*both("lstm", "rnn"), *both("gru", "rnn"))
    return [better(comparison, *pair) for pair in pairs(comparison, *names)]


def short_texts(comparison: Comparison) -> Sequence[Evidence] | str:
    """RNN or GRU as good as LSTM on short texts."""
    if comparison.length >= SHORT:
        return f"needs short texts; these have {comparison.length} tokens (median)"
    evidence = []
    for prefix in ("", "bi"):
        reference = comparison.get(f"{prefix}lstm")
        simple = [cell for name in ("rnn", "gru") if (cell := comparison.get(prefix + name))]
        if reference is not None and simple:
            best = max(simple, key=lambda cell: comparison.gain(cell, reference))
            evidence.append(as_good(comparison, best, reference))
    return evidence


def long_texts(comparison: Comparison) -> Sequence[Evidence] | str:
    """LSTM clearly the best on long texts."""
    if comparison.length < LONG:
        return long_needed(comparison)
    names = (*both("lstm", "gru"), *both("lstm", "rnn"))
    return [better(comparison, *pair) for pair in pairs(comparison, *names)]


def scarce(comparison: Comparison) -> Sequence[Evidence]:
    """GRU as good as LSTM, smaller and faster."""
    evidence = []
    for gru, lstm in pairs(comparison, *both("gru", "lstm")):
        evidence += [as_good(comparison, gru, lstm), faster(comparison, gru, lstm)]
        if comparison.match == "hidden":
            evidence.append(
                Evidence(
                    gru.parameters < lstm.parameters,
                    f"{gru.name} {gru.parameters:,}, {lstm.name} {lstm.parameters:,} parameters",
                )
            )
    return evidence


def context(comparison: Comparison) -> Sequence[Evidence] | str:
    """Both directions better than one in tagging."""
    if comparison.task != "tagging":
        return f"needs a tagging task; this is {comparison.task}"
    return [better(comparison, two, one) for one, two in directions(comparison)]


def real_time(comparison: Comparison) -> Sequence[Evidence]:
    """One direction answers sooner, even where the whole text is there."""
    return [
        Evidence(
            AS_FAST * one.latency < two.latency,
            f"{one.name} {one.latency:.2g}, {two.name} {two.latency:.2g} ms for one text that is "
            "there as a whole",
        )
        for one, two in directions(comparison)
    ]


def long_needed(comparison: Comparison) -> str:
    """Why short texts decide nothing about memory."""
    return (
        f"needs texts of {LONG} tokens and more; these have {comparison.length} (median). "
        "`rnnlp compare --long-range` tests memory itself"
    )


CLAIMS: tuple[tuple[str, Check], ...] = (
    ("Of one width, the simple RNN has the fewest parameters and the LSTM the most", parameters),
    ("The simple RNN trains fastest", rnn_trains_fastest),
    ("A GRU trains faster than an LSTM", gru_trains_faster),
    ("Two directions train more slowly than one", one_direction_trains_faster),
    ("A recurrence cannot be computed in parallel over time, so nothing trains faster", parallel),
    ("LSTM and GRU remember over long texts what the simple RNN forgets", gates_remember),
    ("Short texts: a simple RNN or a GRU is enough", short_texts),
    ("Long texts and accuracy: take the LSTM", long_texts),
    ("Scarce resources: take the GRU, as good as the LSTM and cheaper", scarce),
    ("Tagging that depends on context: take both directions", context),
    ("Real time: take one direction", real_time),
)
