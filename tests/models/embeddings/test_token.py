"""The joined embedding and the two dropouts."""

import pytest
import torch

from rnnlp.models.embeddings.token import Embedding
from rnnlp.models.layers.dropout import Dropout, LockedDropout, WordDropout, drop_out


def make(**changes):
    torch.manual_seed(0)
    settings = dict(
        vocabulary_size=12,
        size=5,
        characters="cnn",
        character_vocabulary_size=9,
        character_size=4,
        character_features=6,
        token_feature_vocabulary_sizes=[7, 9],
        token_feature_size=3,
    )
    return Embedding(**{**settings, **changes})


TOKENS = torch.tensor([[4, 5, 0], [6, 4, 7]])
CHARACTERS = torch.tensor([[[4, 5], [6, 0], [0, 0]], [[4, 0], [4, 5], [8, 8]]])
TOKEN_FEATURES = torch.tensor([[[4, 8], [5, 1], [0, 0]], [[6, 4], [4, 4], [1, 5]]])


@pytest.mark.parametrize("characters", ["none", "cnn", "rnn"])
@pytest.mark.parametrize("sizes", [[], [7, 9]])
def test_parts_stand_in_their_fixed_order(characters, sizes):
    embedding = make(characters=characters, token_feature_vocabulary_sizes=sizes).eval()
    joined = embedding(TOKENS, CHARACTERS, TOKEN_FEATURES)
    assert joined.shape == (2, 3, embedding.output_size)
    assert embedding.output_size == 5 + 6 * (characters != "none") + 3 * len(sizes)
    assert (joined[0, 2] == 0).all()
    assert torch.equal(joined[:, :, :5], embedding.words(TOKENS))
    if characters != "none":
        assert torch.equal(joined[:, :, 5:11], embedding.spelling(CHARACTERS))
    if sizes:
        assert torch.equal(
            joined[:, :, -6:-3], embedding.token_features[0](TOKEN_FEATURES[:, :, 0])
        )
        assert torch.equal(joined[:, :, -3:], embedding.token_features[1](TOKEN_FEATURES[:, :, 1]))


def test_missing_ids_and_sizes_are_errors():
    with pytest.raises(ValueError, match="no character ids"):
        make()(TOKENS, None, TOKEN_FEATURES)
    with pytest.raises(ValueError, match="expected ids of 2 token features, got 0"):
        make()(TOKENS, CHARACTERS)
    with pytest.raises(ValueError, match="expected ids of 2 token features, got 1"):
        make()(TOKENS, CHARACTERS, TOKEN_FEATURES[:, :, :1])
    with pytest.raises(ValueError, match="needs a character_vocabulary_size"):
        make(character_vocabulary_size=0)
    with pytest.raises(ValueError, match="none, cnn, rnn, got 'lstm'"):
        make(characters="lstm")
    with pytest.raises(ValueError, match="vocabulary_size is 1"):
        make(vocabulary_size=1)


def test_vectors_are_taken_over_and_missing_ones_keep_a_random_vector_of_like_length():
    embedding = make(vocabulary_size=6)
    matrix = torch.zeros(6, 5)
    matrix[4], matrix[5] = 3.0, -3.0
    embedding.load_vectors(matrix)
    weight = embedding.words.weight.detach()
    assert torch.equal(weight[4:], matrix[4:]) and (weight[0] == 0).all()
    torch.testing.assert_close(weight[1:4].norm(dim=1), matrix[4].norm().expand(3))
    assert weight.unique(dim=0).shape[0] == 6

    frozen = make(vocabulary_size=6, freeze_vectors=True)
    matrix[5] = 1.0
    frozen.load_vectors(matrix)
    assert not frozen.words.weight.requires_grad
    assert (frozen.words.weight[1:4] == 2.0).all() and (frozen.words.weight[0] == 0).all()
    with pytest.raises(ValueError, match=r"\[6, 4\], the embedding \[6, 5\]"):
        frozen.load_vectors(matrix[:, :4])


def test_word_dropout_spares_padding_and_special_ids():
    torch.manual_seed(0)
    tokens = torch.arange(10).repeat(4000, 1)
    dropped = WordDropout(0.3)(tokens)
    assert torch.equal(dropped[:, :4], tokens[:, :4])
    assert ((dropped == tokens) | (dropped == 1)).all()
    assert (dropped[:, 4:] == 1).float().mean().item() == pytest.approx(0.3, abs=0.01)
    assert WordDropout(0.3).eval()(tokens) is tokens
    with pytest.raises(ValueError, match=r"\[0, 1\), got 1"):
        WordDropout(1.0)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9, 0.99999])
def test_dropout_zeroes_that_share_and_scales_the_rest_as_it_scales_gradients(rate):
    torch.manual_seed(0)
    values = torch.randn(101, 99, 3).requires_grad_()
    dropped = drop_out(values, rate)
    kept = dropped != 0
    assert kept.float().mean().item() == pytest.approx(1 - rate, abs=0.01)
    assert kept.any() == (rate < 0.9999)
    scale = 1 / (1 - min(rate, 1 - 2**-16))
    torch.testing.assert_close(dropped, values * kept * scale, rtol=1e-4, atol=0)
    dropped.sum().backward()
    torch.testing.assert_close(
        values.grad, kept * torch.full_like(values, scale), rtol=1e-4, atol=0
    )


def test_numbers_that_are_drawn_together_are_dropped_independently():
    torch.manual_seed(0)
    kept = drop_out(torch.ones(100_000, 4), 0.3) != 0  # a row is one draw
    together = (kept.double().T @ kept.double()) / len(kept)
    assert together.fill_diagonal_(0.49).sub(0.49).abs().max() < 0.01
    pairs = (kept[1:] & kept[:-1]).double().mean(0)
    assert pairs.sub(0.49).abs().max() < 0.01


def test_dropout_is_for_training_alone_and_the_same_from_the_same_seed():
    values, module = torch.randn(5, 3), Dropout(0.5)
    again = [(torch.manual_seed(3), module(values))[1] for _ in range(2)]
    assert torch.equal(*again)
    assert module.eval()(values) is values
    assert Dropout(0.0)(values) is values
    assert drop_out(values.bfloat16(), 0.5).dtype is torch.bfloat16
    assert drop_out(torch.ones(0, 3), 0.5).shape == (0, 3)
    with pytest.raises(ValueError, match=r"\[0, 1\), got 1"):
        Dropout(1.0)


def test_locked_dropout_holds_its_mask_over_time_and_keeps_the_mean():
    torch.manual_seed(0)
    dropped = LockedDropout(0.25)(torch.ones(200, 7, 50))
    assert torch.equal(dropped, dropped[:, :1].expand_as(dropped))
    assert not torch.equal(dropped[0], dropped[1])
    assert dropped.unique().tolist() == [0.0, pytest.approx(4 / 3)]
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.02)
    states = torch.ones(2, 3, 4)
    assert LockedDropout(0.25).eval()(states) is states
    with pytest.raises(ValueError, match=r"\[2, 3\]"):
        LockedDropout(0.25)(torch.ones(2, 3))
