"""Hard monotonic attention: against sums over all alignments, and enumeration of all targets."""

import math
from itertools import combinations_with_replacement, product

import pytest
import torch

from rnnlp.models.embeddings.token import Embedding
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.layers.losses import token_loss
from rnnlp.models.search.beam import beam_search
from rnnlp.models.translation import monotonic
from rnnlp.models.translation.translator import Translator

PAD, UNK, BEGIN, END = range(4)
VOCABULARY = 6  # two words, 4 and 5
BANNED = (PAD, UNK, BEGIN)
LENGTHS = torch.tensor([4, 1, 3])
COPIES = torch.tensor([[4, 7, 4, 7], [6, 0, 0, 0], [6, 7, 1, 0]])  # as of `Pointer`
TARGETS = {
    False: torch.tensor([[2, 5, 4, 4, 3], [2, 5, 3, 0, 0], [2, 1, 4, 3, 0]]),
    True: torch.tensor([[2, 7, 4, 7, 3], [2, 6, 3, 0, 0], [2, 6, 7, 3, 0]]),
}
TARGET_LENGTHS = torch.tensor([5, 3, 4])
COPYING = pytest.mark.parametrize("copy", [False, True], ids=["plain", "copy"])


def make(*, copy, cell="lstm", **options):
    torch.manual_seed(3)
    translator = Translator(
        embedding=Embedding(vocabulary_size=9, size=6),
        encoder=Encoder(input_size=6, cell="gru", hidden_size=4),
        decoder=monotonic.MonotonicDecoder(
            vocabulary_size=VOCABULARY, memory_size=8, final_size=8, size=6, cell=cell,
            hidden_size=8, copy=copy, unknown=UNK, **options,
        ),
    )  # fmt: skip
    with torch.no_grad():
        for parameter in translator.parameters():
            parameter.mul_(2.0)
    return translator.double().eval()


def encode(translator, rows=slice(None)):
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(1, 9, (3, 4), generator=generator)
    tokens *= torch.arange(4) < LENGTHS[:, None]
    most = int(LENGTHS[rows].max())
    return translator.encode(tokens[rows, :most], None, None, LENGTHS[rows], COPIES[rows, :most])


@torch.no_grad()
def sum_over_alignments(translator, row, target):
    """Log probability of a target (without begin), as a loop over all alignments gives it."""
    decoder = translator.decoder
    state = encode(translator, slice(row, row + 1))
    source = int(LENGTHS[row])
    keys, values = state.places.keys[0], state.places.values[0]
    recurrent, moves, emits = state.recurrent, [], []
    for last, this in zip([BEGIN, *target], target, strict=False):
        hidden, recurrent = decoder.layers.step(
            decoder.embed(torch.tensor([last])), recurrent
        )  # of y_1 … y_t-1
        hidden = hidden[0]
        far = decoder.stride(hidden).tolist()
        moves.append(
            [[float(hidden @ keys[i]) + far[min(i - j, len(far) - 1)] for i in range(j, source)]
             for j in range(source)]
        )  # fmt: skip
        emit = []
        for place in range(source):
            readout = (decoder.readout(hidden) + values[place]).tanh()
            share = decoder.logits(readout).softmax(0)[this].item() if this < VOCABULARY else 0.0
            if decoder.pointer is not None:
                gate = decoder.pointer.gate(readout).sigmoid().item()
                share = gate * share + (1 - gate) * (COPIES[row, place].item() == this)
            emit.append(share)
        emits.append(emit)
    total = 0.0
    for alignment in combinations_with_replacement(range(source), len(target)):
        probability, before = 1.0, 0
        for time, place in enumerate(alignment):
            scores = [math.exp(one) for one in moves[time][before]]
            probability *= scores[place - before] / sum(scores) * emits[time][place]
            before = place
        total += probability
    return math.log(total)


@COPYING
@pytest.mark.parametrize(("cell", "strides"), [("lstm", 8), ("lstm", 2), ("gru", 1), ("ssru", 8)])
def test_probability_is_the_sum_over_all_alignments(copy, cell, strides, monkeypatch):
    monkeypatch.setattr(monotonic, "_STRIDES", strides)
    translator, targets = make(copy=copy, cell=cell), TARGETS[copy]
    scores, following = translator(encode(translator), targets, TARGET_LENGTHS)
    torch.testing.assert_close(scores.logsumexp(1), torch.zeros(len(scores)).double())
    parts = (TARGET_LENGTHS - 1).tolist()
    said = scores.gather(1, following.unsqueeze(1)).squeeze(1).split(parts)
    for row, actual in enumerate(said):
        target = targets[row, 1 : TARGET_LENGTHS[row]].tolist()
        assert actual.sum().item() == pytest.approx(sum_over_alignments(translator, row, target))


@COPYING
def test_whole_targets_are_scored_as_step_by_step_in_any_batch(copy):
    translator, targets = make(copy=copy, tie_embeddings="none"), TARGETS[copy]
    scores, _ = translator(encode(translator), targets, TARGET_LENGTHS)
    for row, together in enumerate(scores.split((TARGET_LENGTHS - 1).tolist())):
        state = encode(translator, slice(row, row + 1))
        width = VOCABULARY + int(LENGTHS[row]) * copy
        for time, last in enumerate(targets[row, : TARGET_LENGTHS[row] - 1]):
            step = translator.step(last.view(1), state)
            state = step.state
            torch.testing.assert_close(step.log_probs[0], together[time, :width])
            assert step.attention.sum().item() == pytest.approx(1.0)


@COPYING
def test_loss_and_its_gradient(copy):
    translator = make(copy=copy)
    parameters = [*translator.decoder.parameters()]

    def loss(*_):
        scores, following = translator(encode(translator), TARGETS[copy], TARGET_LENGTHS)
        return token_loss(scores, following, smoothing=0.1, vocabulary_size=VOCABULARY)

    assert torch.autograd.gradcheck(loss, parameters, fast_mode=True)


def log_probabilities(translator, row, targets):
    """Of targets of one length (without begin and end)."""
    state = encode(translator, slice(row, row + 1)).reorder(torch.zeros(len(targets), dtype=int))
    whole = torch.tensor([[BEGIN, *one, END] for one in targets])
    scores, following = translator(state, whole, torch.full((len(whole),), whole.shape[1]))
    return scores.gather(1, following.unsqueeze(1)).view(len(whole), -1).sum(1).tolist()


@COPYING
@torch.no_grad()
def test_a_wide_beam_equals_enumeration(copy):
    translator, most = make(copy=copy), 3
    for alpha in (0.0, 1.0):
        actual = beam_search(
            translator.step, encode(translator), begin=BEGIN, end=END, banned=BANNED,
            max_lengths=torch.full((3,), most), beam_size=100, nbest=5, length_penalty=alpha,
            source_lengths=LENGTHS,
        )  # fmt: skip
        for row in range(3):
            words = {4, 5, *(COPIES[row, : LENGTHS[row]].tolist() if copy else ())} - set(BANNED)
            scores = {}
            for count in range(most + 1):
                texts = list(product(sorted(words), repeat=count))
                for said, score in zip(
                    texts, log_probabilities(translator, row, texts), strict=True
                ):
                    scores[said] = score / ((6 + count) / 6) ** alpha
            best = sorted(scores, key=lambda said: -scores[said])[:5]
            assert [tuple(one.tokens) for one in actual[row]] == best
            wanted = [scores[said] for said in best]
            assert [one.score for one in actual[row]] == pytest.approx(wanted)
