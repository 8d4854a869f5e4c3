"""The sample corpora: repeatable, well-formed, and with names that training never saw."""

from __future__ import annotations

import itertools

import pytest

from rnnlp.data.samples.grammar import SIZES
from rnnlp.data.tagging.sample import sample_tagging
from rnnlp.data.tagging.schemes import spans_to_tags
from rnnlp.data.tagging.span_alignment import drop_overlaps

TYPES = {"person", "organization", "location", "product", "date"}

languages = pytest.mark.parametrize("language", ["english", "chinese"])


def names(language, split):
    return {
        " ".join(example.tokens[span.start : span.end]).lower()
        for example in sample_tagging(language, split)
        for span in example.spans
        if span.type != "date"
    }


@languages
@pytest.mark.parametrize("split", SIZES)
def test_examples_are_well_formed(language, split):
    examples = list(sample_tagging(language, split))
    assert len(examples) == SIZES[split]
    assert {span.type for example in examples for span in example.spans} == TYPES
    for number, example in enumerate(examples, start=1):
        assert example.line == number
        assert example.tags is None
        assert all(token and not set(token) & set(" {}[]|") for token in example.tokens)
        assert drop_overlaps(example.spans) == (example.spans, 0)
        assert len(spans_to_tags(example.spans, len(example.tokens), "BIOES")) > 1
    if language == "chinese":
        assert all(len(token) == 1 for example in examples for token in example.tokens)


@languages
def test_no_split_shares_a_name_with_another(language):
    for one, other in itertools.combinations(SIZES, 2):
        assert not names(language, one) & names(language, other)


@languages
def test_names_repeat_within_training_and_sentences_hardly_do(language):
    examples = list(sample_tagging(language, "train"))
    mentions = sum(span.type != "date" for example in examples for span in example.spans)
    assert 500 < len(names(language, "train")) < mentions
    assert len({tuple(example.tokens) for example in examples}) > 0.98 * len(examples)


@languages
def test_the_seed_decides(language):
    first, again, other = (list(sample_tagging(language, "test", seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_words_alone_do_not_tell_the_type():
    """Some words are inside a name at one place and outside at another, or of several types."""
    kinds: dict[str, set[str | None]] = {}
    for example in sample_tagging("english", "train"):
        types = dict.fromkeys(range(len(example.tokens)))
        types |= {i: span.type for span in example.spans for i in range(span.start, span.end)}
        for index, token in enumerate(example.tokens):
            kinds.setdefault(token, set()).add(types[index])
    assert sum(len(words) > 1 for words in kinds.values()) > 100
