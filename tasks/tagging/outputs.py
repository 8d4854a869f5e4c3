"""What a tagger says, as plain values: tags, and entities with places and scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rnnlp.data.tagging.schemes import Span, ids_by_letter, tags_to_spans
from rnnlp.models.tagging.spans import SpanRules

if TYPE_CHECKING:
    import numpy as np
    import torch

    from rnnlp.models.tagging.paths import Decoded


def names_of(
    decoded: torch.Tensor | np.ndarray, lengths: torch.Tensor | np.ndarray, tags: Sequence[str]
) -> list[list[str]]:
    """The names of tags `[batch, time]`, padding cut off.

    Args:
        decoded: Ids `[batch, time]`.
        lengths: `[batch]`.
        tags: The names, by id.
    """
    rows = zip(decoded.tolist(), lengths.tolist(), strict=True)
    return [[tags[tag] for tag in row[:length]] for row, length in rows]


def spans_in(
    decoded: Decoded,
    names: Sequence[Sequence[str]],
    scheme: str | None,
    rules: Mapping[str, SpanRules],
) -> list[list[tuple[Span, float]]]:
    """The spans of each row and their probabilities; each plain tag is a span.

    Args:
        decoded: Of some sentences.
        names: The tags in it, by name.
        scheme: Their scheme.
        rules: Of each type, as `span_rules` gives them.
    """
    return scored(decoded, spans_of(names, scheme), rules)


def spans_of(names: Sequence[Sequence[str]], scheme: str | None) -> list[list[Span]]:
    """The spans of each row of tags; each plain tag is a span."""
    return [
        [Span(place, place + 1, tag) for place, tag in enumerate(tags)]
        if scheme is None
        else tags_to_spans(tags, scheme, strict=True)
        for tags in names
    ]


def scored(
    decoded: Decoded, spans: Sequence[Sequence[Span]], rules: Mapping[str, SpanRules]
) -> list[list[tuple[Span, float]]]:
    """The probability of each span of each row of `decoded` beside it.

    Args:
        decoded: Emissions and best paths of a batch.
        spans: Those of each row.
        rules: For each type, which tags make a span of it.
    """
    scores = iter(
        decoded.span_scores(
            [
                (row, span.start, span.end, rules[span.type])
                for row, row_spans in enumerate(spans)
                for span in row_spans
            ]
        )
    )
    return [[(span, next(scores)) for span in row] for row in spans]


def entity(
    text: str, start: int, end: int, kind: str, score: float, *, text_from: int = 0
) -> dict[str, Any]:
    """An entity as users get it, between two characters of a text.

    Args:
        text: The text, or the part of it that begins at character `text_from`.
        start: Where the entity begins in the whole text.
        end: Where it ends, exclusive.
        kind: Its type.
        score: Its probability.
        text_from: Where `text` begins.
    """
    return {
        "entity_group": kind,
        "score": round(score, 4),
        "word": text[start - text_from : end - text_from],
        "start": start,
        "end": end,
    }


def span_rules(tags: Sequence[str], scheme: str | None) -> dict[str, SpanRules]:
    """What spans of each type are made of, in ids of tags.

    Args:
        tags: All tags, in the order of their ids.
        scheme: Their scheme; None for plain tags, each of which is a span of one token.
    """
    if scheme is None:
        return {tag: SpanRules({i: ()}, {}, {i: ()}) for i, tag in enumerate(tags)}
    rules = {}
    for kind, ids in ids_by_letter(tags, scheme).items():
        b, i, e, s = (ids.get(letter) for letter in "BIES")

        def known(*some: int | None) -> tuple[int, ...]:
            return tuple(one for one in some if one is not None)

        if scheme in ("IOB1", "IOB2"):  # nothing but what follows tells where a span ends
            first: dict[int, tuple[int, ...]] = {tag: () for tag in known(b)}
            if scheme == "IOB1":
                first |= {tag: known(b, i) for tag in known(i)}
            both = known(b, i)
            rules[kind] = SpanRules(
                first, {tag: known(i) for tag in both}, {tag: known(i) for tag in both}
            )
        else:
            rules[kind] = SpanRules(
                {tag: () for tag in known(b, s)},
                {tag: known(i, e) for tag in known(b, i)},
                {tag: () for tag in known(e, s)},
            )
    return rules
