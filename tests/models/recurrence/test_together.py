"""All directions at once: the states are those of torch.nn on packed sequences."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.recurrence import dispatch
from rnnlp.models.recurrence.cell import State

SHAPES = {"padded": [7, 12, 1, 12, 3], "full": [12] * 3, "one": [12], "many": [5] * 9}


@pytest.mark.parametrize("lengths", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("start", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("two", [True, False])
def test_states_and_final_states(lengths, start, dtype, two, monkeypatch):
    torch.manual_seed(1)
    taken = []
    monkeypatch.setattr(
        dispatch, "run_together", lambda layer, run=dispatch.run_together: (
            taken.append(True), run(layer)
        )[1]
    )  # fmt: skip
    oracle = nn.GRU(6, 5, num_layers=2, batch_first=True, bidirectional=two, dtype=dtype)
    encoder = Encoder(input_size=6, hidden_size=5, cell="gru", num_layers=2, bidirectional=two)
    encoder.to(dtype).load_state_dict(oracle.state_dict())
    batch, time = len(lengths), max(lengths)
    texts = torch.randn(batch, time, 6, dtype=dtype)
    initial = torch.randn(2 * encoder.directions, batch, 5, dtype=dtype) if start else None
    packed = pack_padded_sequence(texts, lengths, batch_first=True, enforce_sorted=False)
    for row, length in enumerate(lengths):
        texts[row, length:] = torch.nan  # never read
    with torch.inference_mode():
        states, final = encoder(texts, lengths, None if initial is None else State(initial))
        expected, last = oracle(packed, initial)
    expected, _ = pad_packed_sequence(expected, batch_first=True)
    few = batch < dispatch.PART_ROWS and min(lengths) == time
    assert bool(taken) == (two or not few)
    torch.testing.assert_close(states, expected)
    torch.testing.assert_close(final.hidden, last)


def test_where_something_is_learned_it_is_not_taken(monkeypatch):
    monkeypatch.setattr(dispatch, "run_together", None)
    encoder = Encoder(input_size=6, hidden_size=5, cell="gru")
    encoder(torch.randn(3, 12, 6), [12, 3, 4]).states.sum().backward()
    with torch.no_grad(), pytest.raises(TypeError):
        encoder(torch.randn(3, 12, 6), [12, 3, 4])
