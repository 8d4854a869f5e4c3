"""All sequences at once, padding and all: the states are those of torch.nn on packed sequences."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.recurrence import dispatch
from rnnlp.models.recurrence.cell import State

SHAPES = {"padded": [7, 12, 1, 12, 3], "full": [12] * 3, "one": [12], "many": [5] * 9}
MODULES = {"gru": nn.GRU, "lstm": nn.LSTM}


@pytest.mark.parametrize("cell", MODULES)
@pytest.mark.parametrize("lengths", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("start", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("two", [True, False])
def test_states_and_final_states(cell, lengths, start, dtype, two, monkeypatch):
    torch.manual_seed(1)
    taken = set()
    for name in ("run_together", "_library_padded", "_library_full", "_own"):
        monkeypatch.setattr(dispatch, name, noted(getattr(dispatch, name), name, taken))
    sizes = {"num_layers": 2, "bidirectional": two}
    oracle = MODULES[cell](6, 5, batch_first=True, dtype=dtype, **sizes)
    encoder = Encoder(input_size=6, hidden_size=5, cell=cell, **sizes)
    encoder.to(dtype).load_state_dict(oracle.state_dict())
    batch, time = len(lengths), max(lengths)
    texts = torch.randn(batch, time, 6, dtype=dtype)
    begin = torch.randn(1 + (cell == "lstm"), 2 * encoder.directions, batch, 5, dtype=dtype)
    packed = pack_padded_sequence(texts, lengths, batch_first=True, enforce_sorted=False)
    for row, length in enumerate(lengths):
        texts[row, length:] = torch.nan  # never read
    with torch.inference_mode():
        states, final = encoder(texts, lengths, State(*begin) if start else None)
        expected, last = oracle(packed, (tuple(begin) if cell == "lstm" else begin[0]) if start
                                else None)  # fmt: skip
    few, full = batch < dispatch.PART_ROWS, min(lengths) == time
    if cell == "gru":
        assert taken == ({"run_together"} if two or not few or not full else {"_library_full"})
    elif start and not (few and full):
        assert taken == {"_own"}
    else:
        assert taken == (
            {"_library_full"} if few and full else {"_library_padded", "_library_full"}
        )
    torch.testing.assert_close(states, pad_packed_sequence(expected, batch_first=True)[0])
    for found, wanted in zip(final, last if cell == "lstm" else (last, None), strict=True):
        if wanted is not None:
            torch.testing.assert_close(found, wanted)


def noted(run, name, taken):
    """The function, whose name is noted when it is called."""
    return lambda layer: taken.add(name) or run(layer)


def test_where_something_is_learned_it_is_not_taken(monkeypatch):
    monkeypatch.setattr(dispatch, "run_together", None)
    encoder = Encoder(input_size=6, hidden_size=5, cell="gru")
    encoder(torch.randn(3, 12, 6), [12, 3, 4]).states.sum().backward()
    with torch.no_grad(), pytest.raises(TypeError):
        encoder(torch.randn(3, 12, 6), [12, 3, 4])
