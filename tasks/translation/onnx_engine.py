"""A translator on ONNX Runtime: ids of sources in, translations and probabilities out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnnlp.data.text.featurizer import TokenBatch
from rnnlp.data.translation.pairs_of_ids import Pairs
from rnnlp.models.search.hypotheses import Hypothesis, Step
from rnnlp.tasks.runtime.session import Graphs, Reader, Session, State

from .config import SearchConfig
from .search import search

_CANDIDATES = ("candidate_weights", "candidate_bias")


class Candidates(NamedTuple):
    """What scores the target tokens that are looked at for each sentence, a column each."""

    weights: np.ndarray  # [sentences, size, candidates]
    bias: np.ndarray  # [sentences, 1, candidates]

    def feeds(self) -> dict[str, np.ndarray]:
        """As inputs of a graph."""
        return dict(zip(_CANDIDATES, self, strict=True))


class DecoderState(NamedTuple):
    """What a translator carries on; the rows of a sentence lie side by side."""

    keys: np.ndarray  # [sentences, source, key_size]
    values: np.ndarray  # [sentences, source, value_size]
    source_lengths: np.ndarray  # [sentences]
    copies: np.ndarray | None  # [sentences, source], what can be copied; copying only
    recurrent: State
    fed: np.ndarray | None  # [rows, size]; input feeding only
    candidates: Candidates | None  # of models with a shortlist

    def reorder(self, index: np.ndarray) -> DecoderState:
        """The state of the rows picked (and repeated) by `index`."""
        rows, sentences = self.recurrent.hidden.shape[1], len(self.keys)
        read = index // (rows // sentences)  # which sentence each of the new rows reads
        first = np.flatnonzero(np.diff(read, prepend=-1))
        counts = np.diff(first, append=len(read))
        picked = read[first] if counts.min() == counts.max() else read  # shared in equal parts
        state = self
        if not np.array_equal(picked, np.arange(sentences)):
            keys, values, lengths = (part[picked] for part in self[:3])
            copies = None if self.copies is None else self.copies[picked]
            candidates = self.candidates
            if candidates is not None:
                candidates = Candidates(*(part[picked] for part in candidates))
            state = DecoderState(
                keys, values, lengths, copies, self.recurrent, self.fed, candidates
            )
        fed = None if self.fed is None else self.fed[index]
        return state._replace(recurrent=self.recurrent.reorder(index), fed=fed)


class OnnxTranslator:
    """Answers for a translator: its encoder, and one step of its decoder.

    Args:
        graphs: Those of the folder.
    """

    def __init__(self, graphs: Graphs) -> None:
        self.reader = Reader(graphs, "translation", file="encoder.onnx")
        self.encoder = self.reader.session
        self.decoder = graphs.open(
            "decoder.onnx",
            inputs=("tokens", "keys", "values", "source_lengths", "hidden"),
            optional=("cell", "fed", "copies", *_CANDIDATES),
            outputs=("log_probs", "attention", "final_hidden"),
        )
        self.scorer: Session | None = None
        if _CANDIDATES[0] in self.decoder.inputs:
            self.scorer = graphs.open(
                "candidates.onnx", inputs=("candidates",), outputs=_CANDIDATES
            )

    def search(
        self,
        batch: TokenBatch,
        settings: SearchConfig,
        *,
        copies: np.ndarray | None = None,
        candidates: np.ndarray | None = None,
        nbest: int = 1,
        keep_attention: bool = False,
    ) -> list[list[Hypothesis]]:
        """The best translations of each source, best first.

        Args:
            batch: Sources as ids.
            settings: Beam, penalties and bounds.
            copies: For each source token the id that it can be copied to; None without copying.
            candidates: The target tokens that are looked at for each source; None for all.
            nbest: How many translations of each source.
            keep_attention: Keep the attention weights of each token.
        """
        return search(
            self.step,
            self.encode(batch, copies, candidates),
            batch.lengths,
            settings,
            candidates=candidates,
            nbest=nbest,
            keep_attention=keep_attention,
        )

    def log_probabilities(self, pairs: Pairs) -> list[float]:
        """Log probability in nats of each target, its end included, given its source."""
        target, lengths = pairs.target, pairs.target_lengths
        state = self.encode(pairs.features, pairs.copies)
        total, rows = np.zeros(len(target)), np.arange(len(target))
        for t in range(target.shape[1] - 1):
            said = self.step(np.ascontiguousarray(target[:, t]), state)
            total += np.where(t + 1 < lengths, said.log_probs[rows, target[:, t + 1]], 0.0)
            state = said.state
        return [float(one) for one in total]

    def encode(
        self,
        batch: TokenBatch,
        copies: np.ndarray | None = None,
        candidates: np.ndarray | None = None,
    ) -> DecoderState:
        """The state before the first target token.

        Args:
            batch: Sources as ids.
            copies: For each source token the id that it can be copied to; None without copying.
            candidates: The target tokens that are looked at for each source; None for all.
        """
        feeds = {name: value for name, value in batch._asdict().items() if value is not None}
        names = [name for name in State._fields if name in self.decoder.inputs]
        keys, values, *state = self.encoder(["keys", "values", *names], feeds)
        fed = None
        if "fed" in self.decoder.inputs:
            fed = np.zeros((len(keys), self.decoder.inputs["fed"].shape[1]), np.float32)
        scored = None
        if self.scorer is not None:
            if candidates is None:  # all are scored where none are named
                candidates = np.zeros((len(keys), 0), np.int64)
            scored = Candidates(*self.scorer(_CANDIDATES, {"candidates": candidates}))
        return DecoderState(keys, values, batch.lengths, copies, State(*state), fed, scored)

    def step(self, tokens: np.ndarray, state: DecoderState) -> Step[DecoderState]:
        """Log probabilities of what follows `tokens` [rows], of all target tokens or the
        candidates, attention, and the new state.
        """
        feeds = {
            "tokens": tokens,
            **dict(zip(DecoderState._fields[:3], state[:3], strict=True)),
            **state.recurrent.feeds(),
            **({} if state.candidates is None else state.candidates.feeds()),
        }
        for name in ("copies", "fed"):
            if name in self.decoder.inputs:
                feeds[name] = getattr(state, name)
        carried = [name for name in ("hidden", "cell", "fed") if name in self.decoder.inputs]
        names = ["log_probs", "attention", *(f"final_{name}" for name in carried)]
        log_probs, attention, *new = self.decoder(names, feeds)
        fed = new.pop() if state.fed is not None else None
        return Step(log_probs, state._replace(recurrent=State(*new), fed=fed), attention)
