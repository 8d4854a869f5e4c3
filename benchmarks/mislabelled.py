"""How many wrong labels `rnnlp check` finds: flips a share of the labels, and looks for them.

    python benchmarks/mislabelled.py TREC.train --label_before : --seeds 1 2 3
    python benchmarks/mislabelled.py TREC.train --label_before : --config topic_trec

Labels are flipped to another one, evenly; the models of five folds are asked. What is not this
script's own goes to `rnnlp check`. Some labels that nobody flipped are wrong as well, and count
against the precision. Prints a row of a table for each seed.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rnnlp.data.classification.readers import read_classification
from rnnlp.data.corpus.report import Notes

PAGE_ROW = re.compile(r"<td>[^<]*:(\d+)</td>")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("train", help="labelled texts in any format that classifiers take")
    parser.add_argument("--label_before", default="")
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    options, rest = parser.parse_known_args()
    read = read_classification(options.train, label_before=options.label_before, notes=Notes())
    rows = [(example.text, example.labels[0]) for example in read]
    print("| seed | texts | flipped | taken for wrong | precision | recall | seconds |")
    print("|---|---|---|---|---|---|---|")
    for seed in options.seeds:
        labels, flipped = flip([label for _, label in rows], options.share, seed)
        with tempfile.TemporaryDirectory() as folder:
            data, page = Path(folder) / "train.jsonl", Path(folder) / "page.html"
            pairs = zip(rows, labels, strict=True)
            lines = [json.dumps({"text": text, "label": label}) for (text, _), label in pairs]
            data.write_text("\n".join(lines) + "\n", encoding="utf-8")
            command = [sys.executable, "-m", "rnnlp", "check", str(data), "--page", str(page)]
            started = time.perf_counter()
            subprocess.run([*command, "--folds", str(options.folds), *rest], stdout=sys.stderr)
            seconds = time.perf_counter() - started
            taken = {int(line) - 1 for line in PAGE_ROW.findall(page.read_text(encoding="utf-8"))}
        right = len(taken & flipped)
        precision, recall = right / max(len(taken), 1), right / max(len(flipped), 1)
        print(
            f"| {seed} | {len(rows):,} | {len(flipped):,} | {len(taken):,} | {precision:.3f} | "
            f"{recall:.3f} | {seconds:.0f} |"
        )


def flip(labels: list[str], share: float, seed: int) -> tuple[list[str], set[int]]:
    """The labels with a share of them changed, and which."""
    numbers = random.Random(seed)
    classes = sorted(set(labels))
    chosen = set(numbers.sample(range(len(labels)), round(share * len(labels))))
    changed = [
        numbers.choice([name for name in classes if name != label]) if row in chosen else label
        for row, label in enumerate(labels)
    ]
    return changed, chosen


if __name__ == "__main__":
    main()
