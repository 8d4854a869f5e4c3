"""Schemes against `seqeval` (the oracle), and as inverses of each other."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval import scheme as oracle
from seqeval.metrics.sequence_labeling import get_entities

from rnnlp.data.errors import InputError
from rnnlp.data.tagging.scheme_detection import SchemeDetector, detect_scheme
from rnnlp.data.tagging.schemes import (
    IO,
    SCHEMES,
    Span,
    allowed_transitions,
    is_valid,
    spans_to_tags,
    spelling,
    tags_to_spans,
)

TYPES = ("PER", "LOC", "creative-work")
LETTERS = {"IOB1": "BI", "IOB2": "BI", "BIOES": "BIES", "BILOU": "BILU", "BMES": "BMES"}
ORACLES = {
    "IOB1": oracle.IOB1,
    "IOB2": oracle.IOB2,
    "BIOES": oracle.IOBES,
    "BILOU": oracle.BILOU,
}


def tag_set(scheme: str, types: tuple[str, ...] = TYPES) -> list[str]:
    return ["O", *(f"{letter}-{kind}" for letter in LETTERS[scheme] for kind in types)]


@st.composite
def spans_and_length(draw):
    pieces = draw(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(("", *TYPES))), max_size=9))
    ends = list(itertools.accumulate(length for length, _ in pieces))
    spans = [Span(end - n, end, kind) for (n, kind), end in zip(pieces, ends, strict=True) if kind]
    return spans, ends[-1] if ends else 0


def all_short_and_many_random(scheme: str):
    """Every sequence up to three tags of two types, and 3,000 random longer ones."""
    for length in range(4):
        yield from map(list, itertools.product(tag_set(scheme, TYPES[:2]), repeat=length))
    generator, tags = random.Random(1), tag_set(scheme)
    for _ in range(3000):
        yield generator.choices(tags, k=generator.randint(4, 14))


@pytest.mark.parametrize("scheme", ORACLES)
def test_strict_counts_what_seqeval_strict_counts(scheme):
    for tags in all_short_and_many_random(scheme):
        expected = oracle.Tokens(tags, ORACLES[scheme]).entities
        got = tags_to_spans(tags, scheme, strict=True)
        assert got == [Span(e.start, e.end, e.tag) for e in expected], tags


@pytest.mark.parametrize("scheme", ["IOB1", "IOB2", "BIOES"])
def test_lenient_counts_what_conlleval_counts(scheme):
    for tags in all_short_and_many_random(scheme):
        expected = [Span(start, end + 1, kind) for kind, start, end in get_entities(tags)]
        assert tags_to_spans(tags, scheme) == expected, tags


@pytest.mark.parametrize("scheme", SCHEMES)
@settings(max_examples=100, deadline=None)
@given(case=spans_and_length())
def test_spans_to_tags_and_back(scheme, case):
    spans, length = case
    tags = spans_to_tags(spans, length, scheme)
    assert len(tags) == length
    assert is_valid(tags, scheme)
    assert tags_to_spans(tags, scheme) == spans
    assert tags_to_spans(tags, scheme, strict=True) == spans


@pytest.mark.parametrize(
    "write",
    [
        lambda letter, kind: f"{letter}_{kind}",
        lambda letter, kind: f"{kind}-{letter}",
        lambda letter, kind: f"{'W' if letter == 'S' else letter}-{kind}",
        lambda letter, kind: letter,
    ],
)
@pytest.mark.parametrize("scheme", SCHEMES)
@settings(max_examples=30, deadline=None)
@given(case=spans_and_length(), outside=st.sampled_from("O0_"))
def test_tags_are_written_as_the_corpus_writes_them(scheme, write, case, outside):
    usual = spans_to_tags(*case, scheme)
    tags = [outside if tag == "O" else write(*tag.split("-", 1)) for tag in usual]
    if "W" in "".join(tags) and scheme != "BMES":
        return
    ways = spelling(tags, scheme)
    assert [
        ways[tag] for tag in spans_to_tags(tags_to_spans(tags, scheme), len(tags), scheme)
    ] == tags


def test_a_tag_that_the_corpus_lacks_is_written_like_others_of_its_type():
    ways = spelling(["B_PER", "LOC-B", "ORG-S", "B-ORG", "B-ORG", "0", "O", "0"], "BIOES")
    assert [ways[f"E-{kind}"] for kind in ("PER", "LOC", "ORG")] == ["E_PER", "LOC-E", "E-ORG"]
    assert (ways["S-ORG"], ways["O"]) == ("ORG-S", "0")
    assert spelling(["PER", "_", "O_O"], IO) == {"O": "_"}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_transitions_allow_exactly_the_valid_sequences(scheme):
    tags = tag_set(scheme, ("PER", "LOC"))
    transition, start, end = allowed_transitions(tags, scheme)
    for length in (1, 2, 3):
        for ids in itertools.product(range(len(tags)), repeat=length):
            allowed = (
                start[ids[0]]
                and all(transition[a][b] for a, b in itertools.pairwise(ids))
                and end[ids[-1]]
            )
            sequence = [tags[i] for i in ids]
            assert allowed == is_valid(sequence, scheme)
            # A sequence is valid when writing its spans gives it back.
            spans = tags_to_spans(sequence, scheme)
            assert allowed == (spans_to_tags(spans, length, scheme) == sequence)


def test_plain_tags_are_free():
    transition, start, end = allowed_transitions(["NOUN", "VERB"], None)
    assert all(map(all, transition)) and all(start) and all(end)


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([Span(0, 2, "A"), Span(1, 3, "B")], "overlaps"),
        ([Span(2, 5, "A")], "4 tokens"),
        ([Span(2, 2, "A")], "does not fit"),
        ([Span(-1, 2, "A")], "does not fit"),
    ],
)
def test_spans_that_cannot_be_written(spans, message):
    with pytest.raises(ValueError, match=message):
        spans_to_tags(spans, 4, "IOB2")


def test_bare_letters_and_single_w():
    assert tags_to_spans(["B", "M", "E", "S"], "BMES") == [Span(0, 3, "_"), Span(3, 4, "_")]
    assert tags_to_spans(["W-PER", "B_LOC", "E_LOC"], "BMES") == [
        Span(0, 1, "PER"),
        Span(1, 3, "LOC"),
    ]
    assert spans_to_tags([Span(0, 2, "_")], 2, "BIOES") == ["B", "E"]


@pytest.mark.parametrize("scheme", SCHEMES)
@settings(max_examples=100, deadline=None)
@given(case=spans_and_length())
def test_detection_never_misreads_well_formed_tags(scheme, case):
    spans, length = case
    tags = spans_to_tags(spans, length, scheme)
    detected = detect_scheme([tags])
    if length == 0:
        assert detected is None
    else:  # short corpora may fit several schemes; each must then give the same spans
        assert detected is not None
        assert tags_to_spans(tags, detected) == spans


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("IOB1", "I-A I-A O I-B B-B I-A"),
        ("IOB2", "B-A I-A O B-B B-B B-A"),
        ("BIOES", "B-A I-A E-A O S-B"),
        ("BILOU", "B-A I-A L-A O U-B"),
        ("BMES", "B-A M-A E-A O S-B"),
        ("BMES", "B-A M-A E-A O W-B"),
        ("BMES", "B_A M_A E_A O S_B"),
        ("BMES", "B M E S"),
        ("IOB2", "O O O"),
        (None, "DET NOUN VERB PUNCT"),
        (None, "O V N S L"),  # the Twitter tag set: O is a pronoun
        (None, "V-INF N-PL S-X Q-Y"),
        (None, "NN -LRB- VBZ I-don't B-know NN NN NN NN NN NN NN NN NN NN NN NN"),
    ],
)
def test_detection(scheme, tags):
    assert detect_scheme([tags.split()]) == scheme


def test_detection_outvotes_a_few_ill_formed_sequences():
    good, bad = ["B-PER", "I-PER", "O"], ["O", "I-PER", "I-PER"]
    assert detect_scheme([good] * 90 + [bad] * 10) == "IOB2"
    assert detect_scheme([good] * 10 + [bad] * 90) == "IOB1"


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        (["O", "Q-PER", "O"], "f.txt:7: unknown tagging scheme with the prefixes Q-"),
        (["I-PER", "E-PER", "O"], "f.txt:7: unknown tagging scheme with the prefixes E-, I-"),
        (["B-PER", "I-PER"] * 9 + ["PER"], "f.txt:7: tag 'PER' has no prefix"),
    ],
)
def test_unknown_schemes_are_refused_with_their_place(tags, message):
    detector = SchemeDetector(path="f.txt")
    detector.add(tags, line=7)
    with pytest.raises(InputError, match=message):
        detector.scheme()


def test_a_tag_of_another_scheme_is_named():
    with pytest.raises(InputError, match="'E-PER' is not of scheme IOB2"):
        tags_to_spans(["B-PER", "E-PER"], "IOB2")


@pytest.mark.parametrize("mark", ["o", "0", "_", "-"])
def test_other_marks_for_outside(mark):
    tags = ["B-PER", "I-PER", mark, "B-LOC", mark]
    detector = SchemeDetector()
    detector.add(tags)
    assert detector.scheme() == "IOB2"
    assert detector.remarks() == [f"the tag {mark!r} is read as O, outside any entity"]
    assert tags_to_spans(tags, "IOB2") == [Span(0, 2, "PER"), Span(3, 4, "LOC")]


def test_the_letter_behind_the_type():
    tags = ["PER-B", "PER-E", "O", "LOC_S"]
    detector = SchemeDetector()
    detector.add(tags)
    assert detector.scheme() == "BIOES"
    assert detector.remarks() == ["tags such as 'PER-B' are read with their last letter first"]
    assert tags_to_spans(tags, "BIOES") == [Span(0, 2, "PER"), Span(3, 4, "LOC")]
    assert is_valid(tags, "BIOES") and not is_valid(tags[:1], "BIOES")


def test_types_alone_are_entities_where_most_tokens_are_outside():
    tags = ["PER", "PER", "O", "O", "LOC", "PER", "O", "O", "O"]
    detector = SchemeDetector()
    detector.add(tags)
    assert detector.scheme() == IO and "each run of one tag" in detector.remarks()[0]
    assert tags_to_spans(tags, IO) == [Span(0, 2, "PER"), Span(4, 5, "LOC"), Span(5, 6, "PER")]
    assert is_valid(tags, IO)
    # as in part-of-speech tags for tweets, where O is a pronoun
    assert detect_scheme([["O", "V", "N", "N", ","]]) is None


def test_an_unknown_mark_for_outside_is_asked_about():
    with pytest.raises(InputError, match=r"'OTHER' has no prefix, while 2 others do .*write O"):
        detect_scheme([["B-PER", "I-PER", "OTHER", "OTHER", "OTHER"]])
