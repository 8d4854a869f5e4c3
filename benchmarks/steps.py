"""The time of a training step inside Lightning's loop, of one or several states of the code.

    python benchmarks/steps.py --steps 100 --tree . --tree ../before -- \\
        --config ner_cluener --data.train train.json --data.validation dev.json

What follows `--` is for `rnnlp fit`. Each tree is a folder in which the package `rnnlp` lies; they
take turns, and the first tree's time and losses are what the others' are compared with. The first
`--warm_up` steps do not count, nor does what comes before training and after it.
"""

from __future__ import annotations

import argparse
import json
import os
import runpy
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch


def tokens(batch: Any) -> int:
    """How many tokens a batch has: the sum of the last lengths in it, a translator's target."""
    found = 0
    for name in getattr(batch, "_fields", ()):
        value = getattr(batch, name)
        if "lengths" in name and isinstance(value, torch.Tensor) and value.dim() == 1:
            found = int(value.sum())
        elif hasattr(value, "_fields"):
            found = tokens(value) or found
    return found


def child(arguments: list[str]) -> None:
    """Trains, and prints when each step began, its tokens and its loss."""
    from pytorch_lightning.loops.training_epoch_loop import _TrainingEpochLoop
    from pytorch_lightning.strategies import Strategy

    begun: list[float] = []
    counts: list[int] = []
    losses: list[float] = []
    advance, training_step = _TrainingEpochLoop.advance, Strategy.training_step

    def timed(self: Any, *args: Any) -> None:
        begun.append(time.perf_counter())
        advance(self, *args)

    def counted(self: Any, batch: Any, *args: Any) -> Any:
        counts.append(tokens(batch))
        out = training_step(self, batch, *args)
        losses.append(float((out["loss"] if isinstance(out, dict) else out).detach()))
        return out

    _TrainingEpochLoop.advance, Strategy.training_step = timed, counted  # type: ignore[method-assign]
    sys.argv = ["rnnlp", "fit", *arguments]
    try:
        runpy.run_module("rnnlp", run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise
    print(json.dumps({"begun": begun, "tokens": counts, "losses": losses}))


def main() -> None:
    """Prints a line a tree."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--tree", action="append", default=[])
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--warm_up", type=int, default=20)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args, settings = parser.parse_known_args()
    settings = [one for one in settings if one != "--"]
    if args.child:
        return child(settings)
    trees = [Path(tree).resolve() for tree in args.tree or [Path(__file__).parents[2]]]
    seconds: dict[Path, list[float]] = {tree: [] for tree in trees}
    rates: dict[Path, list[float]] = {tree: [] for tree in trees}
    losses: dict[Path, list[float]] = {}
    for _ in range(args.turns):
        for tree in trees:
            with tempfile.TemporaryDirectory() as folder:
                answer = subprocess.run(
                    [sys.executable, __file__, "--child", *settings,
                     f"--trainer.max_steps={args.warm_up + args.steps}", "--trainer.max_epochs=-1",
                     "--trainer.limit_val_batches=1", "--output", f"{folder}/model"],
                    check=True, capture_output=True, text=True, cwd=folder,
                    env={**os.environ, "PYTHONPATH": str(tree)},
                )  # fmt: skip
            figures = json.loads(answer.stdout.splitlines()[-1])
            begun, counts = figures["begun"], figures["tokens"]
            took = begun[-1] - begun[args.warm_up]
            seconds[tree].append(took / (len(begun) - 1 - args.warm_up))
            rates[tree].append(sum(counts[args.warm_up : -1]) / took)
            losses[tree] = figures["losses"]
    first = trees[0]
    for tree in trees:
        step, rate = statistics.median(seconds[tree]), statistics.median(rates[tree])
        apart = max(abs(a - b) / b for a, b in zip(losses[tree], losses[first], strict=True))
        print(f"{tree}: {1000 * step:.1f} ms a step, {rate:,.0f} tokens a second, "
              f"{rate / statistics.median(rates[first]):.2f} times the first; losses at most "
              f"{100 * apart:.2f} % apart", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
