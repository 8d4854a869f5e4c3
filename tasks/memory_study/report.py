"""The report of the long-range tests: who holds up to which lag, and the picture of gradients."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING

from rnnlp.models.recurrence.cells import CELLS
from rnnlp.tasks.model_folder.atomic import write_text
from rnnlp.tasks.reporting.picture import new_figure
from rnnlp.tasks.reporting.report import Section, Table, write_report

from .protocol import PLAIN, STARTS, Protocol, Results
from .sequences import NEAR, SYMBOLS, TASKS, Task, chance
from .training import back

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RESULTS = "results.json"
HOLDS = 0.9
SMALLEST = 1e-12  # what pictures still show of a gradient

TITLES: dict[Task, str] = {
    "adding": "adding problem",
    "copy": "copying after a delay",
    "recall": "recalling the first symbol",
}
COLOURS: dict[str, str] = {
    "rnn": "#b3261e",
    "lstm": "#1f5fa8",
    "gru": "#2e7d32",
    "mingru": "#8a5a00",
    "rnn_relu": "#555555",
}
DASHES = ("-", "--", ":")  # of the starts of a cell, in order

Variant = tuple[str, str]


def write_long_range(
    folder: Path,
    results: Results,
    fresh: Mapping[Variant, list[float]],
    *,
    lags: Sequence[int],
    protocol: Protocol,
    command: str,
) -> Table:
    """Writes `results.json`, `report.md`, `report.html` and the pictures.

    Args:
        folder: Where.
        results: What was trained.
        fresh: How far gradients reach before training, at the longest lag.
        lags: All lags that were asked for, rising.
        protocol: How it was trained.
        command: The command line that made it.

    Returns:
        Up to which lag each cell holds.
    """
    content = {
        "command": command,
        "lags": list(lags),
        "machine": {"processors": os.cpu_count(), "architecture": platform.machine()},
        "results": list(results.values()),
    }
    write_text(folder / RESULTS, json.dumps(content) + "\n")
    variants = list(fresh)
    plain = [variant for variant in variants if variant[1] == PLAIN]
    started = [variant for variant in variants if variant[1] != PLAIN]
    shown = max(lag for lag in lags if all(_seen(results, one, lag) for one in plain))
    summary = held(results, variants, lags)
    sections = [
        Section(
            "Up to which lag each cell holds",
            [
                "A cell holds while it gives at least 90 % right answers; in brackets what it "
                "gives at the first lag where it does not. Within the same training for all, see "
                "the end.",
            ],
            summary,
        ),
        Section(
            "Accuracy against lag, weights started as torch.nn does",
            figure=draw_accuracy(results, plain, lags),
            caption="Share of right answers; above the dashed line a cell holds. Lines end where "
            "a cell has failed and longer lags were not tried.",
        ),
        Section(
            "Accuracy against lag, weights started to remember",
            figure=draw_accuracy(results, started, lags),
            caption="The same with orthogonal recurrent weights, a forget-gate bias of 1, or gates "
            "that start with spans up to the lag.",
        ),
        Section("All accuracies, in per cent", table=accuracies(results, variants, lags)),
        Section(
            f"The gradient that reaches each past step, before training, lag {lags[-1]}",
            [
                "A gradient of norm 1 enters at the end; drawn is the norm of what arrives at the "
                "state so many steps before, on the test of the first symbol."
            ],
            figure=draw_fresh(fresh, lags[-1]),
            caption="A line that falls is a gradient that vanishes: what stood so far back cannot "
            "be learned from. Solid lines: weights started as torch.nn does.",
        ),
        Section(
            f"The same before and after training, lag {shown}",
            figure=draw_reach(results, variants, shown),
            caption="The longest lag that every cell was trained at with weights as torch.nn "
            "starts them.",
        ),
        Section("How it was measured", _protocol(protocol, results, command)),
    ]
    write_report(folder, title="How far back does each cell remember?", sections=sections)
    return summary


def held(results: Results, variants: Sequence[Variant], lags: Sequence[int]) -> Table:
    """For each cell and test, the longest lag up to which it holds.

    Args:
        results: What was measured in each trial.
        variants: Cells, each with how it starts.
        lags: Steps between what is to be kept and the answer, ascending.
    """
    rows = [
        [name(variant), *(holds(results, task, variant, lags) for task in TASKS)]
        for variant in variants
    ]
    return Table(["cell", *(TITLES[task] for task in TASKS)], rows)


def holds(results: Results, task: Task, variant: Variant, lags: Sequence[int]) -> str:
    """The longest lag up to which a cell holds, and its accuracy at the next.

    Args:
        results: What was measured in each trial.
        task: The test.
        variant: The cell, and how it starts.
        lags: Steps between what is to be kept and the answer, ascending.
    """
    last = "none"
    for lag in lags:
        share = accuracy_at(results, task, variant, lag)
        if share is None:  # it failed at the lag before, and holds up to none
            break
        if share < HOLDS:
            return f"{last} ({100 * share:.1f}\u00a0% at {lag})"
        last = str(lag)
    return f"{last}, the longest"


def accuracy_at(results: Results, task: Task, variant: Variant, lag: int) -> float | None:
    """The mean over the seeds; a seed that failed before counts as chance.

    None where no seed was trained at this lag.

    Args:
        results: What was measured in each trial.
        task: The test.
        variant: The cell, and how it starts.
        lag: Steps between what is to be kept and the answer.
    """
    seeds = {trial.seed for trial in results}
    scores = {
        trial.seed: result["accuracy"]
        for trial, result in results.items()
        if (trial.task, (trial.cell, trial.start), trial.lag) == (task, variant, lag)
    }
    return mean(scores.get(seed, chance(task)) for seed in seeds) if scores else None


def accuracies(results: Results, variants: Sequence[Variant], lags: Sequence[int]) -> Table:
    """Every accuracy, and after how many updates training ended.

    Args:
        results: What was measured in each trial.
        variants: Cells, each with how it starts.
        lags: Steps between what is to be kept and the answer, ascending.
    """
    rows = []
    for task in TASKS:
        for variant in variants:
            shares = [accuracy_at(results, task, variant, lag) for lag in lags]
            cells = ["–" if share is None else f"{100 * share:.1f}" for share in shares]
            rows.append([name(variant), TITLES[task], *cells])
    return Table(["cell", "test", *(f"lag {lag}" for lag in lags)], rows)


def name(variant: Variant) -> str:
    """A cell and its start, as people write them."""
    cell, start = variant
    return CELLS[cell].title if start == PLAIN else f"{CELLS[cell].title}, {start}"


def draw_accuracy(results: Results, variants: Sequence[Variant], lags: Sequence[int]) -> Figure:
    """Accuracy against lag, one panel for each test.

    Args:
        results: What was measured in each trial.
        variants: Cells, each with how it starts.
        lags: Steps between what is to be kept and the answer, ascending.
    """
    figure, panels = _panels(len(TASKS), "lag (steps)")
    for task, axes in zip(TASKS, panels, strict=True):
        for variant in variants:
            points = [(lag, accuracy_at(results, task, variant, lag)) for lag in lags]
            seen = [(lag, 100 * share) for lag, share in points if share is not None]
            axes.plot(
                [lag for lag, _ in seen],
                [share for _, share in seen],
                _dash(variant),
                color=COLOURS[variant[0]],
                marker="o",
                markersize=4,
                label=name(variant),
            )
        axes.axhline(100 * HOLDS, color="#777777", linewidth=0.8, linestyle=(0, (6, 3)))
        axes.axhline(100 * chance(task), color="#cccccc", linewidth=0.8)
        axes.annotate("chance", (lags[0], 100 * chance(task) + 1.5), fontsize=8, color="#777777")
        axes.set_xscale("log")
        axes.set_xticks(list(lags), [str(lag) for lag in lags])
        axes.minorticks_off()
        axes.set_ylim(-3, 105)
        axes.set_ylabel("right answers (%)")
        axes.set_title(TITLES[task], fontsize=10)
    _legend(figure, panels[0])
    return figure


def draw_fresh(fresh: Mapping[Variant, list[float]], lag: int) -> Figure:
    """The norm of the gradient against the distance, without training."""
    figure, (axes,) = _panels(1, "steps before the end")
    for variant, norms in fresh.items():
        _draw_norms(axes, variant, back(lag), norms)
    _legend(figure, axes)
    return figure


def draw_reach(results: Results, variants: Sequence[Variant], lag: int) -> Figure:
    """The norm of the gradient against the distance, before and after training.

    Args:
        results: What was measured in each trial.
        variants: Cells, each with how it starts.
        lag: That of the trials whose gradients are drawn.
    """
    figure, panels = _panels(2, "steps before the end")
    for axes, when in zip(panels, ("before", "after"), strict=True):
        for variant in variants:
            result = _seen(results, variant, lag)
            if result is not None:
                _draw_norms(axes, variant, result["back"], result[when])
        axes.set_title(f"{when} training", fontsize=10)
    _legend(figure, panels[0])
    return figure


def _draw_norms(
    axes: Axes, variant: Variant, steps: Sequence[float], norms: Sequence[float]
) -> None:
    heights = [max(norm, SMALLEST) for norm in norms]
    axes.plot(steps, heights, _dash(variant), color=COLOURS[variant[0]], label=name(variant))
    axes.set_yscale("log")
    axes.set_ylabel("norm of the gradient")


def _seen(results: Results, variant: Variant, lag: int) -> dict[str, list[float]] | None:
    """The first seed's result of the recall test."""
    for trial, result in results.items():
        if (trial.task, (trial.cell, trial.start), trial.lag) == ("recall", variant, lag):
            return result
    return None


