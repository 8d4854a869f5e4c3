"""Made-up sequences that test how far back a recurrence remembers, for any lag.

Three classic tests. In each of them the answer is asked for at the end, and can only be known from
what was read about `lag` steps before. Every call makes new ones, from the generator that is given;
nothing is read or kept.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

Task = Literal["adding", "copy", "recall"]
TASKS: tuple[Task, ...] = ("adding", "copy", "recall")

SYMBOLS = 8  # that are to be remembered
COPIED = 3  # how many of them in a row
NEAR = 0.04  # a sum this near to the right one counts as right (Hochreiter & Schmidhuber 1997)


class Sequences(NamedTuple):
    """Sequences of one length with what is asked for at their ends."""

    inputs: Tensor  # [sequences, time, width]
    targets: Tensor  # [sequences, answers]: symbols (int64) or sums (float), read at the last steps


def width(task: Task) -> int:
    """Numbers that each step holds."""
    return {"adding": 2, "copy": SYMBOLS + 2, "recall": 2 * SYMBOLS}[task]


def outputs(task: Task) -> int:
    """Numbers that an answer is made from: scores of the symbols, or the sum."""
    return 1 if task == "adding" else SYMBOLS


def chance(task: Task) -> float:
    """Share of right answers without any memory."""
    # The sum of two uniform numbers has its peak, of density 1, at their mean.
    return 2 * NEAR - NEAR**2 if task == "adding" else 1 / SYMBOLS


def make(task: Task, *, lag: int, count: int, generator: Generator) -> Sequences:
    """Makes sequences.

    - "adding" (Hochreiter & Schmidhuber 1997, as Le et al. 2015 have it): `lag` random numbers in
      [0, 1], two of them marked, one in each half; the sum of the two is asked for at the end.
    - "copy" (Hochreiter & Schmidhuber 1997, Arjovsky et al. 2016): symbols, then blanks, then a
      mark that asks for the symbols in their order; each comes back `lag` steps after it stood.
    - "recall": a symbol, then others that mean nothing; the first is asked for `lag` steps later.

    Args:
        task: Which of them.
        lag: Steps that something must be remembered, at least 4.
        count: Number of sequences.
        generator: Where they come from.
    """
    if lag < COPIED + 1:
        raise ValueError(f"a lag must be at least {COPIED + 1} steps, not {lag}")
    if task == "adding":
        values = torch.rand(count, lag, generator=generator)
        half = lag // 2
        marked = torch.zeros(count, lag)
        first = torch.randint(0, half, (count, 1), generator=generator)
        second = torch.randint(half, lag, (count, 1), generator=generator)
        marked.scatter_(1, torch.cat((first, second), 1), 1.0)
        return Sequences(torch.stack((values, marked), 2), (values * marked).sum(1, keepdim=True))
    symbols = torch.randint(
        0, SYMBOLS, (count, COPIED if task == "copy" else 1), generator=generator
    )
    if task == "copy":
        blank, ask = SYMBOLS, SYMBOLS + 1
        steps = torch.full((count, lag + COPIED), blank)
        steps[:, :COPIED] = symbols
        steps[:, lag] = ask
    else:
        noise = torch.randint(SYMBOLS, 2 * SYMBOLS, (count, lag), generator=generator)
        steps = torch.cat((symbols, noise), 1)
    return Sequences(F.one_hot(steps, width(task)).float(), symbols)


def right(task: Task, answers: Tensor, targets: Tensor) -> Tensor:
    """Which answers are right.

    Args:
        task: Which test.
        answers: `[sequences, answers, outputs]`.
        targets: `[sequences, answers]`.

    Returns:
        `[sequences, answers]`, booleans.
    """
    if task == "adding":
        return (answers.squeeze(2) - targets).abs() <= NEAR
    return answers.argmax(2) == targets
