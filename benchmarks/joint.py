"""Trains tagging and classification jointly and separately with the same sizes, and compares them.

    python benchmarks/joint.py --seeds 1 2 3
    python benchmarks/joint.py --data.sample chinese --data.level character

Every option that is not this script's own goes to `rnnlp fit --config joint`. The separate models
have the data, embedding, encoder, output layer, optimiser and epochs of the joint one. Scores are
those of the kept weights on the validation and test splits, as `metrics.json` of each run has them;
a difference is joint minus separate, in points. A run that is finished in `--keep` is not trained
again.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml
from safetensors.torch import load_file

from rnnlp.tasks.cli import main as cli

MAIN = {"tagging": "f1", "classification": "accuracy"}
FIT = [sys.executable, "-m", "rnnlp", "fit"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--keep", type=Path, help="keep the model folders here")
    options, rest = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        joint = resolved(rest)
        files = {"joint": folder / "joint.yaml"}
        files["joint"].write_text(yaml.safe_dump(joint, allow_unicode=True), encoding="utf-8")
        for task in MAIN:
            files[task] = folder / f"{task}.yaml"
            text = yaml.safe_dump(alone(joint, task), allow_unicode=True)
            files[task].write_text(text, encoding="utf-8")
        runs = {
            name: [train(file, seed, folder / f"{name}-{seed}") for seed in options.seeds]
            for name, file in files.items()
        }
    threads = os.environ.get("OMP_NUM_THREADS", os.cpu_count())
    print(f"\nseeds {options.seeds}, {threads} threads a run\n")
    print("| task | split | separate | joint | difference |")
    print("|---|---|---|---|---|")
    for task, score in MAIN.items():
        for split in [split for split in ("validation", "test") if split in runs["joint"][0]]:
            single = [100 * run[split][score] for run in runs[task]]
            both = [100 * run[split][task][score] for run in runs["joint"]]
            difference = statistics.mean(both) - statistics.mean(single)
            row = (f"{task} {score}", split, spread(single), spread(both), f"{difference:+.2f}")
            print(f"| {' | '.join(row)} |")
    print("\n| model | weights | seconds of training |")
    print("|---|---|---|")
    for name, same in runs.items():
        seconds = statistics.mean(run["training_seconds"] for run in same)
        print(f"| {name} | {same[0]['weights']:,} | {seconds:.0f} |")


def resolved(rest: list[str]) -> dict[str, Any]:
    """Every setting of a joint run."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        cli.run(["fit", "--config", "joint", *rest, "--print_config"])
    settings: dict[str, Any] = yaml.safe_load(out.getvalue())
    return {key: settings[key] for key in ("task", "data", "model", "trainer", "early_stopping")}


def alone(joint: dict[str, Any], task: str) -> dict[str, Any]:
    """The settings with which one of the two tasks is trained by itself."""
    data, model = dict(joint["data"]), dict(joint["model"])
    parts = {name: (data.pop(name), model.pop(name)) for name in MAIN}
    own_data, own_model = parts[task]
    own_model = {key: value for key, value in own_model.items() if key != "loss_weight"}
    return {**joint, "task": task, "data": data | own_data, "model": model | own_model}


def train(config: Path, seed: int, output: Path) -> dict[str, Any]:
    """The metrics of one run, and its number of weights; trained now unless it is finished."""
    metrics = output / "metrics.json"
    if not metrics.exists():
        command = [*FIT, "--config", str(config), "--seed_everything", str(seed)]
        subprocess.run([*command, "--output", str(output), "--overwrite"], check=True)
    weights = sum(tensor.numel() for tensor in load_file(output / "model.safetensors").values())
    return {**json.loads(metrics.read_text(encoding="utf-8")), "weights": weights}


def spread(values: list[float]) -> str:
    """Mean and standard deviation."""
    if len(values) == 1:
        return f"{values[0]:.2f}"
    return f"{statistics.mean(values):.2f} ± {statistics.stdev(values):.2f}"


if __name__ == "__main__":
    main()
