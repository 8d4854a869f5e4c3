"""What a tagger forgets that learns further types of entities from data that lack the first ones.

    python benchmarks/growing.py --config ner_cluener --train train.json.gz --validation dev.json

Both files are JSON lines of texts without blanks between tokens and their entities.

The types are halved in the order of their names, and the training sentences as they stand. A model
learns the first half of the types from the first half of the sentences, and goes on with the other
half of both: once as the data are, once with what the model before it says of the types that are
missing (`model.keep_old`). Scores are on the validation data with all their types.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import rnnlp
from rnnlp.data.corpus.report import Notes
from rnnlp.data.tagging.readers import read_tagging
from rnnlp.data.tagging.schemes import Span
from rnnlp.data.text.tokenizer import splitter
from rnnlp.tasks.tagging.scores import TagScores


def write(sentences: Iterable[Any], types: set[str], path: Path) -> Path:
    """Sentences with the entities of some types."""
    with path.open("w", encoding="utf-8") as file:
        for tokens, spans in sentences:
            kept = [
                {"start": len("".join(tokens[:s])), "end": len("".join(tokens[:e])), "label": kind}
                for s, e, kind in spans
                if kind in types
            ]
            file.write(json.dumps({"text": "".join(tokens), "entities": kept}) + "\n")
    return path


def f1(model: Path, sentences: list[Any], types: set[str], every: set[str]) -> float:
    """Strict F1 of the entities of some types, in per cent."""
    tagger = rnnlp.load(model)
    scores = TagScores(tagger.settings.scheme)
    gold = [[span for span in spans if span.type in types] for _, spans in sentences]
    tags = tagger.tags([tokens for tokens, _ in sentences])
    scores.add(tags, gold, unjudged=every - types)
    return 100 * float(scores.result()["f1"])


def main() -> None:
    """Prints F1 of old and new types: before, after training on, and with the old ones kept."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--config", required=True)
    parser.add_argument("--train", required=True)
    parser.add_argument("--validation", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    args, settings = parser.parse_known_args()

    def read(path: str) -> list[tuple[list[str], list[Span]]]:
        rows = read_tagging(path, split=splitter("character"), notes=Notes())
        return [(row.tokens, row.spans or []) for row in rows]

    train, validation = read(args.train), read(args.validation)
    every = {span.type for _, spans in train for span in spans}
    first = set(sorted(every)[: len(every) // 2])
    print(f"first: {', '.join(sorted(first))}; then: {', '.join(sorted(every - first))}")
    table: dict[str, list[tuple[float, float]]] = {"before": [], "forgotten": [], "kept": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed in args.seeds:
            for way, pairs in table.items():
                types = first if way == "before" else every - first
                half = train[: len(train) // 2] if way == "before" else train[len(train) // 2 :]
                model = folder / f"{way}-{seed}"
                more: list[str] = []
                if way != "before":
                    more = [f"--model.continue_from={folder / f'before-{seed}'}",
                            f"--model.keep_old={int(way == 'kept')}"]  # fmt: skip
                subprocess.run(
                    [sys.executable, "-m", "rnnlp", "fit", "--config", args.config, *settings,
                     f"--data.train={write(half, types, folder / 'train.jsonl')}",
                     f"--data.validation={write(validation, types, folder / 'dev.jsonl')}",
                     f"--seed_everything={seed}", *more, "--output", str(model)],
                    check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )  # fmt: skip
                parts = (first, every - first)
                pairs.append(tuple(f1(model, validation, part, every) for part in parts))  # type: ignore[arg-type]
                print(f"seed {seed} {way}: old {pairs[-1][0]:.2f} new {pairs[-1][1]:.2f}",
                      flush=True)  # fmt: skip
    for way, pairs in table.items():
        old, new = (statistics.fmean(part) for part in zip(*pairs, strict=True))
        print(f"{way}: old types {old:.2f}, new types {new:.2f}")


if __name__ == "__main__":
    main()
