import pytest
import torch

from rnnlp.models.classification.pooling import WAYS, Pooling
from rnnlp.models.encoders.bag import BagEncoder
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.encoders.windowed import WindowedEncoder

LENGTHS = torch.tensor([5, 1, 3])


def encoded(bidirectional=True, num_layers=2):
    torch.manual_seed(0)
    encoder = Encoder(
        input_size=4, cell="gru", hidden_size=3, num_layers=num_layers, bidirectional=bidirectional
    )
    return encoder(torch.randn(3, 5, 4), LENGTHS), encoder.output_size


@pytest.mark.parametrize("bidirectional", [False, True])
def test_each_way_against_a_loop(bidirectional):
    out, size = encoded(bidirectional)
    actual = {way: Pooling(size=size, ways=[way])(out, LENGTHS).vector for way in WAYS}
    for row, length in enumerate(LENGTHS.tolist()):
        states = out.states[row, :length]
        torch.testing.assert_close(actual["max"][row], states.max(0).values)
        torch.testing.assert_close(actual["mean"][row], states.mean(0))
        last = states[-1].clone()
        if bidirectional:
            last[3:] = states[0, 3:]
        torch.testing.assert_close(actual["last"][row], last)


def test_attention_weights_the_states():
    out, size = encoded()
    pooling = Pooling(size=size, ways=["attention"])
    vector, weights = pooling(out, LENGTHS)
    torch.testing.assert_close(weights.sum(1), torch.ones(3))
    assert (weights[1, 1:] == 0).all()
    torch.testing.assert_close(vector, (weights.unsqueeze(2) * out.states).sum(1))
    scores = pooling.attention(out.states[2, :3])[:, 0]
    torch.testing.assert_close(weights[2, :3], scores.softmax(0))


def test_double_precision_stays_double():
    out, size = encoded()
    pooling = Pooling(size=size, ways=["attention"]).double()

    def pooled(states):
        return pooling(out._replace(states=states), LENGTHS)

    states = out.states.detach().double().requires_grad_()
    assert torch.autograd.gradcheck(pooled, states)


def test_the_order_of_ways_does_not_matter():
    out, size = encoded()
    torch.manual_seed(1)
    one = Pooling(size=size, ways=["mean", "max", "attention"])
    torch.manual_seed(1)
    two = Pooling(size=size, ways=["attention", "mean", "max"])
    assert one.output_size == 3 * size
    assert torch.equal(one(out, LENGTHS).vector, two(out, LENGTHS).vector)


def test_padding_plays_no_part():
    out, size = encoded()
    pooling = Pooling(size=size, ways=WAYS)
    dirty = out._replace(states=out.states.clone())
    for row, length in enumerate(LENGTHS.tolist()):
        dirty.states[row, length:] = 1e6
    torch.testing.assert_close(pooling(dirty, LENGTHS), pooling(out, LENGTHS))


@pytest.mark.parametrize("ways", [[], ["first"], ["max", "max"]])
def test_wrong_ways(ways):
    with pytest.raises(ValueError, match="at most once"):
        Pooling(size=2, ways=ways)


def test_bag_reads_no_order():
    embedded = torch.randn(2, 4, 3)
    bag = BagEncoder(input_size=3)
    out = bag(embedded, torch.tensor([4, 2]))
    assert torch.equal(out.states[0], embedded[0])
    assert (out.states[1, 2:] == 0).all()
    torch.testing.assert_close(out.final.hidden[0, 1], embedded[1, :2].mean(0))
    last = Pooling(size=3, ways=["last"])(out, torch.tensor([4, 2])).vector
    torch.testing.assert_close(last, out.final.hidden[0])
    with pytest.raises(ValueError, match="width 3"):
        bag(torch.randn(1, 1, 2), torch.tensor([1]))


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_windows_encode_each_piece_on_its_own(cell, bidirectional):
    torch.manual_seed(0)
    encoder = Encoder(
        input_size=3, cell=cell, hidden_size=2, num_layers=2, bidirectional=bidirectional
    )
    windows = WindowedEncoder(encoder=encoder, window=4)
    lengths = torch.tensor([10, 3, 8, 1, 9])
    embedded = torch.randn(5, 10, 3)
    out = windows(embedded, lengths)
    assert out.states.shape == (5, 10, encoder.output_size)
    for row, length in enumerate(lengths.tolist()):
        pieces = [
            encoder(embedded[row : row + 1, start : min(start + 4, length)], torch.tensor([size]))
            for start in range(0, length, 4)
            for size in [min(4, length - start)]
        ]
        states = torch.cat([piece.states[0] for piece in pieces])
        torch.testing.assert_close(out.states[row, :length], states)
        assert (out.states[row, length:] == 0).all()
        for part, whole in enumerate(out.final):
            if whole is None:
                continue
            forward = slice(0, None, encoder.directions)
            ends = pieces[-1].final[part][forward, 0]
            torch.testing.assert_close(whole[forward, row], ends)
            if bidirectional:
                torch.testing.assert_close(whole[1::2, row], pieces[0].final[part][1::2, 0])


def test_short_texts_need_no_windows():
    torch.manual_seed(0)
    encoder = Encoder(input_size=3, cell="gru", hidden_size=2)
    embedded, lengths = torch.randn(2, 4, 3), torch.tensor([4, 2])
    one, two = (
        WindowedEncoder(encoder=encoder, window=4)(embedded, lengths),
        encoder(embedded, lengths),
    )
    assert torch.equal(one.states, two.states)
