"""A model that says random things, which searches are tried on, and what a search gives on it."""

from math import inf, log
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from rnnlp.models.search.beam import Step

PAD, BEGIN, END = 0, 1, 2
BANNED = (PAD, BEGIN)
CODES = 23  # how many histories the model tells apart
SOURCE = 6


class Rows(NamedTuple):
    """State of the model below: which sentence a row belongs to and what it has said."""

    sentence: Tensor
    code: Tensor

    def reorder(self, index):
        return Rows(self.sentence[index], self.code[index])


class Model:
    """Random log-probabilities for each sentence and history; counts the rows it is asked for."""

    def __init__(self, sentences=8, vocabulary=6, seed=0, end=0.0, dtype=torch.float64):
        torch.manual_seed(seed)
        logits = 1.5 * torch.randn(sentences, CODES, vocabulary, dtype=torch.float64)
        logits[:, :, END] += end
        self.table = logits.log_softmax(2).to(dtype)
        self.source_lengths = torch.randint(1, SOURCE + 1, (sentences,))
        padding = torch.arange(SOURCE) >= self.source_lengths[:, None]
        weights = (3 * torch.randn(sentences, CODES, SOURCE, dtype=torch.float64)).masked_fill(
            padding[:, None], -inf
        )
        self.weights = weights.softmax(2)
        self.rows = []

    def start(self, sentences):
        sentences = torch.as_tensor(sentences)
        return Rows(sentences, torch.zeros_like(sentences))

    def step(self, last, state):
        self.rows.append(state.sentence.tolist())
        code = (state.code * 5 + last + 1) % CODES
        where = (state.sentence, code)
        return Step(self.table[where], Rows(state.sentence, code), self.weights[where])

    def follow(self, sentence, tokens):
        """Log-probability and attention of complete tokens: the definition, step by step."""
        code, total, weights = 0, 0.0, []
        for last, token in zip((BEGIN, *tokens), (*tokens, END), strict=True):
            code = (code * 5 + last + 1) % CODES
            total += self.table[sentence, code, token].item()
            weights.append(self.weights[sentence, code])
        return total, torch.stack(weights)[:, : self.source_lengths[sentence]]

    def score(self, sentence, tokens, alpha=1.0, beta=0.0):
        total, weights = self.follow(sentence, tokens)
        coverage = sum(log(min(x, 1.0)) for x in weights.sum(0).tolist()) if beta else 0.0
        return total / ((5 + len(tokens) + 1) / 6) ** alpha + beta * coverage


def run(search, model, sentences, **options):
    options.setdefault("max_lengths", torch.full((len(sentences),), 8))
    options.setdefault("source_lengths", model.source_lengths[list(sentences)])
    options.setdefault("banned", BANNED)
    return search(model.step, model.start(sentences), begin=BEGIN, end=END, **options)


def repeats(tokens, size):
    grams = [tuple(tokens[k : k + size]) for k in range(len(tokens) - size + 1)]
    return len(set(grams)) < len(grams)


def close(actual, expected):
    assert actual.tokens == expected.tokens
    assert actual.score == pytest.approx(expected.score, abs=1e-9)
    assert actual.log_prob == pytest.approx(expected.log_prob, abs=1e-9)
    np.testing.assert_allclose(actual.attention, expected.attention)


def uniform(seed):
    numbers = np.random.default_rng(seed)
    return lambda sentences: numbers.random(len(sentences))
