"""Stretch by stretch, and token by token on arrays, the states are those of the whole text."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from rnnlp.models.encoders.bag import BagEncoder
from rnnlp.models.encoders.incremental import IncrementalEncoder, Reading
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.encoders.windowed import WindowedEncoder
from rnnlp.models.recurrence.arrays import ArrayState, ArrayWeights
from rnnlp.models.recurrence.cell import Cell, State
from rnnlp.models.recurrence.cells import CELLS, register_cell

SIZE, BATCH, TIME = 6, 2, 9


def encoders():
    torch.manual_seed(1)
    for cell in CELLS:
        yield Encoder(input_size=SIZE, cell=cell, hidden_size=5, bidirectional=False)
    deep = {"num_layers": 3, "hidden_size": SIZE, "bidirectional": False}
    yield Encoder(input_size=SIZE, cell="gru", residual=True, layer_norm=True, **deep)
    yield Encoder(input_size=SIZE, cell="mingru", residual=True, look_back=True, **deep)
    yield WindowedEncoder(encoder=Encoder(input_size=SIZE, cell="lstm", **deep), window=4)
    yield BagEncoder(input_size=SIZE)
    yield WindowedEncoder(encoder=BagEncoder(input_size=SIZE), window=4)


@pytest.mark.parametrize("encoder", list(encoders()), ids=str)
@pytest.mark.parametrize("lengths", [[1] * TIME, [1, 3, 1, 4], [TIME]])
def test_states_are_those_of_the_whole_text(encoder, lengths):
    text = torch.randn(BATCH, TIME, SIZE)
    whole, final = encoder(text, torch.full((BATCH,), TIME))
    reader, so_far, actual = IncrementalEncoder(encoder), Reading(), []
    for stretch in text.split(lengths, 1):
        states, so_far = reader.read(stretch.numpy(), so_far)
        actual.append(states)
    close = {"atol": 1e-6, "rtol": 1e-5}
    np.testing.assert_allclose(np.concatenate(actual, 1), whole.detach(), **close)
    for layer, hidden in enumerate(final.hidden.detach()):
        np.testing.assert_allclose(so_far.final[layer].hidden, hidden, **close)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("spread", [1, 100])  # gates that are wide open or shut
def test_a_step_on_arrays_is_that_on_tensors(name, spread):
    torch.manual_seed(2)
    encoder = Encoder(input_size=SIZE, cell=name, hidden_size=40, bidirectional=False)
    (weights,) = encoder.weights(0)
    inputs, state = spread * torch.randn(BATCH, SIZE), encoder.start(BATCH)
    state = State(*(None if each is None else torch.randn_like(each) for each in state))
    expected = CELLS[name].step(inputs, weights, state)
    actual = CELLS[name].on_arrays(
        inputs.numpy(),
        ArrayWeights(*(each.detach().numpy() for each in weights)),
        ArrayState(*(None if each is None else each[0].numpy() for each in state)),
    )
    for ours, theirs in zip(actual, expected, strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            np.testing.assert_allclose(ours, theirs[0].detach(), atol=1e-5, rtol=1e-5)


def test_a_cell_that_knows_no_arrays(monkeypatch):
    monkeypatch.setattr("rnnlp.models.recurrence.cells.CELLS", dict(CELLS))

    def step(inputs, weights, state):
        return State(state.hidden + F.linear(inputs, weights.input, weights.input_bias).tanh())

    register_cell(Cell(name="sum", title="sum", gates=1, step=step))
    torch.manual_seed(3)
    encoder = Encoder(input_size=SIZE, cell="sum", hidden_size=5, bidirectional=False)
    test_states_are_those_of_the_whole_text(encoder, [1, 1, 7])


def test_two_directions_cannot_read_on():
    with pytest.raises(ValueError, match="bidirectional"):
        IncrementalEncoder(Encoder(input_size=SIZE, hidden_size=5))
