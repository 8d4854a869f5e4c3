"""Cells: one of a user's own needs its equation alone, and names are answered by what was meant."""

import copy
import pickle

import pytest
import torch
from torch.nn import functional as F

from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.recurrence.cell import Cell, Layer, State
from rnnlp.models.recurrence.cells import CELLS, find_cell, register_cell
from rnnlp.models.recurrence.dispatch import recur
from rnnlp.models.recurrence.stepwise import run_stepwise


@pytest.fixture
def leaky(monkeypatch):
    """A leaky integrator: h = 0.9 h' + 0.1 tanh(W x + b + V h' + c)."""
    monkeypatch.setattr("rnnlp.models.recurrence.cells.CELLS", CELLS)
    monkeypatch.delitem(CELLS, "leaky", raising=False)

    def step(inputs, weights, state):
        h = state.hidden[0]
        of_input = F.linear(inputs, weights.input, weights.input_bias)
        new = (of_input + F.linear(h, weights.hidden, weights.hidden_bias)).tanh()
        return State((0.9 * h + 0.1 * new).unsqueeze(0))

    cell = Cell(name="leaky", title="leaky integrator", gates=1, step=step)
    register_cell(cell)
    yield cell
    del CELLS["leaky"]


def test_a_cell_of_ones_own(leaky):
    """Padding, order and single steps agree as for the others, and it learns."""
    torch.manual_seed(1)
    encoder = Encoder(input_size=3, cell="leaky", hidden_size=4, num_layers=2)
    x, lengths = torch.randn(5, 6, 3), torch.tensor([6, 1, 4, 2, 6])
    states, final = encoder(x, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone, last = encoder(x[row : row + 1, :length], torch.tensor([length]))
        torch.testing.assert_close(states[row, :length], alone[0])
        torch.testing.assert_close(final.hidden[:, row], last.hidden[:, 0])
        assert not states[row, length:].any()
    states.sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in encoder.parameters())
    onwards = Encoder(input_size=3, cell="leaky", hidden_size=4, bidirectional=False)
    state, whole = onwards.start(1), onwards(x[:1], torch.tensor([6])).states
    for t in range(6):
        output, state = onwards.step(x[:1, t], state)
        torch.testing.assert_close(output, whole[:, t])


@pytest.mark.parametrize("cell", CELLS)
def test_steps_are_what_the_fast_functions_compute(cell):
    torch.manual_seed(1)
    encoder = Encoder(input_size=3, cell=cell, hidden_size=4)
    x, lengths = torch.randn(9, 5, 3), torch.randint(1, 6, (9,))
    lengths[0] = 5
    states, final = recur(CELLS[cell], x, lengths, encoder.weights(0))
    slow, hidden, last = run_stepwise(
        Layer(CELLS[cell], x, lengths, encoder.weights(0), None, None)
    )
    torch.testing.assert_close(slow, states)
    torch.testing.assert_close(hidden, final.hidden)
    assert (last is None) == (final.cell is None)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("LSTM", "did you mean 'lstm'"),
        ("bilstm", "cell='lstm' with bidirectional=True"),
        ("griu", "did you mean 'gru'"),
        ("mine.Cell", "register_cell"),
    ],
)
def test_names_that_there_are_not(name, says):
    with pytest.raises(ValueError, match="cell must be one of rnn, rnn_relu, lstm") as error:
        find_cell(name)
    assert says in str(error.value)


def test_a_name_is_taken_once():
    with pytest.raises(ValueError, match="there is a cell 'gru' already"):
        register_cell(Cell(name="gru", title="mine", gates=1, step=CELLS["gru"].step))


@pytest.mark.parametrize("name", CELLS)
def test_an_encoder_can_be_pickled(name):
    encoder = Encoder(input_size=2, cell=name, hidden_size=3)
    again = pickle.loads(pickle.dumps(encoder))
    assert again.kind is encoder.kind is copy.deepcopy(encoder).kind
    inputs, lengths = torch.randn(2, 4, 2), torch.tensor([4, 2])
    assert torch.equal(again(inputs, lengths).states, encoder(inputs, lengths).states)
