"""Does an encoder that read plain text help where labels are few? From scratch against reused.

    python benchmarks/transfer.py ner_cluener --keep runs/transfer \
        --train train.json.gz --validation dev.json --few 1075 --seeds 1 2 3 \
        --shared --trainer.max_epochs 40 --data.max_sentences 16 \
        --reused --model.embedding.token_features '[bigram]'

A random part of the training examples (`--few`, drawn with seed 0) keeps its labels; the texts of
all of them, without labels, train two language models (config language_model) that read in opposite
directions. Then the config is trained on the few examples from fresh weights, as it is and without
attributes (pairs of characters, say: a language model has none), and with the encoder of the
language models, which reads attributes as well where `--reused` says so. Without `--few` all
examples keep their labels.

Options behind `--shared` go to every run on labelled data, those behind `--reused` to the ones that
reuse the encoder, those behind `--language-model` to the language models. A run that is finished in
`--keep` is not trained again, so the parts can be trained one after the other.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

OWN = ("--shared", "--reused", "--language-model")
VARIANTS = ("scratch", "plain", "reused")
NAMES = {
    "scratch": "from scratch, as the config says",
    "plain": "from scratch, without attributes",
    "reused": "encoder of two language models",
}


def main() -> None:
    own, settings = split_arguments(sys.argv[1:])
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("config", help="config of a tagger or classifier")
    parser.add_argument("--train", type=Path, required=True, help="JSON lines or TSV")
    parser.add_argument("--validation", type=Path, required=True)
    parser.add_argument("--text", default="text", help="key or column of the text")
    parser.add_argument("--few", type=int, help="examples that keep their labels; all without it")
    parser.add_argument("--keep", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--only", nargs="+", choices=("forward", "backward", *VARIANTS))
    options = parser.parse_args(own)
    options.keep.mkdir(parents=True, exist_ok=True)
    labelled, texts = prepare(options.train, options.text, options.few, options.keep)
    wanted = options.only or ("forward", "backward", *VARIANTS)
    models = [options.keep / name for name in ("forward", "backward")]
    for model in models:
        if model.name not in wanted:
            continue
        more = settings["--language-model"]
        if model.name == "backward":
            more = [*more, "--data.reverse", "true", "--data.tokenizer_from", str(models[0])]
        fit("language_model", model, ["--data.train", str(texts), *more])
    data = ["--data.train", str(labelled), "--data.validation", str(options.validation)]
    extra = {
        "scratch": [],
        "plain": ["--model.embedding.token_features", "[]"],
        "reused": [
            "--model.encoder_from",
            f"[{', '.join(map(str, models))}]",
            *settings["--reused"],
        ],
    }
    scores: dict[str, list[float]] = {}
    part = "all" if options.few is None else f"few{options.few}"
    for variant in (name for name in VARIANTS if name in wanted):
        for seed in options.seeds:
            seeds = ["--seed_everything", str(seed), "--data.seed", str(seed)]
            output = options.keep / f"{part}-{variant}-{seed}"
            metrics = fit(
                options.config, output, [*data, *seeds, *settings["--shared"], *extra[variant]]
            )
            validation = metrics["validation"]
            score = validation["f1"] if "f1" in validation else validation["accuracy"]
            scores.setdefault(variant, []).append(100 * score)
    print(f"\nlabels: {options.few or 'all'}; score on {options.validation.name}")
    print("| encoder | " + " | ".join(f"seed {seed}" for seed in options.seeds) + " | mean |")
    print("|" + "---|" * (len(options.seeds) + 2))
    for variant, values in scores.items():
        each = " | ".join(f"{value:.2f}" for value in values)
        spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
        print(f"| {NAMES[variant]} | {each} | {statistics.mean(values):.2f}{spread} |")


def split_arguments(arguments: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """The script's own arguments, and those behind each of the marks in OWN."""
    own: list[str] = []
    settings: dict[str, list[str]] = {mark: [] for mark in OWN}
    into = own
    for argument in arguments:
        if argument in settings:
            into = settings[argument]
        else:
            into.append(argument)
    return own, settings


def prepare(train: Path, text: str, few: int | None, folder: Path) -> tuple[Path, Path]:
    """The examples that keep their labels, and the texts of all of them, as two files."""
    lines = labelled_lines(train)
    kind = "".join(train.suffixes).removesuffix(".gz")
    header, texts = [], folder / "texts.jsonl"
    if kind == ".tsv":
        column = lines[0].split("\t").index(text)
        cells = [line.split("\t")[column] for line in lines[1:]]
        header, lines = lines[:1], lines[1:]
    else:
        cells = [json.loads(line)[text] for line in lines]
    texts.write_text(
        "".join(json.dumps({"text": one}, ensure_ascii=False) + "\n" for one in cells),
        encoding="utf-8",
    )
    if few is None:
        return train, texts
    picked = sorted(random.Random(0).sample(range(len(lines)), few))
    part = folder / f"few{few}{kind}"
    part.write_text(
        "".join(line + "\n" for line in header + [lines[i] for i in picked]), encoding="utf-8"
    )
    return part, texts


def labelled_lines(path: Path) -> list[str]:
    """The lines of a file, packed or not."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file]


def fit(config: str, output: Path, more: Sequence[str]) -> dict:
    """The metrics of a run, trained now unless it is finished already."""
    metrics = output / "metrics.json"
    if not metrics.exists():
        command = [sys.executable, "-m", "rnnlp", "fit", "--config", config, *more]
        subprocess.run([*command, "--output", str(output), "--overwrite"], check=True)
    scores: dict = json.loads(metrics.read_text(encoding="utf-8"))
    return scores


if __name__ == "__main__":
    main()
