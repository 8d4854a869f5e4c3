"""Parts the made-up inflecting language: forms of lemmas that training has, apart from new ones.

    python benchmarks/seen_lemmas.py OUT
    rnnlp fit --config inflection --data.train OUT/train.tsv --data.validation OUT/unseen.tsv
    rnnlp evaluate runs/inflection OUT/seen.tsv

`unseen.tsv` is the sample's own validation split, no lemma of which is in training; `seen.tsv` has
one form of every fifth lemma of training, taken out of `train.tsv`, where its other forms stay.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from rnnlp.data.translation.readers import ParallelExample
from rnnlp.data.translation.sample_strings import sample_forms


def lemma_of(example: ParallelExample) -> str:
    """What stands before the features."""
    return example.source.partition("\t")[0]


def parted(forms: Iterable[ParallelExample]) -> tuple[list[ParallelExample], list[ParallelExample]]:
    """What is left for training, and the first form of every fifth lemma that has others."""
    of_lemma: dict[str, list[ParallelExample]] = {}
    for example in forms:
        of_lemma.setdefault(lemma_of(example), []).append(example)
    train, seen = [], []
    for number, (first, *others) in enumerate(of_lemma.values()):
        (seen if others and number % 5 == 0 else train).append(first)
        train += others
    return train, seen


def write(path: Path, examples: Iterable[ParallelExample]) -> None:
    """Lemma, features and form, parted by tabs."""
    path.write_text("".join(f"{one.source}\t{one.target}\n" for one in examples), encoding="utf-8")


def main() -> None:
    """Writes the three files and says how many forms each has."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    train, seen = parted(sample_forms("train"))
    for name, forms in (("train", train), ("seen", seen), ("unseen", sample_forms("validation"))):
        some = list(forms)
        write(options.out / f"{name}.tsv", some)
        print(f"{name}.tsv: {len(some)} forms of {len(set(map(lemma_of, some)))} lemmas")


if __name__ == "__main__":
    main()
