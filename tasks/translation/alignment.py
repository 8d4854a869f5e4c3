"""Where a translator looked, by words of whole characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rnnlp.data.text.tokenizer import Offsets, Tokenizer


class Alignment(NamedTuple):
    """Where the translator looked as it wrote."""

    source: list[str]
    target: list[str]  # the last one is the end
    weights: list[list[float]]  # of each target token over the source tokens; each sums to 1


def whole_source(text: str, offsets: Offsets) -> tuple[list[str], list[int]]:
    """Sub-words of whole characters, and how many tokens (some of them single bytes) make each."""
    spans: list[list[int]] = []  # start, end, tokens
    for start, end in offsets:
        if spans and start < spans[-1][1]:
            spans[-1][1:] = max(end, spans[-1][1]), spans[-1][2] + 1
        else:
            spans.append([start, end, 1])
    return [text[start:end].strip() or "·" for start, end, _ in spans], [n for *_, n in spans]


def whole_target(
    tokens: Sequence[int], tokenizer: Tokenizer, copied: Sequence[str]
) -> tuple[list[str], list[int]]:
    """The same of a translation, whose tokens have no offsets.

    Args:
        tokens: Its ids.
        tokenizer: The vocabulary of the targets.
        copied: The words of the source that ids beyond the vocabulary mean.
    """
    words: list[str] = []
    counts: list[int] = []
    begin = 0
    for end in range(1, len(tokens) + 1):
        word = tokenizer.decode(tokens[begin:end], copied)
        if "\ufffd" not in word or end == len(tokens):  # a character is complete
            words.append(word.strip() or "·")
            counts.append(end - begin)
            begin = end
    return words, counts