def _dash(variant: Variant) -> str:
    return DASHES[STARTS[variant[0]].index(variant[1]) % len(DASHES)]


def _panels(count: int, label: str) -> tuple[Figure, list[Axes]]:
    figure = new_figure(5, 2.5 * count + 0.9)
    panels = list(figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0])
    for axes in panels:
        axes.grid(alpha=0.3)
    panels[-1].set_xlabel(label)
    return figure, panels


def _legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=9, frameon=False)


def _protocol(protocol: Protocol, results: Results, command: str) -> list[str]:
    seeds = len({trial.seed for trial in results})
    return [
        f"Adding: random numbers, as many as the lag, two of them marked, one in each half; a sum "
        f"within {NEAR} of the right one counts. Copying: three of {SYMBOLS} symbols, each to be "
        f"given back when as many steps as the lag have passed. Recall: the first of {SYMBOLS} "
        "symbols, asked for after as many other symbols as the lag.",
        f"One layer of {protocol.hidden_size} units that reads onwards, a linear layer that "
        f"answers; at most {protocol.updates:,} updates of {protocol.batch} new sequences (fewer "
        "above lag 300, so that the steps read stay the same), Adam with a learning rate of "
        f"{protocol.learning_rate} ({protocol.simple_learning_rate} for the RNN), gradients "
        f"clipped at {protocol.clip}; training stops at "
        f"{protocol.solved:.0%} right answers. ".replace("%", " %")
        + f"{seeds} {'seed' if seeds == 1 else 'seeds'}. A cell that is not half way from chance "
        "to certainty at a lag counts as failed at longer ones (a dash in the table). So 'below' "
        "means: not learned within this budget; more updates may well get there.",
        "The gradients are of the first seed. What counts as the state of an LSTM is its hidden "
        "and its cell state together.",
        f"Command: `{command}`",
    ]
