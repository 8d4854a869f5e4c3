"""Sentences as typed and as meant: repeatable, with names and codes that training never saw."""

import random
import re

from rnnlp.data.samples.grammar import SIZES
from rnnlp.data.translation.sample_typing import lexicon, sample_typing, slip, type_words

NAMES = re.compile(r"@\S+\d|[A-Z]{2}-\d+|#\d+")


def test_no_split_shares_a_name_with_another():
    pairs = {split: list(sample_typing(split)) for split in SIZES}
    for split, size in SIZES.items():
        assert len({pair.source for pair in pairs[split]}) == size
    names = {
        split: {n for pair in pairs[split] for n in NAMES.findall(pair.target)} for split in SIZES
    }
    assert all(len(some) > 50 for some in names.values())
    assert not names["train"] & names["test"] and not names["train"] & names["validation"]
    assert pairs["test"] == list(sample_typing("test", 1)) != list(sample_typing("test", 2))


def test_names_numbers_and_codes_are_typed_as_they_are():
    for pair in sample_typing("validation"):
        assert NAMES.findall(pair.source) == NAMES.findall(pair.target)
        assert pair.target[0] == pair.target[0].upper()
    symbols = [{s for pair in sample_typing(split) for s in pair.target} for split in SIZES]
    assert symbols[1] - symbols[0] and symbols[2] - symbols[0]  # pictures never seen in training


def test_how_words_are_typed():
    assert {"please", "tomorrow", "o'clock"} <= lexicon() and not {"@", "2"} & lexicon()
    draw = random.Random(1)
    assert {slip("abcd", draw) for _ in range(300)} >= {"acd", "abbcd", "acbd", "avcd", "abd"}
    typed = {type_words(["I", "love", "Zö", "."], draw) for _ in range(200)}
    assert {"I love Zö.", "i luv Zö", "I luv Zö."} <= typed
