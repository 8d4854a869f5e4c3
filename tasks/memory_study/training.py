"""How far back each cell remembers: trains the tests of memory at growing lags.

The protocol is the same for all: one layer that reads onwards, and a linear layer that answers at
the end; new random sequences at every update; Adam with a constant learning rate and gradients
clipped; the share of right answers on sequences kept apart. Training stops when that is solved,
and after a fixed number of updates at the latest: who is slow to find the answer fails, as a user's
model would. A cell that has clearly failed at a lag is not trained at longer ones.

Each training is kept as one file, so that an interrupted run goes on. What is made of them is in
`report.py`, the sequences in `tasks/memory_study/sequences.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from rnnlp.models.encoders.recurrent import Encoder

from .network import Answerer, gradient_reach
from .protocol import (
    REACH_POINTS,
    REACH_SEQUENCES,
    SPAN,
    TESTED,
    Protocol,
    Trial,
)
from .sequences import Task, make, outputs, right, width


def train(
    trial: Trial, protocol: Protocol, tell: Callable[[float], None] = lambda share: None
) -> dict[str, Any]:
    """Trains and tests once.

    Args:
        trial: Cell, test, lag and seed.
        protocol: Sizes, rates and budgets of all trials.
        tell: Called with the share of the updates that are done.

    Returns:
        `accuracy`, the number of `updates`, and how far gradients reach back, `before` and `after`
        training, at so many steps `back` from the end.
    """
    torch.manual_seed(trial.seed)
    model = Answerer(encoder=make_encoder(trial, protocol), outputs=outputs(trial.task))
    generator = torch.Generator().manual_seed(trial.seed)
    held_out = torch.Generator().manual_seed(2**32 + trial.seed)
    look = make(trial.task, lag=trial.lag, count=TESTED, generator=held_out)
    test = make(trial.task, lag=trial.lag, count=TESTED, generator=held_out)
    before = reach(model.encoder, trial)
    optimizer = torch.optim.Adam(model.parameters(), lr=protocol.rate(trial.cell))
    most = protocol.most_updates(trial.lag)
    update = 0
    while update < most:
        update += 1
        sequences = make(trial.task, lag=trial.lag, count=protocol.batch, generator=generator)
        answers = model(sequences.inputs, sequences.targets.shape[1])
        if trial.task == "adding":
            loss = F.mse_loss(answers.squeeze(2), sequences.targets)
        else:
            loss = F.cross_entropy(answers.flatten(0, 1), sequences.targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), protocol.clip)
        optimizer.step()
        tell(update / most)
        if update % protocol.every == 0 and accuracy(model, trial.task, look) >= protocol.solved:
            break
    return {
        "accuracy": accuracy(model, trial.task, test),
        "updates": update,
        "back": back(trial.lag),
        "before": before,
        "after": reach(model.encoder, trial),
    }


def fresh_reach(trial: Trial, protocol: Protocol) -> list[float]:
    """How far gradients reach before any training."""
    torch.manual_seed(trial.seed)
    return reach(make_encoder(trial, protocol), trial)


def make_encoder(trial: Trial, protocol: Protocol) -> Encoder:
    """The cell with fresh weights."""
    return Encoder(
        input_size=width(trial.task),
        cell=trial.cell,
        hidden_size=protocol.hidden_size,
        bidirectional=False,
        orthogonal=trial.start == "orthogonal",
        forget_bias=1.0 if trial.start == "forget bias 1" else None,
        memory_span=trial.lag if trial.start == SPAN else None,
    )


def accuracy(model: Answerer, task: Task, sequences: Any) -> float:
    """Share of right answers.

    Args:
        model: Answers sequences.
        task: The test.
        sequences: Inputs and targets.
    """
    with torch.inference_mode():
        answers = model(sequences.inputs, sequences.targets.shape[1])
    return float(right(task, answers, sequences.targets).float().mean())


def back(lag: int) -> list[int]:
    """Steps before the last one at which the reach of gradients is kept."""
    points = torch.linspace(0, lag - 1, min(lag, REACH_POINTS)).round().long()
    numbers: list[int] = points.unique().tolist()
    return numbers


def reach(encoder: Encoder, trial: Trial) -> list[float]:
    """The norm of the gradient that reaches the state so many steps `back`."""
    generator = torch.Generator().manual_seed(trial.seed)
    sequences = make(trial.task, lag=trial.lag, count=REACH_SEQUENCES, generator=generator)
    exact = make_encoder(trial, Protocol(hidden_size=encoder.hidden_size)).double()
    exact.load_state_dict(encoder.state_dict())
    norms = gradient_reach(exact, sequences.inputs.double(), generator=generator)
    curve: list[float] = norms.flip(0)[back(trial.lag)].tolist()
    return curve
