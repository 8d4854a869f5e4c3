"""A translator on ONNX Runtime: ids of sources in, translations and probabilities out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnnlp.data.text.featurizer import TokenBatch
from rnnlp.tasks.runtime.session import READ, SPELLED, Graphs, State


class DecoderState(NamedTuple):
    """What a translator carries on; the rows of a sentence lie side by side."""

    keys: np.ndarray  # [sentences, source, key_size]
    values: np.ndarray  # [sentences, source, value_size]
    source_lengths: np.ndarray  # [sentences]
    recurrent: State
    fed: np.ndarray | None  # [rows, size]; input feeding only

    def reorder(self, index: np.ndarray) -> DecoderState:
        """The state of the rows picked (and repeated) by `index`."""
        rows, sentences = self.recurrent.hidden.shape[1], len(self.keys)
        read = index // (rows // sentences)  # which sentence each of the new rows reads
        first = np.flatnonzero(np.diff(read, prepend=-1))
        counts = np.diff(first, append=len(read))
        picked = read[first] if counts.min() == counts.max() else read  # shared in equal parts
        memory = self[:3]
        if not np.array_equal(picked, np.arange(sentences)):
            memory = tuple(part[picked] for part in memory)
        fed = None if self.fed is None else self.fed[index]
        return DecoderState(*memory, self.recurrent.reorder(index), fed)


class OnnxTranslator:
    """Answers for a translator: its encoder, and one step of its decoder.

    Args:
        graphs: Those of the folder.
    """

    def __init__(self, graphs: Graphs) -> None:
        self.encoder = graphs.open(
            "encoder.onnx",
            inputs=READ,
            optional=SPELLED,
            outputs=("keys", "values", "hidden"),
        )
        self.decoder = graphs.open(
            "decoder.onnx",
            inputs=("tokens", "keys", "values", "source_lengths", "hidden"),
            optional=("cell", "fed"),
            outputs=("log_probs", "attention", "final_hidden"),
        )

    def encode(self, batch: TokenBatch) -> DecoderState:
        """The state before the first target token."""
        feeds = {name: value for name, value in batch._asdict().items() if value is not None}
        names = [name for name in State._fields if name in self.decoder.inputs]
        keys, values, *state = self.encoder(["keys", "values", *names], feeds)
        fed = None
        if "fed" in self.decoder.inputs:
            fed = np.zeros((len(keys), self.decoder.inputs["fed"].shape[1]), np.float32)
        return DecoderState(keys, values, batch.lengths, State(*state), fed)

    def step(
        self, tokens: np.ndarray, state: DecoderState
    ) -> tuple[np.ndarray, np.ndarray, DecoderState]:
        """Log probabilities of what follows `tokens` [rows], attention [rows, source], and the new
        state.
        """
        feeds = {
            "tokens": tokens,
            **dict(zip(DecoderState._fields[:3], state[:3], strict=True)),
            **state.recurrent.feeds(),
        }
        if state.fed is not None:
            feeds["fed"] = state.fed
        carried = [name for name in ("hidden", "cell", "fed") if name in self.decoder.inputs]
        names = ["log_probs", "attention", *(f"final_{name}" for name in carried)]
        log_probs, attention, *new = self.decoder(names, feeds)
        fed = new.pop() if state.fed is not None else None
        return log_probs, attention, state._replace(recurrent=State(*new), fed=fed)
