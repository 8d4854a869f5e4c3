"""A widened encoder reads as before until it has learned what to make of the new parts."""

import pytest
import torch

from rnnlp.models.embeddings.token import Embedding
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.recurrence.cells import CELLS
from rnnlp.models.transfer import widen

TOKENS, CHARACTERS = 9, 7
ROWS = {"bigram": 5, "shape": 4, "suffix": 6}


def network(cell, token_features, characters):
    embedding = Embedding(
        vocabulary_size=TOKENS,
        size=6,
        characters=characters,
        character_vocabulary_size=CHARACTERS,
        character_size=3,
        character_features=4,
        token_feature_vocabulary_sizes=[ROWS[name] for name in token_features],
        token_feature_size=2,
    )
    encoder = Encoder(input_size=embedding.output_size, cell=cell, hidden_size=5, num_layers=2)
    return torch.nn.ModuleDict({"embedding": embedding, "encoder": encoder}).eval()


def states(network, token_features, batch):
    tokens, characters, values, lengths = batch
    columns = [list(ROWS).index(name) for name in token_features]
    vectors = network["embedding"](tokens, characters, values[:, :, columns])
    return network["encoder"](vectors, lengths).states


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("characters", [("none", "rnn"), ("rnn", "rnn"), ("none", "none")])
@pytest.mark.parametrize(
    ("trained", "wanted"),
    [((), ("bigram",)), (("shape",), ("bigram", "shape", "suffix")), (("suffix",), ("suffix",))],
)
def test_states_stay(cell, characters, trained, wanted):
    torch.manual_seed(1)
    before, after = network(cell, trained, characters[0]), network(cell, wanted, characters[1])
    batch = (
        torch.randint(1, TOKENS, (3, 8)),
        torch.randint(1, CHARACTERS, (3, 8, 4)),
        torch.stack([torch.randint(1, rows, (3, 8)) for rows in ROWS.values()], 2),
        torch.tensor([8, 5, 1]),
    )
    wider = widen(before.state_dict(), after["embedding"], token_features=trained, wanted=wanted)
    after.load_state_dict(wider, strict=True)
    actual = states(after, wanted, batch)
    torch.testing.assert_close(actual, states(before, trained, batch))
    # The new parts can be learned: their input weights get a gradient.
    actual.square().sum().backward()
    assert (after["encoder"].weight_ih_l0.grad != 0).any(0).all()
