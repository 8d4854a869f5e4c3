"""Rules learned by counting, to set the figures of letters to sounds and inflection beside.

    python benchmarks/string_rules.py g2p TRAIN DEV          word, tab, phones parted by blanks
    python benchmarks/string_rules.py inflection TRAIN DEV   lemma, features, form

Letters to sounds: each letter is aligned with none to three phones (Viterbi training of one
probability a letter and group of phones), and then reads as it most often does between the letters
around it, in the widest window that training has: up to three letters on either side.

Inflection: of each training pair, what stands between the longest common beginning and end of lemma
and form is replaced; a rule is that replacement with as much of the lemma's end (or beginning) as
lies around it. Of the rules of the same features the one with the longest match is applied, the
more frequent one of equals.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

_MOST = 3  # phones of one letter
_ROUNDS = 8
_WINDOWS = sorted(
    ((left, right) for left in range(4) for right in range(4)),
    key=lambda sides: (-sum(sides), abs(sides[0] - sides[1]), -sides[1]),
)

Phones = tuple[str, ...]


def read(path: str) -> list[list[str]]:
    """The columns of a file of tab-separated values without a header."""
    return [line.split("\t") for line in Path(path).read_text("utf-8").splitlines() if line]


def align(
    letters: str, phones: Sequence[str], cost: Callable[[str, Phones], float]
) -> list[Phones]:
    """The phones of each letter, by the cheapest way to part them; none where there is no way."""
    best: list[dict[int, tuple[float, int]]] = [{0: (0.0, 0)}]
    for letter in letters:
        column: dict[int, tuple[float, int]] = {}
        for start, (total, _) in best[-1].items():
            for end in range(start, min(start + _MOST, len(phones)) + 1):
                reached = total + cost(letter, tuple(phones[start:end]))
                if end not in column or reached < column[end][0]:
                    column[end] = reached, start
        best.append(column)
    if len(phones) not in best[-1]:
        return []
    end, parts = len(phones), []
    for column in reversed(best[1:]):
        start = column[end][1]
        parts.append(tuple(phones[start:end]))
        end = start
    return parts[::-1]


def aligned(pairs: Sequence[tuple[str, Sequence[str]]]) -> Iterator[tuple[str, list[Phones]]]:
    """Words with the phones of each letter, after some rounds of counting and aligning."""
    # At first letters and phones lie evenly, and one phone a letter is the rule.
    counts: Counter[tuple[str, Phones]] = Counter()
    for letters, phones in pairs:
        for at, letter in enumerate(letters):
            middle = at * len(phones) / len(letters)
            for place, phone in enumerate(phones):
                counts[letter, (phone,)] += math.exp(-abs(place - middle))  # type: ignore[assignment]
    parted: list[tuple[str, list[Phones]]] = []
    for _ in range(_ROUNDS):
        totals: Counter[str] = Counter()
        for (letter, _), count in counts.items():
            totals[letter] += count

        def cost(letter: str, group: Phones, counts=counts, totals=totals) -> float:  # type: ignore[no-untyped-def]
            if count := counts.get((letter, group)):
                return -math.log(count / totals[letter])
            return 8.0 + 2.0 * abs(len(group) - 1)

        parted = [(word, align(word, phones, cost)) for word, phones in pairs]
        counts = Counter(pair for word, parts in parted for pair in zip(word, parts, strict=False))
    return ((word, parts) for word, parts in parted if parts)


def pronounce(train: Iterable[list[str]], words: Iterable[str]) -> list[list[str]]:
    """The phones of words, by what their letters most often read as."""
    seen: dict[tuple[str, str, str], Counter[Phones]] = defaultdict(Counter)
    for word, parts in aligned([(word, phones.split()) for word, phones in train]):
        for at, group in enumerate(parts):
            for key in _keys(word, at):
                seen[key][group] += 1
    read_as = {key: counts.most_common(1)[0][0] for key, counts in seen.items()}
    return [
        [
            phone
            for at in range(len(word))
            for phone in next((read_as[key] for key in _keys(word, at) if key in read_as), ())
        ]
        for word in words
    ]


def _keys(word: str, at: int) -> Iterator[tuple[str, str, str]]:
    marked = "^" * 3 + word + "$" * 3
    at += 3
    for left, right in _WINDOWS:
        yield marked[at - left : at], marked[at], marked[at + 1 : at + 1 + right]


def inflect(train: Iterable[list[str]], asked: Iterable[tuple[str, str]]) -> list[str]:
    """The forms of lemmas with features, by the rule that matches most of the lemma."""
    rules: dict[str, Counter[tuple[str, str, bool]]] = defaultdict(Counter)
    for lemma, features, form in train:
        for old, new, at_end in _rules(lemma, form):
            rules[features][old, new, at_end] += 1
    forms = []
    for lemma, features in asked:
        best, form = (-1, 0), lemma
        for (old, new, at_end), count in rules[features].items():
            fits = lemma.endswith(old) if at_end else lemma.startswith(old)
            if fits and (len(old), count) > best:
                best = len(old), count
                kept = len(lemma) - len(old)
                form = lemma[:kept] + new if at_end else new + lemma[len(old) :]
        forms.append(form)
    return forms


def _rules(lemma: str, form: str) -> Iterator[tuple[str, str, bool]]:
    """What can be replaced by what: ends of the lemma (or beginnings), from the shortest on."""
    front = _common(lemma, form)
    back = _common(lemma[::-1], form[::-1])
    if front >= back:
        for start in range(front, -1, -1):
            yield lemma[start:], form[start:], True
    else:
        for more in range(back, -1, -1):
            yield lemma[: len(lemma) - more], form[: len(form) - more], False


def _common(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def distance(said: Sequence[str], gold: Sequence[str]) -> int:
    """The fewest insertions, deletions and replacements between the two."""
    row = list(range(len(gold) + 1))
    for at, one in enumerate(said, 1):
        before, row[0] = row[0], at
        for place, other in enumerate(gold, 1):
            before, row[place] = (
                row[place],
                min(row[place] + 1, row[place - 1] + 1, before + (one != other)),
            )
    return row[-1]


def main() -> None:
    """Prints the scores of the rules on a development file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kind", choices=["g2p", "inflection"])
    parser.add_argument("train")
    parser.add_argument("dev")
    options = parser.parse_args()
    train, dev = read(options.train), read(options.dev)
    said: Sequence[Sequence[str]]
    if options.kind == "g2p":
        said = pronounce(train, [word for word, _ in dev])
        gold = [phones.split() for _, phones in dev]
    else:
        said = [[*form] for form in inflect(train, [(lemma, tag) for lemma, tag, _ in dev])]
        gold = [[*form] for _, _, form in dev]
    wrong = sum(list(one) != list(other) for one, other in zip(said, gold, strict=True))
    edits = sum(distance(one, other) for one, other in zip(said, gold, strict=True))
    symbols = sum(map(len, gold))
    print(
        f"{len(gold):,} examples: word error rate {100 * wrong / len(gold):.1f}, "
        f"symbol error rate {100 * edits / symbols:.2f}, exact {100 - 100 * wrong / len(gold):.1f}"
    )


if __name__ == "__main__":
    main()
