"""A language model on ONNX Runtime: ids of prompts in, ids of what goes on after them out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import count

import numpy as np

from rnnlp.data.text.tokenizer import EOS
from rnnlp.tasks.runtime.beam import constrain
from rnnlp.tasks.runtime.session import Graphs, Reader, State

from .config import BANNED, SamplingConfig
from .prompts import BegunWords
from .scores import Costs, Reading


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
        """Log probabilities of what follows `tokens` [rows], and the state after them."""
        rows = np.arange(len(tokens))
        return self.read(tokens[:, None], np.ones_like(tokens), state, labels, rows, condition)

    def draw(
        self,
        prompts: Sequence[Sequence[int]],
        labels: Sequence[int],
        sampling: SamplingConfig,
        seeds: Sequence[int],
        begun: BegunWords | None = None,
        heard: Callable[[int], object] | None = None,
        vectors: np.ndarray | None = None,
    ) -> list[list[int]]:
        """The tokens that go on after prompts; as in `TorchGenerator`, and with its numbers."""
        state, condition = self.start(len(prompts), vectors)
        every = np.tile(np.array(labels, np.int64), (len(prompts), 1))
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
        last = np.array([ids[-1] for ids in prompts], np.int64)
        size = sampling.no_repeat_ngram_size
        numbers = [np.random.MT19937() for _ in seeds]
        for one, seed in zip(numbers, seeds, strict=True):
            one._legacy_seeding(seed % 2**32)  # as torch.Generator begins
        active = np.arange(len(prompts))
        written: list[list[int]] = [[] for _ in prompts]
        for time in count():
            if heard is not None:
                heard(int(last[0]))
            read_from = None if condition is None else condition[active]
            log_probs, state = self.step(last, state, every[active], read_from)
            constrain(
                log_probs,
                time,
                np.array([written[row] for row in active.tolist()] if size else [], np.int64),
                end=EOS,
                banned=BANNED,
                min_lengths=sampling.min_length,
                max_lengths=sampling.max_length,
                size=size,
                allow=None if begun is None else partial(_keep_allowed, active, begun),
            )
            if time >= sampling.max_length:
                break
            draws = np.array([_uniform(numbers[row]) for row in active], np.float32)
            last = _pick(log_probs, draws, sampling)
            for row, token in zip(active.tolist(), last.tolist(), strict=True):
                if begun is not None:
                    begun.chosen(row, token)
                if token != EOS:
                    written[row].append(token)
            rows_left = np.flatnonzero(last != EOS)
            active, last, state = active[rows_left], last[rows_left], state.reorder(rows_left)
            if not len(active):
                break
        return written

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


def _keep_allowed(prompts: np.ndarray, begun: BegunWords, log_probs: np.ndarray) -> None:
    """Writes -inf over what may not begin; as `rnnlp.models.search.constraints`."""
    for of_row, prompt in zip(log_probs, prompts.tolist(), strict=True):
        if (ids := begun.allowed(prompt)) is not None:
            kept = of_row[ids]
            of_row[:] = -np.inf
            of_row[ids] = kept


def _uniform(numbers: np.random.MT19937) -> float:
    """A number in [0, 1) of 24 bits, as torch draws one."""
    return float(int(numbers.random_raw()) % 2**24) / 2**24


def _pick(log_probs: np.ndarray, draws: np.ndarray, sampling: SamplingConfig) -> np.ndarray:
    """A token of each row, by its probability; see `rnnlp.models.search.sampling.sample`."""
    peak = log_probs.max(1, keepdims=True)
    mass = np.exp((log_probs - peak) / np.float32(sampling.temperature))
    order = None
    if 0 < sampling.top_k < mass.shape[1] or sampling.top_p < 1:
        order = np.argsort(-mass, axis=1, kind="stable")
        mass = np.take_along_axis(mass, order, 1)
        if sampling.top_k:
            mass[:, sampling.top_k :] = 0.0
    mass /= mass.sum(1, keepdims=True)
    sums = mass.cumsum(1, dtype=np.float32)
    if sampling.top_p < 1:  # keep a token if what is before it does not reach the sum yet
        mass[sums - mass >= sampling.top_p] = 0.0
        sums = mass.cumsum(1, dtype=np.float32)
    picked = (sums <= (draws[:, None] * sums[:, -1:])).sum(1).clip(max=sums.shape[1] - 1)
    return picked if order is None else np.take_along_axis(order, picked[:, None], 1)[:, 0]
