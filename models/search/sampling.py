"""Sampling: greedy, with temperature, top-k and nucleus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import numpy as np

from .constraints import Beginnings, Constraints
from .hypotheses import (
    Finished,
    Hypothesis,
    State,
    StepFunction,
    Trail,
    length_penalty_at,
)
from .topk import largest

FEW = 256  # tokens that sampling by `top_p` tries before it sorts the whole vocabulary


def greedy(
    step: StepFunction[State],
    state: State,
    *,
    begin: Any,
    end: int,
    max_lengths: Any,
    banned: Sequence[int] = (),
    min_length: Any = 0,
    no_repeat_ngram_size: int = 0,
    source_lengths: Any = None,
) -> list[Hypothesis]:
    """Take the most probable token at each step: what `beam_search` finds with a beam of 1.

    Args:
        step: As in `beam_search`, and so are all others; the score has its default length penalty.
        state: As in `beam_search`.
        begin: As in `beam_search`.
        end: As in `beam_search`.
        max_lengths: As in `beam_search`.
        banned: As in `beam_search`.
        min_length: As in `beam_search`.
        no_repeat_ngram_size: As in `beam_search`.
        source_lengths: As in `beam_search`.

    Returns:
        One hypothesis for each sentence.
    """
    return _single(
        step,
        state,
        begin,
        max_lengths,
        source_lengths,
        lambda log_probs, _: log_probs.argmax(1),
        end=end,
        banned=banned,
        min_length=min_length,
        no_repeat_ngram_size=no_repeat_ngram_size,
    )


def sample(
    step: StepFunction[State],
    state: State,
    *,
    begin: Any,
    end: int,
    max_lengths: Any,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    banned: Sequence[int] = (),
    min_length: Any = 0,
    no_repeat_ngram_size: int = 0,
    source_lengths: Any = None,
    beginnings: Beginnings | None = None,
    draw: Callable[[np.ndarray], np.ndarray],
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
        draw: Gives a random number from 0 to below 1 for each of some sentences, told by number:
            `draws_of` makes one of seeds.

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

    def choose(log_probs: np.ndarray, active: np.ndarray) -> np.ndarray:
        logits, ids = log_probs, None
        if 0 < top_k < logits.shape[1]:
            logits, ids = largest(logits, top_k)
        peak = logits.max(1, keepdims=True)  # taken off first: a low temperature cannot overflow
        with np.errstate(invalid="ignore"):  # a model may rule out everything, the end as well
            mass = np.exp((logits - peak) / logits.dtype.type(temperature))
        mass /= mass.sum(1, keepdims=True)
        if top_p < 1 and ids is None:  # a few tokens mostly reach the sum, which saves a sort
            few, ids = largest(mass, min(FEW, mass.shape[1]))
            if (few.sum(1) < top_p).any():
                few, ids = largest(mass, mass.shape[1])
            mass = few
        sums = mass.cumsum(1)
        if top_p < 1:  # keep a token if what is before it does not reach the sum yet
            mass[sums - mass >= top_p] = 0.0
            sums = mass.cumsum(1)
        # A draw is below 1, so the target is below the last sum: never a token of no probability.
        targets = draw(active).astype(sums.dtype)[:, None] * sums[:, -1:]
        picked = (sums <= targets).sum(1).clip(max=sums.shape[1] - 1)
        return picked if ids is None else np.take_along_axis(ids, picked[:, None], 1)[:, 0]

    return _single(
        step,
        state,
        begin,
        max_lengths,
        source_lengths,
        choose,
        end=end,
        banned=banned,
        min_length=min_length,
        no_repeat_ngram_size=no_repeat_ngram_size,
        beginnings=beginnings,
    )


def draws_of(seeds: Sequence[int]) -> Callable[[np.ndarray], np.ndarray]:
    """Random numbers of 24 bits, from 0 to below 1, a stream for each seed.

    What a sentence gets hangs neither on which others there are nor on when they end. The numbers
    are those of `torch.rand` with a `torch.Generator` of the seed.
    """
    streams = [np.random.MT19937() for _ in seeds]
    for stream, seed in zip(streams, seeds, strict=True):
        stream._legacy_seeding(seed % 2**32)

    def draw(sentences: np.ndarray) -> np.ndarray:
        drawn = [streams[sentence].random_raw() % 2**24 for sentence in sentences]
        return np.array(drawn, np.float32) / 2**24

    return draw


def arrays(
    step: StepFunction[State], state: State, begin: Any, max_lengths: Any, *others: Any
) -> tuple[StepFunction[Any], Any, tuple[Any, ...]]:
    """What a search takes, all on arrays; tensors where `max_lengths` is one are turned into them.

    Args:
        step: As in `beam_search`.
        state: As in `beam_search`.
        begin: As in `beam_search`.
        max_lengths: As in `beam_search`.
        others: Further numbers, one or `[sentences]` of each; None stays None.

    Returns:
        The step function, its state, and a tuple of `begin`, `max_lengths` and the others.
    """
    if isinstance(max_lengths, np.ndarray):
        return step, state, (np.asarray(begin, np.int64), max_lengths, *others)
    from .tensors import Rows, array, on_arrays

    numbers = (None if each is None else array(each) for each in (begin, max_lengths, *others))
    return on_arrays(step), Rows(state, max_lengths.device), tuple(numbers)


def _single(
    step: StepFunction[State],
    state: State,
    begin: Any,
    max_lengths: Any,
    source_lengths: Any,
    choose: Callable[[np.ndarray, np.ndarray], np.ndarray],
    *,
    min_length: Any,
    **rules: Any,
) -> list[Hypothesis]:
    """Follow one sequence a sentence; `choose` gets log-probabilities and sentences of the rows."""
    step, state, (begin, max_lengths, min_length, source_lengths) = arrays(
        step, state, begin, max_lengths, min_length, source_lengths
    )
    constraints = Constraints(max_lengths=max_lengths, min_length=min_length, **rules)
    trail = Trail(source_lengths)
    active = np.arange(len(max_lengths))
    finished: dict[int, Finished] = {}
    total = np.zeros(len(active), np.float32)
    last = np.broadcast_to(begin, len(active)).copy()
    history = np.empty((len(last), 0), np.int64)
    for time in count():
        if not len(active):
            break
        said = step(last, state)
        log_probs, state, attention = said.log_probs, said.state, said.attention
        constraints.apply(log_probs, time, active, history)
        last = choose(log_probs, active)
        constraints.chosen(last, active)
        total = total + log_probs[np.arange(len(last)), last]
        more = (last != constraints.end) & ~constraints.full(time, active)
        rows = np.flatnonzero(more)
        if len(rows) < len(last):
            penalty = length_penalty_at(time, 1.0)
            for row in np.flatnonzero(~more).tolist():
                log_prob = float(total[row])
                finished[int(active[row])] = Finished(log_prob / penalty, log_prob, time, row)
            active, last, total = active[rows], last[rows], total[rows]
            if len(active):
                state = state.reorder(rows)
        if constraints.no_repeat_ngram_size:
            history = np.concatenate((history[rows], last[:, None]), 1)
        trail.add(last, rows, attention)
    return [trail.read(sentence, finished[sentence]) for sentence in sorted(finished)]
