"""`rnnlp compare`: the command line in front of `tasks/compare` and `tasks/memory_study`."""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from rnnlp.data.errors import InputError

from .parser import OneLineParser, shows_help

HELP = """\
usage: rnnlp compare --config NAME|FILE [--cells LIST] [--seeds N] [--KEY VALUE ...]
       rnnlp compare --long-range [--cells LIST] [--lags LIST] [--seeds N]

Trains each cell under the same budget on your data and writes a report: quality, speed, memory,
and which cell to take.

  --config NAME|FILE   as for fit: a shipped config by name, or a YAML file
  --cells LIST         such as rnn,lstm,gru,bilstm,bigru; every cell also with bi before it
  --seeds N            how often each cell is trained (default: 3; 1 with --long-range)
  --match WHAT         hidden: states of one width (default); parameters: about equally many
  --output DIR         where results.json, report.md and report.html go
                       (default: runs/compare-<config name>, runs/long-range)
  --overwrite          replace a comparison with other settings in the folder
  --plugin MODULE|FILE.py   Python of your own, run first: it may register cells
  --data.train FILE    every key of fit can be given (rnnlp fit --config NAME --help)

  --long-range         instead: how far back each cell remembers, on made-up sequences
  --lags LIST          such as 10,100,1000

Interrupted, the same command goes on where it stopped; with more cells or seeds it trains only
what is missing.
"""


def compare(arguments: Sequence[str]) -> int:
    """Runs `rnnlp compare` with these arguments."""
    if (code := shows_help(arguments, HELP)) is not None:
        return code
    parser = OneLineParser(prog="rnnlp compare", add_help=False, allow_abbrev=False)
    parser.add_argument("-c", "--config", action="append", default=[])
    parser.add_argument("--task")
    parser.add_argument("--cells", type=names)
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--match", choices=("hidden", "parameters"))
    parser.add_argument("--output", type=Path)
    parser.add_argument("--overwrite", action="store_true")
    parser.add_argument("--long-range", action="store_true")
    parser.add_argument("--lags", type=names)
    known, rest = parser.parse_known_args(list(arguments))
    if known.seeds is None:
        known.seeds = 1 if known.long_range else 3
    if known.seeds < 1:
        raise InputError(f"--seeds is {known.seeds}: it must be 1 or more")
    command = shlex.join(["rnnlp", "compare", *arguments])
    if known.long_range:
        return on_made_up_sequences(known, rest, command)
    if known.lags is not None:
        raise InputError("--lags is for rnnlp compare --long-range")
    return on_data(known, rest, command)


def on_data(known: argparse.Namespace, rest: list[str], command: str) -> int:
    """Compares cells on data, and prints the table and the advice.

    Args:
        known: What `compare` has parsed.
        rest: The settings of `fit` among its arguments.
        command: The whole command, for the report.
    """
    from rnnlp.tasks.compare.recommendation import advice
    from rnnlp.tasks.compare.report import control_line, figures
    from rnnlp.tasks.compare.run import compare as run

    comparison = run(
        known.config,
        task=known.task,
        cells=known.cells,
        seeds=known.seeds,
        match=known.match or "hidden",
        output=known.output,
        overwrite=known.overwrite,
        arguments=rest,
        command=command,
    )
    table = figures(comparison)
    print("\t".join(table.header))
    for row in table.rows:
        print("\t".join(row))
    for line in control_line(comparison):
        print("\n" + line)
    print("\n" + advice(comparison)[0].replace("`", ""))
    return 0


def on_made_up_sequences(known: argparse.Namespace, rest: list[str], command: str) -> int:
    """Tests how far back cells remember, and prints the table.

    Args:
        known: What `compare` has parsed.
        rest: What it could not place: nothing, or an error.
        command: The whole command, for the report.

    Raises:
        InputError: A setting that says nothing there, or a lag that is no whole number.
    """
    from rnnlp.tasks.memory_study.protocol import CELLS, LAGS
    from rnnlp.tasks.memory_study.run import RUNS, run

    data = {"--config": known.config, "--task": known.task, "--match": known.match}
    odd = [*(name for name, value in data.items() if value), *rest]
    if odd:
        raise InputError(f"--long-range trains on made-up sequences: {odd[0]} says nothing there")
    lags = known.lags or [str(lag) for lag in LAGS]
    if bad := [lag for lag in lags if not lag.isdecimal()]:
        raise InputError(f"--lags is a list of whole numbers such as 10,100,1000, not {bad[0]!r}")
    output = known.output or Path("runs") / "long-range"
    if known.overwrite and (output / RUNS).is_dir():
        shutil.rmtree(output / RUNS)
    table = run(
        output,
        cells=known.cells or CELLS,
        lags=[int(lag) for lag in lags],
        seeds=known.seeds,
        command=command,
    )
    for row in (table.header, *table.rows):
        print("\t".join(row))
    print(f"report written to {output / 'report.html'}", file=sys.stderr)
    return 0


def names(text: str) -> list[str]:
    """A list as it is given on the command line; each name once."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise argparse.ArgumentTypeError("must name at least one, separated by commas")
    return list(dict.fromkeys(parts))
