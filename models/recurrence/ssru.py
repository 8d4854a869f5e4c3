"""SSRU, the simpler simple recurrent unit: minGRU whose layers give the positive part of the state.

Source: Kim et al. 2019, "From Research to Production and Back: Ludicrously Fast Neural Machine
Translation" (WNGT), who write translations with it: a step of a search has no product with the
state, and in training no step waits for the one before. Of the SRU (Lei et al. 2018) the reset
gate is left out, and tanh is ReLU. The forget gate is minGRU's update gate, their state is our h,
their h is what a layer gives; here the candidate has a bias. All that is computed is minGRU's.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from .cell import State, Weights
from .mingru import MINGRU, mingru_values

EQUATIONS = """\
f = s(W_f x + b_f)                         forget gate
n = W_n x + b_n                            candidate
h = (1 - f) * n + f * h'                   state
y = max(h, 0)                              what the layer gives"""


def ssru_values(inputs: Tensor, weights: Weights, state: State) -> dict[str, Tensor]:
    """SSRU, one token: `inputs` [batch, input_size], state [1, batch, hidden_size].

    Args:
        inputs: `[batch, input_size]`.
        weights: Those of the layer and direction.
        state: States before, each `[1, batch, hidden_size]`.
    """
    f, n, h = mingru_values(inputs, weights, state).values()
    return {"f": f, "n": n, "h": h, "y": h.relu()}


SSRU = replace(
    MINGRU,
    name="ssru",
    title="SSRU",
    equations=EQUATIONS,
    values=ssru_values,
    output=torch.relu,
)
