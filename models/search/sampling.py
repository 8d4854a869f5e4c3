"""Sampling: greedy, with temperature, top-k and nucleus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

import torch
from torch import Tensor

from .constraints import Beginnings, Constraints
from .hypotheses import (
    Finished,
    Hypothesis,
    State,
    StepFunction,
    Trail,
    length_penalty_at,
)
from .topk import best_sums

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
    min_length: int | Tensor = 0,
    no_repeat_ngram_size: int = 0,
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
        no_repeat_ngram_size=no_repeat_ngram_size,
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
    min_length: int | Tensor = 0,
    no_repeat_ngram_size: int = 0,
    source_lengths: Tensor | None = None,
    beginnings: Beginnings | None = None,
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
        no_repeat_ngram_size: As in `beam_search`.
        source_lengths: As in `beam_search`.
        beginnings: What sequences must begin with; None for nothing.
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
        no_repeat_ngram_size=no_repeat_ngram_size,
        beginnings=beginnings,
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
        constraints.chosen(last, active)
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
        if constraints.no_repeat_ngram_size:
            history = torch.cat((history[rows], last.unsqueeze(1)), 1)
        trail.add(last, rows, attention)
    return [trail.read(sentence, finished[sentence]) for sentence in sorted(finished)]
