"""The translator: what is scored, its loss, scheduled sampling, and searches over its steps."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from rnnlp.models.embeddings.token import Embedding
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.layers.losses import coverage_loss, token_loss
from rnnlp.models.search.beam import beam_search
from rnnlp.models.search.sampling import greedy
from rnnlp.models.translation.decoder import Decoder
from rnnlp.models.translation.translator import Translator

VOCABULARY = 9
PAD, BEGIN, END = 0, 2, 3
SOURCES = torch.tensor([5, 1, 3, 6])
TARGETS = torch.tensor([4, 7, 2, 5])  # begin and end counted; the third is empty
FEEDING = pytest.mark.parametrize("feeding", [False, True], ids=["parallel", "feeding"])


def make(
    feeding=False,
    *,
    tie_embeddings="output",
    cell="lstm",
    attention="general",
    sharp=1.0,
    words=6,
):
    """A translator of random weights; the larger `sharp`, the surer it is of what it says."""
    torch.manual_seed(0)
    embedding = Embedding(vocabulary_size=VOCABULARY, size=6)
    translator = Translator(
        embedding=embedding,
        encoder=Encoder(input_size=6, cell="gru", hidden_size=4),
        decoder=Decoder(
            vocabulary_size=VOCABULARY,
            memory_size=8,
            word_size=words,
            final_size=8,
            size=6,
            cell=cell,
            hidden_size=8,
            num_layers=2,
            attention=attention,
            attention_size=8,
            input_feeding=feeding,
            tie_embeddings=tie_embeddings,
            embedding=embedding.words if tie_embeddings == "all" else None,
        ),
    )
    with torch.no_grad():
        for parameter in translator.parameters():
            parameter.mul_(sharp)
    return translator.eval()


def sources():
    actual = torch.randint(4, VOCABULARY, (4, 6), generator=torch.Generator().manual_seed(1))
    return actual * (torch.arange(6) < SOURCES.unsqueeze(1))


def targets():
    actual = torch.randint(4, VOCABULARY, (4, 7), generator=torch.Generator().manual_seed(2))
    actual[:, 0] = BEGIN
    actual[torch.arange(4), TARGETS - 1] = END
    return actual * (torch.arange(7) < TARGETS.unsqueeze(1))


def encode(translator, rows=slice(None)):
    lengths = SOURCES[rows]
    return translator.encode(sources()[rows, : int(lengths.max())], None, None, lengths)


@FEEDING
@pytest.mark.parametrize("words", [0, 6], ids=["", "lexical"])
def test_scores_what_follows_each_token_but_the_last(feeding, words):
    translator = make(feeding, words=words)
    logits, following = translator(encode(translator), targets(), TARGETS)
    parts = (TARGETS - 1).tolist()
    assert len(logits) == len(following) == sum(parts)
    rows = zip(logits.split(parts), following.split(parts), strict=True)
    for row, (scores, ids) in enumerate(rows):
        one, length = slice(row, row + 1), int(TARGETS[row])
        assert ids.tolist() == targets()[row, 1:length].tolist()
        assert ids[-1] == END
        state = encode(translator, one)
        for time, last in enumerate(targets()[row, : length - 1]):
            step = translator.step(last.view(1), state)
            state = step.state
            torch.testing.assert_close(step.log_probs[0], scores[time].log_softmax(0))
            assert step.attention.shape == (1, SOURCES[row])


def test_embeddings_are_read_beside_the_states_by_a_lexical_path_alone():
    memories = [encode(make(words=words)).memory.values for words in (0, 6)]
    translator = make()
    embedded = translator.embedding(sources())
    assert [memory.shape[2] for memory in memories] == [8, 14]
    torch.testing.assert_close(memories[0], translator.encoder(embedded, SOURCES).states)
    torch.testing.assert_close(memories[1], torch.cat((memories[0], embedded), 2))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_loss_is_that_of_the_padded_batch(smoothing):
    translator = make()
    logits, following = translator(encode(translator), targets(), TARGETS)
    actual, _ = translator.decoder(targets()[:, :-1], TARGETS - 1, encode(translator))
    padded = F.cross_entropy(
        translator.decoder.logits(actual).transpose(1, 2),
        targets()[:, 1:],
        ignore_index=PAD,
        label_smoothing=smoothing,
    )
    torch.testing.assert_close(token_loss(logits, following, smoothing=smoothing), padded)
    with pytest.raises(ValueError, match=r"\[0, 1\)"):
        token_loss(logits, following, smoothing=1.0)


@FEEDING
def test_what_was_seen_is_read_in_place_of_the_targets(feeding):
    translator = make(feeding)
    seen = targets()
    seen[0, 1] = 4 if seen[0, 1] != 4 else 5
    logits, following = translator(encode(translator), targets(), TARGETS, seen)
    wanted, _ = translator(encode(translator), seen, TARGETS)
    torch.testing.assert_close(logits, wanted)
    _, truth = translator(encode(translator), targets(), TARGETS)
    assert torch.equal(following, truth)


@FEEDING
def test_own_words(feeding):
    translator = make(feeding)
    count, length = 400, 12
    lengths = torch.randint(2, length + 1, (count,), generator=torch.Generator().manual_seed(3))
    position = torch.arange(length)
    targets = torch.full((count, length), 8)  # what this translator says is mostly something else
    targets[:, 0] = BEGIN
    targets[torch.arange(count), lengths - 1] = END
    targets *= position < lengths.unsqueeze(1)
    words = (position > 0) & (position < lengths.unsqueeze(1) - 1)
    repeated = torch.arange(4).repeat(count // 4)
    state = translator.encode(sources()[repeated], None, None, SOURCES[repeated])
    actual, _ = translator.decoder(targets[:, :-1], lengths - 1, state)
    own = F.pad(translator.decoder.logits(actual).argmax(2), (1, 0))
    differ = words & (own != targets)
    assert differ[words].float().mean() > 0.3
    for rate in (0.0, 0.25, 0.8):
        before = targets.clone()
        mixed = translator.scheduled_sampling(state, targets, lengths, rate)
        assert torch.equal(targets, before)
        assert torch.equal(mixed[~words], targets[~words])
        changed = mixed != targets
        assert torch.equal(mixed[changed], own[changed])
        assert changed[differ].float().mean() == pytest.approx(rate, abs=0.06)
    assert not mixed.is_floating_point()
    with pytest.raises(ValueError, match=r"\[0, 1\)"):
        translator.scheduled_sampling(state, targets, lengths, 1.5)


def search(translator, rows=slice(None), beam_size=4, nbest=3, **options):
    lengths = SOURCES[rows]
    return beam_search(
        translator.step,
        encode(translator, rows),
        begin=BEGIN,
        end=END,
        max_lengths=lengths + 4,
        banned=(PAD, BEGIN),
        beam_size=beam_size,
        nbest=nbest,
        source_lengths=lengths,
        **options,
    )


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "ssru"])
@pytest.mark.parametrize("attention", ["general", "multihead"])
@FEEDING
def test_hypotheses_are_the_same_alone_and_together(cell, attention, feeding):
    translator = make(feeding, cell=cell, attention=attention, sharp=2.5)
    together = search(translator, coverage_penalty=0.2)
    assert len({len(hypotheses[0].tokens) for hypotheses in together}) > 1
    order = [2, 0, 3, 1]
    mixed = search(translator, order, coverage_penalty=0.2)
    for row, place in enumerate(order):
        alone = search(translator, slice(place, place + 1), coverage_penalty=0.2)[0]
        for actual in (mixed[row], alone):
            for one, other in zip(actual, together[place], strict=True):
                assert one.tokens == other.tokens
                assert one.score == pytest.approx(other.score, abs=1e-4)
                np.testing.assert_allclose(one.attention, other.attention, atol=1e-5)


@FEEDING
def test_scores_of_hypotheses_are_those_of_teacher_forcing(feeding):
    translator = make(feeding, sharp=2.5)
    for row, hypotheses in enumerate(search(translator, length_penalty=0.0)):
        assert len(hypotheses) == 3
        for hypothesis in hypotheses:
            target = torch.tensor([[BEGIN, *hypothesis.tokens, END]])
            length = torch.tensor([target.shape[1]])
            logits, following = translator(encode(translator, slice(row, row + 1)), target, length)
            wanted = -token_loss(logits, following) * len(following)
            assert hypothesis.log_prob == pytest.approx(wanted.item(), abs=1e-4)
            assert hypothesis.score == pytest.approx(hypothesis.log_prob)
            assert hypothesis.attention.shape == (len(following), SOURCES[row])
            np.testing.assert_allclose(hypothesis.attention.sum(1), 1.0, atol=1e-5)


@FEEDING
def test_greedy_takes_the_best_token_of_each_step(feeding):
    translator = make(feeding, sharp=2.5)
    actual = greedy(
        translator.step, encode(translator), begin=BEGIN, end=END, max_lengths=SOURCES + 4
    )
    assert [one.tokens for one in actual] != [actual[0].tokens] * 4
    for row, hypothesis in enumerate(actual):
        target = torch.tensor([[BEGIN, *hypothesis.tokens, END]])
        state = encode(translator, slice(row, row + 1))
        logits, _ = translator(state, target, torch.tensor([target.shape[1]]))
        said = logits.argmax(1).tolist()
        assert said[: len(hypothesis.tokens)] == hypothesis.tokens
        assert said[-1] == END or len(hypothesis.tokens) == SOURCES[row] + 4


@FEEDING
def test_one_table_for_all_learns_from_three_ends(feeding):
    tie_embeddings, apart = (
        make(feeding, tie_embeddings="all"),
        make(feeding, tie_embeddings="none"),
    )
    names = [
        name for name, value in tie_embeddings.named_parameters() if value.shape == (VOCABULARY, 6)
    ]
    assert names == ["embedding.words.weight"]
    weights = tie_embeddings.state_dict()
    assert [name for name, value in weights.items() if value.shape == (VOCABULARY, 6)] == names
    table = weights["embedding.words.weight"]
    weights |= {"decoder.embedding.weight": table, "decoder.output.weight": table}
    weights["decoder.output.bias"] = weights.pop("decoder.output_bias")
    apart.load_state_dict(weights)
    for translator in (tie_embeddings, apart):
        token_loss(*translator(encode(translator), targets(), TARGETS)).backward()
    ends = (apart.embedding.words, apart.decoder.embedding, apart.decoder.output)
    assert all(end.weight.grad.any() for end in ends)
    wanted = sum(end.weight.grad for end in ends)
    torch.testing.assert_close(tie_embeddings.embedding.words.weight.grad, wanted)
    # A saved translator has one table, and gives it to both sides of another.
    other = make(feeding, tie_embeddings="all", sharp=3.0)
    other.load_state_dict(tie_embeddings.state_dict())
    assert other.decoder.table.weight is other.embedding.words.weight
    actual = (
        translator(encode(translator), targets(), TARGETS)[0]
        for translator in (tie_embeddings, other)
    )
    assert torch.equal(*actual)


def test_looking_again_costs_what_see_et_al_say():
    weights = torch.rand(3, 4, 5).softmax(2)
    lengths = torch.tensor([4, 2, 1])
    inside = torch.arange(4) < lengths.unsqueeze(1)
    costs = [
        sum(
            min(a, c)
            for a, c in zip(weights[s, t].tolist(), weights[s, :t].sum(0).tolist(), strict=True)
        )
        for s, length in enumerate(lengths.tolist())
        for t in range(length)
    ]
    assert float(coverage_loss(weights, inside)) == pytest.approx(sum(costs) / 7, abs=1e-6)
    once = torch.eye(4).expand(2, 4, 4)  # each place once
    assert float(coverage_loss(once, torch.ones(2, 4, dtype=torch.bool))) == 0.0


def test_the_coverage_loss_comes_with_what_forward_gives():
    translator = make()
    *actual, coverage = translator.with_coverage(encode(translator), targets(), TARGETS)
    for one, wanted in zip(actual, translator(encode(translator), targets(), TARGETS), strict=True):
        torch.testing.assert_close(one, wanted)
    coverage.backward()
    assert translator.decoder.attention.key.weight.grad.abs().sum() > 0
