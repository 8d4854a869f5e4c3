"""Turns spans over the characters of a text into spans over its tokens."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from .schemes import Span


def align(spans: Iterable[Span], offsets: Sequence[tuple[int, int]]) -> tuple[list[Span], int]:
    """Widens each character span to the tokens it touches.

    Args:
        spans: Spans over characters, end exclusive, in any order.
        offsets: Start and end (exclusive) of each token in the text, in order.

    Returns:
        The token spans, in the order given, and how many were misaligned: they begin or end
        inside a token (and were widened), or touch no token at all (and were dropped).
    """
    starts = [start for start, _ in offsets]
    ends = [end for _, end in offsets]
    aligned, misaligned = [], 0
    for start, end, kind in spans:
        first = bisect_right(ends, start)  # the first token that ends after the span's start
        last = bisect_left(starts, end)  # one past the last token that starts before its end
        if first >= last:
            misaligned += 1
            continue
        misaligned += starts[first] < start or ends[last - 1] > end
        aligned.append(Span(first, last, kind))
    return aligned, misaligned


def drop_overlaps(spans: Iterable[Span]) -> tuple[list[Span], int]:
    """Keeps the longer of two overlapping spans, or the earlier of two equally long ones.

    Returns:
        The spans that stay, sorted, and how many were dropped; a span stated twice is one span.
    """
    distinct = list(dict.fromkeys(spans))
    kept: list[Span] = []
    for span in sorted(distinct, key=lambda s: (s.start - s.end, s.start)):
        if all(span.end <= other.start or other.end <= span.start for other in kept):
            kept.append(span)
    return sorted(kept), len(distinct) - len(kept)
