"""The public face of the networks: every name is there, and wrong calls are answered."""

import subprocess
import sys

import pytest
import torch

from rnnlp import models
from rnnlp.models import Encoder


def test_every_name_is_there():
    assert set(models.__all__) == set(models._PLACES) <= set(dir(models))
    assert all(getattr(models, name) is not None for name in models.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Transformer'"):
        models.Transformer  # noqa: B018


def test_importing_it_costs_nothing():
    code = "import sys, rnnlp.models; assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_lengths_may_be_a_list():
    encoder = Encoder(input_size=3, hidden_size=2)
    x = torch.randn(2, 4, 3)
    one, other = encoder(x, [4, 2]).states, encoder(x, torch.tensor([4, 2])).states
    assert torch.equal(one, other)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_names_of_torch_take_its_weights(name):
    theirs = getattr(torch.nn, name)(3, 2, batch_first=True)
    ours = getattr(models, name)(input_size=3, hidden_size=2, bidirectional=False)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 4, 3)
    torch.testing.assert_close(ours(x, [4, 4]).states, theirs(x)[0])


def test_a_name_says_the_cell():
    assert models.MinGRU(input_size=3).cell == "mingru"
    with pytest.raises(TypeError, match="cell"):
        models.LSTM(input_size=3, cell="gru")
    with pytest.raises(TypeError, match=r"LSTM\(input_size=10, hidden_size=20\)"):
        models.LSTM(10, 20)


def test_sizes_are_named():
    with pytest.raises(TypeError, match=r"Encoder\(input_size=10, hidden_size=20\)"):
        Encoder(10, 20)
