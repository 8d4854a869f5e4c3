"""The report of a comparison: its table, its pictures, the verdicts and the recommendation."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from rnnlp.tasks.model_folder.atomic import write_text
from rnnlp.tasks.model_folder.files import as_json
from rnnlp.tasks.reporting.report import Section, Table, write_report

from .claims import verdicts
from .figures import draw_costs, draw_curves, draw_trade
from .recommendation import RULES, advice
from .results import AS_FAST, Cell, Comparison

RESULTS = "results.json"


def write_comparison(folder: Path, comparison: Comparison, *, title: str, command: str) -> None:
    """Writes `results.json`, `report.md`, `report.html` and the pictures.

    Args:
        folder: Where.
        comparison: What was measured.
        title: The heading of the report.
        command: The command line that made it.
    """
    claims = verdicts(comparison)
    content = {
        "command": command,
        **comparison.to_json(),
        "claims": [verdict._asdict() for verdict in claims],
        "recommendation": advice(comparison),
        "machine": {"processors": os.cpu_count(), "architecture": platform.machine()},
    }
    write_text(folder / RESULTS, as_json(content, indent=2) + "\n")
    sections = [
        Section("Which cell to take", advice(comparison)),
        Section(
            "The figures", [_matching(comparison), *control_line(comparison)], figures(comparison)
        ),
        Section(
            "Quality and speed",
            figure=draw_trade(comparison),
            caption=_trade_caption(comparison),
        ),
        Section(
            "What each cell costs",
            figure=draw_costs(comparison),
            caption="Longer bars are better for speeds, shorter ones for time, memory, parameters.",
        ),
        Section(
            "How the score grew",
            figure=draw_curves(comparison),
            caption="Validation score after each epoch, mean over the seeds that went so far.",
        ),
        Section(
            "What textbooks say",
            table=Table(["claim", "verdict", "figures"], [list(verdict) for verdict in claims]),
        ),
        Section("How it was measured", _method(comparison, command)),
    ]
    write_report(folder, title=title, sections=sections)


def figures(comparison: Comparison) -> Table:
    """One row for each cell."""
    what = "token written" if comparison.task == "generation" else "text"
    header = [
        "cell",
        f"validation {comparison.score.title}",
        "hidden size",
        "parameters",
        "of them recurrent",
        "training (tokens/s)",
        "inference (tokens/s)",
        f"one {what} (ms)",
        "peak memory (MiB)",
        "training added (MiB)",
        "epochs to best",
        "a run (min)",
    ]
    tested = all(run.test is not None for cell in comparison.cells for run in cell.runs)
    if tested:
        header.insert(2, f"test {comparison.score.title}")
    rows = []
    for cell in comparison.cells:
        row = [
            cell.name,
            with_spread(comparison, cell, "quality"),
            f"{cell.hidden_size:,}",
            f"{cell.parameters:,}",
            f"{cell.encoder_parameters:,}",
            f"{cell.training:,.0f}",
            f"{cell.inference:,.0f}",
            f"{cell.latency:.2f}",
            f"{cell.peak:,.0f}",
            f"{cell.added:,.0f}",
            f"{cell.epochs_to_best:.1f}",
            f"{cell.average(lambda run: run.training_seconds) / 60:.1f}",
        ]
        if tested:
            row.insert(2, with_spread(comparison, cell, "test"))
        rows.append(row)
    return Table(header, rows)


def control_line(comparison: Comparison) -> list[str]:
    """What a linear model comes to, for classifiers: what a network has to beat."""
    run = comparison.control
    if run is None:
        return []
    show = comparison.score.show
    test = "" if run.test is None else f", test {show(run.test)}"
    return [
        f"Linear control (n-grams alone, no network; one seed): validation "
        f"{comparison.score.title} {show(run.quality)}{test}, trained in "
        f"{run.training_seconds:.0f} s."
    ]


def with_spread(comparison: Comparison, cell: Cell, name: str) -> str:
    """Mean and standard deviation of a score.

    Args:
        comparison: What was measured.
        cell: One of its cells.
        name: The name of the score.
    """

    def value(run: Any) -> float:
        figure: float = getattr(run, name)
        return figure

    show, spread = comparison.score.show, cell.spread(value)
    return show(cell.average(value)) + ("" if spread is None else f" ± {show(spread)}")


def _trade_caption(comparison: Comparison) -> str:
    better = "Better is up" if comparison.score.higher_is_better else "Better is down"
    bars = "; bars are the standard deviation over the seeds" if comparison.seeds > 1 else ""
    return f"{better}, faster is to the right{bars}. Filled points read in both directions."


def _matching(comparison: Comparison) -> str:
    if comparison.match == "hidden":
        return (
            "All cells have states of one width in each direction, so they differ in their number "
            "of parameters."
        )
    most = max(cell.parameters for cell in comparison.cells)
    least = min(cell.parameters for cell in comparison.cells)
    sizes = ", ".join(f"`{cell.name}` {cell.hidden_size:,}" for cell in comparison.cells)
    return (
        f"All models have about equally many parameters ({least:,} to {most:,}), so their states "
        f"differ in width: {sizes}."
    )


def _method(comparison: Comparison, command: str) -> list[str]:
    runs = [run for cell in comparison.cells for run in cell.runs]
    machines = sorted({f"{run.device}, {run.threads} threads, torch {run.torch}" for run in runs})
    seeds = comparison.seeds
    margin = (
        "With a single seed nothing is known of chance; a point (or one per cent) stands in for it."
        if seeds == 1
        else "The margin of chance is the difference of two means that chance alone exceeds once "
        "in twenty times (Fisher's least significant difference, after means of cells and seeds)."
    )
    shown = (
        f"{comparison.margin:.1f} points" if comparison.score.higher_is_better
        else f"{comparison.margin:.3f}"
    )  # fmt: skip
    multilabel = " Runs on different machines or settings cannot be compared in speed." * (
        len(machines) > 1
    )
    return [
        f"`{command}`",
        f"Each cell was trained {seeds} time{'s' * (seeds > 1)}, with seeds 1 to {seeds} for "
        "weights, dropout, order of the data and, where there is no validation file, its cut; each "
        f"run in a process of its own. Budget: {comparison.budget}. A validation text has "
        f"{comparison.length} tokens (median). Means are followed by standard deviations.",
        f"{margin} Here it is {shown}. {RULES}",
        "Training speed is that of a step (forward, backward, optimiser; reading the data left "
        "out), median over epochs and seeds. Inference speed is that of labelling and scoring "
        "validation data in batches. The time of one text is that from text to answer in Python, "
        "median over validation texts; of a generator, that of a token written. Peak memory is the "
        "most that the training process had, libraries included; what training added is counted "
        f"from the first step. Speeds within {100 * (AS_FAST - 1):.0f} % count as equal. Other "
        f"work on the machine spoils them. Measured on: {'; '.join(machines)}; "
        f"{os.cpu_count()} processors.{multilabel}",
    ]
