"""SSRU against its paper's equations in a plain loop: states, gradients, single steps."""

import pytest
import torch

from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.recurrence import dispatch
from rnnlp.models.recurrence.cell import State

LENGTHS = torch.tensor([7, 1, 4, 7, 2])


@pytest.fixture(params=["own", "scanned"])
def way(request, monkeypatch):
    """What computes a layer: our own functions, or a scan as on a GPU."""
    monkeypatch.setattr(dispatch, "_own", getattr(dispatch, "_" + request.param))


def draw(**options):
    torch.manual_seed(3)
    encoder = Encoder(input_size=3, cell="ssru", hidden_size=4, **options).double()
    x = torch.randn(5, 7, 3, dtype=torch.float64)
    layers = encoder.num_layers * encoder.directions
    return encoder, x, torch.randn(layers, 5, 4, dtype=torch.float64)


def by_hand(encoder, x, start):
    """All layers, a token of a sentence at a time: what they give, and the last states."""
    outputs, last = [], torch.zeros_like(start)
    for row, length in enumerate(LENGTHS.tolist()):
        read = list(x[row, :length])
        for layer in range(encoder.num_layers):
            given = []
            for direction, weight in enumerate(encoder.weights(layer)):
                at = layer * encoder.directions + direction
                (w_f, w), (b_f, b) = weight.input.chunk(2), weight.input_bias.chunk(2)
                c, of_direction = start[at, row], []
                for token in reversed(read) if direction else read:
                    f = 1 / (1 + (-(w_f @ token + b_f)).exp())
                    c = f * c + (1 - f) * (w @ token + b)
                    of_direction.append(c.clamp_min(0))
                given.append(of_direction[::-1] if direction else of_direction)
                last[at, row] = c
            read = [torch.cat(both) for both in zip(*given, strict=True)]
        outputs.append(torch.stack(read))
    return torch.nn.utils.rnn.pad_sequence(outputs, batch_first=True), last


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_equals_the_equations_forwards_and_backwards(way, bidirectional, num_layers):
    encoder, x, start = draw(bidirectional=bidirectional, num_layers=num_layers)
    arguments = [x.requires_grad_(), start.requires_grad_(), *encoder.parameters()]
    states, final = encoder(x, LENGTHS, State(start))
    wanted, last = by_hand(encoder, x, start)
    torch.testing.assert_close(states, wanted)
    torch.testing.assert_close(final.hidden, last)
    assert (final.hidden < 0).any() and (states >= 0).all()  # what goes on is not what is given
    weighted = torch.randn_like(wanted), torch.randn_like(last)
    actual, expected = (
        torch.autograd.grad(outputs, arguments, weighted)
        for outputs in ((states, final.hidden), (wanted, last))
    )
    torch.testing.assert_close(actual, expected)


def test_gradcheck(way):
    encoder, x, start = draw(bidirectional=True)
    names = [name for name, _ in encoder.named_parameters()]

    def run(x, start, *weights):
        arguments = (x, LENGTHS, State(start))
        states, final = torch.func.functional_call(
            encoder, dict(zip(names, weights, strict=True)), arguments
        )
        return states, final.hidden

    weights = [weight.detach().requires_grad_() for weight in encoder.parameters()]
    assert torch.autograd.gradcheck(run, (x.requires_grad_(), start.requires_grad_(), *weights))
