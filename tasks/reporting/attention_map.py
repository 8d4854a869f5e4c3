"""Where a translator looked as it wrote, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .picture import picture


def draw_alignment(
    source: Sequence[str],
    target: Sequence[str],
    weights: Sequence[Sequence[float]],
    path: Path,
) -> None:
    """Draws attention weights: a row for each target token, a column for each source token.

    Args:
        source: The source tokens.
        target: The target tokens.
        weights: Of each target token over the source tokens.
        path: The PNG file to write.
    """
    import numpy as np

    with picture(path, width=2.2 + 0.34 * len(source), height=1.8 + 0.28 * len(target)) as figure:
        axes = figure.subplots()
        shades = axes.imshow(np.asarray(weights), cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
        figure.colorbar(shades, ax=axes, shrink=0.8, label="attention weight")
        axes.set_xticks(range(len(source)), source, rotation=60, ha="right", fontsize=9)
        axes.set_yticks(range(len(target)), target, fontsize=9)
        axes.set_xlabel("source")
        axes.set_ylabel("translation")
