"""Sampling: tokens come as often as they should, and by chance alone."""

from math import inf, log

import numpy as np
import pytest
import torch

from rnnlp.models.search.sampling import draws_of, greedy, sample

from .random_model import BANNED, BEGIN, END, PAD, Model, close, run, uniform


def draws(model, times, seed=0, **options):
    """Draw many one-token sequences of the same sentence; END stands for an empty one."""
    options.setdefault("max_lengths", torch.ones(times, dtype=torch.long))
    options.setdefault("draw", uniform(seed))
    actual = run(sample, model, [0] * times, **options)
    return torch.tensor([h.tokens[0] if h.tokens else END for h in actual])


@pytest.mark.parametrize("temperature", [1.0, 0.5, 3.0])
@pytest.mark.parametrize(("top_k", "top_p"), [(0, 1.0), (3, 1.0), (0, 0.7), (4, 0.6)])
def test_samples_have_the_right_frequencies(temperature, top_k, top_p):
    model, times = Model(vocabulary=9), 6_000
    first = model.table[0, BEGIN + 1].clone()  # the code after the begin
    first[list(BANNED)] = -inf
    expected = (first / temperature).softmax(0)
    order = expected.argsort(descending=True).tolist()
    if top_k:
        expected[order[top_k:]] = 0.0
        expected /= expected.sum()
    if top_p < 1:
        kept = next(k for k in range(1, 10) if expected[order[:k]].sum() >= top_p)
        expected[order[kept:]] = 0.0
        expected /= expected.sum()
    options = dict(temperature=temperature, top_k=top_k, top_p=top_p)
    counts = draws(model, times, **options).bincount(minlength=9).double()
    assert counts[expected == 0].sum() == 0
    possible = expected > 0
    surprise = ((counts - times * expected) ** 2)[possible] / (times * expected[possible])
    assert surprise.sum() < 30  # chi-square of at most 6 degrees: p = 4e-5


def test_a_flat_distribution_needs_more_tokens_than_are_tried_first():
    model = Model(vocabulary=2000)
    model.table[:] = -log(2000)
    drawn = draws(model, 4000, top_p=0.9, banned=())
    assert 1300 < len(drawn.unique()) <= 1801


@pytest.mark.parametrize("options", [{"top_k": 1}, {"temperature": 1e-6}, {"top_p": 1e-6}])
def test_sampling_without_chance_is_greedy(options):
    model = Model(sentences=20, vocabulary=30)
    draw = uniform(0)
    actual = run(sample, model, range(20), draw=draw, **options)
    for hypothesis, expected in zip(actual, run(greedy, model, range(20)), strict=True):
        close(hypothesis, expected)


def test_the_same_generator_gives_the_same_samples_whenever_others_end():
    model = Model()

    def texts(lengths, seed=1):
        draw = draws_of(range(seed, seed + 8))
        actual = run(sample, model, range(8), max_lengths=lengths, draw=draw)
        return [h.tokens for h in actual]

    long = torch.full((8,), 8)
    assert texts(long) == texts(long)
    assert texts(long) != texts(long, seed=2)
    for sentence in (0, 7):
        short = torch.ones_like(long)
        short[sentence] = 8
        assert texts(short)[sentence] == texts(long)[sentence]


@pytest.mark.parametrize("draw", [0.0, 1.0 - 2.0**-24])
@pytest.mark.parametrize("top_p", [1.0, 0.9])
def test_the_outermost_draws_pick_a_token_that_has_probability(draw, top_p):
    banned = (PAD, BEGIN, 3, 4998, 4999)
    draws_it = lambda sentences: np.full(len(sentences), draw, np.float32)  # noqa: E731
    drawn = draws(Model(vocabulary=5000), 4, top_p=top_p, banned=banned, draw=draws_it)
    assert not set(drawn.tolist()) & set(banned)
