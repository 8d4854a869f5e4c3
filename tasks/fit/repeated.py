"""Several runs of one config: other seeds (`fit --seeds 3`), or folds (`--data.folds 5`).

Each run is a model folder of its own below the output folder; beside them stands `runs.json`, with
the scores of each, their mean and their spread. `run.py` trains one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from statistics import mean, stdev
from typing import Any, NamedTuple

import yaml

from rnnlp.data.errors import InputError, note
from rnnlp.tasks.base.own_parts import attribute
from rnnlp.tasks.base.ratios import mean_and_spread
from rnnlp.tasks.inference.load import load
from rnnlp.tasks.model_folder.atomic import write_atomically, write_text
from rnnlp.tasks.model_folder.files import as_json, read_json
from rnnlp.tasks.model_folder.folder import METRICS, holds_model
from rnnlp.tasks.registry import task_spec

from .config_files import read_config
from .lightning_cli import FitCommand, FitRequest
from .run import run_part

RUNS, ANSWERS = "runs.json", "out_of_fold.jsonl"
CHUNK = 1024  # examples that are answered together


class Run(NamedTuple):
    """One of the runs."""

    name: str  # of its folder
    settings: list[str]  # of `fit`, beside those of all
    fold: int | None = None


def runs_of(request: FitRequest, *, seeds: int | None) -> list[Run]:
    """The runs that are asked for; none where it is a single one.

    Args:
        request: What is asked for; its settings may have `data.folds`.
        seeds: How many runs that differ in the initial weights and in what is drawn in training.

    Raises:
        InputError: Fewer than two, both seeds and folds, or several processes.
    """
    folds = None if _setting(request, "data", "fold") else _setting(request, "data", "folds")
    if seeds is None and folds is None:
        return []
    if _setting(request, "trainer", "devices") not in (None, 1, "1", "auto"):
        raise InputError("several runs are trained in one process each: leave out trainer.devices")
    if seeds is None:
        if not isinstance(folds, int):
            raise InputError(f"data.folds is {folds!r}: give a number of 2 or more")
        numbers = range(1, folds + 1)
        return [Run(f"fold_{fold}", [f"--data.fold={fold}"], fold) for fold in numbers]
    if folds is not None:
        raise InputError("--seeds and data.folds are both given: choose one")
    if seeds < 2:
        raise InputError(f"--seeds is {seeds}: give 2 or more")
    numbers = range(1, seeds + 1)
    return [Run(f"seed_{seed}", [f"--seed_everything={seed}"]) for seed in numbers]


def _setting(request: FitRequest, section: str, name: str) -> Any:
    """A setting before it is parsed: that of the command line, or else of the last config."""
    key = f"--{section}.{name}"
    value: Any = None
    for file in request.configs:
        value = (read_config(file).get(section) or {}).get(name, value)
    for at, part in enumerate(request.arguments):
        if part == key:
            value = yaml.safe_load("".join(request.arguments[at + 1 : at + 2]))
        elif part.startswith(f"{key}="):
            value = yaml.safe_load(part[len(key) + 1 :])
    return value


def run_repeated(request: FitRequest, runs: Sequence[Run]) -> int:
    """Trains every run that is not done yet, and prints the scores of all.

    Args:
        request: What is asked for; `resume` goes on with what is there.
        runs: What differs.

    Raises:
        InputError: As `run_part`; or the output folder holds the model of a single run.
        KeyboardInterrupt: Ctrl-C, which stops the runs that follow as well.
    """
    output = request.output
    if holds_model(output):
        raise InputError(
            "holds a model itself; several runs want a folder for theirs: take another --output",
            path=str(output),
        )
    for run in runs:
        print(f"{run.name} of {len(runs)}", file=sys.stderr)
        own = replace(
            request,
            arguments=[*request.arguments, *run.settings],
            output=output / run.name,
        )
        run_part(own, then=keep_answers if run.fold else None)
    if all((output / run.name / METRICS).exists() for run in runs):
        summarise(request, runs)
    return 0


def keep_answers(command: FitCommand) -> None:
    """Writes what the model of a fold says of the examples that it was not trained on."""
    output = command.request.output
    if task_spec(command.request.task).heads:
        note("answers out of fold are kept of models for one task only")
        return
    pipeline: Any = load(output)
    rows = command.datamodule.prepare().learned.corpora["validation"].rows

    answers = answers_of(pipeline, rows)
    if (first := next(answers, None)) is None:
        return

    def write(part: Path) -> None:
        with part.open("w", encoding="utf-8") as file:
            file.writelines(as_json(answer) + "\n" for answer in chain([first], answers))

    write_atomically(output / ANSWERS, write)


def answers_of(pipeline: Any, rows: Any) -> Iterator[dict[str, Any]]:
    """Stored examples with the answers of a model; none where it gives none that can be right."""
    if not hasattr(pipeline, "answers_to"):  # a task of the user's own
        return
    for columns in rows.iter(CHUNK):
        kept = {name: columns[name] for name in columns if name not in ("index", "group")}
        for row, answer in enumerate(pipeline.answers_to(columns)):
            yield {**{name: values[row] for name, values in kept.items()}, **answer}


def summarise(request: FitRequest, runs: Sequence[Run]) -> None:
    """Prints the scores of all runs with mean and spread, and writes them to `runs.json`."""
    output = request.output
    spec = task_spec(request.task)
    modules = [attribute(each.module) for each in (spec, *map(task_spec, spec.heads))]
    headlines = {name for module in modules for name in module.headline}
    scores: dict[str, dict[str, float]] = {}
    for run in runs:
        metrics = read_json(output / run.name / METRICS)
        scores[run.name] = dict(_numbers({"validation": metrics["validation"]}))
        scores[run.name] |= _numbers({"test": metrics.get("test", {})})
    every = list(scores.values())
    names = [name for name in every[0] if all(name in one for one in every)]
    columns = {name: [own[name] for own in scores.values()] for name in names}
    summary = {name: {"mean": mean(v), "spread": stdev(v)} for name, v in columns.items()}
    content = {"runs": scores, "summary": summary}
    write_text(output / RUNS, as_json(content, indent=1) + "\n")
    shown = [name for name in names if name.rsplit(" ", 1)[1] in headlines]
    width = max(map(len, [*scores, "mean ± spread"]))
    rows = {"": shown}
    for title, own in scores.items():
        rows[title] = [f"{own[name]:.4f}" for name in shown]
    rows["mean ± spread"] = [mean_and_spread(columns[name]) for name in shown]
    for title, cells in rows.items():
        print("  ".join([title.ljust(width), *(cell.rjust(19) for cell in cells)]))
    if runs[0].fold:
        # Those of each fold were written anew, whether it was trained now or there already.
        answers = [f for run in runs if (f := output / run.name / ANSWERS).exists()]
        if answers:
            joined = "".join(file.read_text(encoding="utf-8") for file in answers)
            target = output / ANSWERS
            write_text(target, joined)
            for file in answers:
                file.unlink()
            print(f"out-of-fold answers: {target}", file=sys.stderr)
        return
    print(
        f"each is a model; all together: rnnlp predict {output}/seed_* TEXT",
        file=sys.stderr,
    )


def _numbers(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Single numbers among nested scores, without tables."""
    for name, value in values.items():
        if isinstance(value, int | float):
            yield f"{prefix}{name}", float(value)
        elif isinstance(value, Mapping) and not name.startswith("per_"):
            yield from _numbers(value, f"{prefix}{name} ")
