"""The gates that are shown are those of the pass that counts."""

import pytest
import torch

from rnnlp.models import CELLS, BagEncoder, Encoder, WindowedEncoder
from rnnlp.models.encoders.gates import gate_values

OPTIONS = [
    {},
    {"num_layers": 2, "residual": True, "layer_norm": True, "dropout": 0.5, "weight_dropout": 0.0},
    {"num_layers": 2, "bidirectional": False},
    {"num_layers": 3, "look_back": True},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("cell", CELLS)
def test_the_states_among_them_are_those_of_forward(cell, options):
    torch.manual_seed(1)
    encoder = Encoder(input_size=4, cell=cell, hidden_size=2, **options).eval()
    embedded = torch.randn(5, 4)
    values = gate_values(encoder, embedded)
    assert len(values) == encoder.num_layers * encoder.directions
    named = [line.split(" = ")[0].strip() for line in CELLS[cell].equations.splitlines()]
    assert all(list(one) == named for one in values)
    with torch.no_grad():
        states, final = encoder(embedded[None], [5])
    given = embedded
    for layer in range(encoder.num_layers):
        of_layer = values[layer * encoder.directions :][: encoder.directions]
        given = encoder.finish(layer, given, torch.cat([one["h"] for one in of_layer], 1))
    torch.testing.assert_close(given, states[0])
    if "y" in values[-1]:  # what the layer gives
        torch.testing.assert_close(
            torch.cat([one["y"] for one in of_layer], 1),
            encoder.kind.output(torch.cat([one["h"] for one in of_layer], 1)),
        )
    for place, one in enumerate(values):
        end = 0 if place % encoder.directions else -1
        torch.testing.assert_close(one["h"][end], final.hidden[place, 0])
        if final.cell is not None:
            torch.testing.assert_close(one["c"][end], final.cell[place, 0])


def test_each_window_begins_at_zero():
    inner = Encoder(input_size=3, cell="gru", hidden_size=2).eval()
    encoder = WindowedEncoder(encoder=inner, window=4)
    embedded = torch.randn(10, 3)
    both = torch.cat([one["h"] for one in gate_values(encoder, embedded)], 1)
    torch.testing.assert_close(both, encoder(embedded[None], torch.tensor([10])).states[0])


def test_a_bag_has_none():
    bag = BagEncoder(input_size=3)
    for encoder in (bag, WindowedEncoder(encoder=bag, window=2)):
        with pytest.raises(ValueError, match="no gates"):
            gate_values(encoder, torch.zeros(2, 3))
