"""Searching among some tokens of each sentence, where a step scores these alone.

Inside a search a token is then the number of its column, another token in each sentence; what a
search asks of tokens (which is the end, which have been said) it can ask of columns.
"""

from __future__ import annotations

from typing import Generic, NamedTuple

import numpy as np

from .hypotheses import State, Step, StepFunction


class Among(NamedTuple, Generic[State]):
    """A state whose rows know their sentences."""

    state: State
    sentence: np.ndarray  # [rows]

    def reorder(self, index: np.ndarray) -> Among[State]:
        """The state of the rows picked (and repeated) by `index`."""
        return Among(self.state.reorder(index), self.sentence[index])


def among(
    step: StepFunction[State], state: State, tokens: np.ndarray
) -> tuple[StepFunction[Among[State]], Among[State]]:
    """A step function on columns of one on tokens, and its state.

    Args:
        step: The model, on arrays. What it gives has a column for each candidate.
        state: Its state before the first token, one row for each sentence.
        tokens: `[sentences, columns]`: what the columns mean, and what further ones do that are
            read only, such as the token before the first.
    """

    def stepped(columns: np.ndarray, rows: Among[State]) -> Step[Among[State]]:
        said = step(tokens[rows.sentence, columns], rows.state)
        return Step(said.log_probs, Among(said.state, rows.sentence), said.attention)

    return stepped, Among(state, np.arange(len(tokens)))
