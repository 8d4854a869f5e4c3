"""Reading long texts segment by segment, with the state handed on."""

from __future__ import annotations

from torch import Tensor

from rnnlp.data.generation.collate import GenerationBatch
from rnnlp.models.generation.language_model import LanguageModel
from rnnlp.models.recurrence.cell import State


def read(
    network: LanguageModel,
    batch: GenerationBatch,
    state: State | None,
    *,
    drawn: int | None = None,
) -> tuple[Tensor, Tensor, State]:
    """Logits of a batch, what follows, and the state after it (see `Generator.forward`).

    Args:
        network: The generator.
        batch: The batch.
        state: What this gave for the batch before; not used where texts begin.
        drawn: Score so many random tokens beside those that do follow; None scores all.
    """
    features = batch.features
    before = None
    if batch.carried is not None:
        assert state is not None
        device = batch.carried.device  # a checkpoint's state comes back on the CPU
        cell = None if state.cell is None else state.cell.to(device)
        before = State(state.hidden.to(device), cell).reorder(batch.carried)
    output: tuple[Tensor, Tensor, State] = network(
        features.tokens,
        batch.following,
        features.lengths,
        batch.labels,
        before,
        batch.vectors,
        drawn,
    )
    return output
