"""The encoder: weights shared with torch.nn, invariances, dropout, residuals, norm, steps."""

import pytest
import torch
from torch import nn

from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.recurrence.cell import State
from rnnlp.models.recurrence.cells import CELLS

MODULES = {
    "rnn": nn.RNN,
    "rnn_relu": lambda *sizes, **options: nn.RNN(*sizes, nonlinearity="relu", **options),
    "lstm": nn.LSTM,
    "gru": nn.GRU,
}
LENGTHS = torch.tensor([4, 7, 1, 6])


def batch(width=5, time=7):
    torch.manual_seed(0)
    return torch.randn(len(LENGTHS), time, width)


@pytest.mark.parametrize("cell", MODULES)
def test_state_dicts_go_both_ways(cell):
    oracle = MODULES[cell](5, 3, 2, batch_first=True, bidirectional=True)
    encoder = Encoder(input_size=5, cell=cell, hidden_size=3, num_layers=2)
    assert list(encoder.state_dict()) == list(oracle.state_dict())
    oracle.load_state_dict(encoder.state_dict())
    x = batch()[:, :4]
    states, _ = oracle(x)
    torch.testing.assert_close(encoder(x, torch.full((4,), 4)).states, states)


OPTIONS = [
    option
    for cell in CELLS
    for option in (
        {"cell": cell},
        {"cell": cell, "num_layers": 3, "residual": True, "layer_norm": True},
        {"cell": cell, "num_layers": 2, "bidirectional": False, "residual": True},
        {"cell": cell, "num_layers": 3, "look_back": True},
    )
]


@pytest.mark.parametrize("chosen", OPTIONS, ids=str)
def test_padding_order_and_batch_size_change_nothing(chosen):
    encoder = Encoder(input_size=6, hidden_size=3, **chosen).eval()
    x = batch(width=6)
    out = encoder(x, LENGTHS)
    assert out.states.shape == (4, 7, encoder.output_size)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = encoder(x[row : row + 1, :length], LENGTHS[row : row + 1])
        torch.testing.assert_close(out.states[row, :length], alone.states[0])
        assert not out.states[row, length:].any()
        torch.testing.assert_close(out.final.hidden[:, row], alone.final.hidden[:, 0])
    garbage = x.clone()
    for row, length in enumerate(LENGTHS.tolist()):
        garbage[row, length:] = torch.nan
    order = torch.tensor([2, 0, 3, 1])
    with torch.no_grad():
        wider = torch.cat([garbage[order], torch.full((4, 3, 6), torch.nan)], 1)
        actual = encoder(wider, LENGTHS[order])
    torch.testing.assert_close(actual.states[:, :7], out.states[order].detach())
    assert not actual.states[:, 7:].any()
    wanted = out.final.reorder(order)
    torch.testing.assert_close(actual.final.hidden, wanted.hidden.detach())
    if chosen["cell"] == "lstm":
        torch.testing.assert_close(actual.final.cell, wanted.cell.detach())
    else:
        assert actual.final.cell is None


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    "extra",
    [{}, {"residual": True, "layer_norm": True}, {"residual": True, "look_back": True}],
    ids=str,
)
def test_steps_equal_the_batch(cell, extra):
    encoder = Encoder(
        input_size=4, cell=cell, hidden_size=4, num_layers=2, bidirectional=False, **extra
    )
    x = batch(width=4)
    out = encoder(x, torch.full((4,), 7))
    state = encoder.start(4)
    for t in range(7):
        states, state = encoder.step(x[:, t], state)
        torch.testing.assert_close(states, out.states[:, t])
    torch.testing.assert_close(state.hidden, out.final.hidden)
    # A stream may change between the two forms, and a search may pick its rows.
    first = encoder(x[:, :3], torch.full((4,), 3))
    rest = encoder(x[:, 3:], torch.full((4,), 4), first.final)
    torch.testing.assert_close(rest.states, out.states[:, 3:])
    rows = torch.tensor([3, 3, 0])
    picked, _ = encoder.step(x[rows, 3], first.final.reorder(rows))
    torch.testing.assert_close(picked, out.states[rows, 3])


def test_step_needs_one_direction():
    encoder = Encoder(input_size=4, hidden_size=4)
    with pytest.raises(ValueError, match="no step"):
        encoder.step(torch.zeros(1, 4), encoder.start(1))


def test_gradients_flow_through_the_initial_state():
    encoder = Encoder(input_size=4, hidden_size=3, num_layers=2)
    begin = State(*(torch.randn(4, 4, 3, requires_grad=True) for _ in range(2)))
    encoder(batch(width=4), LENGTHS, begin).states.sum().backward()
    assert begin.hidden.grad.abs().sum() > 0
    assert begin.cell.grad.abs().sum() > 0


@pytest.mark.parametrize("locked", [False, True])
def test_dropout_lies_between_layers(locked):
    one = Encoder(input_size=5, hidden_size=3, dropout=0.5, locked_dropout=locked)
    x = batch()
    torch.testing.assert_close(one(x, LENGTHS).states, one.eval()(x, LENGTHS).states)
    two = Encoder(input_size=5, hidden_size=3, num_layers=2, dropout=0.5, locked_dropout=locked)
    assert not torch.allclose(two(x, LENGTHS).states, two(x, LENGTHS).states)
    two.eval()
    torch.testing.assert_close(two(x, LENGTHS).states, two(x, LENGTHS).states)


