"""How many labels a score takes: texts that `rnnlp select` chooses, against texts at random.

    python benchmarks/active.py --config topic_trec --train train.tsv --validation dev.tsv \\
        --step 100 --rounds 10 --seeds 1 2 3

Both begin with the same `--step` random texts, and get as many in each round: chosen by the model
of the round before, or at random. What is aimed at is `--share` of the accuracy with all labels, at
which a curve ends.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from rnnlp.data.classification.readers import read_classification
from rnnlp.data.corpus.report import Notes


def rnnlp(*arguments: object) -> None:
    """Runs a verb."""
    subprocess.run([sys.executable, "-m", "rnnlp", *map(str, arguments)], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip


class Study:
    """Trains on some of the labels, in a folder that is its own.

    Args:
        labels: The label of each text.
        settings: Of every training.
        folder: Where models and files go.
    """

    def __init__(self, labels: dict[str, str], settings: list[str], folder: Path) -> None:
        self.labels, self.settings, self.folder = labels, settings, folder

    def accuracy(self, texts: list[str], *, seed: int, model: Path) -> float:
        """That of a model that knows these labels, in per cent."""
        rows = [{"text": text, "label": self.labels[text]} for text in texts]
        train = self.folder / "train.jsonl"
        train.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        rnnlp("fit", *self.settings, f"--data.train={train}", f"--seed_everything={seed}",
              "--overwrite", "--output", model)  # fmt: skip
        scores = json.loads((model / "metrics.json").read_text(encoding="utf-8"))
        return 100 * float(scores["validation"]["accuracy"])

    def chosen(self, known: list[str], *, count: int, seed: int, model: Path) -> list[str]:
        """What `select` would have labelled next."""
        pool = self.folder / "pool.jsonl"
        unknown = [text for text in self.labels if text not in set(known)]
        pool.write_text("".join(json.dumps({"text": t}) + "\n" for t in unknown), encoding="utf-8")
        out = self.folder / "chosen.jsonl"
        rnnlp("select", model, "--input", pool, "--count", count, "--seed", seed, "--output", out)
        return [json.loads(line)["text"] for line in out.read_text(encoding="utf-8").splitlines()]


def needed(curve: list[float], *, aim: float, step: int) -> float:
    """Labels until a curve reaches the aim, on a straight line between rounds; inf if never."""
    before = 0.0
    for number, value in enumerate(curve):
        if value >= aim:
            part = (aim - before) / (value - before) if number else 1.0
            return step * (number + part)
        before = value
    return float("inf")


def main() -> None:
    """Prints both curves of each seed, and the labels that they need."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--config", required=True)
    parser.add_argument("--train", required=True)
    parser.add_argument("--validation", required=True)
    parser.add_argument("--step", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--share", type=float, default=0.95)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    args, settings = parser.parse_known_args()
    labels = {row.text: row.labels[0] for row in read_classification(args.train, notes=Notes())}
    totals: dict[str, list[float]] = {"random": [], "select": []}
    with tempfile.TemporaryDirectory() as name:
        common = ["--config", args.config, f"--data.validation={args.validation}", *settings]
        study = Study(labels, common, Path(name))
        model = Path(name) / "model"
        for seed in args.seeds:
            full = study.accuracy(list(labels), seed=seed, model=model)
            order = list(labels)
            random.Random(seed).shuffle(order)
            for way, counts in totals.items():
                known: list[str] = order[: args.step]
                curve = [study.accuracy(known, seed=seed, model=model)]
                while len(curve) < args.rounds and curve[-1] < args.share * full:
                    rest = [text for text in order if text not in set(known)]
                    known += (
                        study.chosen(known, count=args.step, seed=seed, model=model)
                        if way == "select"
                        else rest[: args.step]
                    )
                    curve.append(study.accuracy(known, seed=seed, model=model))
                counts.append(needed(curve, aim=args.share * full, step=args.step))
                shown = " ".join(f"{value:.1f}" for value in curve)
                print(f"seed {seed} {way}: {shown} (all labels {full:.1f}): "
                      f"{counts[-1]:.0f} needed",
                      flush=True)  # fmt: skip
    for way, counts in totals.items():
        print(f"{way}: {statistics.fmean(counts):.0f} labels")


if __name__ == "__main__":
    main()
