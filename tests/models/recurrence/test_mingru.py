"""minGRU against its equations step by step, and its two ways against each other."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.recurrence import autograd as layer
from rnnlp.models.recurrence import dispatch as kernels
from rnnlp.models.recurrence.cell import State, Weights
from rnnlp.models.recurrence.cells import CELLS
from rnnlp.models.recurrence.dispatch import recur
from rnnlp.models.recurrence.mingru import mingru_scanned, scan
from rnnlp.models.transfer import WORDS, forward_direction, join_directions


def by_hand(x, lengths, weights, start):
    """One direction of a layer as the paper writes it, but for z, which is 1 - z there."""
    size = start.shape[1]
    states, finals = torch.zeros(len(x), x.shape[1], size, dtype=x.dtype), []
    for row, length in enumerate(lengths.tolist()):
        h = start[row]
        for t in range(length):
            update = torch.sigmoid(-(weights.input[:size] @ x[row, t]) - weights.input_bias[:size])
            candidate = weights.input[size:] @ x[row, t] + weights.input_bias[size:]
            h = (1 - update) * h + update * candidate
            states[row, t] = h
        finals.append(h)
    return states, torch.stack(finals)


def draw(batch, time, width, size, directions, seed=0, dtype=torch.float64):
    """A batch with padding, weights and an initial state."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=dtype)

    lengths = torch.randint(1, time + 1, (batch,), generator=generator)
    weights = [
        Weights(normal(2 * size, width), normal(0, size), normal(2 * size), normal(0))
        for _ in range(directions)
    ]
    return normal(batch, time, width), lengths, weights, normal(directions, batch, size)


def ours(x, lengths, weights, start):
    states, final = recur(CELLS["mingru"], x, lengths, weights, State(start))
    return states, final.hidden


@pytest.fixture(params=["in line", "on cores", "scanned"])
def way(request, monkeypatch):
    """What computes the layer: units in one thread, units in threads of their own, or a scan."""
    monkeypatch.setattr(layer, "UNIT_WORK", 1)
    monkeypatch.setattr(layer, "PART_ROWS", 1)
    before = torch.get_num_threads()
    torch.set_num_threads(3 if request.param == "on cores" else 1)
    yield mingru_scanned if request.param == "scanned" else ours
    torch.set_num_threads(before)


def within(lengths, time):
    return (torch.arange(time) < lengths.unsqueeze(1)).unsqueeze(2)


def reverse(x, lengths):
    rows = [torch.cat((row[:n].flip(0), row[n:])) for row, n in zip(x, lengths, strict=True)]
    return torch.stack(rows)


@pytest.mark.parametrize("directions", [1, 2])
def test_equals_the_equations(way, directions):
    x, lengths, weights, start = draw(5, 9, 3, 4, directions)
    garbage = x.masked_fill(~within(lengths, 9), torch.nan)
    states, final = way(garbage, lengths, weights, start)
    for direction, part in enumerate(states.split(4, 2)):
        read = reverse(x, lengths) if direction else x
        wanted, ends = by_hand(read, lengths, weights[direction], start[direction])
        torch.testing.assert_close(part, reverse(wanted, lengths) if direction else wanted)
        torch.testing.assert_close(final[direction], ends)


@pytest.mark.parametrize("directions", [1, 2])
def test_gradcheck(way, directions):
    x, lengths, weights, start = draw(3, 5, 2, 3, directions)
    given_weights = [part for weight in weights for part in (weight.input, weight.input_bias)]

    def run(x, start, *flat):
        pairs = zip(flat[::2], flat[1::2], strict=True)
        none = x.new_empty(0, 3), x.new_empty(0)
        return way(x, lengths, [Weights(w, none[0], b, none[1]) for w, b in pairs], start)

    arguments = [part.requires_grad_() for part in (x, start, *given_weights)]
    assert torch.autograd.gradcheck(run, arguments)


@settings(max_examples=40, deadline=None)
@given(
    batch=st.integers(1, 7),
    time=st.integers(1, 40),
    num_layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    start=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_both_ways_give_the_same(batch, time, num_layers, bidirectional, start, seed):
    torch.manual_seed(seed)
    encoder = Encoder(
        input_size=3,
        cell="mingru",
        hidden_size=4,
        num_layers=num_layers,
        bidirectional=bidirectional,
    )
    lengths = torch.randint(1, time + 1, (batch,))
    x = torch.randn(batch, time, 3)
    begin = State(torch.randn(num_layers * encoder.directions, batch, 4)) if start else None
    grads = (
        torch.randn(batch, time, encoder.output_size),
        torch.randn(num_layers * encoder.directions, batch, 4),
    )
    actual = []
    for run in (kernels._own, kernels._scanned):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(kernels, "_own", run)
            embedded = x.clone().requires_grad_()
            encoder.zero_grad()
            states, final = encoder(embedded, lengths, begin)
            torch.autograd.backward([states, final.hidden], grads)
            weights = [parameter.grad.clone() for parameter in encoder.parameters()]
            actual.append([states, final.hidden, embedded.grad, *weights])
    for one, other in zip(*actual, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_step_equals_batch():
    x, _, weights, start = draw(5, 6, 3, 4, 1)
    states, _ = recur(CELLS["mingru"], x, torch.full((5,), 6), weights, State(start))
    state = State(start)
    for t in range(6):
        state = CELLS["mingru"].step(x[:, t], weights[0], state)
        torch.testing.assert_close(state.hidden[0], states[:, t])


def test_scan_of_two_thousand_steps():
    """Factors of 0, near 0, near 1 and 1 over many steps, in float32."""
    torch.manual_seed(0)
    keep = torch.sigmoid(20 * torch.randn(2, 2000, 8))
    keep[:, 700:703], keep[:, 900:905] = 0.0, 1.0
    add, first = (1 - keep) * torch.randn(2, 2000, 8), torch.randn(2, 8)
    wanted, h = [], first.double()
    for t in range(2000):
        h = keep[:, t].double() * h + add[:, t].double()
        wanted.append(h)
    torch.testing.assert_close(
        scan(keep, add, first), torch.stack(wanted, 1).float(), atol=1e-5, rtol=1e-5
    )


def test_two_encoders_become_one_and_come_apart():
    size, tokens, lengths = 3, torch.randint(0, 6, (4, 5)), torch.tensor([5, 1, 3, 4])
    parts = [nn.Module(), nn.Module()]
    for part in parts:
        part.embedding = nn.Module()
        part.embedding.words = nn.Embedding(6, size)
        part.encoder = Encoder(input_size=size, cell="mingru", hidden_size=4, bidirectional=False)
    joined = join_directions(*(part.state_dict() for part in parts))
    embedded = nn.functional.embedding(tokens, joined[WORDS])

    def states_of(weights, bidirectional):
        encoder = Encoder(
            input_size=2 * size, cell="mingru", hidden_size=4, bidirectional=bidirectional
        )
        encoder.load_state_dict(
            {key[8:]: tensor for key, tensor in weights.items() if key.startswith("encoder.")}
        )
        return encoder(embedded, lengths).states

    forward, backward = (
        part.encoder(part.embedding.words(ids), lengths).states
        for part, ids in zip(parts, (tokens, reverse(tokens, lengths)), strict=True)
    )
    both = torch.cat((forward, reverse(backward, lengths)), 2)
    torch.testing.assert_close(states_of(joined, True), both)
    torch.testing.assert_close(states_of(forward_direction(joined), False), forward)
