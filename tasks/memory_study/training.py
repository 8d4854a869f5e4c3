"""How far back each cell remembers: trains the tests of memory at growing lags.

The protocol is the same for all: one layer that reads onwards, and a linear layer that answers at
the end; new random sequences at every update; Adam with a constant learning rate and gradients
clipped; the share of right answers on sequences kept apart. Training stops when that is solved,
and after a fixed number of updates at the latest: who is slow to find the answer fails, as a user's
model would. A cell that has clearly failed at a lag is not trained at longer ones.

Each training is kept as one file, so that an interrupted run goes on. What is made of them is in
`long_range_report.py`, the sequences in `tasks/memory_study/sequences.py`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from rnnlp.data.errors import InputError
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.recurrence.cells import Cell
from rnnlp.tasks.model_folder.atomic import write_atomically
from rnnlp.tasks.reporting.report import Table

from .network import Answerer, gradient_reach
from .sequences import COPIED, TASKS, Task, chance, make, outputs, right, width

RUNS = "runs"
LAGS = (10, 30, 100, 300, 1000)
CELLS: tuple[Cell, ...] = ("rnn", "lstm", "gru", "mingru")
PLAIN = "as torch.nn"
SPAN = "spans up to the lag"
# How the weights of each cell start: as torch.nn has it, and what is said to help.
STARTS: dict[Cell, tuple[str, ...]] = {
    "rnn": (PLAIN, "orthogonal"),
    "lstm": (PLAIN, "forget bias 1", SPAN),
    "gru": (PLAIN, SPAN),
    "mingru": (PLAIN, SPAN),
}
TESTED = 512  # sequences that answers are counted on
REACH_SEQUENCES, REACH_POINTS = 8, 60
FAILED = 0.5  # of the way from chance to certainty: below it longer lags are not tried


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """What is the same for every training.

    Args:
        hidden_size: Width of the state.
        batch: Sequences of an update.
        updates: Most updates at lags up to 300; the steps that they read bound longer ones.
        learning_rate: Of Adam, for cells with gates.
        simple_learning_rate: The same for simple RNNs, which forget what they learned at the other.
        clip: Largest norm of a gradient.
        solved: Share of right answers at which training stops.
        every: Updates between two looks at that.
    """

    hidden_size: int = 64
    batch: int = 32
    updates: int = 1000
    learning_rate: float = 0.01
    simple_learning_rate: float = 0.003
    clip: float = 1.0
    solved: float = 0.99
    every: int = 50

    def rate(self, cell: Cell) -> float:
        """The learning rate for this cell."""
        return self.simple_learning_rate if cell == "rnn" else self.learning_rate

    def most_updates(self, lag: int) -> int:
        """Updates at this lag."""
        return max(self.every, min(self.updates, self.updates * 300 // lag))


class Trial(NamedTuple):
    """One training."""

    task: Task
    cell: Cell
    start: str
    lag: int
    seed: int

    @property
    def file(self) -> str:
        """Where its result is kept."""
        start = self.start.replace(" ", "-").replace(".", "")
        return f"{self.task}-{self.cell}-{start}-lag{self.lag}-seed{self.seed}.json"


Results = dict[Trial, dict[str, Any]]


def run(
    output: Path,
    *,
    cells: Sequence[str] = CELLS,
    lags: Sequence[int] = LAGS,
    seeds: int = 1,
    protocol: Protocol = Protocol(),
    command: str = "rnnlp compare --long-range",
) -> Table:
    """Trains what is still missing, and writes the report.

    Args:
        output: The folder; finished trainings in it are used.
        cells: Which cells.
        lags: Steps that something must be remembered.
        seeds: How often each is trained.
        protocol: What is the same for all.
        command: The command line that asked for it.

    Returns:
        Up to which lag each cell holds.

    Raises:
        InputError: An unknown cell, an impossible lag, or a folder of something else.
    """
    chosen = [_cell(name) for name in dict.fromkeys(cells)]
    ordered = sorted(set(lags))
    if not ordered or ordered[0] <= COPIED:
        raise InputError(f"a lag is {COPIED + 1} steps or more: --lags 10,30,100")
    taken = output.exists() and (not output.is_dir() or any(output.iterdir()))
    if taken and not (output / RUNS).is_dir():
        raise InputError(
            "is there already and holds no long-range test: choose another --output",
            path=str(output),
        )
    (output / RUNS).mkdir(parents=True, exist_ok=True)
    results: Results = {}
    # Seeds outside: the first round is a whole picture already.
    series = [
        (task, cell, start, seed)
        for seed in range(1, seeds + 1)
        for task in TASKS
        for cell in chosen
        for start in STARTS[cell]
    ]
    with _progress(len(series) * len(ordered)) as show:
        done = 0
        for task, cell, start, seed in series:
            failed = False
            for lag in ordered:
                trial = Trial(task, cell, start, lag, seed)
                show(done, trial, 0.0)
                if not failed:
                    tell = partial(show, done, trial)
                    results[trial] = _kept(output / RUNS / trial.file, trial, protocol, tell)
                    failed = has_failed(task, results[trial]["accuracy"])
                done += 1
    fresh = {
        (cell, start): fresh_reach(Trial("recall", cell, start, ordered[-1], 1), protocol)
        for cell in chosen
        for start in STARTS[cell]
    }
    from .report import write_long_range

    return write_long_range(
        output, results, fresh, lags=ordered, protocol=protocol, command=command
    )


def has_failed(task: Task, accuracy: float) -> bool:
    """Whether there is so little memory that longer lags are not tried."""
    least = chance(task)
    return accuracy < least + FAILED * (1 - least)


def train(
    trial: Trial, protocol: Protocol, tell: Callable[[float], None] = lambda share: None
) -> dict[str, Any]:
    """Trains and tests once.

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
    """Share of right answers."""
    with torch.inference_mode():
        answers = model(sequences.inputs, sequences.targets.shape[1])
    return float(right(task, answers, sequences.targets).float().mean())


