"""Trains one config with several seeds and prints the development scores as a Markdown row.

    python benchmarks/quality.py ner_wnut17 --seeds 1 2 3 \
        --data.train wnut17train.conll --data.validation emerging.dev.conll

Every option that is not this script's own goes to `rnnlp fit`. The scores are those of the kept
weights on the validation data, as `metrics.json` of each run has them. Test data is no business of
this script.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HEADLINES = (
    "f1", "accuracy", "macro_f1", "ece", "exact_match", "bleu", "chrf", "bits_per_character",
    "perplexity",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("config", help="a shipped config or a YAML file")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--keep", type=Path, help="keep the model folders here")
    options, rest = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as temporary:
        runs = [
            train(options.config, seed, rest, (options.keep or Path(temporary)) / f"seed{seed}")
            for seed in options.seeds
        ]
    names = [name for name in HEADLINES if name in runs[0]["validation"]]
    figures = " | ".join(spread([run["validation"][name] for run in runs]) for name in names)
    minutes = statistics.mean(run["seconds"] for run in runs) / 60
    threads = os.environ.get("OMP_NUM_THREADS", os.cpu_count())
    print(f"\n| config | seeds | {' | '.join(names)} | minutes a run | threads |")
    print("|" + "---|" * (len(names) + 4))
    print(f"| {options.config} | {len(runs)} | {figures} | {minutes:.1f} | {threads} |")


def train(config: str, seed: int, rest: list[str], output: Path) -> dict:
    """The metrics of one run, and its wall-clock seconds."""
    seeds = ["--seed_everything", str(seed), "--data.seed", str(seed)]
    command = [sys.executable, "-m", "rnnlp", "fit", "--config", config, *seeds, *rest]
    started = time.perf_counter()
    subprocess.run([*command, "--output", str(output), "--overwrite"], check=True)
    seconds = time.perf_counter() - started
    metrics = json.loads((output / "metrics.json").read_text(encoding="utf-8"))
    return {**metrics, "seconds": seconds}


def spread(values: list[float]) -> str:
    """Mean and standard deviation; ratios in per cent."""
    scale = 100 if all(0 <= value <= 1 for value in values) else 1
    mean = scale * statistics.mean(values)
    if len(values) == 1:
        return f"{mean:.2f}"
    return f"{mean:.2f} ± {scale * statistics.stdev(values):.2f}"


if __name__ == "__main__":
    main()
