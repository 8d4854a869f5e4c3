"""The gates of a trained model over a text as a heat map: which word opened which gate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rnnlp.data.errors import printable

from .picture import picture

if TYPE_CHECKING:
    from rnnlp.tasks.base.gates import Gates

_NUMBERED = 60  # tokens beside whose shades there is room for numbers
_NAMED = 400  # tokens that there is room for


def draw_gates(gates: Gates, path: Path, *, unit: int | None = None, kind: str = "png") -> None:
    """Draws one number a token: a row for each gate or state, a column for each token.

    Args:
        gates: What `pipeline.gates` gives.
        path: The file to write.
        unit: Which unit, from 1; None for the mean over all, see `Gates.per_token`.
        kind: "png" or "svg".

    Raises:
        InputError: There is no such unit.
    """
    import numpy as np

    tokens, values = gates.tokens, gates.per_token(unit)
    panels = [
        [name for name in values if name in gates.names],  # 0 to 1
        [name for name in values if name not in gates.names],
    ]
    panels = [names for names in panels if names]
    wide = min(len(tokens), _NAMED)
    height = 1.2 + 0.4 * len(values) + 0.06 * max(map(len, tokens)) + 0.2 * len(panels)
    with picture(path, width=2.2 + 0.46 * wide, height=height, kind=kind) as figure:
        shares = [len(names) for names in panels]
        grid = figure.subplots(len(panels), 1, squeeze=False, sharex=True, height_ratios=shares)
        for axes, names in zip(grid[:, 0], panels, strict=True):
            rows = np.stack([values[name] for name in names])
            high = 1.0 if names[0] in gates.names else max(float(np.abs(rows).max()), 1e-6)
            low = -high if rows.min() < 0 else 0.0
            shades = axes.imshow(
                rows, cmap="RdBu" if low < 0 else "Blues", vmin=low, vmax=high, aspect="auto"
            )
            figure.colorbar(shades, ax=axes, aspect=8)
            axes.set_yticks(range(len(names)), names)
            for (row, column), value in np.ndenumerate(rows) if wide <= _NUMBERED else ():
                color = "white" if abs(value) > 0.6 * high else "black"
                text = f"{value:.2f}"
                axes.text(column, row, text, ha="center", va="center", color=color, fontsize=7)
        every = range(0, len(tokens), -(-len(tokens) // _NAMED))
        shown = [printable(tokens[place]) for place in every]
        axes.set_xticks(every, shown, rotation=60, ha="right", rotation_mode="anchor", fontsize=9)
        of = "" if unit is None else f", unit {unit}"
        figure.suptitle(gates.title + of, fontsize=10)
