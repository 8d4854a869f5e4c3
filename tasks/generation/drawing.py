"""Texts drawn token by token, on either engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from rnnlp.data.text.tokenizer import EOS
from rnnlp.models.search.hypotheses import State, Step, StepFunction
from rnnlp.models.search.sampling import draws_of, sample

from .config import BANNED, SamplingConfig
from .prompts import BegunWords


class DrawRequest(NamedTuple):
    """What is to be drawn: texts that go on after prompts.

    Args:
        prompts: Ids of each; the start symbol first.
        labels: Id of the label of each field.
        sampling: How to draw.
        seeds: Of the random numbers of each.
        begun: The words that what is written begins with.
        heard: Told each token of the first text, the last of its prompt included, before the next
            is drawn.
        vectors: What each is written from, `[prompts, components]`.
    """

    prompts: Sequence[Sequence[int]]
    labels: Sequence[int]
    sampling: SamplingConfig
    seeds: Sequence[int]
    begun: BegunWords | None = None
    heard: Callable[[int], object] | None = None
    vectors: np.ndarray | None = None


def drawn(
    step: StepFunction[State], state: State, *, begin: Any, request: DrawRequest
) -> list[list[int]]:
    """The tokens that go on after prompts.

    Args:
        step: The language model's.
        state: After all tokens of the prompts but their last.
        begin: The last one of each, `[prompts]`, a tensor where the step takes tensors.
        request: What is to be drawn.
    """
    sampling, heard = request.sampling, request.heard

    def told(tokens: Any, state: State) -> Step[State]:
        if heard is not None:
            heard(int(tokens[0]))
        return step(tokens, state)

    hypotheses = sample(
        told,
        state,
        begin=begin,
        end=EOS,
        max_lengths=0 * begin + sampling.max_length,
        temperature=sampling.temperature,
        top_k=sampling.top_k,
        top_p=sampling.top_p,
        banned=BANNED,
        min_length=sampling.min_length,
        no_repeat_ngram_size=sampling.no_repeat_ngram_size,
        beginnings=request.begun,
        draw=draws_of(request.seeds),
    )
    return [hypothesis.tokens for hypothesis in hypotheses]
