"""Runs the memory study: trains what is still missing, and writes the report."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from rnnlp.data.errors import InputError
from rnnlp.tasks.model_folder.atomic import write_text
from rnnlp.tasks.reporting.progress import progress_bar
from rnnlp.tasks.reporting.report import Table

from .protocol import (
    CELLS,
    FAILED,
    LAGS,
    PROTOCOL,
    STARTS,
    Protocol,
    Results,
    Trial,
)
from .sequences import COPIED, TASKS, Task, chance
from .training import fresh_reach, train

RUNS = "runs"


def run(
    output: Path,
    *,
    cells: Sequence[str] = CELLS,
    lags: Sequence[int] = LAGS,
    seeds: int = 1,
    protocol: Protocol = PROTOCOL,
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
    with progress_bar(len(series) * len(ordered)) as show:
        done = 0
        for task, cell, start, seed in series:
            failed = False
            for lag in ordered:
                trial = Trial(task, cell, start, lag, seed)
                text = f"{task}, {cell} ({start}), lag {lag}, seed {seed}"
                show(done, text)
                if not failed:
                    tell = partial(show, done, text)
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


def _cell(name: str) -> str:
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
    result = {**wanted, **train(trial, protocol, tell)}
    write_text(file, json.dumps(result) + "\n")
    return result
