"""The protocol of the memory study: what is trained, and what is the same for every training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from .sequences import Task

LAGS = (10, 30, 100, 300, 1000)


CELLS: tuple[str, ...] = ("rnn", "lstm", "gru", "mingru")


PLAIN = "as torch.nn"


SPAN = "spans up to the lag"


# How the weights of each cell start: as torch.nn has it, and what is said to help.
STARTS: dict[str, tuple[str, ...]] = {
    "rnn": (PLAIN, "orthogonal"),
    "lstm": (PLAIN, "forget bias 1", SPAN),
    "gru": (PLAIN, SPAN),
    "mingru": (PLAIN, SPAN),
}


TESTED = 512  # sequences that answers are counted on


REACH_SEQUENCES, REACH_POINTS = 8, 60


FAILED = 0.5  # of the way from chance to certainty: below it longer lags are not tried


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """What is the same for every training.

    Args:
        hidden_size: Width of the state.
        batch: Sequences of an update.
        updates: Most updates at lags up to 300; the steps that they read bound longer ones.
        learning_rate: Of Adam, for cells with gates.
        simple_learning_rate: The same for simple RNNs, which forget what they learned at the other.
        clip: Largest norm of a gradient.
        solved: Share of right answers at which training stops.
        every: Updates between two looks at that.
    """

    hidden_size: int = 64
    batch: int = 32
    updates: int = 1000
    learning_rate: float = 0.01
    simple_learning_rate: float = 0.003
    clip: float = 1.0
    solved: float = 0.99
    every: int = 50

    def rate(self, cell: str) -> float:
        """The learning rate for this cell."""
        return self.simple_learning_rate if cell == "rnn" else self.learning_rate

    def most_updates(self, lag: int) -> int:
        """Updates at this lag."""
        return max(self.every, min(self.updates, self.updates * 300 // lag))


PROTOCOL = Protocol()


class Trial(NamedTuple):
    """One training."""

    task: Task
    cell: str
    start: str
    lag: int
    seed: int

    @property
    def file(self) -> str:
        """Where its result is kept."""
        start = self.start.replace(" ", "-").replace(".", "")
        return f"{self.task}-{self.cell}-{start}-lag{self.lag}-seed{self.seed}.json"


Results = dict[Trial, dict[str, Any]]
