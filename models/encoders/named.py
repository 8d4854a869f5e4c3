"""The recurrences by the names that `torch.nn` has for them: encoders whose cell is said.

    LSTM(input_size=100, hidden_size=200)      # is Encoder(cell="lstm", …), its settings included

State dicts of `torch.nn.RNN`, `LSTM` and `GRU` fit. Unlike these, batches come first, lengths are
given beside them, and both directions are read unless `bidirectional=False`.
"""

from __future__ import annotations

from typing import Any

from .recurrent import Encoder


class RNN(Encoder):
    """Simple recurrent network (Elman 1990), tanh: an `Encoder` with `cell="rnn"`."""

    def __init__(self, *sizes: int, **settings: Any) -> None:
        super().__init__(*sizes, cell="rnn", **settings)


class LSTM(Encoder):
    """Long short-term memory (Hochreiter & Schmidhuber 1997): an `Encoder` with `cell="lstm"`."""

    def __init__(self, *sizes: int, **settings: Any) -> None:
        super().__init__(*sizes, cell="lstm", **settings)


class GRU(Encoder):
    """Gated recurrent unit (Cho et al. 2014): an `Encoder` with `cell="gru"`."""

    def __init__(self, *sizes: int, **settings: Any) -> None:
        super().__init__(*sizes, cell="gru", **settings)


class MinGRU(Encoder):
    """minGRU (Feng et al. 2024), parallel over time: an `Encoder` with `cell="mingru"`."""

    def __init__(self, *sizes: int, **settings: Any) -> None:
        super().__init__(*sizes, cell="mingru", **settings)
