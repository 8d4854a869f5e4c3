import numpy as np
import pytest

from rnnlp.data.text.featurizer import MAX_WORD_LENGTH, Featurizer
from rnnlp.data.text.token_features import TOKEN_FEATURES
from rnnlp.data.text.tokenizer import UNK, Tokenizer

SENTENCES = [["Obama", "visited", "Berlin"], ["obama", "is", "in", "Berlin", "."], ["42"]]


def train(**options):
    return Featurizer.train(SENTENCES, level="word", **options)


def test_batch_pads_with_zeros():
    featurizer = train(token_features=["bigram", "shape"], lowercase=True)
    batch = featurizer.batch(SENTENCES)
    assert batch.lengths.tolist() == [3, 5, 1]
    assert batch.tokens.shape == (3, 5)
    assert batch.token_features.shape == (3, 5, 2)
    assert batch.characters.shape == (3, 5, len("visited"))
    for ids in (batch.tokens, batch.characters, batch.token_features):
        assert ids.dtype == np.int64
        assert not ids[0, 3:].any()
        assert not ids[2, 1:].any()
    assert batch.tokens[0, 0] == batch.tokens[1, 0] > UNK
    assert (batch.characters[0, 0, 1:] == batch.characters[1, 0, 1:]).all()


def test_padding_does_not_change_a_row():
    featurizer = train(token_features=["bigram"])
    together = featurizer.batch(SENTENCES)
    for i, sentence in enumerate(SENTENCES):
        alone = featurizer.batch([sentence])
        for one, all_ in zip(alone, together, strict=True):
            part = all_[i : i + 1][tuple(slice(size) for size in one.shape)]
            assert np.array_equal(one, part)


def test_parts_are_optional():
    featurizer = train(characters=False)
    assert featurizer.sizes == (len(featurizer.tokens), 0, ())
    assert featurizer.batch(SENTENCES)[2:] == (None, None)


def test_rare_characters_are_unknown_so_that_unknown_is_trained():
    featurizer = train()
    assert "i" in featurizer.characters
    assert "4" not in featurizer.characters


def test_bigrams_pair_a_token_with_the_one_before():
    featurizer = Featurizer.train(
        [["北", "京"], ["北", "京", "北"], ["北"]],
        level="character",
        characters=False,
        token_features=["bigram"],
    )
    first, second, third = featurizer.row(["北", "京", "北"]).token_features[0]
    assert len({first, second}) == 2
    assert min(first, second) > UNK
    assert third == UNK  # seen once


def test_long_words_keep_head_and_tail():
    featurizer = Featurizer.train([["abc", "abd", "xyz", "yxz"]], level="word")
    ids = featurizer.row(["a" + "b" * 100 + "z"]).characters[0]
    assert len(ids) == MAX_WORD_LENGTH
    assert ids[0] == featurizer.characters.ids(["a"])[0]
    assert ids[-1] == featurizer.characters.ids(["z"])[0]


def test_attributes_come_in_one_order_whatever_order_they_are_asked_for():
    one, other = (train(token_features=names) for names in (TOKEN_FEATURES, TOKEN_FEATURES[::-1]))
    assert list(one.token_features) == list(other.token_features) == list(TOKEN_FEATURES)
    assert one.row(SENTENCES[1]) == other.row(SENTENCES[1])
    with pytest.raises(ValueError, match="unknown attribute 'colour': use bigram, shape"):
        train(token_features=["colour"])


@pytest.mark.parametrize("characters", [True, False])
@pytest.mark.parametrize("token_features", [[], ["suffix", "bigram"], list(TOKEN_FEATURES)])
def test_save_and_load(characters, token_features, tmp_path):
    featurizer = train(characters=characters, token_features=token_features)
    featurizer.save(tmp_path)
    loaded = Featurizer.load(tmp_path)
    assert loaded.sizes == featurizer.sizes
    assert loaded.row(SENTENCES[1]) == featurizer.row(SENTENCES[1])


def test_an_empty_sentence_is_refused():
    featurizer = train()
    with pytest.raises(ValueError, match="at least one token"):
        featurizer.batch([["a"], []])
    with pytest.raises(ValueError, match="at least one token"):
        featurizer.batch([])
    assert featurizer.row([""]).characters == [[UNK]]


def test_raw_text_has_the_ids_of_its_tokens():
    featurizer = train(token_features=["bigram", "shape"])
    row, offsets = featurizer.encode("Obama is in Berlin.")
    assert [end for _, end in offsets] == [5, 8, 11, 18, 19]
    assert row == featurizer.row(["Obama", "is", "in", "Berlin", "."])
    assert featurizer.encode(" ")[0].tokens == []
    assert featurizer.level == "word"


def test_sub_words(tmp_path):
    tokens = Tokenizer.train(["Obama visited Berlin"], level="bpe", vocabulary_size=280)
    Featurizer(tokens=tokens).save(tmp_path)
    featurizer = Featurizer.load(tmp_path)
    assert featurizer.level == "bpe"
    assert featurizer.sizes == (len(tokens), 0, ())
    row, offsets = featurizer.encode("Berlin, 东京")
    assert (row.tokens, offsets) == tokens.encode("Berlin, 东京")
    assert row[1:] == (None, None)
    with pytest.raises(ValueError, match="use encode"):
        featurizer.row(["Berlin"])
    with pytest.raises(ValueError, match="neither characters nor attributes"):
        Featurizer(tokens=tokens, characters=tokens)