def back(lag: int) -> list[int]:
    """Steps before the last one at which the reach of gradients is kept."""
    points = torch.linspace(0, lag - 1, min(lag, REACH_POINTS)).round().long()
    found: list[int] = points.unique().tolist()
    return found


def reach(encoder: Encoder, trial: Trial) -> list[float]:
    """The norm of the gradient that reaches the state so many steps `back`."""
    generator = torch.Generator().manual_seed(trial.seed)
    sequences = make(trial.task, lag=trial.lag, count=REACH_SEQUENCES, generator=generator)
    exact = make_encoder(trial, Protocol(hidden_size=encoder.hidden_size)).double()
    exact.load_state_dict(encoder.state_dict())
    norms = gradient_reach(exact, sequences.inputs.double(), generator=generator)
    found: list[float] = norms.flip(0)[back(trial.lag)].tolist()
    return found


def _cell(name: str) -> Cell:
    if name in STARTS:
        return name
    known = ", ".join(STARTS)
    if name.removeprefix("bi") in STARTS:
        raise InputError(
            f"{name} reads from the end as well, where nothing need be remembered: --long-range "
            f"takes {known}"
        )
    raise InputError(f"there is no cell {name}: --long-range takes {known}")


def _kept(
    file: Path, trial: Trial, protocol: Protocol, tell: Callable[[float], None]
) -> dict[str, Any]:
    """The result in the file, or a new one where there is none by this protocol."""
    wanted = {"trial": trial._asdict(), "protocol": asdict(protocol)}
    if file.is_file():
        kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if {name: kept.get(name) for name in wanted} == wanted:
            return kept
    found = {**wanted, **train(trial, protocol, tell)}
    text = json.dumps(found) + "\n"
    write_atomically(file, lambda part: part.write_text(text, encoding="utf-8"))
    return found


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int, Trial, float], None]]:
    """One bar over all trainings; on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda done, trial, share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        whole = bar.add_task("", total=total)

        def show(done: int, trial: Trial, share: float) -> None:
            text = f"{trial.task}, {trial.cell} ({trial.start}), lag {trial.lag}, seed {trial.seed}"
            bar.update(whole, completed=done + share, description=text)

        yield show
