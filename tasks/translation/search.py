"""Beam search for translations, on either engine."""

from __future__ import annotations

from typing import Any

from rnnlp.data.text.tokenizer import BOS, EOS
from rnnlp.models.search.beam import beam_search
from rnnlp.models.search.hypotheses import Hypothesis, State, StepFunction

from .config import BANNED, SearchConfig, target_bounds


def search(
    step: StepFunction[State],
    state: State,
    lengths: Any,
    settings: SearchConfig,
    *,
    nbest: int = 1,
    keep_attention: bool = False,
) -> list[list[Hypothesis]]:
    """The best translations of a batch of encoded sources, best first.

    Args:
        step: The translator's.
        state: Before the first target token.
        lengths: Of the sources, `[sentences]`, a tensor where the step takes tensors.
        settings: How to search.
        nbest: How many to give of each.
        keep_attention: Whether they tell where they looked.
    """
    shortest, longest = target_bounds(lengths, settings)
    return beam_search(
        step,
        state,
        begin=BOS,
        end=EOS,
        max_lengths=longest,
        beam_size=max(settings.beam_size, nbest),
        banned=BANNED,
        min_length=shortest,
        length_penalty=settings.length_penalty,
        coverage_penalty=settings.coverage_penalty,
        no_repeat_ngram_size=settings.no_repeat_ngram_size,
        nbest=nbest,
        source_lengths=lengths,
        keep_attention=keep_attention,
    )
