"""Greedy and beam search against enumeration and a plain search, and what changes no result."""

from itertools import product
from math import inf, log

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlp.models.search.beam import Step, beam_search
from rnnlp.models.search.sampling import greedy, sample

from .random_model import BANNED, BEGIN, CODES, END, PAD, Model, Rows, close, repeats, run, uniform


@pytest.mark.parametrize(
    ("alpha", "beta", "shortest", "size"),
    [
        (0.0, 0.0, [0] * 8, 0),
        (1.0, 0.0, [0] * 8, 0),
        (0.6, 0.3, [0] * 8, 0),
        (1.0, 0.5, [2] * 8, 0),
        (1.0, 0.0, [1] * 8, 2),
        (1.0, 0.3, [1, 0, 2, 1, 4, 0, 2, 3], 3),
    ],
)
def test_a_wide_beam_equals_enumeration(alpha, beta, shortest, size):
    model = Model(vocabulary=6)
    longest = [0, 1, 2, 3, 4, 4, 3, 2]
    actual = run(
        beam_search,
        model,
        range(8),
        max_lengths=torch.tensor(longest),
        beam_size=200,  # more than there are sequences of three tokens up to the length of 4
        nbest=4,
        length_penalty=alpha,
        coverage_penalty=beta,
        min_length=torch.tensor(shortest),
        no_repeat_ngram_size=size,
    )
    for sentence, (least, most) in enumerate(zip(shortest, longest, strict=True)):
        every = [
            tokens
            for length in range(min(least, most), most + 1)
            for tokens in product((3, 4, 5), repeat=length)
            if not (size and repeats(tokens, size))
        ]
        score = {tokens: model.score(sentence, tokens, alpha, beta) for tokens in every}
        best = sorted(every, key=lambda tokens: -score[tokens])[:4]
        assert [tuple(h.tokens) for h in actual[sentence]] == best
        for hypothesis in actual[sentence]:
            total, weights = model.follow(sentence, hypothesis.tokens)
            assert hypothesis.log_prob == pytest.approx(total, abs=1e-9)
            assert hypothesis.score == pytest.approx(score[tuple(hypothesis.tokens)], abs=1e-9)
            np.testing.assert_allclose(hypothesis.attention, weights)


def plain_beam_search(model, sentence, *, beam_size, most, shortest=0, size=0, alpha=1.0, beta=0.0):
    """One sentence, lists of tokens, no stopping but at `beam_size` finished hypotheses."""
    live, done = [((), 0.0, 0)], []
    while live and len(done) < beam_size:
        candidates = []
        for tokens, total, code in live:
            code = (code * 5 + (tokens[-1] if tokens else BEGIN) + 1) % CODES
            for token, log_prob in enumerate(model.table[sentence, code].tolist()):
                full = len(tokens) == most
                if token in BANNED or (full and token != END):
                    continue
                if token == END and len(tokens) < shortest and not full:
                    continue
                if token != END and size and repeats((*tokens, token), size):
                    continue
                candidates.append(((*tokens, token), total + log_prob, code))
        candidates.sort(key=lambda candidate: -candidate[1])
        done += [tokens[:-1] for tokens, _, _ in candidates[:beam_size] if tokens[-1] == END]
        live = [candidate for candidate in candidates if candidate[0][-1] != END][:beam_size]
    return sorted(done, key=lambda tokens: -model.score(sentence, tokens, alpha, beta))


@pytest.mark.parametrize("vocabulary", [7, 1000])  # 1000: wide enough to go by blocks
@pytest.mark.parametrize("beam_size", [1, 2, 5])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"length_penalty": 0.0},
        {"coverage_penalty": 0.3, "length_penalty": 0.7},
        {"no_repeat_ngram_size": 2, "min_length": 4},
    ],
)
def test_a_narrow_beam_equals_a_plain_one(vocabulary, beam_size, options):
    model = Model(sentences=20, vocabulary=vocabulary, seed=beam_size, end=log(vocabulary) - 2)
    actual = run(beam_search, model, range(20), beam_size=beam_size, nbest=beam_size, **options)
    named = {
        "length_penalty": "alpha",
        "coverage_penalty": "beta",
        "min_length": "shortest",
        "no_repeat_ngram_size": "size",
    }
    plain = {named[name]: value for name, value in options.items()}
    for sentence, hypotheses in enumerate(actual):
        expected = plain_beam_search(model, sentence, beam_size=beam_size, most=8, **plain)
        assert [tuple(h.tokens) for h in hypotheses] == expected[:beam_size]


