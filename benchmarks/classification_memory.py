"""Memory of reading a corpus and beginning to train on it: it should not grow with the corpus.

    python benchmarks/classification_memory.py --lines 100000
    python benchmarks/classification_memory.py --lines 1000000

Writes a TSV of that many different sentences into a temporary folder, prepares it as `rnnlp fit`
does, makes five hundred batches, and prints the peak of anonymous memory (Linux), that is without
the pages of mapped files, which the system takes back when it needs them.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from itertools import cycle, islice
from pathlib import Path

from rnnlp.data.classification.datamodule import ClassificationData
from rnnlp.data.classification.sample import sample_classification


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=100_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "train.tsv")
        write(path, given.lines)
        peak = Peak()
        started = time.perf_counter()
        data = ClassificationData(train=str(path), validation_share=0.01)
        data.prepare()
        prepared, seconds = peak.megabytes, time.perf_counter() - started
        for _ in islice(data.train_dataloader(), 500):
            pass
        size = path.stat().st_size / 1e6
        print(
            f"{given.lines:,} lines, {size:.0f} MB: {peak.before} MB before, peak {prepared} MB "
            f"when prepared ({seconds:.0f} s), {peak.megabytes} MB after 500 batches"
        )


def write(path: Path, lines: int) -> None:
    """Sample reviews, each made different by a number."""
    examples = list(sample_classification("english", "train"))
    with path.open("w", encoding="utf-8") as file:
        file.write("label\ttext\n")
        for number, example in enumerate(islice(cycle(examples), lines)):
            file.write(f"{example.labels[0]}\t{example.text} {number % 5000} of {number // 5000}\n")


class Peak:
    """Watches anonymous memory from now on."""

    def __init__(self) -> None:
        self.before = self.megabytes = anonymous()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            self.megabytes = max(self.megabytes, anonymous())
            time.sleep(0.05)


def anonymous() -> int:
    """Anonymous memory of this process in megabytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) // 1024
    raise OSError("this system does not tell anonymous memory")


if __name__ == "__main__":
    main()
