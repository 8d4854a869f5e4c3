"""A language model on ONNX Runtime: ids of prompts in, ids of what goes on after them out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnnlp.models.search.hypotheses import Step
from rnnlp.tasks.runtime.session import Graphs, Reader, State

from .config import BANNED
from .drawing import DrawRequest, drawn
from .scores import Costs, Reading


class _Written(NamedTuple):
    """What the next token of some texts hangs on."""

    state: State
    labels: np.ndarray  # [rows, fields]
    condition: np.ndarray | None  # [rows, size]

    def reorder(self, index: np.ndarray) -> _Written:
        """That of the rows picked by `index`."""
        condition = None if self.condition is None else self.condition[index]
        return _Written(self.state.reorder(index), self.labels[index], condition)


class OnnxGenerator:
    """Answers for a language model.

    Args:
        graphs: Those of the folder.
    """

    def __init__(self, graphs: Graphs) -> None:
        self.first = None
        if "start.onnx" in graphs.checksums:  # of a model that writes from vectors
            self.first = graphs.open("start.onnx", inputs=("vectors",), outputs=("hidden",))
        self.reader = Reader(graphs, "generation")
        self.session = self.reader.session

    def start(
        self, rows: int, vectors: np.ndarray | None = None
    ) -> tuple[State, np.ndarray | None]:
        """The state before the first token, and what is added to every token [rows, size]."""
        if self.first is None:
            return State(**self.session.start(rows)), None
        assert vectors is not None
        names = list(self.first.outputs)
        values = dict(zip(names, self.first(names, {"vectors": vectors}), strict=True))
        condition = values.pop("condition", None)
        return State(**values), condition

    def read(
        self,
        tokens: np.ndarray,
        lengths: np.ndarray,
        state: State,
        labels: np.ndarray | None = None,
        positions: np.ndarray | None = None,
        condition: np.ndarray | None = None,
    ) -> tuple[np.ndarray, State]:
        """Reads on.

        Args:
            tokens: `[rows, time]`.
            lengths: `[rows]`, at least 1.
            state: The state before them.
            labels: `[rows, fields]` of models with labels.
            positions: Where what follows is to be scored: row * time + place in the row; none if
                not given.
            condition: What is added to every token, [rows, size].

        Returns:
            Log probabilities `[positions, vocabulary]` and the state after the last tokens.
        """
        feeds = {
            "tokens": tokens,
            "lengths": lengths,
            "positions": np.zeros(0, np.int64) if positions is None else positions,
            **state.feeds(),
        }
        if "labels" in self.session.inputs:
            assert labels is not None
            feeds["labels"] = labels
        if condition is not None:
            feeds["condition"] = condition
        names = ["log_probs", *(f"final_{name}" for name in state.feeds())]
        log_probs, *final = self.session(names, feeds)
        return log_probs, State(*final)

    def step(
        self,
        tokens: np.ndarray,
        state: State,
        labels: np.ndarray | None = None,
        condition: np.ndarray | None = None,
    ) -> tuple[np.ndarray, State]:
        """Reads one token of each row.

        Args:
            tokens: `[rows]`.
            state: The state before them.
            labels: `[rows, fields]` of models with labels.
            condition: What is added to every token, `[rows, size]`.

        Returns:
            Log probabilities `[rows, vocabulary]` of what follows, and the state after them.
        """
        rows = np.arange(len(tokens))
        return self.read(tokens[:, None], np.ones_like(tokens), state, labels, rows, condition)

    def draw(self, request: DrawRequest) -> list[list[int]]:
        """The tokens that go on after prompts; with the random numbers of `TorchGenerator`."""
        prompts = request.prompts
        state, condition = self.start(len(prompts), request.vectors)
        every = np.tile(np.array(request.labels, np.int64), (len(prompts), 1))
        counts = np.array([len(ids) - 1 for ids in prompts])  # the last one begins
        reading = np.flatnonzero(counts)
        if len(reading):
            inside = np.arange(counts.max()) < counts[reading, None]
            before = np.zeros(inside.shape, np.int64)
            before[inside] = [one for ids in prompts for one in ids[:-1]]
            rows = state.reorder(reading)
            read_from = None if condition is None else condition[reading]
            _, read = self.read(before, counts[reading], rows, every[reading], condition=read_from)
            for whole, part in zip(state.feeds().values(), read.feeds().values(), strict=True):
                whole[:, reading] = part
        return drawn(
            self._drawn_from,
            _Written(state, every, condition),
            begin=np.array([ids[-1] for ids in prompts], np.int64),
            request=request,
        )

    def _drawn_from(self, tokens: np.ndarray, written: _Written) -> Step[_Written]:
        log_probs, state = self.step(tokens, *written)
        return Step(log_probs, written._replace(state=state))

    def costs(self, reading: Reading, so_far: tuple[State, np.ndarray | None] | None) -> Costs:
        """What the tokens cost that follow the next tokens of some texts; see `Engine`."""
        rows, time = reading.tokens.shape
        state, condition = self.start(rows, reading.vectors) if so_far is None else so_far
        if so_far is not None and reading.carried is not None:
            state = state.reorder(reading.carried)
            condition = None if condition is None else condition[reading.carried]
        places = np.flatnonzero(np.arange(time) < reading.lengths[:, None])
        log_probs, state = self.read(
            reading.tokens, reading.lengths, state, reading.labels, places, condition
        )
        targets = reading.following.ravel()[places]
        nats = -log_probs[np.arange(len(targets)), targets].astype(np.float64)
        log_probs[:, list(BANNED)] = -np.inf
        return Costs(nats, log_probs.argmax(1) == targets, (state, condition))
