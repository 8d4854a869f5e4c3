"""The cells that there are, by name: a new one is its file and a row here."""

from __future__ import annotations

import copyreg
from difflib import get_close_matches

from .cell import Cell
from .gru import GRU
from .lstm import LSTM
from .mingru import MINGRU
from .rnn import RELU_RNN, RNN
from .ssru import SSRU

CELLS: dict[str, Cell] = {cell.name: cell for cell in (RNN, RELU_RNN, LSTM, GRU, MINGRU, SSRU)}


def register_cell(cell: Cell) -> None:
    """Adds a cell of one's own, which layers and configs can then name.

    Raises:
        ValueError: Another cell has the name.
    """
    if CELLS.setdefault(cell.name, cell) != cell:
        raise ValueError(f"there is a cell {cell.name!r} already: choose another name")


def find_cell(name: str) -> Cell:
    """The cell of this name.

    Raises:
        ValueError: There is none; the message says what was probably meant.
    """
    if name in CELLS:
        return CELLS[name]
    plain = str(name).lower()
    hint = (
        "; one of your own is named by its place, module.CELL, or registered first by "
        "rnnlp.models.register_cell in a file that --plugin names"
    )
    if plain.removeprefix("bi") in CELLS and plain.startswith("bi"):
        hint = f": write cell={plain[2:]!r} with bidirectional=True"
    elif near := get_close_matches(plain, CELLS, n=1):
        hint = f": did you mean {near[0]!r}? (One of your own is named with --plugin FILE.py.)"
    raise ValueError(f"cell must be one of {', '.join(CELLS)}, not {name!r}{hint}")


# Its functions are found again where the other process has them.
copyreg.pickle(Cell, lambda cell: (find_cell, (cell.name,)))
