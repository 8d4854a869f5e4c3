"""Spelling vectors: exactness of the detour over distinct words, and independence of padding."""

import pytest
import torch

from rnnlp.models.embeddings import characters as module
from rnnlp.models.embeddings.characters import CharacterCNN, CharacterRNN, distinct_words


def words(batch=3, time=4, width=6, vocabulary=5):
    """Few characters and short words, so that words repeat; the last position is padding."""
    torch.manual_seed(0)
    ids = torch.randint(1, vocabulary, (batch, time, width))
    lengths = torch.randint(1, width + 1, (batch, time))
    lengths[:, -1] = 0
    ids[0, 1], lengths[0, 1] = ids[2, 0], lengths[2, 0]
    return ids * (torch.arange(width) < lengths[:, :, None])


@pytest.fixture(params=["cnn", "rnn", "gru"])
def spelling(request):
    torch.manual_seed(1)
    if request.param == "cnn":
        return CharacterCNN(vocabulary_size=9, embedding_size=4, output_size=7, widths=(1, 2, 3))
    cell = "lstm" if request.param == "rnn" else "gru"
    return CharacterRNN(vocabulary_size=9, embedding_size=4, output_size=6, cell=cell)


def test_each_word_alone_gives_the_same_vector(spelling):
    ids = words()
    vectors = spelling(ids)
    assert vectors.shape == (3, 4, spelling.output_size)
    assert (vectors[:, -1] == 0).all()
    torch.testing.assert_close(vectors[0, 1], vectors[2, 0])
    for row in range(3):
        for place in range(3):
            word = ids[row, place]
            word = word[word != 0].view(1, 1, -1)
            torch.testing.assert_close(vectors[row, place], spelling(word)[0, 0])


def test_gradients_add_up_over_repeated_words(spelling):
    ids = words()
    vectors = spelling(ids)
    weight = torch.randn_like(vectors)
    joint = torch.autograd.grad((vectors * weight).sum(), list(spelling.parameters()))
    one_by_one = sum(
        (spelling(ids[row : row + 1, place : place + 1]) * weight[row, place]).sum()
        for row in range(3)
        for place in range(4)
    )
    for a, b in zip(
        joint, torch.autograd.grad(one_by_one, list(spelling.parameters())), strict=True
    ):
        torch.testing.assert_close(a, b)


def test_convolution_equals_its_definition():
    torch.manual_seed(2)
    cnn = CharacterCNN(vocabulary_size=9, embedding_size=4, output_size=3, widths=(3,))
    word = torch.tensor([5, 2, 7])
    padded = torch.cat((torch.zeros(2, 4), cnn.embedding(word), torch.zeros(2, 4)))
    windows = torch.stack([padded[i : i + 3].flatten() for i in range(5)])
    expected = cnn.filters[0](windows).amax(0).relu()
    torch.testing.assert_close(cnn(word.view(1, 1, 3))[0, 0], expected)
    torch.testing.assert_close(cnn(torch.tensor([[[5, 2, 7, 0, 0]]]))[0, 0], expected)


def test_distinct_words_also_when_hashes_collide(monkeypatch):
    ids = words().flatten(0, 1)
    rows, word = distinct_words(ids)
    assert torch.equal(rows[word], ids)
    assert len(rows) == len({tuple(row) for row in ids.tolist()})
    monkeypatch.setattr(
        module.torch, "randint", lambda low, high, size, generator: torch.zeros(size).long()
    )
    ids = torch.tensor([[1, 2], [2, 1], [1, 2], [3, 3]])  # with factors of one, 1+2 equals 2+1
    rows, word = distinct_words(ids)
    assert torch.equal(rows[word], ids) and len(rows) == 3


def test_errors_give_the_numbers():
    with pytest.raises(ValueError, match=r"2 filters .* \[2, 3, 4\]"):
        CharacterCNN(vocabulary_size=9, output_size=2)
    with pytest.raises(ValueError, match="even for two directions, got 5"):
        CharacterRNN(vocabulary_size=9, output_size=5)
    with pytest.raises(ValueError, match=r"\[2, 3\]"):
        CharacterCNN(vocabulary_size=9)(torch.ones(2, 3, dtype=torch.int64))