@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_stopping_early_never_changes_the_best(alpha):
    model = Model(sentences=50, end=1.0)
    wanted = run(beam_search, model, range(50), nbest=5, length_penalty=alpha)
    patient, model.rows = sum(map(len, model.rows)), []
    actual = run(beam_search, model, range(50), nbest=1, length_penalty=alpha)
    for few, many in zip(actual, wanted, strict=True):
        close(few[0], many[0])
    assert sum(map(len, model.rows)) < patient


@pytest.mark.parametrize("options", [{}, {"min_length": 3}, {"no_repeat_ngram_size": 1}])
def test_a_beam_of_one_is_greedy(options):
    model = Model(sentences=50, vocabulary=30)
    actual = run(beam_search, model, range(50), beam_size=1, **options)
    for (beam_size,), alone in zip(actual, run(greedy, model, range(50), **options), strict=True):
        close(beam_size, alone)


def test_hypotheses_are_complete_and_in_order_of_score():
    model = Model(sentences=20)
    for sentence, hypotheses in enumerate(run(beam_search, model, range(20), nbest=5)):
        assert len(hypotheses) == 5
        assert len({tuple(h.tokens) for h in hypotheses}) == 5
        scores = [h.score for h in hypotheses]
        assert scores == sorted(scores, reverse=True)
        for hypothesis in hypotheses:
            total, weights = model.follow(sentence, hypothesis.tokens)
            assert hypothesis.log_prob == pytest.approx(total)
            np.testing.assert_allclose(hypothesis.attention, weights)


LENGTHS = [3, 8, 0, 5, 1, 8, 6, 2, 7, 4]


@pytest.mark.parametrize("search", [beam_search, greedy])
@settings(max_examples=40, deadline=None)
@given(
    sentences=st.lists(st.integers(0, 9), min_size=1, max_size=12),
    size=st.integers(0, 2),
    shortest=st.integers(0, 4),
    coverage=st.sampled_from([0.0, 0.4]),
)
def test_other_sentences_and_their_order_change_nothing(
    search, sentences, size, shortest, coverage
):
    model = Model(sentences=10, vocabulary=12, seed=3, end=1.5)
    options = {"no_repeat_ngram_size": size, "min_length": shortest}
    if search is beam_search:
        options |= {"coverage_penalty": coverage, "nbest": 2, "beam_size": 3}
    together = run(
        search, model, sentences, max_lengths=torch.tensor(LENGTHS)[sentences], **options
    )
    for sentence, actual in zip(sentences, together, strict=True):
        lengths = torch.tensor(LENGTHS[sentence : sentence + 1])
        (alone,) = run(search, model, [sentence], max_lengths=lengths, **options)
        pairs = zip(actual, alone, strict=True) if search is beam_search else [(actual, alone)]
        for one, other in pairs:
            close(one, other)
            assert len(one.tokens) <= LENGTHS[sentence]
            assert len(one.tokens) >= min(shortest, LENGTHS[sentence]) or size
            assert not set(one.tokens) & {PAD, BEGIN, END}
            assert not (size and repeats(one.tokens, size))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(1, 3), beam_size=st.integers(1, 4))
def test_no_ngram_is_said_twice(seed, size, beam_size):
    model = Model(sentences=4, vocabulary=5, seed=seed, end=-5.0)
    options = dict(max_lengths=torch.full((4,), 12), no_repeat_ngram_size=size)
    for hypotheses in run(
        beam_search, model, range(4), beam_size=beam_size, nbest=beam_size, **options
    ):
        assert all(not repeats(h.tokens, size) for h in hypotheses)
    draw = uniform(seed)
    for hypothesis in run(sample, model, range(4), draw=draw, **options):
        assert not repeats(hypothesis.tokens, size)


@pytest.mark.parametrize("beam_size", [1, 3])
def test_finished_sentences_leave_in_whole_groups(beam_size):
    model = Model(sentences=10, end=-30.0)  # so that only the longest length ends a hypothesis
    lengths = torch.tensor(LENGTHS)
    run(beam_search, model, range(10), beam_size=beam_size, max_lengths=lengths)
    expected = [
        [sentence for sentence in range(10) if LENGTHS[sentence] >= time for _ in range(beam_size)]
        for time in range(9)
    ]
    assert model.rows == expected
    model.rows = []
    run(greedy, model, range(10), max_lengths=lengths)
    assert model.rows == [group[::beam_size] for group in expected]


