"""What the pictures in model folders have in common: fonts, text as it is, a PNG file."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Fonts that hold Chinese, Japanese or Korean characters on the usual systems.
_WIDE = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "SimHei",
    "Arial Unicode MS", "Droid Sans Fallback",
)  # fmt: skip


def font_families() -> list[str]:
    """The installed fonts that texts are drawn with, the first that has a character counts."""
    from matplotlib import font_manager

    installed = {font.name for font in font_manager.fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in _WIDE if name in installed)]


@contextmanager
def picture(path: Path, *, width: float, height: float) -> Iterator[Figure]:
    """A figure to draw on, written at the end.

    Labels and names in it are text, whatever they hold: `$` begins no formula.

    Args:
        path: The PNG file.
        width: In inches.
        height: In inches.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    settings: Any = {"text.parse_math": False, "font.family": font_families()}
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # no font has it: it is drawn as a box
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure
        figure.savefig(path, dpi=120, format="png")