@pytest.mark.parametrize("cell", MODULES)
def test_recurrent_dropout_drops_weights(cell):
    encoder = Encoder(input_size=5, cell=cell, hidden_size=8, weight_dropout=0.9)
    x = batch()
    assert not torch.allclose(encoder(x, LENGTHS).states, encoder(x, LENGTHS).states)
    encoder(x, LENGTHS).states.sum().backward()
    dropped = (encoder.weight_hh_l0.grad == 0).float().mean()
    assert 0.8 < dropped < 1.0  # a dropped weight has no gradient
    assert (encoder.weight_ih_l0.grad != 0).float().mean() > 0.3
    encoder.eval()
    torch.testing.assert_close(encoder(x, LENGTHS).states, encoder(x, LENGTHS).states)


@pytest.mark.parametrize("cell", ["lstm", "gru", "mingru"])
@pytest.mark.parametrize("begun", [False, True])
def test_look_back_is_the_states_below_before_each_token(cell, begun):
    """Two layers of one in a plain loop: the second reads what the first has before and after."""
    encoder = Encoder(input_size=4, cell=cell, hidden_size=3, num_layers=2, look_back=True)
    lower = Encoder(input_size=4, cell=cell, hidden_size=3)
    upper = Encoder(input_size=6, cell=cell, hidden_size=3)
    for layer, alone in enumerate((lower, upper)):
        names = {name.replace("_l0", f"_l{layer}") for name in alone.state_dict()}
        alone.load_state_dict(
            {name.replace(f"_l{layer}", "_l0"): encoder.state_dict()[name] for name in names}
        )
    x = batch(width=4)
    start = State(*(torch.randn(4, 4, 3) for _ in range(1 + (cell == "lstm")))) if begun else None
    actual = encoder(x, LENGTHS, start)
    parts = [None, None]
    if start is not None:
        parts = [State(*(None if s is None else s[at : at + 2] for s in start)) for at in (0, 2)]
    below = lower(x, LENGTHS, parts[0]).states
    first = torch.zeros(2, 4, 3) if start is None else start.hidden[:2]
    read = torch.zeros(4, 7, 6)
    for row, length in enumerate(LENGTHS.tolist()):
        for t in range(length):
            ahead = below[row, t - 1, :3] if t else first[0, row]
            back = below[row, t + 1, 3:] if t + 1 < length else first[1, row]
            read[row, t] = below[row, t] + encoder.look_back_l1 * torch.cat((ahead, back))
    wanted = upper(read, LENGTHS, parts[1])
    torch.testing.assert_close(actual.states, wanted.states)
    torch.testing.assert_close(actual.final.hidden[2:], wanted.final.hidden)
    weighted = torch.randn_like(wanted.states)
    of_ours = (encoder.look_back_l1, encoder.weight_ih_l0_reverse, encoder.weight_ih_l1)
    of_loop = (encoder.look_back_l1, lower.weight_ih_l0_reverse, upper.weight_ih_l0)
    torch.testing.assert_close(
        torch.autograd.grad(actual.states, of_ours, weighted),
        torch.autograd.grad(wanted.states, of_loop, weighted),
        atol=1e-5,
        rtol=1e-4,
    )


def test_residual_adds_the_input():
    plain = Encoder(input_size=6, hidden_size=3)
    residual = Encoder(input_size=6, hidden_size=3, residual=True)
    residual.load_state_dict(plain.state_dict())
    x = batch(width=6)
    inside = (torch.arange(7) < LENGTHS.unsqueeze(1)).unsqueeze(2)
    torch.testing.assert_close(residual(x, LENGTHS).states, (plain(x, LENGTHS).states + x) * inside)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cell": "qrnn"}, "qrnn"),
        ({"hidden_size": 0}, "hidden_size must be at least 1, not 0"),
        ({"num_layers": 0}, "layers must be at least 1, not 0"),
        ({"dropout": 1.0}, "dropout must lie in"),
        ({"weight_dropout": -0.1}, "weight_dropout must lie in"),
        ({"cell": "mingru", "weight_dropout": 0.5}, "minGRU has no recurrent weights"),
        ({"look_back": True}, "look_back is for the second and further layers"),
    ],
)
def test_bad_parameters_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        Encoder(input_size=4, **change)


@pytest.mark.parametrize(
    ("shape", "lengths", "message"),
    [
        ((2, 3, 5), [3, 2], r"\[batch, time, 4\], got \[2, 3, 5\]"),
        ((2, 3, 4), [3], "expected 2 lengths"),
        ((2, 3, 4), [3, 0], "found 0 to 3"),
        ((2, 3, 4), [3, 4], "found 3 to 4"),
    ],
)
def test_bad_input_is_named(shape, lengths, message):
    encoder = Encoder(input_size=4, hidden_size=3)
    with pytest.raises(ValueError, match=message):
        encoder(torch.zeros(shape), torch.tensor(lengths))