def test_rows_come_from_their_own_group_of_the_beam():
    model, seen = Model(sentences=10, vocabulary=12), []

    class Watched(Rows):
        def reorder(self, index):
            seen.append((len(self.sentence), index))
            return Watched(*super().reorder(index))

    def step(last, state):
        said = model.step(last, state)
        return Step(said.log_probs, Watched(*said.state))

    start = Watched(*model.start(range(10)))
    lengths = torch.tensor(LENGTHS)
    actual = beam_search(step, start, begin=BEGIN, end=END, max_lengths=lengths, beam_size=4)
    assert all(h.attention is None for (h,) in actual)
    (rows, index), *later = seen
    assert rows == 10
    assert index.tolist() == [sentence for sentence in range(10) for _ in range(4)]
    for rows, index in later:
        groups = index.view(-1, 4) // 4
        assert (groups == groups[:, :1]).all()
        assert (groups[1:, 0] > groups[:-1, 0]).all()  # in order, none twice
        assert index.max() < rows


@pytest.mark.parametrize("search", [beam_search, greedy])
def test_a_length_of_zero_and_no_sentences(search):
    model = Model()
    (actual,) = run(search, model, [0], max_lengths=torch.tensor([0]), min_length=3)
    hypothesis = actual[0] if search is beam_search else actual
    assert hypothesis.tokens == []
    assert hypothesis.log_prob == pytest.approx(model.follow(0, [])[0])
    assert hypothesis.attention.shape == (1, model.source_lengths[0])
    assert run(search, model, [], max_lengths=torch.tensor([], dtype=torch.long)) == []


def test_the_end_is_allowed_where_nothing_else_is():
    model = Model(vocabulary=5)  # two tokens are left, and none may be said twice
    lengths = torch.tensor([2, 8, 8, 2, 8, 8, 8, 8])  # some are full at the same step
    options = dict(min_length=6, no_repeat_ngram_size=1, max_lengths=lengths)
    for (hypothesis,) in run(beam_search, model, range(8), **options):
        assert sorted(hypothesis.tokens) == [3, 4]
        assert hypothesis.log_prob > -inf


@pytest.mark.parametrize("fill", [-inf, float("nan")])
def test_a_model_that_says_nothing_still_comes_to_an_end(fill):
    model = Model()
    model.table[:] = fill
    draw = uniform(0)
    assert all(len(actual) == 1 for actual in run(beam_search, model, range(8)))
    assert len(run(greedy, model, range(8))) == 8
    assert len(run(sample, model, range(8), draw=draw)) == 8


def test_single_and_half_precision():
    exact = run(beam_search, Model(), range(8))
    for dtype in (torch.float32, torch.bfloat16):
        actual = run(beam_search, Model(dtype=dtype), range(8))
        assert all(
            h.log_prob == pytest.approx(e.log_prob, rel=0.1)
            for (h,), (e,) in zip(actual, exact, strict=True)
        )


def test_each_sentence_may_begin_with_its_own_token():
    model = Model()
    begin = torch.tensor([3, 4, 5])
    lengths = torch.full((3,), 5)
    options = dict(end=END, banned=BANNED)
    together = beam_search(
        model.step, model.start([0, 0, 0]), begin=begin, max_lengths=lengths, **options
    )
    for k, (actual,) in enumerate(together):
        ((best,),) = beam_search(
            model.step, model.start([0]), begin=int(begin[k]), max_lengths=lengths[:1], **options
        )
        close(actual, best)


@pytest.mark.parametrize(
    ("search", "options", "message"),
    [
        (beam_search, {"beam_size": 0}, "nbest"),
        (beam_search, {"beam_size": 2, "nbest": 3}, "nbest"),
        (beam_search, {"length_penalty": -0.1}, "negative"),
        (greedy, {"banned": (END,)}, "banned"),
        (greedy, {"min_length": -1}, "negative"),
        (greedy, {"max_lengths": torch.full((8,), -1)}, "negative"),
        (sample, {"temperature": 0.0}, "temperature"),
        (sample, {"top_p": 0.0}, "top_p"),
    ],
)
def test_arguments_out_of_range_are_named(search, options, message):
    if search is sample:
        options = {**options, "draw": uniform(0)}
    with pytest.raises(ValueError, match=message):
        run(search, Model(), range(8), **options)


def test_coverage_needs_attention():
    model = Model()

    def step(last, state):
        said = model.step(last, state)
        return Step(said.log_probs, said.state)

    with pytest.raises(ValueError, match="attention"):
        beam_search(
            step,
            model.start([0]),
            begin=BEGIN,
            end=END,
            max_lengths=torch.tensor([3]),
            coverage_penalty=0.1,
        )
