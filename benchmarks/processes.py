"""Training in two processes on one core each, against one process on one core.

    python benchmarks/processes.py --config ner_cluener --data.train train.json.gz …

Each is trained twice, for `--epochs` epochs and for one more: the difference is what an epoch
takes, its validation included, without reading the data. `--repeats` pairs take turns. An epoch has
the same examples for both; two processes learn from twice as many at a step.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def seconds_of(settings: list[str], *, epochs: int, processes: int) -> float:
    """Wall-clock seconds of `rnnlp fit`, one thread in each process."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "rnnlp", "fit", *settings, "--output", str(Path(folder) / "m"),
            f"--trainer.max_epochs={epochs}", f"--trainer.devices={processes}",
            "--trainer.accelerator=cpu",
        ]  # fmt: skip
        started = time.perf_counter()
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run(command, env=environment, check=True, capture_output=True)
        return time.perf_counter() - started


def main() -> None:
    """Prints seconds an epoch of both, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=1)
    args, settings = parser.parse_known_args()
    epoch: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(args.repeats):
        for processes, found in epoch.items():
            short, long = (
                seconds_of(settings, epochs=epochs, processes=processes)
                for epochs in (args.epochs, args.epochs + 1)
            )
            found.append(long - short)
    one, two = (statistics.median(found) for found in epoch.values())
    print(f"one process {one:.1f} s an epoch, two {two:.1f} s: {one / two:.2f} times as fast")


if __name__ == "__main__":
    main()
