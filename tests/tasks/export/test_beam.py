"""A search finds the same on both engines, for every two of its settings."""

from typing import Any

import numpy as np
import pytest
import torch

from rnnlp.data.text.featurizer import TokenBatch
from rnnlp.tasks.base.components import EmbeddingConfig, EncoderConfig, Sizes
from rnnlp.tasks.export.networks import translator
from rnnlp.tasks.runtime.check import checksum_of
from rnnlp.tasks.runtime.session import Graphs
from rnnlp.tasks.translation.config import DecoderConfig, SearchConfig, TranslatorConfig
from rnnlp.tasks.translation.onnx_engine import OnnxTranslator
from rnnlp.tasks.translation.torch_engine import TorchTranslator
from tests.pairwise import pairwise

# Target tokens of each of five sentences, the end (3) among them, padding behind.
SHORTLISTS = np.array(
    [
        [3, 4, 5, 9, 12, 14],
        [3, 7, 0, 0, 0, 0],
        [3, 4, 6, 8, 10, 0],
        [3, 5, 6, 7, 11, 13],
        [3, *range(5, 10)],
    ]
)


@pytest.fixture(scope="module", params=["plain", "copying", "shortlist", "untied"])
def engines(tmp_path_factory, request):
    """A translator with random weights that are large enough to prefer something."""
    tied: Any = "none" if request.param == "untied" else "output"
    shortlist = request.param in ("shortlist", "untied")
    torch.manual_seed(5)
    settings = TranslatorConfig(
        sizes=Sizes(tokens=20), source="a", target="b", target_size=15,
        embedding=EmbeddingConfig(size=6, characters="none"), encoder=EncoderConfig(hidden_size=4),
        decoder=DecoderConfig(
            hidden_size=8, num_layers=2, copy=request.param == "copying", tie_embeddings=tied
        ),
    )  # fmt: skip
    network = settings.build().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter))
    folder, sums = tmp_path_factory.mktemp("graphs"), {}
    for name, model in translator(network, int8=False, shortlist=shortlist).items():
        content = model.SerializeToString()
        (folder / name).write_bytes(content)
        sums[name] = checksum_of(content)
    return TorchTranslator(network), OnnxTranslator(Graphs(folder, sums)), shortlist


@pytest.mark.parametrize(
    (
        "beam_size",
        "nbest",
        "length_penalty",
        "coverage_penalty",
        "ngram",
        "shortest",
        "ratio",
        "longest",
    ),
    pairwise((1, 2, 5), (1, 2), (0.0, 1.0), (0.0, 0.4), (0, 1, 2), (0, 4), (0.0, 1.6), (None, 6)),
)
def test_both_searches(
    engines, beam_size, nbest, length_penalty, coverage_penalty, ngram, shortest, ratio, longest
):
    settings = SearchConfig(
        beam_size=beam_size, length_penalty=length_penalty, coverage_penalty=coverage_penalty,
        no_repeat_ngram_size=ngram, min_length=shortest, min_length_ratio=ratio, max_length=longest,
    )  # fmt: skip
    lengths = np.array([5, 1, 3, 2, 4])
    inside = np.arange(5) < lengths[:, None]
    tokens = np.random.default_rng(2).integers(1, 20, inside.shape) * inside
    batch = TokenBatch(tokens, lengths, None, None)
    copies = (tokens + 3) % 15 * inside  # known ones; of no vocabulary are the last of two texts
    copies[0, 4], copies[2, 2] = 15 + 4, 15 + 2
    *both, shortlist = engines
    candidates = SHORTLISTS if shortlist and ngram != 1 else None
    theirs, ours = (
        engine.search(
            batch, settings, copies=copies, candidates=candidates, nbest=nbest, keep_attention=True
        )
        for engine in both
    )
    assert [len(row) for row in ours] == [len(row) for row in theirs]
    for row, other, among in zip(ours, theirs, SHORTLISTS, strict=True):
        for one, wanted in zip(row, other, strict=True):
            assert one.tokens == wanted.tokens and len(one.tokens) <= (longest or 99)
            assert candidates is None or {*one.tokens} <= {*among.tolist()}
            assert one.score == pytest.approx(wanted.score, abs=1e-4)
            assert one.log_prob == pytest.approx(wanted.log_prob, abs=1e-4)
            np.testing.assert_allclose(one.attention, wanted.attention, atol=1e-4)
