"""What recurrent weights start from: values, who is left alone, and that it does what it is for."""

import pytest
import torch

from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.recurrence.cell import State
from rnnlp.models.recurrence.cells import CELLS

GATED = {"lstm": 1, "gru": 1, "mingru": 0, "ssru": 0}  # which gate keeps the old state


def fresh(**options):
    torch.manual_seed(4)
    return Encoder(input_size=5, hidden_size=6, num_layers=2, **options)


def biases(encoder):
    """The sum of both biases of each direction of each layer, [gates, hidden_size]."""
    for suffix in ("_l0", "_l0_reverse", "_l1", "_l1_reverse"):
        total = getattr(encoder, "bias_ih" + suffix).clone()
        if CELLS[encoder.cell].recurrent:
            total += getattr(encoder, "bias_hh" + suffix)
        yield total.view(CELLS[encoder.cell].gates, -1)


@pytest.mark.parametrize("cell", ["rnn", "rnn_relu", "lstm", "gru"])
def test_orthogonal_gates(cell):
    encoder, plain = fresh(cell=cell, orthogonal=True), fresh(cell=cell)
    for name, parameter in encoder.named_parameters():
        if name.startswith("weight_hh"):
            for gate in parameter.split(6):
                torch.testing.assert_close(gate @ gate.t(), torch.eye(6), atol=1e-5, rtol=0)
        else:
            assert parameter.equal(plain.get_parameter(name)), name


@pytest.mark.parametrize("cell", GATED)
def test_forget_bias(cell):
    changed, plain = fresh(cell=cell, forget_bias=1.5), fresh(cell=cell)
    for one, other in zip(biases(changed), biases(plain), strict=True):
        gate = GATED[cell]
        assert one[gate].equal(torch.full((6,), 1.5))
        others = [row for row in range(CELLS[cell].gates) if row != gate]
        assert one[others].equal(other[others])


@pytest.mark.parametrize("cell", GATED)
def test_memory_span(cell):
    encoder = Encoder(input_size=2, cell=cell, hidden_size=400, num_layers=2, memory_span=50)
    for bias in biases(encoder):
        kept = bias[GATED[cell]].exp()  # spans
        assert 1 <= kept.min() < 3 and 48 < kept.max() <= 50
        assert abs(kept.mean() - 25.5) < 3
        if cell == "lstm":
            assert bias[0].equal(-bias[1])


@pytest.mark.parametrize("cell", GATED)
def test_a_fresh_recurrence_remembers_longer(cell):
    """The gradient that reaches the state 60 steps before: larger by orders of magnitude."""

    def reaching(**options):
        torch.manual_seed(1)
        encoder = Encoder(
            input_size=3, cell=cell, hidden_size=20, bidirectional=False, **options
        ).double()
        begin = [torch.zeros(1, 1, 20, dtype=torch.double, requires_grad=True) for _ in range(2)]
        start = State(*begin[: 2 if cell == "lstm" else 1])
        x = torch.randn(1, 60, 3, dtype=torch.double)
        encoder(x, torch.tensor([60]), start).states[0, -1].sum().backward()
        return sum(part.grad.norm() for part in begin if part.grad is not None)

    plain = reaching()
    assert reaching(forget_bias=3.0) > 100 * plain
    assert reaching(memory_span=60) > 100 * plain


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cell": "mingru", "orthogonal": True}, "no recurrent weights"),
        ({"cell": "rnn", "forget_bias": 1.0}, "no gate to start"),
        ({"cell": "rnn_relu", "memory_span": 9}, "no gate to start"),
        ({"forget_bias": 1.0, "memory_span": 9}, "give one of them"),
        ({"memory_span": 1}, "at least 2 tokens, not 1"),
    ],
)
def test_what_a_cell_has_no_use_for_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        fresh(**options)
