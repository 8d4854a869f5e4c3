"""What the gates of a trained encoder do at every token of a text, as numbers and as a table.

A picture of it is `tasks/reporting/gate_map.py`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnlp.data.errors import InputError, printable


@dataclass(frozen=True, kw_only=True)
class Gates:
    """Gates and states of one layer and direction over a text; `print` shows the means.

    Args:
        tokens: The tokens that were read, as they are written.
        values: By the names of the cell's equations `[tokens, units]`, `h` being the state after
            each token.
        title: Cell, layer and direction.
        equations: How it computes a step.
    """

    tokens: list[str]
    values: dict[str, np.ndarray]
    title: str
    equations: str

    @property
    def names(self) -> list[str]:
        """The values that lie between 0 and 1: the gates proper."""
        return [name for name in self.values if re.search(rf"^{name} = s\(", self.equations, re.M)]

    def per_token(self, unit: int | None = None) -> dict[str, np.ndarray]:
        """One number a token for each name, `[tokens]`.

        Args:
            unit: Which unit, from 1; None for the mean over all. Of candidates and states, whose
                signs would cancel, that is the mean of their size, under the name `|c|`.

        Raises:
            InputError: There is no such unit.
        """
        count = self.values["h"].shape[1]
        if unit is None:
            gates = self.names
            return {
                name if name in gates else f"|{name}|": (
                    value if name in gates else np.abs(value)
                ).mean(1)
                for name, value in self.values.items()
            }
        if not 1 <= unit <= count:
            raise InputError(f"there is no unit {unit}: the layer has units 1 to {count}")
        return {name: value[:, unit - 1] for name, value in self.values.items()}

    def table(self, unit: int | None = None) -> str:
        """A line for each token, a column for each name; see `per_token`."""
        columns = self.per_token(unit)
        shown = [printable(token) for token in self.tokens]
        width = max(5, *map(_width, shown))
        of = f"mean of {self.values['h'].shape[1]} units" if unit is None else f"unit {unit}"
        head = "token" + " " * (width - 5) + "".join(f"{name:>9}" for name in columns)
        lines = [f"{self.title}, {of}", "", head]
        for row, token in enumerate(shown):
            numbers = "".join(f"{column[row]:9.4f}" for column in columns.values())
            lines.append(token + " " * (width - _width(token)) + numbers)
        return "\n".join(lines) + "\n"

    def __str__(self) -> str:
        return self.table().rstrip("\n")


def sided(encoder: Any, layer: int | None, direction: str) -> tuple[int, str]:
    """The place of a layer's direction among all, as torch.nn orders them, and a title.

    Args:
        encoder: Has layers and directions.
        layer: From 1; None for the last.
        direction: "forward" or "backward".

    Raises:
        InputError: There is none.
    """
    directions = ("forward", "backward")[: encoder.directions]
    if direction not in directions:
        raise InputError(f"no direction {direction!r}: the model reads {' and '.join(directions)}")
    layer = encoder.num_layers if layer is None else layer
    if not 1 <= layer <= encoder.num_layers:
        raise InputError(
            f"there is no layer {layer}: the model has layers 1 to {encoder.num_layers}"
        )
    place = (layer - 1) * len(directions) + directions.index(direction)
    return place, f"{encoder.kind.title}, layer {layer}, {direction}"


def _width(text: str) -> int:
    """Columns of a terminal that a text takes: Chinese characters take two."""
    return sum(
        0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )
