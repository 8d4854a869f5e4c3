"""From a model of the next token to whole sequences: greedy search, beam search and sampling.

The searches know no decoder and no tokenizer. A step function takes the last token of each row
and a state, and gives log-probabilities of the next token and the new state; a state is anything
whose rows can be picked by number. At the start a state has one row for each sentence; a sentence
that is finished leaves the batch, so that later steps cost less.

What a search takes and gives, and how hypotheses are ranked, is in `hypotheses.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from .topk import best_sums

__all__ = ["Hypothesis", "Searchable", "Step", "StepFunction", "beam_search", "greedy", "sample"]

FEW = 256  # tokens that sampling by `top_p` tries before it sorts the whole vocabulary


@torch.no_grad()
def greedy(
    step: StepFunction[State],
    state: State,
    *,
    begin: int | Tensor,
    end: int,
    max_lengths: Tensor,
    banned: Sequence[int] = (),
    min_length: int = 0,
    block_ngrams: int = 0,
    source_lengths: Tensor | None = None,
) -> list[Hypothesis]:
    """Take the most probable token at each step: what `beam_search` finds with a beam of 1.

    Arguments are those of `beam_search`; the score has its default length penalty.
    """
    constraints = Constraints(
        end=end,
        max_lengths=max_lengths,
        banned=banned,
        min_length=min_length,
        block_ngrams=block_ngrams,
    )
    zeros = torch.zeros(1, 1, device=max_lengths.device)

    def choose(log_probs: Tensor, _: Tensor) -> Tensor:
        return best_sums(zeros.expand(len(log_probs), 1), log_probs, 1)[1].squeeze(1)

    return _single(step, state, begin, constraints, source_lengths, choose)


@torch.no_grad()
def sample(
    step: StepFunction[State],
    state: State,
    *,
    begin: int | Tensor,
    end: int,
    max_lengths: Tensor,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    banned: Sequence[int] = (),
    min_length: int = 0,
    block_ngrams: int = 0,
    source_lengths: Tensor | None = None,
    generator: torch.Generator | Sequence[torch.Generator],
) -> list[Hypothesis]:
    """Draw each token at random, by its probability.

    Args:
        step: As in `beam_search`, and so are the arguments that are not named here.
        state: As in `beam_search`.
        begin: The token before the first, or one for each sentence: the last of its prompt.
        end: As in `beam_search`.
        max_lengths: As in `beam_search`.
        temperature: Probabilities are taken to the power 1 / temperature: below 1 the probable
            becomes more probable. Towards 0 the result is that of `greedy`.
        top_k: Draw among the so many most probable tokens only; 0 for all.
        top_p: Draw among the most probable tokens whose probabilities, after temperature and
            `top_k`, just reach this sum (Holtzman et al. 2020, arXiv 1904.09751); 1 for all.
        banned: As in `beam_search`.
        min_length: As in `beam_search`.
        block_ngrams: As in `beam_search`.
        source_lengths: As in `beam_search`.
        generator: Source of the draws. Each step draws one number for every sentence, finished
            or not, so that what a sentence gets does not depend on when others end. With one
            generator for each sentence it does not depend on which others there are, either.

    Returns:
        One hypothesis for each sentence. Log-probability and score are the model's own.

    Raises:
        ValueError: an argument out of its range.
    """
    if not temperature > 0 or top_k < 0 or not 0 < top_p <= 1:
        raise ValueError(
            f"sampling needs temperature > 0, top_k >= 0 and 0 < top_p <= 1, "
            f"not {temperature}, {top_k} and {top_p}"
        )
    constraints = Constraints(
        end=end,
        max_lengths=max_lengths,
        banned=banned,
        min_length=min_length,
        block_ngrams=block_ngrams,
    )

    def choose(log_probs: Tensor, active: Tensor) -> Tensor:
        if isinstance(generator, torch.Generator):
            draws = torch.rand(len(max_lengths), generator=generator, device=generator.device)
            draws = draws.to(log_probs.device)[active]
        else:
            numbers = [float(torch.rand((), generator=generator[row])) for row in active.tolist()]
            draws = torch.tensor(numbers, device=log_probs.device)
        logits, ids = log_probs, None
        if top_k and top_k < logits.shape[1]:
            logits, ids = logits.topk(top_k)
        peak = logits.amax(1, keepdim=True)  # taken off first: a low temperature cannot overflow
        mass = ((logits - peak).float() / temperature).softmax(1)
        if top_p < 1 and ids is None:  # a few tokens mostly reach the sum, which saves a sort
            few = mass.topk(min(FEW, mass.shape[1]))
            enough = bool((few.values.sum(1) >= top_p).all())
            mass, ids = few if enough else mass.sort(1, descending=True)
        sums = mass.cumsum(1)
        if top_p < 1:  # keep a token if what is before it does not reach the sum yet
            mass = mass.masked_fill(sums - mass >= top_p, 0.0)
            sums = mass.cumsum(1)
        # A draw is below 1, so the target is below the last sum: never a token of no probability.
        targets = draws.unsqueeze(1) * sums[:, -1:]
        picked = torch.searchsorted(sums, targets, right=True).clamp_max_(sums.shape[1] - 1)
        return (picked if ids is None else ids.gather(1, picked)).squeeze(1)

    return _single(step, state, begin, constraints, source_lengths, choose)


@torch.no_grad()
def beam_search(
    step: StepFunction[State],
    state: State,
    *,
    begin: int | Tensor,
    end: int,
    max_lengths: Tensor,
    beam: int = 5,
    banned: Sequence[int] = (),
    min_length: int = 0,
    length_penalty: float = 1.0,
    coverage_penalty: float = 0.0,
    block_ngrams: int = 0,
    nbest: int = 1,
    source_lengths: Tensor | None = None,
) -> list[list[Hypothesis]]:
    """Follow the most probable beginnings of each sentence side by side.

    A step looks at the 2 * beam most probable continuations of a sentence. An end among the first
    `beam` of them finishes a hypothesis; the first `beam` others go on. A sentence is done when
    `beam` hypotheses are finished, so that a beam of 1 is greedy search, or when none that goes on
    can still enter the `nbest` best, however it ends (log-probabilities are not above 0).

    The rows of a sentence always lie side by side, `beam` of them: the state is reordered by whole
    sentences only, and within a sentence rows come from that sentence. A place in the beam that
    nothing fills has log-probability -inf and never returns.

    Args:
        step: The model.
        state: Its state before the first token, one row for each sentence.
        begin: The token before the first, or one for each sentence `[sentences]`.
        end: The token after the last.
        max_lengths: `[sentences]` on the model's device: how many tokens a hypothesis may have at
            most, without the end. After them nothing but the end is allowed.
        beam: How many hypotheses are followed for a sentence.
        banned: Tokens that are never produced.
        min_length: How many tokens a hypothesis has at least, if max_lengths allows and there is
            another token than the end to choose.
        length_penalty: alpha of the score; 0 ranks by log-probability.
        coverage_penalty: beta of the score. It needs attention.
        block_ngrams: No n-gram of this size occurs twice in a hypothesis; 0 allows all.
        nbest: How many hypotheses to return for a sentence, at most `beam`.
        source_lengths: `[sentences]`: how many positions of the source, from the first, are not
            padding; None if none is padding. Coverage and attention leave the others out.

    Returns:
        For each sentence its best hypotheses, best first: at least one, and fewer than `nbest` if
        fewer exist.

    Raises:
        ValueError: an argument out of its range, or a coverage penalty without attention.
    """
    if not 1 <= nbest <= beam:
        raise ValueError(f"nbest must be from 1 to the beam of {beam}, not {nbest}")
    if length_penalty < 0 or coverage_penalty < 0:
        raise ValueError("length and coverage penalty must not be negative")
    constraints = Constraints(
        end=end,
        max_lengths=max_lengths,
        banned=banned,
        min_length=min_length,
        block_ngrams=block_ngrams,
    )
    device = max_lengths.device
    trail = Trail(source_lengths)
    finished: list[list[Finished]] = [[] for _ in max_lengths]
    if not finished:
        return []

    active = torch.arange(len(finished), device=device)  # numbers of the sentences in the batch
    live = torch.full((len(finished), beam), -torch.inf, device=device)  # log-probabilities
    live[:, 0] = 0.0
    longest = length_penalty_at(max_lengths, length_penalty)  # the most favourable divisor
    goal = torch.full((len(finished),), -torch.inf, device=device)  # a score the live must exceed
    state = state.reorder(active.repeat_interleave(beam))
    last = torch.as_tensor(begin, device=device).expand(len(finished)).repeat_interleave(beam)
    history = last.new_empty(len(last), 0)
    coverage: Tensor | None = None  # [rows, source]
    for time in count():
        said = step(last, state)
        log_probs, state, attention = said.log_probs, said.state, said.attention
        sentences = active.repeat_interleave(beam)
        constraints.apply(log_probs, time, sentences, history)
        if coverage_penalty:
            if attention is None:
                raise ValueError("a coverage penalty needs a step function that gives attention")
            coverage = attention if coverage is None else coverage + attention

        width = log_probs.shape[1]
        best, places = best_sums(live, log_probs, beam * min(2, width))
        tokens = places % width
        first = torch.arange(0, len(last), beam, device=device).unsqueeze(1)  # row of a sentence
        rows = first + places // width

        is_end = tokens == end
        if is_end.any():
            ended = is_end & (best > -torch.inf)
            ended[:, beam:] = False
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
                    goal[place] = notes[nbest - 1].score if len(notes) < beam else torch.inf
            # The others keep their ranks; an end that ranks too low goes on only as a dead row.
            order = is_end.byte().argsort(stable=True, dim=1)
            best, tokens, rows = (x.gather(1, order) for x in (best, tokens, rows))
            best = best.masked_fill(tokens == end, -torch.inf)
        live, tokens, rows = best[:, :beam], tokens[:, :beam], rows[:, :beam]

        more = live[:, 0] / longest > goal
        if not more.all():
            for place in (~more).nonzero()[:, 0].tolist():
                if not (notes := finished[int(active[place])]):  # the model rules out everything
                    notes.append(Finished(-torch.inf, -torch.inf, time, place * beam))
            active, longest, goal = active[more], longest[more], goal[more]
            live, tokens, rows = live[more], tokens[more], rows[more]
        last, origin = tokens.flatten(), rows.flatten()
        trail.add(last, origin, attention)
        if not len(active):
            break
        if beam > 1 or len(origin) < len(log_probs):
            state = state.reorder(origin)
        if coverage is not None:
            coverage = coverage[origin]
        if block_ngrams:
            history = torch.cat((history[origin], last.unsqueeze(1)), 1)
    return [
        [trail.read(sentence, note) for note in notes[:nbest]]
        for sentence, notes in enumerate(finished)
    ]


def _single(
    step: StepFunction[State],
    state: State,
    begin: int | Tensor,
    constraints: Constraints,
    source_lengths: Tensor | None,
    choose: Callable[[Tensor, Tensor], Tensor],
) -> list[Hypothesis]:
    """Follow one sequence a sentence; `choose` gets log-probabilities and sentences of the rows."""
    device = constraints.max_lengths.device
    trail = Trail(source_lengths)
    active = torch.arange(len(constraints.max_lengths), device=device)
    finished: dict[int, Finished] = {}
    total = torch.zeros(len(active), device=device)
    last = torch.as_tensor(begin, device=device).expand(len(active))
    history = last.new_empty(len(last), 0)
    for time in count():
        if not len(active):
            break
        said = step(last, state)
        log_probs, state, attention = said.log_probs, said.state, said.attention
        constraints.apply(log_probs, time, active, history)
        last = choose(log_probs, active)
        total = total + log_probs.gather(1, last.unsqueeze(1)).squeeze(1)
        more = last != constraints.end
        if (full := constraints.full(time, active)) is not None:
            more &= ~full
        rows = more.nonzero().flatten()
        if len(rows) < len(last):
            penalty = length_penalty_at(time, 1.0)
            for row in (~more).nonzero().flatten().tolist():
                log_prob = float(total[row])
                finished[int(active[row])] = Finished(log_prob / penalty, log_prob, time, row)
            active, last, total = active[rows], last[rows], total[rows]
            if len(active):
                state = state.reorder(rows)
        if constraints.block_ngrams:
            history = torch.cat((history[rows], last.unsqueeze(1)), 1)
        trail.add(last, rows, attention)
    return [trail.read(sentence, finished[sentence]) for sentence in sorted(finished)]
