"""A character n-gram model to measure generators against: interpolated Witten-Bell smoothing.

    python benchmarks/ngram.py TRAIN DEV [--order 6] [--generate N --seed 1]

Fitted on TRAIN, it gives bits per character of whole texts of DEV, counted as `rnnlp evaluate`
counts them: the end of each text is predicted as well, and the sum is divided by the number of
characters without it. A character that TRAIN lacks is an unknown one. Prints one JSON object.

    P(c | h) = (C(hc) + T(h) P(c | h')) / (C(h) + T(h))

where C counts, T(h) is the number of different characters seen after h, h' is h without its first
character, and below the empty history every character is equally likely (Witten and Bell 1991).
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Iterable, Sequence

from rnnlp.data.generation.readers import read_texts

BEGIN, END, UNKNOWN = "\x02", "\x03", "\x01"


class WittenBell:
    """Counts of all n-grams up to an order.

    Args:
        texts: The training texts.
        order: Characters of the longest n-gram.
    """

    def __init__(self, texts: Iterable[str], *, order: int = 6) -> None:
        self.order = order
        self.after: dict[str, dict[str, int]] = {}  # history: characters that follow
        self.characters: set[str] = set()
        for text in texts:
            self.characters.update(text)
            whole = BEGIN * (order - 1) + text + END
            for at in range(order - 1, len(whole)):
                for size in range(order):
                    counts = self.after.setdefault(whole[at - size : at], {})
                    counts[whole[at]] = counts.get(whole[at], 0) + 1
        self.totals = {history: sum(counts.values()) for history, counts in self.after.items()}
        self.uniform = 1.0 / (len(self.characters) + 2)  # the end and the unknown one

    def probability(self, history: str, character: str) -> float:
        """Of a character after at most `order - 1` others."""
        share = self.uniform
        for size in range(len(history) + 1):
            part = history[len(history) - size :]
            counts = self.after.get(part)
            if counts is None:
                break  # no longer history was seen either
            kinds = len(counts)
            share = (counts.get(character, 0) + kinds * share) / (self.totals[part] + kinds)
        return share

    def bits(self, text: str) -> float:
        """Of a text and its end."""
        known = "".join(c if c in self.characters else UNKNOWN for c in text)
        whole = BEGIN * (self.order - 1) + known + END
        return -sum(
            math.log2(self.probability(whole[at - self.order + 1 : at], whole[at]))
            for at in range(self.order - 1, len(whole))
        )

    def draw(self, numbers: random.Random, *, longest: int = 3000) -> str:
        """A text of the model."""
        choices = [*sorted(self.characters), END]
        text = BEGIN * (self.order - 1)
        while len(text) < longest:
            history = text[len(text) - self.order + 1 :]
            weights = [self.probability(history, character) for character in choices]
            (character,) = numbers.choices(choices, weights)
            if character == END:
                break
            text += character
        return text[self.order - 1 :]


def texts_of(path: str, separator: str) -> list[str]:
    return [example.text for example in read_texts(path, separator=separator)]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("train", help="file or folder in any format that generators are trained on")
    parser.add_argument("dev", help="likewise")
    parser.add_argument("--order", type=int, default=6)
    parser.add_argument("--separator", default="auto", choices=("auto", "line", "blank"))
    parser.add_argument("--generate", type=int, metavar="N", help="write N texts as JSON lines")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(arguments)
    started = time.perf_counter()
    model = WittenBell(texts_of(args.train, args.separator), order=args.order)
    if args.generate:
        numbers = random.Random(args.seed)
        for _ in range(args.generate):
            print(json.dumps({"text": "", "generated_text": model.draw(numbers)}))
        return
    dev = texts_of(args.dev, args.separator)
    characters = sum(map(len, dev))
    report = {
        "order": args.order,
        "smoothing": "interpolated Witten-Bell",
        "texts": len(dev),
        "characters": characters,
        "unknown": sum(c not in model.characters for text in dev for c in text),
        "bits_per_character": round(sum(map(model.bits, dev)) / characters, 5),
        "seconds": round(time.perf_counter() - started, 1),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
