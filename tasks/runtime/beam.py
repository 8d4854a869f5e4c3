"""Beam search on arrays: what `rnnlp.models.search.beam` does on tensors, and explains.

It stands here once more because torch is what an exported model does without; a test holds the two
together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

State = TypeVar("State", bound="Searchable")


class Searchable(Protocol):
    """What a state must offer."""

    def reorder(self: State, index: np.ndarray) -> State:
        """The state with the rows `index`; rows may be repeated, moved and left out."""
        ...


class Hypothesis(NamedTuple):
    """A sequence that a search found."""

    tokens: list[int]  # without begin and end
    score: float  # what hypotheses are ranked by
    log_prob: float  # of the tokens and the end
    attention: np.ndarray | None  # [tokens + 1, source], the last row is the end's


class _Finished(NamedTuple):
    score: float
    log_prob: float
    time: int  # the step that gave the end
    row: int  # of that step


def beam_search(
    step: Callable[[np.ndarray, State], tuple[np.ndarray, np.ndarray, State]],
    state: State,
    *,
    begin: int,
    end: int,
    max_lengths: np.ndarray,
    source_lengths: np.ndarray,
    beam_size: int,
    nbest: int,
    banned: Sequence[int],
    min_lengths: np.ndarray,
    length_penalty: float = 1.0,
    coverage_penalty: float = 0.0,
    no_repeat_ngram_size: int = 0,
    keep_attention: bool = True,
) -> list[list[Hypothesis]]:
    """The best sequences of each sentence, best first.

    Args:
        step: Takes the last token of each row and the state; gives log probabilities of what
            follows, attention and the new state.
        state: Before the first token, one row a sentence.
        begin: The token before the first; for this and all others see the search on tensors.
        end: The token after the last.
        max_lengths: `[sentences]`, without the end.
        source_lengths: `[sentences]`.
        beam_size: Hypotheses followed for each.
        nbest: How many to give of each, at most `beam_size`.
        banned: Tokens that are never produced.
        min_lengths: `[sentences]`, fewest tokens.
        length_penalty: alpha.
        coverage_penalty: beta.
        no_repeat_ngram_size: No n-gram of this size twice; 0 allows all.
        keep_attention: Whether hypotheses tell where they looked.
    """
    sentences = len(max_lengths)
    finished: list[list[_Finished]] = [[] for _ in range(sentences)]
    active = np.arange(sentences)
    live = np.full((sentences, beam_size), -np.inf, np.float32)
    live[:, 0] = 0.0
    longest = ((6 + max_lengths) / 6) ** length_penalty
    goal = np.full(sentences, -np.inf)
    state = state.reorder(active.repeat(beam_size))
    last = np.full(sentences * beam_size, begin, np.int64)
    history = np.empty((len(last), 0), np.int64)
    coverage: Any = 0.0
    trail: list[tuple[np.ndarray, np.ndarray, np.ndarray | None]] = []  # tokens, rows, attention
    for time in count():
        log_probs, attention, state = step(last, state)
        of_row = active.repeat(beam_size)
        constrain(
            log_probs, time, history, end=end, banned=banned, min_lengths=min_lengths[of_row],
            max_lengths=max_lengths[of_row], size=no_repeat_ngram_size,
        )  # fmt: skip
        coverage = coverage + attention
        width = log_probs.shape[1]
        sums = (log_probs + live.reshape(-1, 1)).reshape(len(active), -1)
        best, places = _largest(sums, beam_size * min(2, width))
        tokens = places % width
        rows = np.arange(0, len(last), beam_size)[:, None] + places // width
        is_end = tokens == end
        if is_end.any():
            ended = is_end & (best > -np.inf)
            ended[:, beam_size:] = False
            for place, rank in np.argwhere(ended).tolist():
                log_prob, row = float(best[place, rank]), int(rows[place, rank])
                score = log_prob / ((6 + time) / 6) ** length_penalty
                if coverage_penalty:
                    seen = coverage[row, : source_lengths[of_row[row]]]
                    seen = np.log(seen.clip(np.finfo(np.float32).tiny, 1.0))
                    score += coverage_penalty * float(seen.sum())
                notes = finished[active[place]]
                notes.append(_Finished(score, log_prob, time, row))
                notes.sort(key=lambda note: -note.score)
                if len(notes) >= nbest:
                    goal[place] = notes[nbest - 1].score if len(notes) < beam_size else np.inf
            order = np.argsort(is_end, axis=1, kind="stable")
            best, tokens, rows = (np.take_along_axis(x, order, 1) for x in (best, tokens, rows))
            best = np.where(tokens == end, np.float32(-np.inf), best)
        live, tokens, rows = best[:, :beam_size], tokens[:, :beam_size], rows[:, :beam_size]
        more = live[:, 0] / longest > goal
        for place in np.flatnonzero(~more).tolist():
            if not (notes := finished[active[place]]):  # the model rules out everything
                notes.append(_Finished(-np.inf, -np.inf, time, place * beam_size))
        active, longest, goal = active[more], longest[more], goal[more]
        live, last, origin = live[more], tokens[more].ravel(), rows[more].ravel()
        trail.append((last, origin, attention if keep_attention else None))
        if not len(active):
            break
        state, coverage = state.reorder(origin), coverage[origin]
        history = np.concatenate((history[origin], last[:, None]), 1)
    return [
        [_read(trail, note, int(length)) for note in notes[:nbest]]
        for notes, length in zip(finished, source_lengths, strict=True)
    ]


def _largest(sums: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The largest numbers of each row, falling, and their places."""
    places = np.argpartition(sums, sums.shape[1] - count, axis=1)[:, -count:]
    values = np.take_along_axis(sums, places, 1)
    order = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(values, order, 1), np.take_along_axis(places, order, 1)


