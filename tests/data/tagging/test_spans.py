"""Spans over tokens: from tags, from characters, and which stay where some overlap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.tagging.readers import TaggedExample, spans_of
from rnnlp.data.tagging.schemes import Span
from rnnlp.data.tagging.span_alignment import align, drop_overlaps

from .conftest import words


def test_spans_of_counts_ill_formed_sequences():
    notes = Notes()
    good = TaggedExample(["a", "b"], ["B-X", "I-X"], None, 1)
    bad = TaggedExample(["a", "b"], ["O", "I-X"], None, 4)
    ready = TaggedExample(["a", "b"], None, [Span(0, 1, "Y")], 7)
    assert spans_of(good, "IOB2", path="f", notes=notes) == [Span(0, 2, "X")]
    assert spans_of(bad, "IOB2", path="f", notes=notes) == [Span(1, 2, "X")]
    assert spans_of(ready, "IOB2", path="f", notes=notes) == [Span(0, 1, "Y")]
    assert notes.lines() == [
        "sentences with ill-formed IOB2 tags, read as conlleval does: 1 (first at f:4)"
    ]
    with pytest.raises(InputError, match=r"f:9: tag 'L-X' is not of scheme BIOES"):
        spans_of(TaggedExample(["a"], ["L-X"], None, 9), "BIOES", path="f", notes=notes)


def test_alignment_ignores_white_space_around_words():
    offsets = words("ab  cd ef")
    assert align([Span(2, 7, "X")], offsets) == ([Span(1, 2, "X")], 0, 0)
    assert align([Span(1, 5, "X")], offsets) == ([Span(0, 2, "X")], 1, 0)
    assert align([Span(2, 4, "X")], offsets) == ([], 0, 1)


def test_the_longer_then_the_earlier_span_stays():
    assert drop_overlaps([Span(0, 2, "A"), Span(1, 3, "B"), Span(5, 6, "C")]) == (
        [Span(0, 2, "A"), Span(5, 6, "C")],
        1,
    )
    assert drop_overlaps([Span(0, 2, "A"), Span(1, 4, "B"), Span(3, 5, "C")]) == (
        [Span(1, 4, "B")],
        2,
    )


SPANS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 9), st.sampled_from("AB")).map(
        lambda one: Span(one[0], one[0] + one[1], one[2])
    ),
    max_size=12,
)


@given(SPANS)
def test_dropping_overlaps_keeps_the_longer_one_by_the_rule(spans):
    kept, dropped = drop_overlaps(spans)
    expected = []
    for span in sorted(dict.fromkeys(spans), key=lambda s: (s.start - s.end, s.start)):
        if all(span.end <= other.start or other.end <= span.start for other in expected):
            expected.append(span)
    assert kept == sorted(expected)
    assert dropped == len(set(spans)) - len(kept)
