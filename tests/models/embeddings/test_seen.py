"""Words that come again."""

import numpy as np

from rnnlp.models.embeddings.seen import SeenWords

from .test_token import CHARACTERS, TOKEN_FEATURES, TOKENS, make


def alone(row, place, width):
    """The ids of one token of the batch, its spelling as wide as it is there."""
    at = slice(place, place + 1)
    return (
        TOKENS[row : row + 1, at],
        CHARACTERS[row : row + 1, at, :width],
        TOKEN_FEATURES[row : row + 1, at],
    )


def test_vectors_are_those_of_the_embedding():
    embedding = make().eval()
    words = SeenWords(embedding)
    single = [alone(0, 0, 2), alone(1, 1, 2), alone(1, 1, 1), alone(0, 1, 1)]
    for ids in [(TOKENS, CHARACTERS, TOKEN_FEATURES), *single, *single]:
        actual = words(*(part.numpy() for part in ids))
        np.testing.assert_array_equal(actual, embedding(*ids).detach().numpy())


def test_a_word_is_looked_up_once_until_it_is_the_oldest():
    asked = []
    words = SeenWords(lambda *ids: asked.append(int(ids[0])) or ids[0], most=2)
    for token in (4, 5, 4, 6, 4, 5, 6):
        assert words(np.array([[token]]), None, None) == token
    assert asked == [4, 5, 6, 5, 6]
