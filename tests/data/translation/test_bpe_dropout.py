import pickle
from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlp.data.text.tokenizer import BYTES, SPECIALS, Tokenizer
from rnnlp.data.translation.bpe_dropout import SubwordDropout

SAMPLE = [
    "the lower the newer the wider",
    "lowest newest widest, 12 towers",
    "温家宝 访问 上海。温家宝说：",
    "Straße straßen naïve 👨‍👩‍👧‍👦",
] * 3
TOKENIZER = Tokenizer.train(SAMPLE, level="bpe", vocabulary_size=380)
LOWER = Tokenizer.train(SAMPLE, level="bpe", vocabulary_size=330, lowercase=True)
WORDS = st.sampled_from([*" ".join(SAMPLE).split(), " ", "  ", "\t", "\u00a0", "Ġ", "<eos>", "lll"])
TEXTS = st.lists(WORDS | st.text(max_size=4), max_size=12).map("".join)


def draws(rate, text, count, tokenizer=TOKENIZER):
    dropout = SubwordDropout(tokenizer, rate)
    random = Random(1)
    return Counter(tuple(dropout.ids(text, random)) for _ in range(count))


@given(TEXTS)
def test_without_dropout_it_is_the_tokenizer(text):
    for tokenizer in (TOKENIZER, LOWER):
        assert SubwordDropout(tokenizer, 0.0).ids(text, Random(0)) == tokenizer.encode(text)[0]


@given(TEXTS, st.floats(0.0, 1.0), st.integers())
def test_every_rate_decodes_to_the_very_text(text, rate, seed):
    ids = SubwordDropout(TOKENIZER, rate).ids(text, Random(seed))
    assert TOKENIZER.decode(ids) == text
    assert min(ids, default=99) >= len(SPECIALS)


@given(TEXTS)
def test_with_all_merges_left_out_bytes_are_left(text):
    ids = SubwordDropout(TOKENIZER, 1.0).ids(text, Random(0))
    assert len(ids) == len(text.encode())
    assert all(i < len(SPECIALS) + BYTES for i in ids)


@given(TEXTS, st.floats(0.01, 0.99), st.integers())
def test_same_random_same_ids_whatever_was_encoded_before(text, rate, seed):
    dropout = SubwordDropout(TOKENIZER, rate)
    first = dropout.ids(text, Random(seed))
    dropout.ids(text + " the widest", Random(3))
    copied = pickle.loads(pickle.dumps(dropout))
    assert first == dropout.ids(text, Random(seed)) == copied.ids(text, Random(seed))


def likelihoods(symbols, merges, rate):
    """Probability of each outcome, straight from the words of the paper."""
    possible = sorted(
        (merges[pair], place) for place, pair in enumerate(pairwise(symbols)) if pair in merges
    )
    actual = Counter({symbols: rate ** len(possible)})
    for left_out, ((_, both), place) in enumerate(possible):
        after = (*symbols[:place], both, *symbols[place + 2 :])
        for outcome, probability in likelihoods(after, merges, rate).items():
            actual[outcome] += rate**left_out * (1 - rate) * probability
    return actual


@pytest.mark.parametrize("word", ["lower", "towers", "温", "ewewe"])
@pytest.mark.parametrize("rate", [0.1, 0.3, 0.7])
def test_outcomes_are_as_likely_as_the_paper_says(word, rate):
    merges = {
        (left, right): (rank, both) for rank, (left, right, both) in enumerate(TOKENIZER.merges())
    }
    symbols = tuple(SubwordDropout(TOKENIZER, 1.0).ids(word, Random(0)))
    expected = likelihoods(symbols, merges, rate)
    assert sum(expected.values()) == pytest.approx(1.0)
    count = 20_000
    actual = draws(rate, word, count)
    assert set(actual) <= set(expected)
    for outcome, probability in expected.items():
        deviation = (count * probability * (1 - probability)) ** 0.5
        assert abs(actual[outcome] - count * probability) < 5 * deviation + 1


def test_words_of_a_text_are_drawn_apart_from_each_other():
    count = 20_000
    once = draws(0.3, "lower", count)
    twice = draws(0.3, "lower,lower", count)
    comma = TOKENIZER.encode(",")[0][0]
    parts = Counter(
        (outcome[: outcome.index(comma)], outcome[outcome.index(comma) + 1 :])
        for outcome in twice.elements()
    )
    for left, right in ((a, b) for a in once for b in once):
        expected = once[left] * once[right] / count
        assert abs(parts[left, right] - expected) < 6 * expected**0.5 + 6


def test_long_pieces_are_merged_as_well():
    text = "lower" * 60
    assert SubwordDropout(TOKENIZER, 0.0).ids(text, Random(0)) == TOKENIZER.encode(text)[0]
    ids = SubwordDropout(TOKENIZER, 0.2).ids(text, Random(0))
    assert TOKENIZER.decode(ids) == text
    assert len(TOKENIZER.encode(text)[0]) < len(ids) < len(text)


def test_more_dropout_gives_more_sub_words():
    text = " ".join(SAMPLE)
    lengths = [
        len(SubwordDropout(TOKENIZER, rate).ids(text, Random(0))) for rate in (0, 0.1, 0.5, 1)
    ]
    assert lengths == sorted(set(lengths))


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match=r"from 0 to 1, not 1\.5"):
        SubwordDropout(TOKENIZER, 1.5)
    words = Tokenizer.train(SAMPLE, level="word")
    with pytest.raises(ValueError, match="only sub-words are merged, not what is at word level"):
        SubwordDropout(words, 0.1)
    with pytest.raises(ValueError, match="at word level"):
        words.pieces("a")
