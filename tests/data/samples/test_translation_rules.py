"""The parallel sample corpus: repeatable, unambiguous, grammatical, and with new combinations."""

from __future__ import annotations

import itertools
import re
from functools import cache

import pytest

from rnnlp.data.samples.synchronous_grammar import SynchronousGrammar, sentences
from rnnlp.data.translation.sample import (
    TRANSLATION_SIZES,
    sample_translation,
    translation_rules,
)

RULES, HELD_OUT = translation_rules()

SPLITS = list(TRANSLATION_SIZES)
HELD_OUT_SPLITS = ["validation", "test"]

# Words that a third person singular in the present never comes before.
BASE = "am are have do go like want know live work teach take think say plan come"
SINGULAR = r"\b(?:He|She|Anna|Peter|(?:My|Your|His|Her) (?:mother|father)|(?:Mr|Ms)\. [A-Z]\w+)"


@cache
def corpus(split, seed=1):
    return list(sample_translation(split, seed))


def everything(seed=1):
    return list(itertools.chain.from_iterable(corpus(split, seed) for split in SPLITS))


def vocabulary(examples):
    texts = [f"{' '.join(example.source)} {example.target}" for example in examples]
    return {word for text in texts for word in re.findall(r"[\w']+|[^\w\s]", text)}


@pytest.mark.parametrize("split", SPLITS)
def test_size_and_shape(split):
    examples = corpus(split)
    assert len(examples) == TRANSLATION_SIZES[split]
    for number, example in enumerate(examples, start=1):
        assert example.line == number
        assert re.fullmatch(r"[\u4e00-\u9fff，]+[。？]", example.source), example
        assert re.fullmatch(r"[A-Z](?:[A-Za-z'.-]|,? )*[.?]", example.target), example
        assert example.source.endswith("？") == example.target.endswith("?"), example
        assert 3 <= len(example.target.split()) <= 14, example
        assert "  " not in example.target


@pytest.mark.parametrize("split", SPLITS)
def test_the_seed_decides(split):
    assert list(sample_translation(split, 1)) == corpus(split)
    assert corpus(split, 2) != corpus(split)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_text_has_two_translations(seed):
    for side in (0, 1):
        assert len({example[side] for example in everything(seed)}) == len(everything(seed))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("split", HELD_OUT_SPLITS)
def test_validation_and_test_hold_known_words_only(split, seed):
    assert vocabulary(corpus(split, seed)) <= vocabulary(corpus("train", seed))


def test_splits_of_different_seeds_share_no_source_either():
    for one, other in itertools.permutations(SPLITS, 2):
        sources = {example.source for example in corpus(one, 1)}
        assert sources.isdisjoint(example.source for example in corpus(other, 2))


def test_a_sentence_belongs_to_a_split_however_it_is_derived_and_means_one_thing():
    """Else splits could share a source, or a source have two translations."""
    grammar = SynchronousGrammar(rules=RULES, held_out=HELD_OUT, seed="1")
    meanings: dict[str, tuple[str, set[frozenset[str]]]] = {}
    for _ in range(20_000):
        phrase = grammar.expand("sentence")
        source, target = sentences(phrase)
        meaning = target, {frozenset(pair) for pair in phrase.combinations()}
        assert meanings.setdefault(source, meaning) == meaning, source
    assert len({target for target, _ in meanings.values()}) == len(meanings)


@pytest.mark.parametrize("split", HELD_OUT_SPLITS)
def test_held_out_sentences_are_no_small_corner(split):
    """They are of many kinds, like those of training: most of the words, and all lengths."""
    examples = corpus(split)
    assert len(vocabulary(examples)) > 0.5 * len(vocabulary(corpus("train")))
    average = sum(len(example.target.split()) for example in examples) / len(examples)
    assert 6 < average < 9


def test_every_pattern_is_met_often_in_training():
    patterns = {
        re.sub(r"\\{[^}]*\\}", ".+", re.escape(alternative.name))
        for alternative in SynchronousGrammar(
            rules=RULES, held_out=frozenset(), seed=""
        ).alternatives("sentence")
    }
    text = [example.source for example in corpus("train")]
    for pattern in patterns:
        assert sum(bool(re.fullmatch(pattern, source)) for source in text) >= 5, pattern


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_word_is_met_several_times_in_training(seed):
    grammar = SynchronousGrammar(rules=RULES, held_out=HELD_OUT, seed="")
    text = "\n".join(example.source for example in corpus("train", seed))
    for rule in HELD_OUT - {"sentence"}:
        for alternative in grammar.alternatives(rule):
            if not alternative.keys:
                forms = {alternative.name.replace("~", particle) for particle in ("", "了")}
                assert sum(text.count(form) for form in forms) >= 2, forms


def test_articles_agree():
    for example in everything():
        assert not re.search(r"\b[Aa] [aeio]|\b[Aa] u(?!ni)", example.target), example
        assert not re.search(r"\b[Aa]n (?:[^aeiou]|uni)", example.target), example
        assert not re.search(r"\b(?:a|an) [a-z]+s(?<!bus)(?<!ous)(?<!glass)\b", example.target), (
            example
        )


def test_verbs_agree():
    wrong = re.compile(
        rf"^{SINGULAR} (?:{'|'.join(BASE.split())})\b"
        r"|\bI (?:is|are|has|does|were|(?!sometimes)\w+es)\b"
        r"|\b(?:[Ww]e|[Tt]hey|[Yy]ou|and [A-Z]\w+) (?:is|am|was|has|does|goes|likes|wants)\b"
        r"|\b(?:(?:do|does|did|will) not|cannot|will|must|should)"
        r" (?:went|(?!feed)\w+ed|(?!sing)\w+ing)\b"
    )
    for example in everything():
        mistake = wrong.search(example.target)
        assert mistake is None, (mistake, example)


def test_counts_agree():
    """A number or "many" is followed by a plural, and the verb before it is one of many."""
    plural = r"(?:s|sheep)\b"
    for example in everything():
        for quantity in re.finditer(
            r"\b(?:two|three|four|six|few|many|Many) ((?:[\w-]+ ?){1,3})", example.target
        ):
            if not re.search(r"\b(?:at|old|yuan|hundred)\b", example.target):
                assert re.search(plural, quantity[1]), example
        assert not re.search(r"There is (?:two|three|four|five|six|a few)", example.target)
        assert not re.search(r"There are (?:a|an|no) (?!few)", example.target)


def test_tense_agrees_with_time():
    past = re.compile(r"昨天|前天|去年|上周|上个月|[天年月]前")
    future = re.compile(r"明天|后天|明年|下周|下个月|今晚")
    for example in everything():
        if past.search(example.source):
            assert not re.search(r"\bwill\b|\btomorrow\b|\bnext (?!to)", example.target), example
        if future.search(example.source):
            assert not re.search(r"\b(?:did|was|were|yesterday|ago)\b", example.target), example


def test_nothing_of_the_tables_is_left_over():
    assert set(RULES) >= HELD_OUT
    text = "\n".join(RULES.values())
    named = set(re.findall(r"\{\*?([a-z_]+)", text)) | set(re.findall(r":([a-z_]+)", text))
    assert set(RULES) - named == {"sentence"}
    for example in everything():
        assert not set(example.source + example.target) & set("{}<>*~=/;|X"), example.source


def test_every_alternative_of_every_pattern_can_be_written():
    grammar = SynchronousGrammar(rules=RULES, held_out=HELD_OUT, seed="all")
    for pattern in grammar.alternatives("sentence"):
        for _ in range(5):
            source, target = sentences(grammar.filled(pattern))
            assert source and target