def constrain(
    log_probs: np.ndarray,
    time: int,
    history: np.ndarray,
    *,
    end: int,
    banned: Sequence[int],
    min_lengths: np.ndarray | int,
    max_lengths: np.ndarray | int,
    size: int,
    allow: Callable[[np.ndarray], object] | None = None,
) -> None:
    """Writes -inf over what is not allowed; see `rnnlp.models.search.constraints`.

    Args:
        log_probs: `[rows, vocabulary]`.
        time: How many tokens the rows have.
        history: `[rows, time]`, the tokens.
        end: The token after the last.
        banned: Tokens that are never produced.
        min_lengths: Fewest tokens, of each row or of all.
        max_lengths: Most tokens, likewise.
        size: Of the n-grams that do not come twice; 0 for none.
        allow: Takes what else is not allowed out of `log_probs`.
    """
    ends = log_probs[:, end].copy()
    log_probs[:, list(banned)] = -np.inf
    early = np.broadcast_to(time < np.asarray(min_lengths), len(log_probs))
    log_probs[early, end] = -np.inf
    if size and time >= size:
        begin = history[:, time - size + 1 :]  # of the n-gram that would be completed
        for at in range(time - size + 1):
            same = (history[:, at : at + size - 1] == begin).all(1)
            log_probs[same, history[same, at + size - 1]] = -np.inf
    if allow is not None:
        allow(log_probs)
    only_end = early & (log_probs == -np.inf).all(1) | (np.asarray(max_lengths) <= time)
    log_probs[only_end] = -np.inf
    log_probs[only_end, end] = ends[only_end]


def _read(
    trail: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray | None]], note: _Finished, source: int
) -> Hypothesis:
    """Follows a hypothesis back to the begin."""
    rows, tokens = [note.row], []
    for last, origin, _ in reversed(trail[: note.time]):
        tokens.append(int(last[rows[-1]]))
        rows.append(int(origin[rows[-1]]))
    looked = [step[2] for step in trail[: note.time + 1]]
    attention = [
        weights[row] for weights, row in zip(looked, rows[::-1], strict=True) if weights is not None
    ]
    return Hypothesis(
        tokens[::-1],
        note.score,
        note.log_prob,
        np.stack(attention)[:, :source] if attention else None,
    )
