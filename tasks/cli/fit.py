"""`rnnlp fit`: the command line in front of `tasks/fit`.

What needs no Lightning happens here (the general help, finding the config and the task), so that
mistakes in those answer quickly.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rnnlp.data.errors import InputError
from rnnlp.tasks.base.processes import is_first
from rnnlp.tasks.fit.config_files import find_configs, find_task, shipped_configs
from rnnlp.tasks.model_folder.atomic import exclusive

from .parser import OneLineParser

HELP = """\
usage: rnnlp fit --config NAME|FILE [--output DIR] [--resume | --overwrite] [--KEY VALUE ...]

Trains a model and writes a model folder (default: runs/<config name>).

  --config NAME|FILE   a shipped config by name, or a YAML file; may be given again, later ones win
  --output DIR         the model folder
  --resume             go on from the last checkpoint in the folder
  --overwrite          replace the model in the folder
  --print_config       print the full config and leave
  --unlabelled [FILE]  language models read the training texts and these first, and the encoder
                       begins as theirs; may be given again
  --seeds N            train N times, from other seeds; mean and spread of the scores
  --plugin MODULE|FILE.py   Python of your own, run first: it may register tasks and cells
  --task NAME          the task, where no config names it, such as one of your own
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
    parser = OneLineParser(prog="rnnlp fit", add_help=False, allow_abbrev=False)
    parser.add_argument("-c", "--config", action="append", default=[])
    parser.add_argument("--task")
    parser.add_argument("--base")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--overwrite", action="store_true")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--unlabelled", action="append", nargs="?", default=[])
    parser.add_argument("-h", "--help", action="store_true")
    known, rest = parser.parse_known_args(list(arguments))
    files = find_configs(
        known.config, task=known.task, resumed=known.output if known.resume else None
    )
    task = find_task(files, task=known.task)
    if known.base is not None:
        raise InputError(
            "--base is a key of config files: on the command line, give --config "
            f"{known.base} before the other --config"
        )
    if known.resume and known.overwrite:
        raise InputError("--resume and --overwrite exclude each other")
    output = known.output or Path("runs") / (files[-1].stem if files else task)
    if output.is_dir() and not known.help and is_first():
        with exclusive(output):  # said before the imports that take time; run_fit locks it again
            pass

    from rnnlp.tasks.fit.lightning_cli import FitRequest
    from rnnlp.tasks.fit.pretraining import pretrained
    from rnnlp.tasks.fit.repeated import run_repeated, runs_of
    from rnnlp.tasks.fit.run import run_fit

    request = FitRequest(
        task=task,
        configs=files,
        arguments=[*rest, "--help"] if known.help else rest,
        output=output,
        resume=known.resume,
        overwrite=known.overwrite,
    )
    printing = known.help or any(part.startswith("--print_config") for part in rest)
    if not printing:
        texts = [file for file in known.unlabelled if file is not None]
        request = pretrained(request, texts if known.unlabelled else None)
    runs = runs_of(request, seeds=known.seeds)
    return run_repeated(request, runs) if runs and not printing else run_fit(request)


def general_help() -> str:
    """The help without a config: what there is."""
    shipped = shipped_configs()
    width = max((len(name) for name, _ in shipped), default=0)
    lines = "\n".join(f"  {name:<{width}}  {meaning}" for name, meaning in shipped)
    return HELP.format(configs=lines, first=shipped[0][0] if shipped else "FILE")
