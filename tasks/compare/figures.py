"""The figures of a comparison: score against speed, costs, curves."""

from __future__ import annotations

from statistics import mean
from typing import Any

from rnnlp.tasks.reporting.picture import new_figure

from .results import Cell, Comparison


def draw_trade(comparison: Comparison) -> Any:
    """The score against the speed of training."""
    figure = new_figure(5.0, 3.6)
    axes = figure.subplots()
    for cell in comparison.cells:
        spread = cell.spread(lambda run: run.quality) or 0.0
        axes.errorbar(
            cell.training,
            comparison.score.factor * cell.quality,
            yerr=comparison.score.factor * spread,
            fmt="o",
            capsize=3,
            color=colour(cell),
            markerfacecolor=colour(cell) if cell.bidirectional else "white",
        )
        axes.annotate(
            cell.name,
            (cell.training, comparison.score.factor * cell.quality),
            xytext=(7, 4),
            textcoords="offset points",
        )
    axes.margins(x=0.2, y=0.12)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.xaxis.set_major_locator(_few())
    axes.set_xlabel("training speed (tokens/s)")
    axes.set_ylabel(f"validation {comparison.score.title}")
    axes.grid(alpha=0.3)
    return figure


def draw_costs(comparison: Comparison) -> Any:
    """Bars: speeds, time of one answer, memory, parameters."""
    what = "token written" if comparison.task == "generation" else "text"
    panels = (
        ("training (tokens/s)", [cell.training for cell in comparison.cells]),
        ("inference (tokens/s)", [cell.inference for cell in comparison.cells]),
        (f"one {what} (ms)", [cell.latency for cell in comparison.cells]),
        ("peak memory (MiB)", [cell.peak for cell in comparison.cells]),
        ("parameters (thousands)", [cell.parameters / 1000 for cell in comparison.cells]),
    )
    names = [cell.name for cell in comparison.cells]
    figure = new_figure(5.0, len(panels) * (0.55 + 0.24 * len(names)))
    for axes, (label, values) in zip(figure.subplots(len(panels), 1), panels, strict=True):
        bars = axes.barh(names, values, color=[colour(cell) for cell in comparison.cells])
        axes.bar_label(bars, fmt=_plain, padding=3, fontsize=9)
        axes.margins(x=0.18)
        axes.invert_yaxis()
        axes.xaxis.set_major_formatter("{x:,.10g}")
        axes.xaxis.set_major_locator(_few())
        axes.set_xlabel(label)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    return figure


def draw_curves(comparison: Comparison) -> Any:
    """The validation score over the epochs."""
    figure = new_figure(5.0, 3.6)
    axes = figure.subplots()
    for cell in comparison.cells:
        by_epoch: dict[float, list[float]] = {}
        for run in cell.runs:
            for epoch, score in run.curve:
                by_epoch.setdefault(epoch, []).append(comparison.score.factor * score)
        axes.plot(
            sorted(by_epoch),
            [mean(by_epoch[epoch]) for epoch in sorted(by_epoch)],
            color=colour(cell),
            linestyle="-" if cell.bidirectional else "--",
            marker="." if len(by_epoch) < 40 else None,
            label=cell.name,
        )
    axes.set_xlabel("epochs")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_ylabel(f"validation {comparison.score.title}")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside upper center", ncols=min(len(comparison.cells), 4), frameon=False)
    return figure


def colour(cell: Cell) -> str:
    """One colour for each kind of cell, whatever its direction."""
    kinds = ("rnn", "lstm", "gru", "mingru", "rnn_relu", "ssru")
    kind = cell.name.removeprefix("bi")
    return f"C{kinds.index(kind)}" if kind in kinds else "0.4"


def _few() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=5)


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
