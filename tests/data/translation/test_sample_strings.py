"""The made-up languages: repeatable, held out by word, and read and inflected by their rules."""

from itertools import combinations

import pytest

from rnnlp.data.samples.grammar import SIZES
from rnnlp.data.text.tokenizer import splitter
from rnnlp.data.translation.sample_strings import form, sample_forms, sample_sounds, sounds


@pytest.mark.parametrize("sample", [sample_sounds, sample_forms])
def test_no_split_shares_a_word_with_another(sample):
    words = {split: {pair.source.split("\t")[0] for pair in sample(split)} for split in SIZES}
    for one, other in combinations(words.values(), 2):
        assert not one & other
    pairs = list(sample("train"))
    assert len({pair.source for pair in pairs}) == len(pairs) == SIZES["train"]
    assert pairs == list(sample("train", 1)) != list(sample("train", 2))


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("knight", "n aɪ t"),
        ("phase", "f eɪ z"),  # s between vowels, silent e
        ("shelly", "ʃ ɛ l i"),  # one sound for two letters
        ("ceger", "s ɛ d͡ʒ ə ɹ"),
        ("colonelness", "k ɜ ɹ n ə l n ɛ s"),  # an exception inside a word
    ],
)
def test_sounds(word, phones):
    assert " ".join(sounds(word)) == phones


@pytest.mark.parametrize(
    ("stem", "kind", "values", "expected"),
    [
        ("makhut", "nouns", ("PL", "ACC"), "makhutlaru"),
        ("makhut", "nouns", ("SG", "ACC"), "makhudu"),  # t softens before a vowel
        ("makhut", "nouns", ("SG", "DAT"), "makhutta"),  # d is voiceless after t
        ("tan", "nouns", ("PL", "NOM"), "tenler"),  # the stem changes, the suffix goes with it
        ("stil", "verbs", ("FUT", "1", "SG"), "stilejem"),
        ("lo", "verbs", ("FUT", "3", "SG"), "lojaja"),  # a glide between vowels
    ],
)
def test_forms(stem, kind, values, expected):
    names = {"nouns": ("number", "case"), "verbs": ("tense", "person", "number")}[kind]
    values = tuple(int(value) if value.isdigit() else value for value in values)
    assert form(stem, kind, dict(zip(names, values, strict=True))) == expected


def test_lemmas_are_characters_and_features_are_whole():
    def tokens(text):
        return [text[start:end] for start, end in splitter("lemma")(text)]

    assert tokens("ge hen\tV;V.PTCP;NOM(1,SG)") == [
        *"ge hen",
        "\tV",  # no letter V
        ";V.PTCP",
        ";NOM(1,SG)",
    ]
    assert tokens("gehen") == list("gehen")
    assert [text for pair in sample_forms("test") for text in tokens(pair.source)[-3:]]
