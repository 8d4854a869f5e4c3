"""Training in two processes on one core each, against one process on one core.

    python benchmarks/processes.py --config ner_cluener --data.train train.json.gz …

Each is trained twice, for `--epochs` epochs and for one more: the difference is what an epoch
takes, its validation included, without reading the data. `--repeats` of them take turns. An epoch
has the same examples for both; two processes learn from twice as many at a step. Two separate
trainings at once, which never speak to each other, show the most that the machine's cores allow.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
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

    def epoch(processes: int) -> float:
        short, long = (
            seconds_of(settings, epochs=epochs, processes=processes)
            for epochs in (args.epochs, args.epochs + 1)
        )
        return long - short

    alone, together, separate = [], [], []
    for _ in range(args.repeats):
        alone.append(epoch(1))
        together.append(epoch(2))
        with ThreadPoolExecutor(2) as pool:
            separate.append(statistics.mean(pool.map(epoch, (1, 1))))
    one, two, apart = map(statistics.median, (alone, together, separate))
    print(
        f"one process {one:.1f} s an epoch, two {two:.1f} s: {one / two:.2f} times as fast; two "
        f"separate trainings at once {apart:.1f} s each: {2 * one / apart:.2f} at most"
    )


if __name__ == "__main__":
    main()
