"""The picture of a training run: loss and validation scores over the steps, from the CSV logs."""

from __future__ import annotations

import csv
from contextlib import suppress
from pathlib import Path

from rnnlp.data.errors import printable

from .picture import picture

# Drawn elsewhere, or the same as another curve, or no share of anything.
HIDDEN = ("_loss", "_score", "_invalid_sequences")

Series = dict[str, dict[int, float]]


def read_logs(logs: Path) -> Series:
    """Every logged value by name and step.

    Args:
        logs: Folder with one `*/metrics.csv` for each call of `fit`; where a resumed run logged a
            step again, the later value counts.
    """
    series: Series = {}
    for file in sorted(logs.glob("*/metrics.csv"), key=lambda file: file.stat().st_mtime):
        text = file.read_text(encoding="utf-8", errors="replace").replace("\0", "")
        whole = text[: text.rfind("\n") + 1]  # a kill can cut the last line short
        for row in csv.DictReader(whole.splitlines()):
            for name, value in row.items():
                with suppress(TypeError, ValueError):  # a disk that was full leaves odd lines
                    if name not in ("step", "epoch"):
                        series.setdefault(name, {})[int(row["step"])] = float(value)
    return {name: values for name, values in series.items() if values}


def draw_curves(logs: Path, path: Path, *, title: str, best_step: int | None) -> None:
    """Draws losses on the left and validation scores on the right, the best step marked.

    Args:
        logs: Folder of the CSV logs.
        path: The PNG file to write.
        title: What stands above.
        best_step: The step whose weights were kept.
    """
    series = read_logs(logs)
    losses = {name: series[name] for name in ("train_loss", "validation_loss") if name in series}
    scores = {
        name: values
        for name, values in sorted(series.items())
        if name.startswith("validation_")
        and not name.endswith(HIDDEN)
        and max(values.values()) <= 1.0
    }
    with picture(path, width=9, height=3.6) as figure:
        figure.suptitle(printable(title), fontsize=11)
        left, right = figure.subplots(1, 2)
        for axes, group, label in ((left, losses, "loss"), (right, scores, "validation score")):
            for name, values in group.items():
                steps = sorted(values)
                mark = "o" if len(steps) <= 40 and name != "train_loss" else None
                heights = [values[step] for step in steps]
                shown = name.removeprefix("validation_") if axes is right else name
                shown = printable(shown.replace("_", " "))
                axes.plot(steps, heights, label=shown, linewidth=1.4, marker=mark, markersize=3)
            if best_step is not None:
                axes.axvline(best_step, color="0.6", linestyle=":", linewidth=1.2, label="kept")
            axes.set_xlabel("step")
            axes.set_ylabel(label)
            axes.grid(alpha=0.3)
            if axes.get_legend_handles_labels()[0]:
                axes.legend(fontsize=8, frameon=False)
