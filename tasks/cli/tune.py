"""`rnnlp tune`: the command line in front of `tasks/tune`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from .parser import OneLineParser, shows_help

HELP = """\
usage: rnnlp tune --config NAME|FILE [--space FILE] [--trials N] [--minutes M] [--KEY VALUE ...]

Searches for better values by the validation score; writes best.yaml, results.json, report.html.

  --config NAME|FILE   as for fit: a shipped config by name, or a YAML file
  --space FILE         what is tried (default: shipped for the task), in YAML:
                         model.optimizer.learning_rate: {low: 0.001, high: 0.01, log: true}
                         model.encoder.cell: [lstm, gru]
  --trials N           how many (default: 20); hopeless ones are ended early
  --minutes M          what all may take, the runs with other seeds at the end included
  --seeds N            other seeds for the best and the given config at the end (default: 3)
  --workers N          processes that work on trials (default: 1)
  --storage URL|FILE   where machines share the study, which is called as DIR's last part: a
                       database such as postgresql://…, or a file on a disk they share
  --output DIR         default: runs/tune-<config name>
  --resume             go on with the study in DIR; with --storage it is joined anyway
  --data.train FILE    every key of fit can be given (rnnlp fit --config NAME --help)
"""


def tune(arguments: Sequence[str]) -> int:
    """Runs `rnnlp tune` with these arguments."""
    if (code := shows_help(arguments, HELP)) is not None:
        return code
    parser = OneLineParser(prog="rnnlp tune", add_help=False, allow_abbrev=False)
    parser.add_argument("-c", "--config", required=True)
    parser.add_argument("--space", type=Path)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--storage")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--resume", action="store_true")
    known, rest = parser.parse_known_args(list(arguments))

    from rnnlp.tasks.tune.report import BEST, chance_lines
    from rnnlp.tasks.tune.search import tune as search

    output = known.output or Path("runs") / f"tune-{Path(known.config).stem}"
    results = search(
        known.config,
        space=known.space,
        trials=known.trials,
        minutes=known.minutes,
        seeds=known.seeds,
        workers=known.workers,
        storage=known.storage,
        output=output,
        resume=known.resume,
        arguments=rest,
        command=shlex.join(["rnnlp", "tune", *arguments]),
    )
    print("\n".join(chance_lines(results)))
    print(f"rnnlp fit --config {output / BEST} {shlex.join(rest)}".rstrip(), file=sys.stderr)
    return 0
