"""From a model of the next token to whole sequences: greedy search, beam search and sampling.

The searches know no decoder and no tokenizer. A step function takes the last token of each row
and a state, and gives log-probabilities of the next token and the new state; a state is anything
whose rows can be picked by number. At the start a state has one row for each sentence; a sentence
that is finished leaves the batch, so that later steps cost less.

The searches work on arrays, so that a model on either engine is searched by the same code. A step
function on tensors is told by `max_lengths`: it is then a tensor, too.

What a search takes and gives, and how hypotheses are ranked, is in `hypotheses.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np

from .constraints import Constraints
from .hypotheses import (
    Finished,
    Hypothesis,
    Searchable,
    State,
    Step,
    StepFunction,
    Trail,
    length_penalty_at,
)
from .sampling import arrays, greedy, sample
from .topk import best_sums

__all__ = ["Hypothesis", "Searchable", "Step", "StepFunction", "beam_search", "greedy", "sample"]


def beam_search(
    step: StepFunction[State],
    state: State,
    *,
    begin: Any,
    end: int,
    max_lengths: Any,
    beam_size: int = 5,
    banned: Sequence[int] = (),
    min_length: Any = 0,
    length_penalty: float = 1.0,
    coverage_penalty: float = 0.0,
    no_repeat_ngram_size: int = 0,
    nbest: int = 1,
    source_lengths: Any = None,
    keep_attention: bool = True,
) -> list[list[Hypothesis]]:
    """Follow the most probable beginnings of each sentence side by side.

    A step looks at the 2 * beam most probable continuations of a sentence. An end among the first
    `beam_size` of them finishes a hypothesis; the first `beam_size` others go on. A sentence is
    done when `beam_size` hypotheses are finished, so that a beam of 1 is greedy search, or when
    none that goes on can still enter the `nbest` best, however it ends (log-probabilities are not
    above 0).

    The rows of a sentence always lie side by side, `beam_size` of them: the state is reordered by
    whole sentences only, and within a sentence rows come from that sentence. A place in the beam
    that nothing fills has log-probability -inf and never returns.

    Args:
        step: The model.
        state: Its state before the first token, one row for each sentence.
        begin: The token before the first, or one for each sentence `[sentences]`.
        end: The token after the last.
        max_lengths: `[sentences]`: how many tokens a hypothesis may have at most, without the end.
            After them nothing but the end is allowed. A tensor on the model's device where the
            step function takes and gives tensors; else an array.
        beam_size: How many hypotheses are followed for a sentence.
        banned: Tokens that are never produced.
        min_length: How many tokens a hypothesis has at least, one number or one for each sentence
            `[sentences]`; if max_lengths allows and there is another token than the end to choose.
        length_penalty: alpha of the score; 0 ranks by log-probability.
        coverage_penalty: beta of the score. It needs attention.
        no_repeat_ngram_size: No n-gram of this size occurs twice in a hypothesis; 0 allows all.
        nbest: How many hypotheses to return for a sentence, at most `beam_size`.
        source_lengths: `[sentences]`: how many positions of the source, from the first, are not
            padding; None if none is padding. Coverage and attention leave the others out.
        keep_attention: Whether hypotheses tell where they looked, which takes memory for each
            position of the source at each step.

    Returns:
        For each sentence its best hypotheses, best first: at least one, and fewer than `nbest` if
        fewer exist.

    Raises:
        ValueError: an argument out of its range, or a coverage penalty without attention.
    """
    if not 1 <= nbest <= beam_size:
        raise ValueError(f"nbest must be from 1 to the beam of {beam_size}, not {nbest}")
    if length_penalty < 0 or coverage_penalty < 0:
        raise ValueError("length and coverage penalty must not be negative")
    step, state, (begin, max_lengths, min_length, source_lengths) = arrays(
        step, state, begin, max_lengths, min_length, source_lengths
    )
    constraints = Constraints(
        end=end,
        max_lengths=max_lengths,
        banned=banned,
        min_length=min_length,
        no_repeat_ngram_size=no_repeat_ngram_size,
    )
    trail = Trail(source_lengths)
    finished: list[list[Finished]] = [[] for _ in max_lengths]
    if not finished:
        return []

    active = np.arange(len(finished))  # numbers of the sentences in the batch
    live = np.full((len(finished), beam_size), -np.inf, np.float32)  # log-probabilities
    live[:, 0] = 0.0
    longest = length_penalty_at(max_lengths, length_penalty)  # the most favourable divisor
    goal = np.full(len(finished), -np.inf)  # a score the live must exceed
    state = state.reorder(active.repeat(beam_size))
    last = np.broadcast_to(begin, len(finished)).repeat(beam_size)
    history = np.empty((len(last), 0), np.int64)
    coverage: Any = 0.0  # [rows, source]
    for time in count():
        said = step(last, state)
        log_probs, state, attention = said.log_probs, said.state, said.attention
        sentences = active.repeat(beam_size)
        constraints.apply(log_probs, time, sentences, history)
        if coverage_penalty:
            if attention is None:
                raise ValueError("a coverage penalty needs a step function that gives attention")
            coverage = coverage + attention

        width = log_probs.shape[1]
        best, places = best_sums(live, log_probs, beam_size * min(2, width))
        tokens = places % width
        first = np.arange(0, len(last), beam_size)[:, None]  # row of a sentence
        rows = first + places // width

        is_end = tokens == end
        if is_end.any():
            ended = is_end & (best > -np.inf)
            ended[:, beam_size:] = False
            divisor = length_penalty_at(time, length_penalty)
            for place, rank in np.argwhere(ended).tolist():
                log_prob, row = float(best[place, rank]), int(rows[place, rank])
                score = log_prob / divisor
                if coverage_penalty:
                    seen = coverage[row]
                    if source_lengths is not None:
                        seen = seen[: source_lengths[active[place]]]
                    seen = seen.clip(np.finfo(seen.dtype).tiny, 1.0)  # tiny: stay finite
                    score += coverage_penalty * float(np.log(seen).sum())
                notes = finished[active[place]]
                notes.append(Finished(score, log_prob, time, row))
                notes.sort(key=lambda note: -note.score)
                if len(notes) >= nbest:
                    goal[place] = notes[nbest - 1].score if len(notes) < beam_size else np.inf
            # The others keep their ranks; an end that ranks too low goes on only as a dead row.
            order = np.argsort(is_end, axis=1, kind="stable")
            best, tokens, rows = (np.take_along_axis(x, order, 1) for x in (best, tokens, rows))
            best[tokens == end] = -np.inf
        live, tokens, rows = best[:, :beam_size], tokens[:, :beam_size], rows[:, :beam_size]

        more = live[:, 0] / longest > goal
        if not more.all():
            for place in np.flatnonzero(~more).tolist():
                if not (notes := finished[active[place]]):  # the model rules out everything
                    notes.append(Finished(-np.inf, -np.inf, time, place * beam_size))
            active, longest, goal = active[more], longest[more], goal[more]
            live, tokens, rows = live[more], tokens[more], rows[more]
        last, origin = tokens.flatten(), rows.flatten()
        trail.add(last, origin, attention if keep_attention else None)
        if not len(active):
            break
        if beam_size > 1 or len(origin) < len(log_probs):
            state = state.reorder(origin)
        if coverage_penalty:
            coverage = coverage[origin]
        if no_repeat_ngram_size:
            history = np.concatenate((history[origin], last[:, None]), 1)
    return [
        [trail.read(sentence, note) for note in notes[:nbest]]
        for sentence, notes in enumerate(finished)
    ]
