"""Step functions on tensors, for the searches, which work on arrays.

On a CPU an array and a tensor are the same memory, and a step on arrays costs less around it.
"""

from __future__ import annotations

from typing import Any, Generic, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .hypotheses import State, Step, StepFunction


class Rows(NamedTuple, Generic[State]):
    """A state on tensors, told on arrays which rows it is to have."""

    state: State
    device: torch.device

    def reorder(self, index: np.ndarray) -> Rows[State]:
        """The state of the rows picked (and repeated) by `index`."""
        return Rows(self.state.reorder(torch.from_numpy(index).to(self.device)), self.device)


def on_arrays(step: StepFunction[State]) -> StepFunction[Rows[State]]:
    """A step function on arrays of one on tensors."""

    @torch.no_grad()
    def stepped(tokens: np.ndarray, rows: Rows[State]) -> Step[Rows[State]]:
        said = step(torch.from_numpy(tokens).to(rows.device), rows.state)
        looked = None if said.attention is None else array(said.attention)
        return Step(array(said.log_probs), Rows(said.state, rows.device), looked)

    return stepped


def array(values: Tensor | Any) -> np.ndarray:
    """The same numbers as an array; half precision, which arrays are slow at, becomes single."""
    if not isinstance(values, Tensor):
        return np.asarray(values)
    half = values.is_floating_point() and values.element_size() < 4
    return (values.float() if half else values).numpy(force=True)
