"""`rnnlp fit`: the command line in front of `tasks/fit`.

What needs no Lightning happens here (the general help, finding the config and the task), so that
mistakes in those answer quickly.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rnnlp.data.errors import InputError
from rnnlp.tasks.fit.config_files import config_task, find_config, shipped_configs

from .parser import OneLineParser

HELP = """\
usage: rnnlp fit --config NAME|FILE [--output DIR] [--resume | --overwrite] [--KEY VALUE ...]

Trains a model and writes a model folder (default: runs/<config name>).

  --config NAME|FILE   a shipped config by name, or a YAML file; may be given again, later ones win
  --output DIR         the model folder
  --resume             go on from the last checkpoint in the folder
  --overwrite          replace the model in the folder
  --print_config       print the full config and leave
  --data.train FILE    any key of the config can be given on the command line

Shipped configs:
{configs}

Every key with its meaning:  rnnlp fit --config {first} --help
"""


def fit(arguments: Sequence[str]) -> int:
    """Runs `rnnlp fit` with these arguments."""
    if list(arguments) in (["-h"], ["--help"]):  # answered at once, without any heavy import
        sys.stdout.write(general_help())
        return 0
    from rnnlp.tasks.registry import TASKS

    parser = OneLineParser(prog="rnnlp fit", add_help=False, allow_abbrev=False)
    parser.add_argument("-c", "--config", action="append", default=[])
    parser.add_argument("--task", choices=TASKS)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--overwrite", action="store_true")
    parser.add_argument("-h", "--help", action="store_true")
    known, rest = parser.parse_known_args(list(arguments))
    files = find_configs(known)
    task = find_task(known, files)
    if known.resume and known.overwrite:
        raise InputError("--resume and --overwrite exclude each other")
    output = known.output or Path("runs") / (files[-1].stem if files else task)

    from rnnlp.tasks.fit.lightning_cli import FitRequest
    from rnnlp.tasks.fit.run import run_fit

    return run_fit(
        FitRequest(
            task=task,
            configs=files,
            arguments=[*rest, "--help"] if known.help else rest,
            output=output,
            resume=known.resume,
            overwrite=known.overwrite,
        )
    )


def find_configs(known: argparse.Namespace) -> list[Path]:
    """The config files; a resumed run knows its own."""
    if known.config:
        return [find_config(name) for name in known.config]
    if known.resume and known.output is not None:
        from rnnlp.tasks.model_folder.folder import CHECKPOINTS, TRAINING

        file: Path = known.output / CHECKPOINTS / TRAINING
        if not file.is_file():
            raise InputError(
                "nothing to resume: no unfinished run lies here", path=str(known.output)
            )
        return [file]
    if known.task:
        return []
    names = ", ".join(name for name, _ in shipped_configs())
    raise InputError(f"--config is missing: give a YAML file or one of {names} (rnnlp fit --help)")


def find_task(known: argparse.Namespace, files: Sequence[Path]) -> str:
    """The task that was given, or that the config names."""
    from rnnlp.tasks.registry import TASKS

    task: str | None = known.task or next(filter(None, map(config_task, reversed(files))), None)
    if task is None:
        raise InputError(
            f"names no task: add a line `task: {TASKS[0]}`", path=str(files[-1]) if files else None
        )
    if task not in TASKS:
        raise InputError(f"unknown task {task!r}: use {', '.join(TASKS)}", path=str(files[-1]))
    return task


def general_help() -> str:
    """The help without a config: what there is."""
    shipped = shipped_configs()
    width = max((len(name) for name, _ in shipped), default=0)
    lines = "\n".join(f"  {name:<{width}}  {meaning}" for name, meaning in shipped)
    return HELP.format(configs=lines, first=shipped[0][0] if shipped else "FILE")
