"""The gates of a trained model over a text as a heat map: which word opened which gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rnnlp.data.errors import printable

from .picture import picture

if TYPE_CHECKING:
    import numpy as np

_NUMBERED = 60  # tokens beside whose shades there is room for numbers
_NAMED = 400  # tokens that there is room for


def draw_gates(
    tokens: Sequence[str],
    values: Mapping[str, np.ndarray],
    path: Path,
    *,
    gates: Sequence[str] = (),
    title: str = "",
    kind: str = "png",
) -> None:
    """Draws one number a token: a row for each gate or state, a column for each token.

    Args:
        tokens: The tokens.
        values: For each name `[tokens]`, as `Gates.per_token` has them.
        path: The file to write.
        gates: The names that lie between 0 and 1. They have a panel and shades of their own.
        title: What stands above.
        kind: "png" or "svg".
    """
    import numpy as np

    panels = [
        [name for name in values if name in gates],
        [name for name in values if name not in gates],
    ]
    panels = [names for names in panels if names]
    wide = min(len(tokens), _NAMED)
    height = 1.2 + 0.4 * len(values) + 0.06 * max(map(len, tokens)) + 0.2 * len(panels)
    with picture(path, width=2.2 + 0.46 * wide, height=height, kind=kind) as figure:
        shares = [len(names) for names in panels]
        grid = figure.subplots(len(panels), 1, squeeze=False, sharex=True, height_ratios=shares)
        for axes, names in zip(grid[:, 0], panels, strict=True):
            rows = np.stack([values[name] for name in names])
            most = max(float(np.abs(rows).max()), 1e-6)
            low, high = (
                (0.0, 1.0) if names[0] in gates else (min(-most * (rows.min() < 0), 0), most)
            )
            shades = axes.imshow(
                rows, cmap="RdBu" if low < 0 else "Blues", vmin=low, vmax=high, aspect="auto"
            )
            figure.colorbar(shades, ax=axes, aspect=8)
            axes.set_yticks(range(len(names)), names)
            for (row, column), value in np.ndenumerate(rows) if wide <= _NUMBERED else ():
                dark = (value - low) / (high - low) > 0.6 or (low < 0 and value < 0.6 * low)
                color = "white" if dark else "black"
                text = f"{value:.2f}"
                axes.text(column, row, text, ha="center", va="center", color=color, fontsize=7)
        every = range(0, len(tokens), -(-len(tokens) // _NAMED))
        shown = [printable(tokens[place]) for place in every]
        axes.set_xticks(every, shown, rotation=60, ha="right", rotation_mode="anchor", fontsize=9)
        figure.suptitle(printable(title), fontsize=10)
