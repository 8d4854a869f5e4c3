"""Beam search for translations, on either engine."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnlp.data.text.tokenizer import BOS, EOS
from rnnlp.models.search.beam import beam_search
from rnnlp.models.search.candidates import among
from rnnlp.models.search.hypotheses import Hypothesis
from rnnlp.models.search.sampling import arrays

from .config import BANNED, SearchConfig, target_bounds


def search(
    step: Any,
    state: Any,
    lengths: Any,
    settings: SearchConfig,
    *,
    candidates: np.ndarray | None = None,
    nbest: int = 1,
    keep_attention: bool = False,
) -> list[list[Hypothesis]]:
    """The best translations of a batch of encoded sources, best first.

    Args:
        step: The translator's.
        state: Before the first target token.
        lengths: Of the sources, `[sentences]`, a tensor where the step takes tensors.
        settings: How to search.
        candidates: The target tokens that the step scores for each sentence, the end first, see
            `Shortlist.candidates`; None for all.
        nbest: How many to give of each.
        keep_attention: Whether they tell where they looked.
    """
    shortest, longest = target_bounds(lengths, settings)
    begin, end = BOS, EOS
    banned: tuple[int, ...] = BANNED
    if candidates is not None:
        step, state, (_, longest, shortest, lengths) = arrays(
            step, state, BOS, longest, shortest, lengths
        )
        begins = np.full((len(candidates), 1), BOS)
        step, state = among(step, state, np.concatenate((candidates, begins), 1))
        begin, end, banned = candidates.shape[1], 0, ()
    found = beam_search(
        step,
        state,
        begin=begin,
        end=end,
        max_lengths=longest,
        beam_size=max(settings.beam_size, nbest),
        banned=banned,
        min_length=shortest,
        length_penalty=settings.length_penalty,
        coverage_penalty=settings.coverage_penalty,
        no_repeat_ngram_size=settings.no_repeat_ngram_size,
        nbest=nbest,
        source_lengths=lengths,
        keep_attention=keep_attention,
    )
    if candidates is None:
        return found
    return [
        [one._replace(tokens=ids[one.tokens].tolist()) for one in hypotheses]
        for ids, hypotheses in zip(candidates, found, strict=True)
    ]
