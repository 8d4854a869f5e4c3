"""A search among some tokens finds what one does that has all others banned."""

import numpy as np
import pytest

from rnnlp.models.search.beam import beam_search
from rnnlp.models.search.candidates import among
from rnnlp.models.search.hypotheses import Step

VOCABULARY, BEGIN, END = 12, 1, 2
LISTS = np.array([[2, 3, 5, 8, 11], [2, 4, 5, 6, 7], [2, 3, 9, 10, 11]])


class Seen:
    """A state: which sentence each row is of, and a number that hangs on all it has read."""

    def __init__(self, sentence, number):
        self.sentence, self.number = sentence, number

    def reorder(self, index):
        return Seen(self.sentence[index], self.number[index])


def model(allowed):
    """A step function whose scores hang on sentence and history; a column for each of `allowed`."""

    def step(tokens, state):
        number = (state.number * 31 + tokens + 1) % 10_007
        scores = np.sin(np.outer(number, np.arange(1, VOCABULARY + 1))).astype(np.float32)
        ids = allowed[state.sentence]
        kept = np.take_along_axis(scores, ids, 1)
        log_probs = kept - np.log(np.exp(kept).sum(1, keepdims=True))
        if allowed.shape[1] == VOCABULARY:  # the others are ruled out
            ruled = np.full_like(scores, -np.inf)
            lists = LISTS[state.sentence]
            some = np.take_along_axis(scores, lists, 1)
            some = some - np.log(np.exp(some).sum(1, keepdims=True))
            np.put_along_axis(ruled, lists, some, 1)
            log_probs = ruled
        return Step(log_probs, Seen(state.sentence, number))

    return step


@pytest.mark.parametrize("beam_size", [1, 2, 4])
@pytest.mark.parametrize("ngram", [0, 1, 2])
@pytest.mark.parametrize("shortest", [0, 3])
def test_it_is_a_search_with_the_others_banned(beam_size, ngram, shortest):
    settings = {
        "max_lengths": np.array([4, 7, 2]), "beam_size": beam_size, "nbest": beam_size,
        "min_length": shortest, "no_repeat_ngram_size": ngram,
    }  # fmt: skip
    start = Seen(np.arange(3), np.arange(3))
    everything = np.tile(np.arange(VOCABULARY), (3, 1))
    wanted = beam_search(model(everything), start, begin=BEGIN, end=END, **settings)
    begins = np.full((3, 1), BEGIN)
    step, state = among(model(LISTS), start, np.concatenate((LISTS, begins), 1))
    found = beam_search(step, state, begin=LISTS.shape[1], end=0, **settings)
    for ids, ours, theirs in zip(LISTS, found, wanted, strict=True):
        assert [ids[one.tokens].tolist() for one in ours] == [one.tokens for one in theirs]
        assert [one.score for one in ours] == pytest.approx([one.score for one in theirs])
