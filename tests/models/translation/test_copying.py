"""The pointer-generator: against loops and enumeration, and what must never change a result."""

import math
from itertools import product

import pytest
import torch

from rnnlp.models.embeddings.token import Embedding
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.layers.losses import token_loss
from rnnlp.models.search.beam import beam_search
from rnnlp.models.search.sampling import draws_of, greedy, sample
from rnnlp.models.translation.copying import Pointer
from rnnlp.models.translation.decoder import Decoder
from rnnlp.models.translation.translator import Translator

PAD, UNK, BEGIN, END = range(4)
VOCABULARY = 6  # two words, 4 and 5
BANNED = (PAD, UNK, BEGIN)
LENGTHS = torch.tensor([5, 1, 3, 4])
# A word that is there twice, one of no vocabulary twice (the ids are their first places), a word of
# no target at all, one source with nothing but what is known.
COPIES = torch.tensor([[4, 7, 4, 7, 10], [6, 0, 0, 0, 0], [6, 7, 1, 0, 0], [5, 4, 5, 4, 0]])
TARGETS = torch.tensor([[2, 7, 4, 10, 3], [2, 6, 3, 0, 0], [2, 1, 7, 7, 3], [2, 3, 0, 0, 0]])
TARGET_LENGTHS = torch.tensor([5, 3, 5, 2])


def make(*, sharp=2.0, **options):
    """A translator of random weights; the larger `sharp`, the surer it is of what it says."""
    torch.manual_seed(3)
    translator = Translator(
        embedding=Embedding(vocabulary_size=9, size=6),
        encoder=Encoder(input_size=6, cell="gru", hidden_size=4),
        decoder=Decoder(
            vocabulary_size=VOCABULARY, memory_size=8, final_size=8, size=6, cell="lstm",
            hidden_size=8, copy=True, unknown=UNK, **options,
        ),
    )  # fmt: skip
    with torch.no_grad():
        for parameter in translator.parameters():
            parameter.mul_(sharp)
    return translator.double().eval()


def encode(translator, rows=slice(None)):
    generator = torch.Generator().manual_seed(1)
    actual = torch.randint(1, 9, (4, 5), generator=generator)
    lengths = LENGTHS[rows]
    most = int(lengths.max())
    tokens = (actual * (torch.arange(5) < LENGTHS[:, None]))[rows, :most]
    return translator.encode(tokens, None, None, lengths, COPIES[rows, :most])


def plain(logits, gate, weights, copies):
    """The mixture of one row by its definition, with numbers: what it gives each id."""
    scores = [math.exp(one) for one in logits]
    generate = 1 / (1 + math.exp(-gate))
    actual = {word: generate * score / sum(scores) for word, score in enumerate(scores)}
    for weight, word in zip(weights, copies, strict=True):
        actual[word] = actual.get(word, 0.0) + (1 - generate) * weight
    return actual


