"""The synchronous grammar: links, forms and agreement."""

from __future__ import annotations

import pytest

from rnnlp.data.samples.english_inflection import inflect, with_articles
from rnnlp.data.samples.synchronous_grammar import SynchronousGrammar, sentences


@pytest.mark.parametrize(
    ("word", "form", "expected"),
    [
        ("walk", "now", "walks"), ("study", "now", "studies"), ("play", "now", "plays"),
        ("wash", "now", "washes"), ("go", "now", "goes"), ("have", "now", "has"),
        ("be", "now", "is"), ("be", "past", "was"), ("be", "ing", "being"),
        ("plan", "past", "planned"), ("listen", "past", "listened"), ("study", "past", "studied"),
        ("like", "past", "liked"), ("play", "past", "played"), ("write", "done", "written"),
        ("have", "done", "had"), ("swim", "ing", "swimming"), ("write", "ing", "writing"),
        ("ski", "ing", "skiing"), ("borrow", "ing", "borrowing"), ("rain", "ing", "raining"),
        ("box", "plural", "boxes"), ("police officer", "plural", "police officers"),
        ("photo", "plural", "photos"), ("bus", "plural", "buses"), ("sheep", "plural", "sheep"),
        ("big", "more", "bigger"), ("busy", "most", "busiest"), ("nice", "more", "nicer"),
        ("famous", "more", "more famous"), ("cheap", "most", "cheapest"), ("new", "more", "newer"),
        ("hard-working", "most", "most hard-working"), ("as it is", "", "as it is"),
    ],
)  # fmt: skip
def test_forms(word, form, expected):
    assert inflect(word, form) == expected


@pytest.mark.parametrize(
    ("subject", "verb", "present", "past"),
    [("I", "take", "am", "was"), ("they", "take", "are", "were"), ("she", "takes", "is", "was")],
)
def test_agreement(subject, verb, present, past):
    assert inflect("take", "now", subject) == verb
    assert inflect("be", "now", subject) == present
    assert inflect("be", "past", subject) == past


def test_an_unknown_form_is_an_error():
    with pytest.raises(ValueError, match="gone"):
        inflect("go", "gone")


def test_articles():
    text = "a apple, A old cup, a university, a used car, a umbrella, a hour, a yellow TV, Ada ate"
    assert with_articles(text) == (
        "an apple, An old cup, a university, a used car, an umbrella, an hour, a yellow TV, Ada ate"
    )


RULES = {
    "sentence": """
        {who}昨天{act.了}。 = {who} {act.past} yesterday.
    """,
    "who": "妈妈 = my mother (she)",
    "act": "在家{*do} = {*do} at home",
    "do": "看~{two:book} = *read {two:book}",
    "two": "两{X.measure}{X} = two {X.plural}",
    "book": "书/本 = book",
    "future": "{who}说{who.again}会{act}。\n = {who} <say.now@who> {who.again} will {act}.",
    "people": "{who}喜欢{who.again} = I like {who.object} and {who.own} book",
    "unmeasured": "一{who.measure}{who} = a {who}",
    "pair": "{book}和{who}",
}


def grammar(*held_out):
    return SynchronousGrammar(rules=RULES, held_out=frozenset(held_out), seed="1")


@pytest.mark.parametrize(
    ("rule", "pair"),
    [
        ("sentence", ("妈妈昨天在家看了两本书。", "My mother read two books at home yesterday.")),
        ("future", ("妈妈说她会在家看两本书。", "My mother says she will read two books at home.")),
        ("people", ("妈妈喜欢她", "I like my mother and her book")),
    ],
)
def test_forms_pass_through_heads(rule, pair):
    assert sentences(grammar().expand(rule)) == pair


def test_a_noun_without_measure_word_is_an_error():
    with pytest.raises(ValueError, match="no measure word for '妈妈'"):
        sentences(grammar().expand("unmeasured"))


def test_combinations_are_of_what_stands_together():
    phrase = grammar("sentence", "who", "do", "book").expand("sentence")
    pattern, verb = "{who}昨天{act.了}。", "看~{two:book}"
    actual = {frozenset(pair) for pair in phrase.combinations()}
    pairs = [(pattern, "妈妈"), (pattern, verb), ("妈妈", verb), (verb, "书")]
    assert actual == {frozenset(pair) for pair in pairs}
    assert not list(grammar("book").expand("sentence").combinations())
