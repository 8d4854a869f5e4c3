"""Comparing cells: trains every cell with every seed, one process after the other, and reports.

Finished runs are kept and the one that was interrupted goes on, so a comparison can be stopped at
any time and started again with the same command. This process only waits; torch is loaded in the
processes that it starts (`worker.py`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

from rnnlp.data.errors import InputError, note
from rnnlp.tasks.base.own_parts import PLUGINS, load_plugins
from rnnlp.tasks.fit.config_files import find_configs, find_task
from rnnlp.tasks.model_folder.atomic import exclusive, remove, write_text
from rnnlp.tasks.model_folder.files import as_json, read_json
from rnnlp.tasks.registry import task_spec
from rnnlp.tasks.reporting.progress import progress_bar

from .report import write_comparison
from .results import CONTROL, Comparison, Run, comparison_of

PLAN, RUNS, RESULT = "compare.json", "runs", "measured.json"
SIZES_LOG = "sizes.log"
CHECKPOINT = "--checkpoint_seconds=15"  # all that an interruption can cost

# The working directory is no place to import from: a file torch.py may lie there.
WORKER = (
    "import sys; sys.path[:] = filter(None, sys.path); "
    "from rnnlp.tasks.compare.worker import main; sys.exit(main())"
)

Advance = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, kw_only=True)
class CompareRequest:
    """What `rnnlp compare` was asked to do.

    Args:
        task: Name of the task.
        configs: Config files; later ones win.
        arguments: Settings from the command line, which win over the files.
        cells: Names of cells; None for the usual ones.
        seeds: How often each cell is trained, with seeds from 1.
        match: What all cells have in common: "hidden", the width of the state, or "parameters",
            about the number of parameters that the config's own model has.
        output: The folder of the comparison.
        overwrite: Whether a comparison with other settings in it may be replaced.
    """

    task: str
    configs: list[Path]
    arguments: list[str]
    cells: list[str] | None
    seeds: int
    match: str
    output: Path
    overwrite: bool


class Job(NamedTuple):
    """A model that is to be trained."""

    cell: str
    seed: int
    folder: Path


def compare(
    config: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
    *,
    task: str | None = None,
    cells: Sequence[str] | None = None,
    seeds: int = 3,
    match: Literal["hidden", "parameters"] = "hidden",
    output: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    arguments: Sequence[str] = (),
    plugins: Sequence[str] = (),
    command: str = "rnnlp.compare(…)",
) -> Comparison:
    """Trains each cell under the same budget, and writes a report.

    Args:
        config: The name of a shipped config, or a YAML file; of several, later ones win.
        task: The task, where no config names it.
        cells: Such as "lstm" or "bigru"; the usual ones if not given.
        seeds: How often each cell is trained.
        match: What all cells have in common: the width of the state, or the number of parameters.
        output: The folder of the report; `runs/compare-` and the config's name if not given.
        overwrite: Whether a comparison with other settings in it may be replaced.
        arguments: Settings as on the command line, such as "--data.train=train.conll".
        plugins: Modules and files of the user's that are run first.
        command: What made the report, to stand in it.

    Raises:
        InputError: The settings are wrong, or those of another comparison; or a run failed.
    """
    load_plugins(plugins)
    if name := decided_setting(arguments):
        raise InputError(f"{name} is decided by the comparison: see rnnlp compare --help")
    names = [config] if isinstance(config, str | os.PathLike) else list(config)
    files = find_configs([os.fspath(name) for name in names], task=task)
    task = find_task(files, task=task)
    if not task_spec(task).comparable:
        raise InputError("compares one task at a time: take a config for tagging or classification")
    title = files[-1].stem if files else task
    folder = Path(output) if output else Path("runs") / f"compare-{title}"
    request = CompareRequest(
        task=task,
        configs=files,
        arguments=list(arguments),
        cells=None if cells is None else list(cells),
        seeds=seeds,
        match=match,
        output=folder,
        overwrite=overwrite,
    )
    with exclusive(folder):
        comparison = run_comparison(request)
        write_comparison(folder, comparison, title=f"Cells compared: {title}", command=command)
    print(f"report written to {folder / 'report.html'}", file=sys.stderr)
    return comparison


def run_comparison(request: CompareRequest) -> Comparison:
    """Trains and measures what is still missing.

    Raises:
        InputError: The settings are wrong, or those of another comparison; or a run failed.
    """
    plan = make_plan(request)
    for line in plan["notes"]:
        note(line)
    names = request.cells or plan["usual"]
    # Seeds outside: a machine that becomes slower meanwhile does so for all cells.
    jobs = [
        Job(name, seed, request.output / RUNS / f"{name}-{seed}")
        for seed in range(1, request.seeds + 1)
        for name in names
    ]
    if plan.get("control"):
        jobs.insert(0, Job(CONTROL, 1, request.output / RUNS / CONTROL))
    runs: dict[str, list[Run]] = {job.cell: [] for job in jobs}
    with progress_bar(len(jobs)) as show:

        def advance(number: int, job: Job, message: Mapping[str, Any]) -> None:
            text = progress_line(number, len(jobs), job, message)
            show(number, text, message.get("progress", 0.0))

        for number, job in enumerate(jobs):
            advance(number, job, {})
            if not (job.folder / RESULT).exists():
                train(request, plan, job, partial(advance, number, job))
            result = json.loads((job.folder / RESULT).read_text(encoding="utf-8"))
            runs[job.cell].append(Run(seed=job.seed, **result))
    return comparison_of(plan, runs)


def make_plan(request: CompareRequest) -> dict[str, Any]:
    """What is to be trained, read from the folder where it lies there already.

    Raises:
        InputError: The folder holds another comparison, or the settings are wrong.
    """
    settings = {
        "task": request.task,
        "configs": [file.read_text(encoding="utf-8") for file in request.configs],
        "arguments": request.arguments,
        "match": request.match,
    }
    file = request.output / PLAN
    kept: dict[str, Any] | None = None
    if file.is_file():
        kept = read_json(file)
    elif {entry.name for entry in request.output.iterdir()} - {RUNS, SIZES_LOG}:
        raise InputError(
            "is there already and holds no comparison: choose another --output",
            path=str(request.output),
        )
    if kept is not None and request.overwrite:
        remove(request.output / RUNS)
        remove(file)
        kept = None
    if kept is not None and kept["settings"] != settings:
        raise InputError(
            f"holds a comparison with other settings ({difference(kept['settings'], settings)}): "
            "use the same ones to go on with it, --overwrite to replace it, or another --output",
            path=str(request.output),
        )
    if kept is not None and (
        kept["usual"] if request.cells is None else set(request.cells) <= set(kept["cells"])
    ):
        return kept
    print("reading the data, finding the sizes of the models", file=sys.stderr)
    job = {
        "work": "sizes",
        "cells": request.cells,
        "match": request.match,
        "seed": 1,
        "output": str(request.output / RUNS / "sizes"),
    }
    sizes = run_worker(request, job, request.output / SIZES_LOG, lambda message: None)
    if kept is not None:  # with some cells more
        sizes["cells"] = kept["cells"] | sizes["cells"]
        sizes["usual"] = sizes["usual"] or kept["usual"]
    sizes["settings"] = settings
    write_text(file, as_json(sizes, indent=2) + "\n")
    return sizes


def difference(kept: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """What differs between the settings of two comparisons, in a few words."""
    if kept["match"] != wanted["match"]:
        return f"--match {kept['match']}"
    if kept["task"] != wanted["task"] or kept["configs"] != wanted["configs"]:
        return "another config"
    written = " ".join(kept["arguments"])
    return f"{written} on the command line" if written else "none on the command line"


def train(request: CompareRequest, plan: Mapping[str, Any], job: Job, advance: Advance) -> None:
    """Trains one model in a process of its own; its folder then also holds what was measured.

    Args:
        request: What is compared.
        plan: The hidden size of each cell and the settings of the control, as `make_plan` gives
            them.
        job: Cell, seed and folder.
        advance: Told how far the run is.
    """
    job.folder.parent.mkdir(parents=True, exist_ok=True)
    wanted = {
        "work": "train",
        "cell": job.cell,
        "seed": job.seed,
        "hidden_size": plan["cells"].get(job.cell, {}).get("hidden_size"),
        "settings": plan["control"] if job.cell == CONTROL else None,
        "without": plan.get("without", []),
        "output": str(job.folder),
    }
    result = run_worker(request, wanted, job.folder.with_suffix(".log"), advance)
    write_text(job.folder / RESULT, json.dumps(result, indent=2) + "\n")
    print(
        f"{job.cell}, seed {job.seed}: {plan['score']} {result['quality']:.4f} after "
        f"{result['training_seconds']:.0f} s",
        file=sys.stderr,
    )


def run_worker(
    request: CompareRequest, job: Mapping[str, Any], log: Path, advance: Advance
) -> dict[str, Any]:
    """Runs a job of `worker.py` and gives its result.

    Args:
        request: What is compared.
        job: The kind of work and what is particular to it.
        log: The file that takes what the process says on stderr.
        advance: Told each message of the process before its result.

    Raises:
        InputError: What the job found wrong; or it ended without a result.
    """
    content = {
        **job,
        "task": request.task,
        "configs": [str(file) for file in request.configs],
        "arguments": [CHECKPOINT, *request.arguments],
        "plugins": PLUGINS,
    }
    command = [sys.executable, "-c", WORKER, json.dumps(content)]
    with (
        log.open("w", encoding="utf-8") as errors,
        # A session of its own: Ctrl-C must not make it end early with a model that looks finished.
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
            start_new_session=True,
        ) as process,
    ):
        try:
            result = _listen(process, advance)
        except BaseException:
            process.kill()
            raise
        if process.stdin:
            process.stdin.close()
    if result is None:
        last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        code = process.returncode
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        why = f"{how}: {' '.join(last)}".rstrip(": ")
        raise InputError(f"a run ended without a result ({why})", path=str(log))
    return result


def _listen(process: subprocess.Popen[str], advance: Advance) -> dict[str, Any] | None:
    result: dict[str, Any] | None = None
    for line in process.stdout or ():
        message = json.loads(line)
        if "error" in message:
            raise InputError(message["error"])
        if "result" in message:
            result = message["result"]
        else:
            advance(message)
    return result


def progress_line(number: int, total: int, job: Job, message: Mapping[str, Any]) -> str:
    """How far a comparison is, in words.

    Args:
        number: Runs that are finished.
        total: All runs.
        job: The present one.
        message: What it said last: perhaps `epoch` and `score`.
    """
    text = f"run {number + 1} of {total}: {job.cell}, seed {job.seed}"
    if "epoch" in message:
        text += f", epoch {message['epoch']}"
    if message.get("score") is not None:
        text += f", score {message['score']:.4g}"
    return text


def decided_setting(arguments: Sequence[str]) -> str | None:
    """A setting among these that the comparison itself decides."""
    decided = {
        "--seed_everything",
        "--data.seed",
        "--model.encoder.cell",
        "--model.encoder.bidirectional",
        "--print_config",
        "--resume",
    }
    return next((name for name in (a.split("=")[0] for a in arguments) if name in decided), None)