@pytest.mark.parametrize("attention", ["general", "multihead"])
@pytest.mark.parametrize("feeding", [False, True], ids=["parallel", "feeding"])
def test_mixture_is_that_of_a_plain_loop(attention, feeding):
    translator = make(attention=attention, input_feeding=feeding)
    state = encode(translator).reorder(torch.tensor([0, 0, 1, 1, 2, 2, 3, 3]))
    tokens = torch.tensor([4, 7, 6, 5, 2, 1, 5, 4])
    with torch.no_grad():
        actual, weights, _ = translator.decoder.step(tokens, state)
        logits, gate = translator.decoder.logits(actual), translator.decoder.pointer.gate(actual)
        said = translator.step(tokens, state).log_probs.exp()
    assert said.shape == (8, VOCABULARY + 5)
    torch.testing.assert_close(said.sum(1), torch.ones(8).double())
    for row in range(8):
        length = LENGTHS[row // 2]
        copies = COPIES[row // 2, :length].tolist()
        wanted = plain(logits[row].tolist(), gate[row].item(), weights[row, :length], copies)
        for word, share in enumerate(said[row].tolist()):
            assert share == pytest.approx(float(wanted.get(word, 0.0)), abs=1e-12)


def test_whole_targets_are_scored_as_step_by_step():
    translator = make()
    scores, following = translator(encode(translator), TARGETS, TARGET_LENGTHS)
    parts = (TARGET_LENGTHS - 1).tolist()
    pairs = zip(scores.split(parts), following.split(parts), strict=True)
    for row, (one, ids) in enumerate(pairs):
        state, width = encode(translator, slice(row, row + 1)), VOCABULARY + int(LENGTHS[row])
        assert ids.tolist() == TARGETS[row, 1 : TARGET_LENGTHS[row]].tolist()
        for time, last in enumerate(TARGETS[row, : parts[row]]):
            step = translator.step(last.view(1), state)
            state = step.state
            torch.testing.assert_close(step.log_probs[0], one[time].log_softmax(0)[:width])
            assert (one[time, width:] == -math.inf).all()


def test_words_of_no_vocabulary_are_read_as_unknown():
    translator = make()
    seen = TARGETS.masked_fill(TARGETS >= VOCABULARY, UNK)
    one = translator(encode(translator), TARGETS, TARGET_LENGTHS)[0]
    other = translator(encode(translator), TARGETS, TARGET_LENGTHS, seen)[0]
    assert torch.equal(one, other)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_loss_and_its_gradient(smoothing):
    torch.manual_seed(5)
    pointer = Pointer(size=3, vocabulary_size=VOCABULARY).double()
    outside = torch.arange(5) >= LENGTHS.unsqueeze(1)
    copies = pointer.read(COPIES, outside)
    targets = torch.tensor([7, 6, 1, 4])

    def loss(readouts, logits, scores):
        weights = scores.masked_fill(outside, -math.inf).softmax(1)
        mixed = pointer(readouts, logits, weights, copies)
        return token_loss(mixed, targets, smoothing=smoothing, vocabulary_size=VOCABULARY)

    inputs = [torch.randn(4, n, dtype=torch.float64, requires_grad=True) for n in (3, 6, 5)]
    assert torch.autograd.gradcheck(loss, inputs)
    readouts, logits, scores = inputs
    wanted = 0.0
    for row, target in enumerate(targets.tolist()):
        length = int(LENGTHS[row])
        shares = plain(
            logits[row].tolist(), pointer.gate(readouts[row]).item(),
            scores[row, :length].softmax(0).tolist(), COPIES[row, :length].tolist(),
        )  # fmt: skip
        spread = sum(math.log(shares[word]) for word in range(VOCABULARY)) / VOCABULARY
        wanted -= ((1 - smoothing) * math.log(shares[target]) + smoothing * spread) / 4
    assert loss(*inputs).item() == pytest.approx(wanted)


@pytest.mark.parametrize("gate", [-300.0, 0.0, 300.0])
@pytest.mark.parametrize("peak", [1.0, 1e4])
def test_no_number_is_lost_where_something_is_impossible(gate, peak):
    pointer = Pointer(size=1, vocabulary_size=VOCABULARY)
    torch.nn.init.constant_(pointer.gate.bias, gate)
    copies = pointer.read(COPIES[:1], torch.zeros(1, 5, dtype=torch.bool))
    # All attention on the fourth position, so that the last word has none, and the first none.
    inputs = [torch.zeros(1, 1), torch.tensor([[0.0, 0, 0, 0, peak, 0]]), torch.eye(5)[3:4] * peak]
    inputs = [one.requires_grad_() for one in inputs]
    for target in (4, 5, 7, 10):
        mixed = pointer(inputs[0], inputs[1], inputs[2].softmax(1), copies)
        loss = token_loss(mixed, torch.tensor([target]), smoothing=0.1, vocabulary_size=VOCABULARY)
        assert loss.isfinite()
        for gradient in torch.autograd.grad(loss, inputs):
            assert gradient.isfinite().all()


def test_scores_are_the_same_alone_and_together():
    translator = make()
    together, _ = translator(encode(translator), TARGETS, TARGET_LENGTHS)
    parts = (TARGET_LENGTHS - 1).tolist()
    order = [2, 0, 3, 1]
    mixed, _ = translator(encode(translator, order), TARGETS[order], TARGET_LENGTHS[order])
    mixed = dict(zip(order, mixed.split([parts[row] for row in order]), strict=True))
    for row, wanted in enumerate(together.split(parts)):
        torch.testing.assert_close(mixed[row], wanted)
        one, length = slice(row, row + 1), int(TARGET_LENGTHS[row])
        alone, _ = translator(encode(translator, one), TARGETS[one, :length], TARGET_LENGTHS[one])
        torch.testing.assert_close(alone, wanted[:, : alone.shape[1]])


def search(translator, rows=slice(None), **options):
    lengths = LENGTHS[rows]
    return beam_search(
        translator.step, encode(translator, rows), begin=BEGIN, end=END, banned=BANNED,
        source_lengths=lengths, **options,
    )  # fmt: skip


@pytest.mark.parametrize(("alpha", "size"), [(0.0, 0), (1.0, 0), (1.0, 1)])
def test_a_wide_beam_equals_enumeration(alpha, size):
    translator, most = make(), 3
    actual = search(
        translator, max_lengths=torch.full((4,), most), beam_size=200, nbest=5,
        length_penalty=alpha, no_repeat_ngram_size=size,
    )  # fmt: skip
    copied = 0
    for row in range(4):
        words = sorted({4, 5, *COPIES[row, : LENGTHS[row]].tolist()} - set(BANNED))
        scores = {}
        for count in range(most + 1):
            for said in product(words, repeat=count):
                if size and len(set(said)) < len(said):
                    continue
                target = torch.tensor([[BEGIN, *said, END]])
                state = encode(translator, slice(row, row + 1))
                logits, ids = translator(state, target, torch.tensor([count + 2]))
                total = -token_loss(logits, ids).item() * len(ids)
                scores[said] = total / ((6 + count) / 6) ** alpha
        best = sorted(scores, key=lambda said: -scores[said])[:5]
        assert [tuple(one.tokens) for one in actual[row]] == best
        assert [one.score for one in actual[row]] == pytest.approx([scores[said] for said in best])
        copied += sum(word >= VOCABULARY for said in best for word in said)
    assert copied > 5


def test_hypotheses_are_the_same_alone_and_together():
    translator = make()
    together = search(translator, max_lengths=LENGTHS + 3, beam_size=4, nbest=3)
    order = [2, 0, 3, 1]
    mixed = search(translator, order, max_lengths=LENGTHS[order] + 3, beam_size=4, nbest=3)
    for row, place in enumerate(order):
        one = slice(place, place + 1)
        alone = search(translator, one, max_lengths=LENGTHS[one] + 3, beam_size=4, nbest=3)
        for actual in (mixed[row], alone[0]):
            for hypothesis, wanted in zip(actual, together[place], strict=True):
                assert hypothesis.tokens == wanted.tokens
                assert hypothesis.score == pytest.approx(wanted.score)


def test_sampling_draws_by_the_mixture():
    translator = make(sharp=1.0)
    options = {"begin": BEGIN, "end": END, "banned": BANNED}
    cold = sample(
        translator.step, encode(translator), max_lengths=LENGTHS + 3, temperature=1e-4,
        draw=draws_of(range(1, 1 + len(LENGTHS))), **options,
    )  # fmt: skip
    best = greedy(translator.step, encode(translator), max_lengths=LENGTHS + 3, **options)
    assert [one.tokens for one in cold] == [one.tokens for one in best]
    count = 2000
    state = encode(translator, slice(0, 1)).reorder(torch.zeros(count, dtype=torch.long))
    wanted = translator.step(torch.tensor([BEGIN]), encode(translator, slice(0, 1))).log_probs[0]
    wanted[list(BANNED)] = -math.inf
    drawn = sample(
        translator.step, state, max_lengths=torch.ones(count, dtype=torch.long),
        draw=draws_of(range(count)), **options,
    )  # fmt: skip
    firsts = torch.tensor([(one.tokens or [END])[0] for one in drawn])
    shares = firsts.bincount(minlength=VOCABULARY + 5) / count
    torch.testing.assert_close(shares.double(), wanted.softmax(0), atol=0.04, rtol=0)


def test_own_words_are_generated_or_copied():
    translator = make()
    state = encode(translator)
    mixed = translator.scheduled_sampling(state, TARGETS, TARGET_LENGTHS, 0.999)
    scores, _ = translator(state, TARGETS, TARGET_LENGTHS)
    own = iter(scores.argmax(1).tolist())
    for row, length in enumerate(TARGET_LENGTHS.tolist()):
        said = [next(own) for _ in range(length - 1)]
        assert mixed[row, 1 : length - 1].tolist() == said[:-1]
        assert mixed[row, length - 1 :].tolist() == TARGETS[row, length - 1 :].tolist()


def test_dropout_lets_only_words_of_no_vocabulary_be_copied():
    torch.manual_seed(7)
    count = 2000
    pointer = Pointer(size=1, vocabulary_size=VOCABULARY, dropout=0.7)
    copies = pointer.read(COPIES[:1].expand(count, 5), torch.zeros(count, 5, dtype=torch.bool))
    step = torch.zeros(count, 1), torch.randn(1, 6).expand(count, 6)
    weights = torch.tensor([0.1, 0.2, 0.3, 0.15, 0.25]).expand(count, 5)
    said = pointer(*step, weights, copies).exp()
    whole = pointer.eval()(*step, weights, copies).exp()
    dropped = said.sum(1) < 0.99
    assert dropped.float().mean() == pytest.approx(0.7, abs=0.04)
    torch.testing.assert_close(said[~dropped], whole[~dropped])
    torch.testing.assert_close(whole.sum(1), torch.ones(count))
    lost = (1 - pointer.gate.bias.sigmoid().item()) * 0.4  # of the word 4
    difference = (whole - said)[dropped]
    torch.testing.assert_close(difference[:, 4], torch.full_like(difference[:, 4], lost))
    assert difference[:, [0, 1, 2, 3, 5, 6, 7, 8, 9, 10]].abs().max() < 1e-6
