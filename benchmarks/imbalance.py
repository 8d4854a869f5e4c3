"""What balanced weights give where labels are rare, and what drawing rare labels more often gives.

    python benchmarks/imbalance.py TREC.train TREC.dev --label_before : --rare NUM LOC ABBR \
        --seeds 1 2 3 --config sentiment --model.recurrent false --model.ngrams 3

Keeps `--texts` texts of each rare label in training and all of the others, and scores on the
development file as it is. For `resampled`, texts of each label are repeated until all labels are as
frequent as the most frequent one. What is not this script's own goes to `rnnlp fit`. Prints a table
of mean and standard deviation over the seeds, which also choose the texts that are kept.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from rnnlp.data.classification.readers import read_classification
from rnnlp.data.corpus.report import Notes

WAYS = ("none", "balanced", "resampled")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("train", help="labelled texts in any format that classifiers take")
    parser.add_argument("dev", help="likewise")
    parser.add_argument("--label_before", default="")
    parser.add_argument("--rare", nargs="+", required=True, help="labels to make rare")
    parser.add_argument("--texts", type=int, default=50, help="of each rare label")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    options, rest = parser.parse_known_args()
    train, dev = (read(path, options.label_before) for path in (options.train, options.dev))
    scores: dict[str, list[dict]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        for seed in options.seeds:
            kept = thinned(train, options.rare, options.texts, seed)
            write(Path(folder) / "dev.jsonl", dev)
            for way in WAYS:
                rows = resampled(kept, seed) if way == "resampled" else kept
                write(Path(folder) / "train.jsonl", rows)
                scores[way].append(fit(Path(folder), way, seed, rest))
    print("| way | seeds | accuracy | macro F1 |")
    print("|---|---|---|---|")
    for way, runs in scores.items():
        shown = [spread([run[name] for run in runs]) for name in ("accuracy", "macro_f1")]
        print(f"| {way} | {len(runs)} | {' | '.join(shown)} |")


def read(path: str, label_before: str) -> list[tuple[str, str]]:
    """The texts of a file with their labels."""
    examples = read_classification(path, label_before=label_before, notes=Notes())
    return [(example.text, example.labels[0]) for example in examples]


def thinned(
    rows: list[tuple[str, str]], rare: list[str], texts: int, seed: int
) -> list[tuple[str, str]]:
    """All rows but those of rare labels, of which so many are drawn."""
    numbers = random.Random(seed)
    kept = [row for row in rows if row[1] not in rare]
    for label in rare:
        own = [row for row in rows if row[1] == label]
        kept += numbers.sample(own, min(texts, len(own)))
    numbers.shuffle(kept)
    return kept


def resampled(rows: list[tuple[str, str]], seed: int) -> list[tuple[str, str]]:
    """The rows with those of rarer labels repeated until each label is as frequent as the first."""
    numbers = random.Random(seed)
    most = max(Counter(label for _, label in rows).values())
    drawn = []
    for label in sorted({label for _, label in rows}):
        own = [row for row in rows if row[1] == label]
        whole, rest = divmod(most, len(own))
        drawn += own * whole + numbers.sample(own, rest)
    numbers.shuffle(drawn)
    return drawn


def write(path: Path, rows: list[tuple[str, str]]) -> None:
    """Writes JSON lines."""
    lines = [json.dumps({"text": text, "label": label}) + "\n" for text, label in rows]
    path.write_text("".join(lines), encoding="utf-8")


def fit(folder: Path, way: str, seed: int, rest: list[str]) -> dict:
    """The scores of a training on the development texts."""
    output = folder / way
    command = [sys.executable, "-m", "rnnlp", "fit", "--output", str(output), "--overwrite"]
    command += ["--data.train", str(folder / "train.jsonl"), "--seed_everything", str(seed)]
    command += ["--data.validation", str(folder / "dev.jsonl")]
    command += ["--model.class_weights", "balanced" if way == "balanced" else "none"]
    subprocess.run([*command, *rest], check=True, stdout=sys.stderr)
    metrics = json.loads((output / "metrics.json").read_text(encoding="utf-8"))
    return metrics["validation"]


def spread(values: list[float]) -> str:
    """Mean and standard deviation, in per cent."""
    mean = f"{100 * statistics.mean(values):.1f}"
    return f"{mean} ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else mean


if __name__ == "__main__":
    main()
