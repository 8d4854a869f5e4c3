"""Where a translator looked as it wrote, as a picture."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

# Fonts that hold Chinese, Japanese or Korean characters on the usual systems.
_WIDE = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "SimHei",
    "Arial Unicode MS", "Droid Sans Fallback",
)  # fmt: skip


def draw_alignment(
    source: Sequence[str],
    target: Sequence[str],
    weights: Sequence[Sequence[float]],
    picture: Path,
    *,
    odd: list[str],
) -> None:
    """Draws attention weights: a row for each target token, a column for each source token.

    Args:
        source: The source tokens.
        target: The target tokens.
        weights: Of each target token over the source tokens.
        picture: The PNG file to write.
        odd: Gets the characters that no installed font can draw: boxes in the picture.
    """
    import numpy as np
    from matplotlib import font_manager
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ft2font import FT2Font

    installed = {font.name for font in font_manager.fontManager.ttflist}
    families = ["DejaVu Sans", *(name for name in _WIDE if name in installed)]
    known: set[int] = set()
    for family in families:
        known.update(FT2Font(font_manager.findfont(family)).get_charmap())
    odd += sorted({c for token in (*source, *target) for c in token if ord(c) not in known})

    table = np.asarray(weights)
    size = (2.2 + 0.34 * len(source), 1.8 + 0.28 * len(target))
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    shades = axes.imshow(table, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
    figure.colorbar(shades, ax=axes, shrink=0.8, label="attention weight")
    axes.set_xticks(range(len(source)), source, rotation=60, ha="right")
    axes.set_yticks(range(len(target)), target)
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        text.set_fontfamily(families)
        text.set_fontsize(9)
    axes.set_xlabel("source")
    axes.set_ylabel("translation")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # `odd` tells it
        figure.savefig(picture, dpi=130, format="png")
