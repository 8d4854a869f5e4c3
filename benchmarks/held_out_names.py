"""Splits a file of entities so that the names to be found were never seen in training.

    python benchmarks/held_out_names.py wnut17train.conll OUT
    python benchmarks/quality.py ner_wnut17 --data.train OUT/train.jsonl \
        --data.validation OUT/dev.jsonl

A share of the names is drawn (as they are written, whatever their case); each sentence with one of
them goes to `dev.jsonl`, and as many sentences without any name; the rest is `train.jsonl`. So the
text to be scored on is of one kind with training, and the names in it are new, but for some that
stand beside a new one.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path

from rnnlp.data.corpus.report import Notes
from rnnlp.data.tagging.readers import TaggedExample, read_tagging
from rnnlp.data.tagging.schemes import Span, spans_to_tags
from rnnlp.data.text.tokenizer import splitter
from rnnlp.tasks.tagging.evaluation import gold_of, gold_scheme

SCHEME = "IOB2"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", help="sentences with entities, in any format that taggers take")
    parser.add_argument("output", type=Path, help="folder for train.jsonl and dev.jsonl")
    parser.add_argument("--share", type=float, default=0.2, help="of the names, held out")
    parser.add_argument("--level", default="word", help="character: a text in JSON is split so")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sentences = read(options.file, options.level)
    train, dev = parted(sentences, options.share, random.Random(options.seed))
    options.output.mkdir(parents=True, exist_ok=True)
    for split, rows in (("train", train), ("dev", dev)):
        lines = (
            json.dumps(
                {"tokens": tokens, "tags": spans_to_tags(spans, len(tokens), SCHEME)},
                ensure_ascii=False,
            )
            for tokens, spans in rows
        )
        text = "".join(line + "\n" for line in lines)
        (options.output / f"{split}.jsonl").write_text(text, encoding="utf-8")
    seen = {name for row in train for name in names(row)}
    kept_apart = [name for row in dev for name in names(row)]
    print(
        f"{len(train):,} sentences for training, {len(dev):,} kept apart, in which "
        f"{sum(name not in seen for name in kept_apart):,} of {len(kept_apart):,} names are new"
    )


Sentence = tuple[list[str], Sequence[Span]]


def read(path: str, level: str) -> list[Sentence]:
    """The sentences of a file, each with its entities."""

    def examples() -> list[TaggedExample]:
        return list(read_tagging(path, split=splitter(level), notes=Notes()))

    scheme, _ = gold_scheme(iter(examples()), path)
    return [
        (example.tokens, gold_of(example, SCHEME, scheme, path, Notes())) for example in examples()
    ]


def names(sentence: Sentence) -> list[str]:
    """The names in a sentence, in small letters."""
    tokens, spans = sentence
    return [" ".join(tokens[span.start : span.end]).lower() for span in spans]


def parted(
    sentences: list[Sentence], share: float, draw: random.Random
) -> tuple[list[Sentence], list[Sentence]]:
    """The sentences to train on, and those with names that are held out."""
    forms = sorted({name for sentence in sentences for name in names(sentence)})
    held = set(draw.sample(forms, round(share * len(forms))))
    apart = [not held.isdisjoint(names(sentence)) for sentence in sentences]
    plain = [i for i, sentence in enumerate(sentences) if not sentence[1]]
    for i in draw.sample(plain, min(sum(apart), len(plain))):
        apart[i] = True
    sides: tuple[list[Sentence], list[Sentence]] = ([], [])
    for sentence, kept in zip(sentences, apart, strict=True):
        sides[kept].append(sentence)
    return sides


if __name__ == "__main__":
    main()
