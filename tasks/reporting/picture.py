"""What all pictures have in common: fonts, text as it is, a PNG or SVG file."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
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


def new_figure(width: float, height: float) -> Any:
    """An empty figure, in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def font_families() -> list[str]:
    """The installed fonts that texts are drawn with, the first that has a character counts."""
    from matplotlib import font_manager

    installed = {font.name for font in font_manager.fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in _WIDE if name in installed)]


def undrawable(texts: Iterable[str]) -> list[str]:
    """The characters that no installed font can draw: boxes in a picture."""
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    drawn: set[int] = set()
    for family in font_families():
        drawn.update(FT2Font(font_manager.findfont(family)).get_charmap())
    return sorted({c for text in texts for c in text if ord(c) not in drawn})


@contextmanager
def picture(path: Path, *, width: float, height: float, kind: str = "png") -> Iterator[Figure]:
    """A figure to draw on, written at the end.

    Labels and names in it are text, whatever they hold: `$` begins no formula.

    Args:
        path: The file.
        width: In inches.
        height: In inches.
        kind: "png" or "svg"; an SVG keeps its texts as texts, which the viewer's fonts draw.
    """
    import matplotlib

    settings: Any = {"text.parse_math": False, "font.family": font_families()}
    settings |= {"svg.fonttype": "none", "svg.hashsalt": "rnnlp"}
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # no font has it: it is drawn as a box
        figure = new_figure(width, height)
        yield figure
        undated = {"Date": None} if kind == "svg" else None
        figure.savefig(path, dpi=120, format=kind, metadata=undated)
