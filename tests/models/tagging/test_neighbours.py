"""N-grams around a token: against a table of strings, and what padding and order do to them."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlp.models import CRF, Embedding, Encoder, Neighbours, Tagger
from rnnlp.models.tagging.reader import SentenceReader


def around(columns, t, order):
    """The n-grams around token t, written out: column, where it begins, and its ids."""
    found = []
    for number, ids in enumerate(columns):
        at = dict(enumerate(ids))
        reach = order if number == 0 else order - 1  # attributes a token less
        for length in range(1, order + 1):
            for begin in range(t - reach, t + reach - length + 2):
                ngram = tuple(at.get(i, 0) for i in range(begin, begin + length))
                found.append((number, begin - t, ngram))
    return found


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 4),
    st.lists(st.tuples(st.integers(1, 50), st.integers(1, 50)), min_size=1, max_size=9),
)
def test_rows_are_those_of_the_ngrams_around_a_token(order, pairs):
    words, shapes = (list(ids) for ids in zip(*pairs, strict=True))
    module = Neighbours(order=order, columns=2, tags=1)
    rows = module.rows(torch.tensor([words]), torch.tensor([shapes]).unsqueeze(2))[0]
    row_of = {}
    for t in range(len(words)):
        wanted = around([words, shapes], t, order)
        assert rows.shape[1] == len(wanted)
        for ngram, row in zip(
            sorted(wanted, key=lambda one: one[0]), rows[t].tolist(), strict=True
        ):
            assert row_of.setdefault(ngram, row) == row and row > 0
    assert len(set(row_of.values())) > 0.95 * len(row_of)  # few share a row


def test_scores_are_the_sum_of_the_rows_and_zero_at_padding():
    module = Neighbours(order=2, columns=1, tags=3).eval()
    torch.nn.init.normal_(module.table.weight)
    tokens = torch.tensor([[4, 9, 2, 0], [7, 0, 0, 0]])
    scores = module(tokens, None)
    rows = module.rows(tokens, None)
    table = module.table.weight.detach()
    torch.testing.assert_close(scores[0, :3], table[rows[0, :3]].sum(1))
    assert (scores[0, 3] == 0).all() and (scores[1, 1:] == 0).all()
    torch.testing.assert_close(module(tokens[1:, :1], None)[0], scores[1, :1])  # no padding


def test_a_token_is_told_from_the_same_one_elsewhere():
    """A linear model of words alone cannot tell them; with n-grams of two it can."""
    torch.manual_seed(0)
    module = Neighbours(order=2, columns=1, tags=2)
    tokens = torch.randint(1, 5, (64, 7))
    wanted = (tokens + tokens.roll(1, 1)) % 2  # by the token before
    wanted[:, 0] = 0
    optimizer = torch.optim.Adam(module.parameters(), 0.1)
    for _ in range(40):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(
            module(tokens, None).flatten(0, 1), wanted.flatten()
        )
        loss.backward()
        optimizer.step()
    assert (module(tokens, None).argmax(2) == wanted).all()


def test_all_are_left_out_where_all_are_dropped():
    module = Neighbours(order=2, columns=1, tags=2, dropout=0.999)
    torch.nn.init.ones_(module.table.weight)
    scores = module(torch.ones(1, 100, dtype=torch.long), None)
    assert scores.mean() < 0.5 < module.eval()(torch.ones(1, 100, dtype=torch.long), None).mean()


def tagger():
    torch.manual_seed(0)
    embedding = Embedding(vocabulary_size=30, size=6, token_feature_vocabulary_sizes=[9])
    encoder = Encoder(input_size=embedding.output_size, hidden_size=5)
    neighbours = Neighbours(order=2, columns=2, tags=3)
    torch.nn.init.normal_(neighbours.table.weight)
    return Tagger(
        embedding=embedding, encoder=encoder, output=CRF(tags=3), neighbours=neighbours
    ).eval()


def test_a_tagger_adds_them_and_scales_them():
    network = tagger()
    tokens, features = torch.randint(1, 30, (2, 5)), torch.randint(1, 9, (2, 5, 1))
    lengths = torch.tensor([5, 5])
    with torch.no_grad():
        scores = network.emissions(tokens, None, features, lengths)
        said = network.neighbours(tokens, features)
        network.neighbours, kept = None, network.neighbours
        torch.testing.assert_close(
            network.emissions(tokens, None, features, lengths) + said, scores
        )
        network.neighbours = kept
        network.scale(2.0)
        torch.testing.assert_close(network.emissions(tokens, None, features, lengths), 2 * scores)


def test_what_cannot_be():
    with pytest.raises(ValueError, match="there is 1 at least"):
        Neighbours(order=0, columns=1, tags=2)
    with pytest.raises(ValueError, match="before what comes after"):
        SentenceReader(tagger())
