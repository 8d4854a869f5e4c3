"""A student of few labelled texts and many that a teacher labelled, against the few alone.

    python benchmarks/distil.py --config sentiment_sst2 --train train.tsv --validation dev.tsv \\
        --teacher 20000 --gold 1000 --unlabelled 5000 --seeds 1 2 3

The training rows are shuffled once. The teacher learns from `--teacher` of them, which the student
never sees; the student has the labels of `--gold` others, and of `--unlabelled` further ones what
the teacher says. `--ensemble N` lets N teachers of other seeds answer together. With `--same`,
students learn from the very texts of the teachers, from both the labels and what the teachers say;
what labels alone teach is then the teachers' own score. `--entities` is for a tagger, and files of
JSON lines whose texts have no blanks between tokens.
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
from typing import Any

from rnnlp.data.classification.readers import read_classification
from rnnlp.data.corpus.report import Notes
from rnnlp.data.tagging.readers import read_tagging
from rnnlp.data.text.tokenizer import splitter


def rnnlp(*arguments: object) -> None:
    """Runs a verb."""
    subprocess.run([sys.executable, "-m", "rnnlp", *map(str, arguments)], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip


def score(folder: Path) -> float:
    """Accuracy, or F1 of entities, on the validation data, in per cent."""
    scores = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["validation"]
    return 100 * float(scores["f1" if "f1" in scores else "accuracy"])


def labelled_texts(path: str) -> list[dict[str, Any]]:
    """Texts with a label each, as the rows of JSON lines."""
    rows = read_classification(path, notes=Notes())
    return [{"text": row.text, "label": row.labels[0]} for row in rows]


def texts_with_entities(path: str) -> list[dict[str, Any]]:
    """Texts with their entities, as the rows of JSON lines."""
    rows = []
    for row in read_tagging(path, split=splitter("character"), notes=Notes()):
        starts = [0]
        for token in row.tokens:
            starts.append(starts[-1] + len(token))
        entities = [
            {"start": starts[start], "end": starts[end], "label": kind}
            for start, end, kind in row.spans or ()
        ]
        rows.append({"text": "".join(row.tokens), "entities": entities})
    return rows


def main() -> None:
    """Prints the scores, mean and standard deviation over the seeds."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--config", required=True)
    parser.add_argument("--train", required=True)
    parser.add_argument("--validation", required=True)
    parser.add_argument("--teacher", type=int, default=20_000)
    parser.add_argument("--gold", type=int, default=1000)
    parser.add_argument("--unlabelled", type=int, default=5000)
    parser.add_argument("--ensemble", type=int, default=1)
    parser.add_argument("--same", action="store_true")
    parser.add_argument("--entities", action="store_true")
    parser.add_argument("--hard_share", type=float, default=0.5)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    args, settings = parser.parse_known_args()
    rows = (texts_with_entities if args.entities else labelled_texts)(args.train)
    random.Random(0).shuffle(rows)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def write(part: list[dict[str, Any]], to: str, *, labels: bool = True) -> Path:
            lines = (json.dumps(row if labels else {"text": row["text"]}) + "\n" for row in part)
            (folder / to).write_text("".join(lines), encoding="utf-8")
            return folder / to

        few = [*rows[: args.gold]]
        many = rows[args.gold : args.gold + args.unlabelled]
        rest = rows[args.gold + args.unlabelled :][: args.teacher]
        if args.same:
            few = rest = rows[: args.teacher]
        gold, teaching = write(few, "gold.jsonl"), write(rest, "teacher.jsonl")
        pool = [] if args.same else ["--unlabelled", write(many, "pool.jsonl", labels=False)]
        common = ["--config", args.config, f"--data.validation={args.validation}", *settings]
        teachers: list[Path] = []
        for number in range(args.ensemble):
            first = [f"--data.tokenizer_from={teachers[0]}"] if teachers else []
            teachers.append(folder / f"teacher-{number}")
            rnnlp("fit", *common, *first, f"--data.train={teaching}",
                  f"--seed_everything={100 + number}", "--output", teachers[-1])  # fmt: skip
            print(f"teacher {number + 1}: {score(teachers[-1]):.2f}", flush=True)
        by_labels = [score(teacher) for teacher in teachers] if args.same else []
        distilled: list[float] = []
        for seed in args.seeds:
            each = [*common, f"--seed_everything={seed}", f"--data.train={gold}"]
            if not args.same:
                rnnlp("fit", *each, "--output", folder / f"labels-{seed}")
                by_labels.append(score(folder / f"labels-{seed}"))
                print(f"seed {seed}, labels: {by_labels[-1]:.2f}", flush=True)
            rnnlp("distil", *teachers, *pool, *each, "--hard_share",
                  args.hard_share, "--output", folder / f"distilled-{seed}")  # fmt: skip
            distilled.append(score(folder / f"distilled-{seed}"))
            print(f"seed {seed}, distilled: {distilled[-1]:.2f}", flush=True)
        for kind, values in (("labels", by_labels), ("distilled", distilled)):
            spread = statistics.stdev(values) if len(values) > 1 else 0.0
            print(f"{kind}: {statistics.fmean(values):.2f} ± {spread:.2f}")


if __name__ == "__main__":
    main()
