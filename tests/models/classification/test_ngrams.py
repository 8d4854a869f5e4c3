"""N-grams straight to the classes, against counting them by hand."""

from collections import Counter

import pytest
import torch
from sklearn.naive_bayes import MultinomialNB

from rnnlp.models import LinearClassifier, NGrams
from rnnlp.models.layers.ngrams import (
    BUCKETS,
    PRIME,
    common_ngrams,
    counts_by_class,
    hashed,
    log_ratios,
)

TEXTS = [[5, 6, 5, 6, 7], [5, 6], [9], [7, 5, 6, 5], [2_000_000, 5], [5, 2_000_000, 5]]


def ngrams(text, order):
    return [
        tuple(text[end - length : end])
        for length in range(1, order + 1)
        for end in range(length, len(text) + 1)
    ]


def hash_of(ngram):
    """That of the n-gram as a text of its own."""
    return int(hashed(torch.tensor([ngram]), len(ngram))[0, -1, -1])


def padded(texts):
    lengths = torch.tensor([len(text) for text in texts])
    tokens = torch.zeros(len(texts), int(lengths.max()), dtype=torch.int64)
    for row, text in enumerate(texts):
        tokens[row, : len(text)] = torch.tensor(text)
    return tokens, lengths


def made(order=3, classes=2):
    torch.manual_seed(0)
    hashes = common_ngrams(TEXTS, order)
    module = NGrams(order=order, rows=len(hashes), classes=classes)
    module.count_only(hashes)
    torch.nn.init.normal_(module.table.weight)
    return module.eval()


@pytest.mark.parametrize("order", [1, 2, 3, 8])
def test_those_of_two_texts_count(order):
    texts = Counter(ngram for text in TEXTS for ngram in set(ngrams(text, order)))
    wanted = {hash_of(ngram) for ngram, count in texts.items() if count > 1}
    assert common_ngrams(TEXTS, order).tolist() == sorted(wanted)
    many = TEXTS * 200  # more than are hashed at once: each occurs in several texts
    everything = {hash_of(ngram) for ngram in texts}
    assert common_ngrams(many, order).tolist() == sorted(everything)


@pytest.mark.parametrize("order", [1, 2, 3, 8])
def test_scores_are_sums_over_ngrams_whatever_is_padded(order):
    module = made(order)
    row_of = {int(value): row for row, value in enumerate(module.hashes, 1)}
    scores = module(*padded(TEXTS))
    for text, actual in zip(TEXTS, scores, strict=True):
        rows = [row_of[hash_of(ngram)] for ngram in ngrams(text, order) if hash_of(ngram) in row_of]
        wanted = module.table.weight[rows].sum(0)
        torch.testing.assert_close(actual, wanted)
        torch.testing.assert_close(module(*padded([text]))[0], actual)


@pytest.mark.parametrize("cuts", [[1, 4], [2], [1, 2, 3, 4]])
def test_in_stretches_as_a_whole(cuts):
    module, (tokens, lengths) = made(), padded([TEXTS[0], TEXTS[0][::-1]])
    counted = None
    for start, stop in zip([0, *cuts], [*cuts, 5], strict=True):
        counted = module.read(tokens[:, start:stop], counted)
    torch.testing.assert_close(counted.scores, module(tokens, lengths))


def test_hashes_stay_in_range_and_apart():
    ids = torch.tensor([[PRIME - 2, PRIME - 2, 3, PRIME - 2]])
    actual = hashed(ids, 3)
    assert actual.min() == -1 and actual.max() < BUCKETS
    pairs = torch.tensor([[a, b] for a in range(4, 60) for b in range(4, 60)])
    distinct = hashed(pairs, 2)[:, 1, 1].unique()
    assert len(distinct) > 0.99 * len(pairs)  # order counts as well


def test_a_state_dict_holds_what_counts():
    one = LinearClassifier(ngrams=made(), classes=2)
    hashes = one.ngrams.hashes
    other = LinearClassifier(ngrams=NGrams(order=3, rows=len(hashes), classes=2), classes=2)
    other.load_state_dict(one.state_dict())
    batch = padded(TEXTS)
    for model in (one, other):
        model.eval()
    torch.testing.assert_close(
        other(batch[0], None, None, batch[1]), one(batch[0], None, None, batch[1])
    )
    with pytest.raises(ValueError, match="hashes of n-grams"):
        other.ngrams.set_extra_state(torch.tensor([BUCKETS]))


def test_log_ratios_are_those_of_naive_bayes():
    """Against sklearn's: the classes apart, each n-gram once a text, smoothed by one."""
    shares = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.5, 1.5], *[[0.0, 0.0, 1.0]] * 40]
    texts = [*TEXTS[:3], *TEXTS[:4] * 10]
    hashes = common_ngrams(texts, 2)
    actual = log_ratios(counts_by_class(texts, map(torch.tensor, shares), hashes, 2))
    having = torch.zeros(len(texts), len(hashes))
    for text, row in zip(texts, having, strict=True):
        for ngram in ngrams(text, 2):
            row[hashes.tolist().index(hash_of(ngram))] = 1.0
    for place in range(3):
        weights = torch.tensor(shares)[:, place].tolist()
        others = (torch.tensor(shares).sum(1) - torch.tensor(shares)[:, place]).tolist()
        bayes = MultinomialNB(alpha=1.0).fit(
            having.repeat(2, 1).numpy(),
            [1] * len(texts) + [0] * len(texts),
            sample_weight=weights + others,
        )
        wanted = torch.from_numpy(bayes.feature_log_prob_[1] - bayes.feature_log_prob_[0]).float()
        torch.testing.assert_close(actual[:, place], wanted, atol=1e-5, rtol=1e-5)


def test_ratios_weigh_the_table_until_they_are_folded_in():
    module, batch = made(), padded(TEXTS)
    counts = torch.rand(len(module.hashes), 2) * 9.0
    plain = made()
    with torch.no_grad():
        plain.table.weight[1:] *= log_ratios(counts) / 4.0
    module.begin(counts, length=80.0)  # four times as many as of short texts: each counts a quarter
    torch.testing.assert_close(module(*batch), plain(*batch))
    module(*batch)[:, 0].sum().backward()
    assert not module.table.weight.grad[0].any() and module.table.weight.grad[1:, 0].any()
    for _ in range(2):  # once is enough
        module.fold()
        torch.testing.assert_close(module(*batch), plain(*batch))
    torch.testing.assert_close(module.table.weight[1:], plain.table.weight[1:])


def test_no_ngram_of_two_texts():
    module = NGrams(order=2, rows=0, classes=2)
    module.count_only(torch.zeros(0, dtype=torch.int32))
    module.begin(torch.zeros(0, 2), length=0.0)
    assert not module(*padded(TEXTS)).any()


def test_dropout_leaves_ngrams_out_in_training_only():
    module, batch = made(), padded(TEXTS[:1])
    module.dropout = 0.5
    whole = module(*batch)
    torch.testing.assert_close(module(*batch), whole)
    module.train()
    actual = torch.stack([module(*batch)[0] for _ in range(50)])
    assert len(actual.unique(dim=0)) > 5
    with pytest.raises(ValueError, match="1 at least"):
        NGrams(order=0, rows=1, classes=2)
