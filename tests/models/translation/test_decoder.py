"""The decoder: whole targets against single steps, invariances, picked rows, tied tables."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from rnnlp.models.encoders.base import EncoderOutput
from rnnlp.models.recurrence.cell import State
from rnnlp.models.recurrence.cells import CELLS
from rnnlp.models.translation.attention import SCORES
from rnnlp.models.translation.decoder import Decoder

VOCABULARY = 11
MEMORY = 6  # both directions of an encoder
WORD = 4  # a source embedding
SOURCES = torch.tensor([4, 5, 2])
TARGETS = torch.tensor([3, 1, 6])
FEEDING = pytest.mark.parametrize("feeding", [False, True], ids=["parallel", "feeding"])
LEXICAL = pytest.mark.parametrize("words", [0, WORD], ids=["", "lexical"])


def make(seed=0, **options):
    torch.manual_seed(seed)
    sizes = {"hidden_size": 6, "size": 5, "attention_size": 4, "heads": 2}
    decoder = Decoder(
        vocabulary_size=VOCABULARY, memory_size=MEMORY, final_size=MEMORY, **{**sizes, **options}
    )
    return decoder.eval()


def encoded(cell="lstm", dtype=torch.float32, words=0):
    """What a bidirectional encoder of two layers might have made of three sources."""
    torch.manual_seed(1)
    inside = torch.arange(5) < SOURCES.unsqueeze(1)
    states = torch.randn(3, 5, MEMORY + words, dtype=dtype) * inside.unsqueeze(2)
    hidden = torch.randn(4, 3, MEMORY // 2, dtype=dtype)
    return EncoderOutput(states, State(hidden, hidden.sin() if cell == "lstm" else None))


def tokens(time=6):
    return torch.randint(VOCABULARY, (3, time), generator=torch.Generator().manual_seed(2))


def full(time=6):
    return torch.full((3,), time)


def steps(decoder, said, state):
    """Readouts and weights of `said` [rows, time], read a token at a time, and the last state."""
    actual = []
    for last in said.unbind(1):
        readouts, weights, state = decoder.step(last, state)
        actual.append((readouts, weights))
    return *(torch.stack(part, 1) for part in zip(*actual, strict=True)), state


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("attention", SCORES)
@pytest.mark.parametrize(("num_layers", "words"), [(1, WORD), (2, 0), (3, WORD)])
@FEEDING
def test_steps_equal_the_whole(cell, attention, num_layers, words, feeding):
    options = {"attention": attention, "num_layers": num_layers, "input_feeding": feeding}
    decoder = make(cell=cell, word_size=words, **options)
    state = decoder.begin(encoded(cell, words=words), SOURCES)
    whole = decoder(tokens(), full(), state)
    assert whole[0].shape == (3, 6, 5)
    assert whole[1].shape == (3, 6, 5)
    torch.testing.assert_close(steps(decoder, tokens(), state)[:2], whole)


def test_the_beginning_comes_from_the_ends_of_the_last_layer():
    decoder, source = make(num_layers=2), encoded()
    state = decoder.begin(source, SOURCES)
    ends = torch.cat([source.final.hidden[2], source.final.hidden[3]], 1)  # forwards, backwards
    lower, upper, lower_cell, upper_cell = decoder.start(ends).tanh().split(6, 1)
    torch.testing.assert_close(state.lower, State(lower[None], lower_cell[None]))
    torch.testing.assert_close(state.upper, State(upper[None], upper_cell[None]))
    assert state.fed is None
    assert make(num_layers=1).begin(source, SOURCES).upper is None
    fed = make(input_feeding=True).begin(source, SOURCES).fed
    assert not fed.any()


@pytest.mark.parametrize("cell", CELLS)
@FEEDING
@LEXICAL
def test_padding_order_and_company_change_nothing(cell, feeding, words):
    decoder = make(cell=cell, num_layers=3, input_feeding=feeding, word_size=words)
    source, said = encoded(cell, words=words), tokens()
    actual, weights = decoder(said, TARGETS, decoder.begin(source, SOURCES))
    for row, (read, time) in enumerate(zip(SOURCES.tolist(), TARGETS.tolist(), strict=True)):
        one = slice(row, row + 1)
        short = EncoderOutput(source.states[one, :read], source.final.reorder(torch.tensor([row])))
        state = decoder.begin(short, SOURCES[one])
        alone, shares = decoder(said[one, :time], TARGETS[one], state)
        torch.testing.assert_close(alone, actual[one, :time])
        torch.testing.assert_close(shares, weights[one, :time, :read])
    order = torch.tensor([2, 0, 1])
    wide = torch.cat([source.states[order], torch.full((3, 2, MEMORY + words), 9.0)], 1)
    state = decoder.begin(EncoderOutput(wide, source.final.reorder(order)), SOURCES[order])
    longer = torch.cat([said[order], said[order]], 1)
    again, _ = decoder(longer, TARGETS[order], state)
    for row, place in enumerate(order.tolist()):
        time = int(TARGETS[place])
        torch.testing.assert_close(again[row, :time], actual[place, :time])


@FEEDING
@LEXICAL
def test_nothing_is_seen_before_its_time(feeding, words):
    decoder = make(num_layers=3, input_feeding=feeding, word_size=words)
    state = decoder.begin(encoded(words=words), SOURCES)
    said = tokens()
    other = said.clone()
    other[:, 3:] = (other[:, 3:] + 1) % VOCABULARY
    before, after = (decoder(x, full(), state)[0] for x in (said, other))
    torch.testing.assert_close(before[:, :3], after[:, :3])
    assert ((before[:, 3:] - after[:, 3:]).abs().amax(2) > 1e-4).all()


# Rows are picked from two of each of three sentences: rows 0, 1 read sentence 0 and so on.
PICKS = [
    pytest.param([0, 1, 2, 3, 4, 5], [0, 1, 2], id="all"),
    pytest.param([1, 0, 2, 2, 5, 5], [0, 1, 2], id="within sentences"),
    pytest.param([0, 1, 4, 4], [0, 2], id="a sentence leaves"),
    pytest.param([3, 2], [1], id="one is left"),
    pytest.param([4, 5, 0, 1, 3, 3], [2, 0, 1], id="sentences change places"),
    pytest.param([0, 2, 4], [0, 1, 2], id="one row of each"),
    pytest.param([0, 0, 0, 1, 2, 3, 2, 3, 4, 4, 4, 4], [0, 1, 2], id="more rows of each"),
    pytest.param([0, 2, 3], [0, 1, 1], id="uneven"),
    pytest.param([5, 0, 1, 4, 4, 2], [2, 0, 0, 2, 2, 1], id="uneven and mixed"),
    pytest.param([0, 1, 2, 3, 0, 1], [0, 1, 0], id="a sentence comes back"),
]


@pytest.mark.parametrize(("index", "sentences"), PICKS)
@FEEDING
@LEXICAL
def test_picked_rows_go_on_as_they_were(index, sentences, feeding, words):
    decoder = make(num_layers=2, input_feeding=feeding, word_size=words)
    begin = decoder.begin(encoded(words=words), SOURCES)
    said = tokens().repeat_interleave(2, 0)
    said[1::2] = (said[1::2] + 3) % VOCABULARY  # the two rows of a sentence differ
    spread = begin.reorder(torch.arange(3).repeat_interleave(2))
    _, _, state = steps(decoder, said[:, :3], spread)
    wanted = steps(decoder, said[:, 3:], state)
    assert state.memory is begin.memory  # rows of a sentence share it, and it is not copied
    picked = state.reorder(torch.tensor(index))
    torch.testing.assert_close(picked.memory, begin.memory.reorder(torch.tensor(sentences)))
    assert (picked.memory is begin.memory) == (sentences == [0, 1, 2])
    actual = steps(decoder, said[index, 3:], picked)
    torch.testing.assert_close(actual[:2], (wanted[0][index], wanted[1][index]))
    # And once more: what was picked may be spread and picked again.
    again = picked.reorder(torch.arange(len(index)).repeat_interleave(2))
    actual = steps(decoder, said[index, 3:].repeat_interleave(2, 0), again)
    torch.testing.assert_close(actual[0][::2], wanted[0][index])
    torch.testing.assert_close(actual[0][1::2], wanted[0][index])


def test_sentences_leave_one_by_one():
    decoder = make()
    said, left = tokens(), torch.arange(3)
    begin = decoder.begin(encoded(), SOURCES)
    whole, _ = decoder(said, full(), begin)
    state = begin
    for time, leaving in enumerate([1, 0]):
        actual, _, state = decoder.step(said[left, time], state)
        torch.testing.assert_close(actual, whole[left, time])
        stays = (left != leaving).nonzero()[:, 0]
        left, state = left[stays], state.reorder(stays)
    actual, _, _ = decoder.step(said[left, 2], state)
    torch.testing.assert_close(actual, whole[left, 2])


@pytest.mark.parametrize("attention", SCORES)
@LEXICAL
def test_predictions_are_made_of_what_the_equation_says(attention, words):
    decoder = make(attention=attention, num_layers=1, word_size=words)
    source = encoded(words=words)
    state = decoder.begin(source, SOURCES)
    actual, weights = decoder(tokens(), full(), state)
    states = decoder.lower(decoder.embed(tokens()), full(), state.lower).states
    context, _ = decoder.attention(states, state.memory)
    for row, time in ((0, 0), (1, 3), (2, 5)):
        seen = torch.cat([states[row, time], context[row, time]])  # [s_t; c_t]
        wanted = (decoder.readout.weight @ seen + decoder.readout.bias).tanh()
        if words:
            of_each = source.states[row, :, MEMORY:]  # e_s
            mean = sum(
                share * word for share, word in zip(weights[row, time], of_each, strict=True)
            )
            torch.testing.assert_close(context[row, time, -words:], mean)
            wanted = wanted + decoder.lexical.weight @ mean.tanh() + decoder.lexical.bias
        torch.testing.assert_close(actual[row, time], wanted)


def test_a_dot_product_is_taken_with_the_states_alone():
    decoder, source = make(attention="dot", word_size=WORD), encoded(words=WORD)
    memory = decoder.begin(source, SOURCES).memory
    assert torch.equal(memory.keys, source.states[..., :MEMORY])
    assert torch.equal(memory.values, source.states)


def loss(decoder):
    source = encoded(words=0 if decoder.lexical is None else WORD)
    actual, _ = decoder(tokens(), full(), decoder.begin(source, SOURCES))
    return decoder.logits(actual).square().sum()


@FEEDING
def test_a_tied_table_learns_from_both_ends(feeding):
    tie_embeddings, apart = (
        make(tie_embeddings=way, input_feeding=feeding) for way in ("output", "none")
    )
    names = [name for name, _ in tie_embeddings.named_parameters()]
    assert names.count("embedding.weight") == 1
    assert "output.weight" not in tie_embeddings.state_dict()
    weights = tie_embeddings.state_dict()
    weights["output.weight"] = weights["embedding.weight"]
    weights["output.bias"] = weights.pop("output_bias")
    apart.load_state_dict(weights)
    for decoder in (tie_embeddings, apart):
        loss(decoder).backward()
    ends = apart.embedding.weight.grad, apart.output.weight.grad
    assert all(end.any() for end in ends)
    torch.testing.assert_close(tie_embeddings.embedding.weight.grad, sum(ends))
    torch.testing.assert_close(tie_embeddings.output_bias.grad, apart.output.bias.grad)


def test_a_table_of_both_languages_is_not_the_decoders():
    shared = nn.Embedding(VOCABULARY, 5)
    decoder = make(tie_embeddings="all", embedding=shared)
    assert decoder.table is shared
    assert not any("embedding" in name for name in decoder.state_dict())
    assert not any(parameter is shared.weight for parameter in decoder.parameters())
    loss(decoder).backward()
    assert (shared.weight.grad != 0).all()  # by the output layer every row


@pytest.mark.parametrize("tie_embeddings", ["none", "output"])
@FEEDING
def test_state_dicts_go_from_one_to_another(tie_embeddings, feeding):
    options = {
        "tie_embeddings": tie_embeddings,
        "num_layers": 3,
        "attention": "multihead",
        "input_feeding": feeding,
        "word_size": WORD,
    }
    one, other = (make(seed, **options) for seed in (0, 5))
    assert loss(one) != loss(other)
    other.load_state_dict(one.state_dict())
    assert torch.equal(loss(one), loss(other))


@pytest.mark.parametrize(
    ("cell", "attention"),
    [("rnn", "general"), ("lstm", "general"), ("gru", "multihead"), ("ssru", "general")],
)
@FEEDING
@LEXICAL
def test_gradients(cell, attention, feeding, words):
    decoder = make(cell=cell, attention=attention, input_feeding=feeding, word_size=words).double()
    source = encoded(cell, torch.float64, words)
    states, hidden = source.states.requires_grad_(), source.final.hidden.requires_grad_()

    def run(*_):  # gradcheck changes states and parameters in place
        start = decoder.begin(EncoderOutput(states, State(hidden)), SOURCES)
        actual, weights = decoder(tokens(), TARGETS, start)
        inside = torch.arange(6) < TARGETS.unsqueeze(1)
        return decoder.logits(actual)[inside], weights[inside]

    inputs = (states, hidden, *decoder.parameters())
    assert torch.autograd.gradcheck(run, inputs, fast_mode=True)
    torch.stack([part.square().sum() for part in run()]).sum().backward()
    assert all(parameter.grad.any() for parameter in decoder.parameters())


@FEEDING
def test_dropout_is_of_training_only(feeding):
    decoder = make(num_layers=3, dropout=0.5, embedding_dropout=0.5, input_feeding=feeding)
    state = decoder.begin(encoded(), SOURCES)
    plain = make(num_layers=3, input_feeding=feeding)
    wanted = plain(tokens(), full(), plain.begin(encoded(), SOURCES))
    torch.testing.assert_close(decoder(tokens(), full(), state), wanted)
    decoder.train()
    draws = [decoder(tokens(), full(), state)[0] for _ in range(3)]
    assert not any(torch.allclose(one, other) for one, other in pairwise(draws))


def test_embedding_dropout_drops_the_same_at_each_position():
    decoder = make(embedding_dropout=0.5).train()
    seen = []
    decoder.lower.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    decoder(tokens(), full(), decoder.begin(encoded(), SOURCES))
    dropped = seen[0] == 0  # [rows, time, size]
    assert torch.equal(dropped, dropped[:, :1].expand_as(dropped))
    assert dropped.any() and not dropped.all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_layers": 0}, "layers must be at least 1, not 0"),
        ({"tie_embeddings": "all"}, "where, and only where, all tables are tied"),
        ({"embedding": nn.Embedding(VOCABULARY, 5)}, "where, and only where"),
        (
            {"tie_embeddings": "all", "embedding": nn.Embedding(VOCABULARY, 4)},
            r"tied table is \[11, 4\], and the decoder's would be \[11, 5\]",
        ),
        ({"dropout": 1.0}, r"lies in \[0, 1\)"),
        ({"embedding_dropout": -0.1}, r"lies in \[0, 1\)"),
        ({"cell": "qrnn"}, "qrnn"),
        ({"attention": "dot", "hidden_size": 5}, "use general"),
    ],
)
def test_bad_parameters_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        make(**{"num_layers": 1, **change})
