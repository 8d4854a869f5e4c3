"""A tagger on ONNX Runtime: ids in, tags and probabilities of spans out, by sums in numpy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import TokenBatch
from rnnlp.models.tagging.spans import Lattice, SpanPosterior, SpanRules
from rnnlp.tasks.model_folder.folder import ModelFolder
from rnnlp.tasks.runtime.session import Graphs, Reader

from .config import TaggerConfig

PAIRS = 1 << 23  # as in models/tagging/viterbi.py, which needs torch
_TINY = np.finfo(np.float64).tiny


class Paths(NamedTuple):
    """What sequences of tags are scored by, besides emissions; `-inf` forbids."""

    steps: np.ndarray  # [tags, tags]
    start: np.ndarray  # [tags]
    end: np.ndarray  # [tags]


class Decoded(NamedTuple):
    """The best tags of a batch."""

    tags: np.ndarray  # [batch, time], -1 at padding
    emissions: np.ndarray  # [batch, time, tags]
    lengths: np.ndarray  # [batch]
    paths: Paths
    crf: bool

    def span_scores(self, spans: Sequence[tuple[int, int, int, SpanRules]]) -> list[float]:
        """Probabilities of spans: row, first token, end, and the rules of the type, of each."""
        return self._posterior().probabilities(spans, self.lengths.tolist()) if spans else []

    def expected_spans(self, rules: Iterable[SpanRules]) -> list[float]:
        """How many spans each row has, on the average over all tag sequences."""
        return self._posterior().expected(rules, self.lengths.tolist())

    def marginals(self) -> np.ndarray:
        """The probability of each tag of each token, [batch, time, tags], junk at padding."""
        return np.asarray(self._lattice().marginals).transpose(1, 0, 2)

    def _posterior(self) -> SpanPosterior:
        return SpanPosterior(self._lattice())

    def _lattice(self) -> Lattice:
        sums = lattice if self.crf else independent
        return sums(self.emissions, self.paths, self.lengths)


class OnnxTagger:
    """Answers for a tagger.

    Args:
        reader: The graph.
        settings: Tags, and whether there is a CRF.

    Raises:
        InputError: The graph has other tags.
    """

    def __init__(self, reader: Reader, settings: TaggerConfig) -> None:
        self._reader, self._crf = reader, settings.crf
        steps, start, end = (part.astype(np.float64) for part in reader.path_scores())
        self._paths = Paths(steps, start, end)
        if len(start) != len(settings.tags):
            raise InputError(
                f"has scores of {len(start)} tags, and config.json names {len(settings.tags)}",
                path=reader.session.file,
            )

    @classmethod
    def of(cls, folder: ModelFolder, settings: TaggerConfig) -> OnnxTagger:
        """That of an exported folder."""
        return cls(Reader(Graphs.of(folder), "tagging"), settings)

    def decode(self, batch: TokenBatch) -> Decoded:
        """The best legal tags of every row, and on demand the probabilities of spans."""
        (emissions,) = self._reader(batch, "emissions")
        emissions = emissions.astype(np.float64)
        tags = viterbi(emissions, self._paths, batch.lengths)
        return Decoded(tags, emissions, batch.lengths, self._paths, self._crf)


def viterbi(emissions: np.ndarray, paths: Paths, lengths: np.ndarray) -> np.ndarray:
    """The tags [batch, time] of the highest total score, -1 at padding; the lower wins a tie.

    As `rnnlp.models.tagging.viterbi`, which says more.
    """
    batch, time, size = emissions.shape
    several = max(1, PAIRS // size**2)
    if batch > several:
        places = range(several, batch, several)
        parts = zip(np.split(emissions, places), np.split(lengths, places), strict=True)
        return np.concatenate([viterbi(some, paths, own) for some, own in parts])
    best = np.empty_like(emissions)
    best[:, 0] = paths.start + emissions[:, 0]
    arrivals = np.ascontiguousarray(paths.steps.T)  # [to, from]
    for t in range(1, time):
        best[:, t] = (best[:, t - 1, None, :] + arrivals).max(2) + emissions[:, t]
    rows, last = np.arange(batch), lengths - 1
    final = (best[rows, last] + paths.end).argmax(1)
    tags = np.full((batch, time), -1)
    tag = final
    for t in range(time - 1, -1, -1):
        if t < time - 1:
            tag = np.where(last > t, (best[:, t] + arrivals[tag]).argmax(1), final)
        tags[:, t] = np.where(last >= t, tag, -1)
    return tags


def lattice(emissions: np.ndarray, paths: Paths, lengths: np.ndarray) -> Lattice:
    """Forward and backward sums, as `rnnlp.models.tagging.crf` explains them."""
    weights = emissions.swapaxes(0, 1)
    weights = np.exp(weights - weights.max(2, keepdims=True))  # [time, batch, tags], u_t
    steps, start, end = (np.exp(part - part.max()) for part in paths)
    alpha, into, arriving = np.empty_like(weights), np.empty_like(weights), np.empty_like(weights)
    beta = np.empty_like(weights)
    into[0] = start
    for t, weight in enumerate(weights):
        if t:
            into[t] = alpha[t - 1] @ steps
        alpha[t] = _normalised(into[t] * weight)
    after = np.broadcast_to(end, alpha[0].shape)
    for t in range(len(weights) - 1, -1, -1):
        beta[t] = np.where((t < lengths - 1)[:, None], after, end)
        arriving[t] = _normalised(weights[t] * beta[t])
        after = arriving[t] @ steps.T
    marginals = _normalised(alpha * beta)
    between = (into[1:] * arriving[1:]).sum(2, keepdims=True)
    return Lattice(None, alpha, marginals, arriving[1:] / np.maximum(between, _TINY), steps)


def independent(emissions: np.ndarray, paths: Paths, lengths: np.ndarray) -> Lattice:
    """The same of a tagger without a CRF, whose tokens are independent."""
    shares = emissions.swapaxes(0, 1)
    shares = _normalised(np.exp(shares - shares.max(2, keepdims=True)))
    return Lattice(None, shares, shares, shares[1:], np.ones_like(paths.steps))


def _normalised(values: np.ndarray) -> np.ndarray:
    return values / np.maximum(values.sum(-1, keepdims=True), _TINY)
