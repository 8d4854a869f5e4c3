"""Derivatives of derivatives, as penalties on gradients need them: as torch and differences say."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.recurrence import dispatch
from rnnlp.models.recurrence.cells import CELLS


# By torch's functions where these serve, by our own, and over padding.
@pytest.mark.parametrize("rows", [3, 9, 8])
@pytest.mark.parametrize(("cell", "kind"), [("rnn", nn.RNN), ("lstm", nn.LSTM), ("gru", nn.GRU)])
def test_second_derivatives_are_those_of_torch(cell, kind, rows, monkeypatch):
    """As a gradient penalty needs them: the gradient of the norm of a gradient."""
    if rows == 8:
        if CELLS[cell].keeping is None:
            pytest.skip("no gate keeps its state, so that it is never run over padding")
        monkeypatch.setattr(dispatch, "_way", lambda *_: dispatch.run_padded)
    torch.manual_seed(1)
    encoder = Encoder(input_size=3, cell=cell, hidden_size=4).double()
    oracle = kind(3, 4, batch_first=True, bidirectional=True).double()
    oracle.load_state_dict(encoder.state_dict())
    lengths = torch.randint(1, 6, (rows,))
    lengths[0] = 5
    penalties = []
    for name, model in (("own", encoder), ("torch", oracle)):
        x = torch.randn(rows, 5, 3, generator=torch.Generator().manual_seed(2)).double()
        x.requires_grad_()
        if name == "own":
            states = model(x, lengths).states
        else:
            packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            states, _ = pad_packed_sequence(model(packed)[0], batch_first=True, total_length=5)
        (gradient,) = torch.autograd.grad(states.pow(2).sum(), x, create_graph=True)
        penalty = gradient.norm()
        penalties.append((penalty, torch.autograd.grad(penalty, list(model.parameters()))))
    (own, ours), (other, theirs) = penalties
    torch.testing.assert_close(own, other)
    for one, two in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, two)


def test_second_derivatives_of_mingru_are_those_of_differences():
    torch.manual_seed(1)
    encoder = Encoder(input_size=3, cell="mingru", hidden_size=2).double()
    x = torch.randn(3, 4, 3, dtype=torch.float64, requires_grad=True)
    lengths = torch.tensor([4, 2, 1])
    assert torch.autograd.gradgradcheck(lambda x: encoder(x, lengths).states, x)
