"""Turns spans over the characters of a text into spans over its tokens."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from .schemes import Span


def align(spans: Iterable[Span], offsets: Sequence[tuple[int, int]]) -> tuple[list[Span], int, int]:
    """Widens each character span to the tokens it touches.

    Args:
        spans: Spans over characters, end exclusive, in any order.
        offsets: Start and end (exclusive) of each token in the text, in order.

    Returns:
        The token spans, in the order given, how many of them were widened since they begin or end
        inside a token, and how many others were dropped since they touch no token at all.
    """
    starts = [start for start, _ in offsets]
    ends = [end for _, end in offsets]
    aligned, widened, lost = [], 0, 0
    for start, end, kind in spans:
        first = bisect_right(ends, start)  # the first token that ends after the span's start
        last = bisect_left(starts, end)  # one past the last token that starts before its end
        if first >= last:
            lost += 1
            continue
        widened += starts[first] < start or ends[last - 1] > end
        aligned.append(Span(first, last, kind))
    return aligned, widened, lost


def drop_overlaps(spans: Iterable[Span]) -> tuple[list[Span], int]:
    """Keeps the longer of two overlapping spans, or the earlier of two equally long ones.

    Returns:
        The spans that stay, sorted, and how many were dropped; a span stated twice is one span.
    """
    distinct = list(dict.fromkeys(spans))
    kept: list[Span] = []  # sorted; they do not overlap, so one neighbour on each side decides
    for span in sorted(distinct, key=lambda s: (s.start - s.end, s.start)):
        place = bisect_left(kept, span)
        before, after = kept[max(place - 1, 0) : place], kept[place : place + 1]
        if all(other.end <= span.start for other in before) and all(
            span.end <= other.start for other in after
        ):
            kept.insert(place, span)
    return kept, len(distinct) - len(kept)
