"""The confusion matrix of a classifier as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rnnlp.data.errors import printable

from .picture import picture

_NUMBERS = 20  # classes up to which the counts are written into the fields


def draw_confusion(
    labels: Sequence[str], counts: Sequence[Sequence[int]], path: Path, *, title: str
) -> None:
    """Draws which label was given for which: rows are gold labels, shades are shares of a row.

    Args:
        labels: The labels, in the order of rows and columns.
        counts: Texts of each gold label (row) that were given each label (column).
        path: The PNG file to write.
        title: What stands above.
    """
    import numpy as np

    table = np.array(counts)
    shares = table / np.maximum(table.sum(1, keepdims=True), 1)
    size = 2.6 + 0.42 * min(len(labels), 40)
    ticks = range(len(labels))
    shown = [label if len(label) <= 16 else f"{label[:15]}…" for label in map(printable, labels)]
    with picture(path, width=size + 0.6, height=size) as figure:
        axes = figure.subplots()
        shades = axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
        figure.colorbar(shades, ax=axes, shrink=0.8, label="share of the gold label")
        axes.set_title(printable(title), fontsize=10)
        axes.set_xlabel("predicted")
        axes.set_ylabel("gold")
        axes.set_xticks(ticks, shown, rotation=45, ha="right", fontsize=8)
        axes.set_yticks(ticks, shown, fontsize=8)
        for row, column in np.ndindex(table.shape) if len(labels) <= _NUMBERS else ():
            axes.text(
                column,
                row,
                str(table[row, column]),
                ha="center",
                va="center",
                color="white" if shares[row, column] > 0.5 else "black",
                fontsize=8,
            )
