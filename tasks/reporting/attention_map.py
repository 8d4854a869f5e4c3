"""Where a translator looked as it wrote, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .picture import font_families, picture


def draw_alignment(
    source: Sequence[str],
    target: Sequence[str],
    weights: Sequence[Sequence[float]],
    path: Path,
    *,
    odd: list[str],
) -> None:
    """Draws attention weights: a row for each target token, a column for each source token.

    Args:
        source: The source tokens.
        target: The target tokens.
        weights: Of each target token over the source tokens.
        path: The PNG file to write.
        odd: Gets the characters that no installed font can draw: boxes in the picture.
    """
    import numpy as np
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    drawn: set[int] = set()
    for family in font_families():
        drawn.update(FT2Font(font_manager.findfont(family)).get_charmap())
    odd += sorted({c for token in (*source, *target) for c in token if ord(c) not in drawn})
    with picture(path, width=2.2 + 0.34 * len(source), height=1.8 + 0.28 * len(target)) as figure:
        axes = figure.subplots()
        shades = axes.imshow(np.asarray(weights), cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
        figure.colorbar(shades, ax=axes, shrink=0.8, label="attention weight")
        axes.set_xticks(range(len(source)), source, rotation=60, ha="right", fontsize=9)
        axes.set_yticks(range(len(target)), target, fontsize=9)
        axes.set_xlabel("source")
        axes.set_ylabel("translation")
