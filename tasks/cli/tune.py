"""`rnnlp tune`: the command line in front of `tasks/tune`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from rnnlp.data.errors import InputError
from rnnlp.tasks.fit.config_files import find_config, find_configs, find_task, is_shipped
from rnnlp.tasks.model_folder.atomic import exclusive
from rnnlp.tasks.registry import load_plugins

from .parser import OneLineParser, plugins_of, shows_help

HELP = """\
usage: rnnlp tune --config NAME|FILE [--space FILE] [--trials N] [--minutes M] [--KEY VALUE ...]

Searches for better values by the validation score; writes best.yaml, results.json, report.html.

  --config NAME|FILE   as for fit: a shipped config by name, or a YAML file
  --space FILE         what is tried (default: shipped for the task), in YAML:
                         model.optimizer.learning_rate: {low: 0.001, high: 0.01, log: true}
                         model.encoder.cell: [lstm, gru]
  --trials N           how many (default: 20); hopeless ones are ended early
  --minutes M          no trial begins after so many minutes
  --seeds N            other seeds for the best and the given config at the end (default: 3)
  --storage URL        a database of Optuna's for the study, such as sqlite:///study.db
  --output DIR         default: runs/tune-<config name>
  --resume             go on with the study
  --data.train FILE    every key of fit can be given (rnnlp fit --config NAME --help)
"""


def tune(arguments: Sequence[str]) -> int:
    """Runs `rnnlp tune` with these arguments."""
    if (code := shows_help(arguments, HELP)) is not None:
        return code
    plugins, rest = plugins_of(arguments)
    load_plugins(plugins)
    parser = OneLineParser(prog="rnnlp tune", add_help=False, allow_abbrev=False)
    parser.add_argument("-c", "--config", required=True)
    parser.add_argument("--space", type=Path)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--storage")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--resume", action="store_true")
    known, rest = parser.parse_known_args(rest)
    if known.trials < 1 or known.seeds < 0 or (known.minutes is not None and known.minutes <= 0):
        raise InputError("--trials is 1 or more, --seeds 0 or more, --minutes above 0")
    if known.space is not None and not known.space.is_file():
        raise InputError("no such search space", path=str(known.space))
    files = find_configs([known.config])
    task = find_task(files)
    output = known.output or Path("runs") / f"tune-{files[-1].stem}"

    from rnnlp.tasks.fit.lightning_cli import FitRequest
    from rnnlp.tasks.tune.search import TuneRequest, chance_lines
    from rnnlp.tasks.tune.search import tune as run
    from rnnlp.tasks.tune.space import shipped_space

    config = find_config(known.config)
    request = TuneRequest(
        fit=FitRequest(
            task=task, configs=files, arguments=rest, output=output, resume=False, overwrite=False
        ),
        base=config.stem if is_shipped(config) else str(config.resolve()),
        space=known.space or shipped_space(task),
        trials=known.trials,
        minutes=known.minutes,
        seeds=known.seeds,
        storage=known.storage,
        resume=known.resume,
        command=shlex.join(["rnnlp", "tune", *arguments]),
    )
    with exclusive(output):
        results = run(request)
    print("\n".join(chance_lines(results)))
    print(f"rnnlp fit --config {output / 'best.yaml'} {shlex.join(rest)}".rstrip(), file=sys.stderr)
    return 0
