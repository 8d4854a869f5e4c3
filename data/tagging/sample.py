"""The sample corpus for tagging: sentences with names and dates, English or Chinese."""

from __future__ import annotations

from collections.abc import Iterator

from rnnlp.data.samples.grammar import SIZES, Grammar, Language, Split, read_rules
from rnnlp.data.tagging.schemes import Span

from .example import TaggedExample

_LOWERCASED = 0.05  # of the English sentences, as people write in chats


def sample_tagging(language: Language, split: Split, seed: int = 1) -> Iterator[TaggedExample]:
    """Yields sentences with persons, organizations, locations, products and dates.

    Args:
        language: "english" gives words as tokens, "chinese" characters.
        split: "train" has 2,000 sentences, "validation" and "test" 300 each.
        seed: Same seed, same sentences.
    """
    english = language == "english"
    grammar = Grammar(**read_rules(f"tagging_{language}"), split=split, seed=seed)
    for line in range(1, SIZES[split] + 1):
        tokens: list[str] = []
        spans: list[Span] = []
        for text, entity in grammar.pieces("sentence"):
            start = len(tokens)
            tokens += text.split() if english else text
            if entity is not None:
                spans.append(Span(start, len(tokens), entity))
        if english:
            tokens[0] = tokens[0][0].upper() + tokens[0][1:]
            if grammar.random.random() < _LOWERCASED:
                tokens = [token.lower() for token in tokens]
        yield TaggedExample(tokens, None, spans, line)
