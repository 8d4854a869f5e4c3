"""The sample corpus for classification: reviews, English or Chinese."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from rnnlp.data.samples.grammar import SIZES, Grammar, Language, Split, read_rules

from .example import ClassifiedExample

_SENTENCE_START = re.compile(r"(?:^|[.!?] )[a-z]")


def sample_classification(
    language: Language, split: Split, seed: int = 1
) -> Iterator[ClassifiedExample]:
    """Yields reviews of hotels, films, books and gadgets, "positive" or "negative".

    Args:
        language: The language they are written in.
        split: "train" has 2,000 reviews, "validation" and "test" 300 each.
        seed: Same seed, same reviews.
    """
    tables = read_rules(f"reviews_{language}")
    grammars = {
        label: Grammar(
            rules={**tables["rules"], **tables[label]},
            held_out=tables["held_out"],
            split=split,
            seed=2 * seed + i,
        )
        for i, label in enumerate(("positive", "negative"))
    }
    labels = random.Random(f"labels {split} {seed}")
    for line in range(1, SIZES[split] + 1):
        label = labels.choice(sorted(grammars))
        text = "".join(text for text, _ in grammars[label].pieces("review"))
        if language == "english":
            text = _SENTENCE_START.sub(lambda start: start[0].upper(), text)
        yield ClassifiedExample(text, [label], line)
