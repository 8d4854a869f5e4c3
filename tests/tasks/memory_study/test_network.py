"""How far gradients reach back, against the Jacobians of a recurrence written by hand."""

import pytest
import torch

from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.recurrence.cells import CELLS
from rnnlp.tasks.memory_study.network import Answerer, gradient_reach


def encoder_of(cell, num_layers=1):
    torch.manual_seed(2)
    return Encoder(
        input_size=3, cell=cell, hidden_size=4, num_layers=num_layers, bidirectional=False
    ).double()


def test_equals_the_product_of_jacobians():
    """Of the simple RNN: dh_t / dh_(t-1) = diag(1 - h_t^2) W."""
    encoder = encoder_of("rnn")
    x = torch.randn(1, 6, 3, dtype=torch.double)
    actual = gradient_reach(encoder, x, generator=torch.Generator().manual_seed(5))
    drawn = torch.randn(1, 4, generator=torch.Generator().manual_seed(5), dtype=torch.double)
    grad, wanted = (drawn / drawn.norm())[0], []
    states = encoder(x, torch.tensor([6])).states[0].detach()
    for h in states.flip(0):
        wanted.append(grad.norm())
        grad = ((1 - h**2) * grad) @ encoder.weight_hh_l0.detach()
    torch.testing.assert_close(actual, torch.stack(wanted).flip(0))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("num_layers", [1, 2])
def test_a_gradient_of_norm_one_enters_at_the_end(cell, num_layers):
    x = torch.randn(3, 8, 3, dtype=torch.double)
    norms = gradient_reach(encoder_of(cell, num_layers), x, generator=torch.Generator())
    assert norms.shape == (8,) and bool((norms > 0).all()) and bool(norms.isfinite().all())
    assert norms[-1].item() == pytest.approx(1)


def test_a_gate_that_keeps_all_lets_all_through():
    encoder = Encoder(
        input_size=3, cell="mingru", hidden_size=4, bidirectional=False, forget_bias=50.0
    ).double()
    x = torch.randn(2, 500, 3, dtype=torch.double)
    norms = gradient_reach(encoder, x, generator=torch.Generator())
    torch.testing.assert_close(norms, torch.ones_like(norms))


def test_answers_come_from_the_last_states():
    model = Answerer(encoder=encoder_of("gru"), outputs=2).double()
    x = torch.randn(3, 7, 3, dtype=torch.double)
    states = model.encoder(x, torch.full((3,), 7)).states
    torch.testing.assert_close(model(x, 2), model.output(states)[:, 5:])
