"""From a model of the next token to whole sequences: greedy search, beam search and sampling.

The searches know no decoder and no tokenizer. A step function takes the last token of each row
and a state, and gives log-probabilities of the next token and the new state; a state is anything
whose rows can be picked by number. At the start a state has one row for each sentence; a sentence
that is finished leaves the batch, so that later steps cost less.

What a search takes and gives, and how hypotheses are ranked, is in `hypotheses.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import torch
from torch import Tensor

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
    log_coverage,
)
from .sampling import greedy, sample
from .topk import best_sums

__all__ = ["Hypothesis", "Searchable", "Step", "StepFunction", "beam_search", "greedy", "sample"]


@torch.no_grad()
def beam_search(
    step: StepFunction[State],
    state: State,
    *,
    begin: int | Tensor,
    end: int,
    max_lengths: Tensor,
    beam_size: int = 5,
    banned: Sequence[int] = (),
    min_length: int | Tensor = 0,
    length_penalty: float = 1.0,
    coverage_penalty: float = 0.0,
    no_repeat_ngram_size: int = 0,
    nbest: int = 1,
    source_lengths: Tensor | None = None,
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
        max_lengths: `[sentences]` on the model's device: how many tokens a hypothesis may have at
            most, without the end. After them nothing but the end is allowed.
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
    constraints = Constraints(
        end=end,
        max_lengths=max_lengths,
        banned=banned,
        min_length=min_length,
        no_repeat_ngram_size=no_repeat_ngram_size,
    )
    device = max_lengths.device
    trail = Trail(source_lengths)
    finished: list[list[Finished]] = [[] for _ in max_lengths]
    if not finished:
        return []

    active = torch.arange(len(finished), device=device)  # numbers of the sentences in the batch
    live = torch.full((len(finished), beam_size), -torch.inf, device=device)  # log-probabilities
    live[:, 0] = 0.0
    longest = length_penalty_at(max_lengths, length_penalty)  # the most favourable divisor
    goal = torch.full((len(finished),), -torch.inf, device=device)  # a score the live must exceed
    state = state.reorder(active.repeat_interleave(beam_size))
    last = torch.as_tensor(begin, device=device).expand(len(finished)).repeat_interleave(beam_size)
    history = last.new_empty(len(last), 0)
    coverage: Tensor | None = None  # [rows, source]
    for time in count():
        said = step(last, state)
        log_probs, state, attention = said.log_probs, said.state, said.attention
        sentences = active.repeat_interleave(beam_size)
        constraints.apply(log_probs, time, sentences, history)
        if coverage_penalty:
            if attention is None:
                raise ValueError("a coverage penalty needs a step function that gives attention")
            coverage = attention if coverage is None else coverage + attention

        width = log_probs.shape[1]
        best, places = best_sums(live, log_probs, beam_size * min(2, width))
        tokens = places % width
        first = torch.arange(0, len(last), beam_size, device=device).unsqueeze(
            1
        )  # row of a sentence
        rows = first + places // width

        is_end = tokens == end
        if is_end.any():
            ended = is_end & (best > -torch.inf)
            ended[:, beam_size:] = False
            extras = torch.zeros_like(best)
            if coverage is not None:
                extras = coverage_penalty * log_coverage(coverage, sentences, source_lengths)[rows]
            divisor = length_penalty_at(time, length_penalty)
            parts = (ended.nonzero()[:, 0], best[ended], extras[ended], rows[ended])
            for place, log_prob, extra, row in zip(*(x.tolist() for x in parts), strict=True):
                notes = finished[int(active[place])]
                notes.append(Finished(log_prob / divisor + extra, log_prob, time, row))
                notes.sort(key=lambda note: -note.score)
                if len(notes) >= nbest:
                    goal[place] = notes[nbest - 1].score if len(notes) < beam_size else torch.inf
            # The others keep their ranks; an end that ranks too low goes on only as a dead row.
            order = is_end.byte().argsort(stable=True, dim=1)
            best, tokens, rows = (x.gather(1, order) for x in (best, tokens, rows))
            best = best.masked_fill(tokens == end, -torch.inf)
        live, tokens, rows = best[:, :beam_size], tokens[:, :beam_size], rows[:, :beam_size]

        more = live[:, 0] / longest > goal
        if not more.all():
            for place in (~more).nonzero()[:, 0].tolist():
                if not (notes := finished[int(active[place])]):  # the model rules out everything
                    notes.append(Finished(-torch.inf, -torch.inf, time, place * beam_size))
            active, longest, goal = active[more], longest[more], goal[more]
            live, tokens, rows = live[more], tokens[more], rows[more]
        last, origin = tokens.flatten(), rows.flatten()
        trail.add(last, origin, attention if keep_attention else None)
        if not len(active):
            break
        if beam_size > 1 or len(origin) < len(log_probs):
            state = state.reorder(origin)
        if coverage is not None:
            coverage = coverage[origin]
        if no_repeat_ngram_size:
            history = torch.cat((history[origin], last.unsqueeze(1)), 1)
    return [
        [trail.read(sentence, note) for note in notes[:nbest]]
        for sentence, notes in enumerate(finished)
    ]
