"""Memory of training against the size of the corpus: it should not grow with it.

    python benchmarks/corpus_memory.py --lines 10000 --times 1 10 100

For each task it writes a corpus of that many lines into a temporary folder, each different, with a
word of its own in every twentieth, and one for validation, of 500 lines or as many if that is
less; `rnnlp fit` then trains a small model on it for fifty steps, in a process of its own. With
`--cut` a hundredth of the corpus is kept apart for validation instead. Printed is the peak of its
anonymous memory (Linux), that is without the pages of mapped files, which the system takes back
when it needs them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from rnnlp.tasks.cli.main import run

SMALL = (
    "--model.encoder.hidden_size=16", "--trainer.max_epochs=-1", "--trainer.limit_val_batches=5",
    "--trainer.accelerator=cpu",
    "--data.vocabulary_size=1000",  # the network is the same for all sizes
)  # fmt: skip
WORDS = [f"{sound}{end}" for sound in "bdfglmnprst" for end in ("a", "o", "an", "et")]


def sentence(number: int) -> list[str]:
    """Eight words that no other line has in this order."""
    own = [WORDS[number // 44**place % 44] for place in range(6)]
    return [*own, f"x{number // 20}", "."]


def conll(number: int) -> str:
    """A tagged sentence; the x-words are names."""
    tags = (f"{word} {'B-NAME' if word.startswith('x') else 'O'}" for word in sentence(number))
    return "\n".join(tags) + "\n\n"


TASKS = {  # config, name of the file, its first line, what it holds of each number
    "tagging": ("ner", "conll", "", conll),
    "classification": (
        "sentiment", "tsv", "label\ttext\n",
        lambda number: f"{'good' if number % 2 else 'bad'}\t{' '.join(sentence(number))}\n",
    ),
    "translation": (
        "translation", "tsv", "zh\ten\n",
        lambda number: "\t".join([" ".join(sentence(number))] * 2) + "\n",
    ),
    "generation": (
        "generation", "txt", "", lambda number: " ".join(sentence(number)) + "\n"
    ),
}  # fmt: skip


def main() -> None:
    """Prints a row for each task and size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--lines", type=int, default=10_000)
    parser.add_argument("--times", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--cut", action="store_true", help="cut the validation data out")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--alone", action="store_true", help="in this process, for one figure")
    args = parser.parse_args()
    print("| task | lines | file, MB | peak memory, MB | fit, s |\n|---|---|---|---|---|")
    for task in args.tasks:
        for times in args.times:
            if args.alone:
                print(row(task, args.lines * times, steps=args.steps, cut=args.cut))
                continue
            command = [
                sys.executable, __file__, "--alone", "--tasks", task, "--times", str(times),
                "--lines", str(args.lines), "--steps", str(args.steps), *["--cut"] * args.cut,
            ]  # fmt: skip
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            print(done.stdout.splitlines()[-1], flush=True)


def row(task: str, lines: int, *, steps: int, cut: bool) -> str:
    """Trains in this process, and gives what it took as a row of the table."""
    config, suffix, first, text = TASKS[task]
    with tempfile.TemporaryDirectory() as folder:
        path, validation = (Path(folder, f"{split}.{suffix}") for split in ("train", "validation"))
        for file, count in ((path, lines), (validation, min(500, lines))):
            with file.open("w", encoding="utf-8") as out:
                out.write(first)
                out.writelines(text(number) for number in range(count))
        chosen = "--data.validation_share=0.01" if cut else f"--data.validation={validation}"
        peak = Peak()
        started = time.perf_counter()
        data = (f"--data.train={path}", chosen, f"--trainer.max_steps={steps}")
        run(["fit", "--config", config, *data, *SMALL, "--output", f"{folder}/m"])
        seconds, size = time.perf_counter() - started, path.stat().st_size / 1e6
        return f"| {task} | {lines:,} | {size:.1f} | {peak.megabytes} | {seconds:.0f} |"


class Peak:
    """Watches anonymous memory from now on."""

    def __init__(self) -> None:
        self.megabytes = anonymous()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            self.megabytes = max(self.megabytes, anonymous())
            time.sleep(0.02)


def anonymous() -> int:
    """Anonymous memory of this process in megabytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) // 1024
    raise OSError("this system does not tell anonymous memory")


if __name__ == "__main__":
    main()
