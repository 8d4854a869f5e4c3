"""Reads JSON lines for tagging: tokens with their tags, or a text with spans over characters.

Tokens and tags are lists under `tokens` and `tags` (or `ner_tags`, `labels`). Spans lie under
`entities`, `label`, `labels` or `spans` beside `text`, as `[start, end, type]` or as dictionaries
with `start`, `end` and `label` (or `type`, `entity_group`), ends exclusive; or as CLUENER writes
them, `{type: {surface: [[start, end]]}}`, ends inclusive. Offsets count code points. Beside tokens
or in the place of their tags, `scores` may state the probability of each tag, a dictionary a token.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rnnlp.data.annotation.document import Mark, counts_units, mark
from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError, counted
from rnnlp.data.formats.jsonl import accepted, group_of, json_objects
from rnnlp.data.formats.probabilities import SCORES, Probabilities, probabilities, scores_of
from rnnlp.data.formats.weights import weight_in

from .documents import WITHOUT_TOKEN, Split, token_spans
from .example import TaggedExample

TAG_KEYS = ("tags", "ner_tags", "labels")
SPAN_KEYS = ("entities", "label", "labels", "spans")
START_KEYS = ("start", "start_offset")
_END_KEYS = ("end", "end_offset")
_TYPE_KEYS = ("label", "type", "entity_group")
_SURFACE_KEYS = ("text", "word", "surface")


def read_tagging_json(
    lines: Iterable[tuple[int, str]],
    *,
    path: str,
    split: Split,
    labelled: bool,
    group_key: str | int | None = None,
    weight_key: str | int | None = None,
    notes: Notes,
) -> Iterator[TaggedExample]:
    """Yields the example of each line that is not blank.

    Args:
        lines: Line numbers and lines.
        path: The file's name, for errors and notes.
        split: Gives the offsets of a text's tokens.
        labelled: Whether a line without tags or spans is an error.
        group_key: Key of what else stays on one side of a cut.
        weight_key: Key of the weight; "weight" need not be there.
        notes: Takes the counts of misaligned and overlapping spans, and of texts without a token.
    """
    has_tags: bool | None = None
    for number, row in json_objects(path, notes, lines=lines):
        try:
            if not accepted(row, f"{path}:{number}", notes):
                continue
            if _has_own_tokens(row):
                example = _from_tokens(row, number, labelled)
            elif isinstance(row.get("text"), str):
                example = _from_text(row, number, f"{path}:{number}", split, labelled, notes)
            else:
                raise InputError("neither `tokens` (a list) nor `text` (a string); add one")
            if not example.tokens:
                notes.count(WITHOUT_TOKEN, f"{path}:{number}")
                continue
            example = example._replace(
                group=group_of(row, group_key), weight=weight_in(row, weight_key)
            )
            if labelled and has_tags not in (None, example.tags is not None):
                raise InputError("some lines have tags and some have spans; use one of the two")
        except InputError as error:
            notes.bad(InputError(error.message, path=path, line=number))
            continue
        has_tags = example.tags is not None
        yield example


def _has_own_tokens(row: dict[str, Any]) -> bool:
    """False for a text with spans that lists its tokens besides, as Prodigy does."""
    tokens = row.get("tokens")
    if not isinstance(tokens, list):
        return False
    if not isinstance(row.get("text"), str):
        return True
    return any(key in row for key in TAG_KEYS) and not any(isinstance(t, dict) for t in tokens)


def _from_tokens(row: dict[str, Any], number: int, labelled: bool) -> TaggedExample:
    tokens = row["tokens"]
    if not tokens and "text" not in row:  # predict answers an empty line with both
        raise InputError("`tokens` is empty; remove the line")
    for index, token in enumerate(tokens):
        if not isinstance(token, str) or not token:
            raise InputError(f"token {index} is {token!r}; tokens are strings that are not empty")
    key = next((key for key in TAG_KEYS if row.get(key) is not None), None)
    soft = _distributions(row, len(tokens))
    if key is None and soft is not None:
        return TaggedExample(tokens, [next(iter(one)) for one in soft], None, number, soft=soft)
    if key is None:
        if labelled:
            raise InputError(f"no tags beside `tokens`; add them as one of {', '.join(TAG_KEYS)}")
        return TaggedExample(tokens, None, None, number)
    tags = row[key]
    if not isinstance(tags, list) or len(tags) != len(tokens):
        count = len(tags) if isinstance(tags, list) else "no list of"
        raise InputError(f"{counted(len(tokens), 'token')} but {count} `{key}`; give one a token")
    for tag in tags:
        if not isinstance(tag, str):
            raise InputError(
                f"`{key}` holds {tag!r}; tags must be names such as 'B-PER', not numbers"
            )
    return TaggedExample(tokens, tags, None, number, soft=soft)


def _distributions(row: dict[str, Any], tokens: int) -> list[Probabilities] | None:
    """The probability of each tag of each token, the likeliest first; None where none is stated."""
    key = next((key for key in SCORES if isinstance(row.get(key), list)), None)
    if key is None:
        return None
    if len(row[key]) != tokens:
        raise InputError(
            f"{counted(tokens, 'token')} but {len(row[key])} `{key}`; give one a token"
        )
    distributions = []
    for place, value in enumerate(row[key]):
        if (stated := scores_of(value)) is None:
            raise InputError(f"`{key}` of token {place} is {value!r}; give a probability a tag")
        try:
            distributions.append(probabilities(stated))
        except InputError as error:
            raise InputError(f"token {place}: {error.message}") from error
    return distributions


def _from_text(
    row: dict[str, Any], number: int, where: str, split: Split, labelled: bool, notes: Notes
) -> TaggedExample:
    text = row["text"]
    offsets = split(text)
    tokens = [text[start:end] for start, end in offsets]
    key = next((key for key in SPAN_KEYS if row.get(key) is not None), None)
    if key is None:
        if labelled:
            raise InputError(f"no spans beside `text`; add them as one of {', '.join(SPAN_KEYS)}")
        return TaggedExample(tokens, None, None, number)
    if isinstance(row[key], dict):
        characters = list(_cluener_spans(row[key], text))
    elif isinstance(row[key], list):
        parts = [_parts(item) for item in row[key]]
        told = [(start, end, own) for start, end, _, own in parts]
        units = counts_units(told, text, usual=False)
        characters = [
            mark(part[:3], text, surface=part[3], units=units, place=where, notes=notes)
            for part in parts
        ]
    else:
        raise InputError(f"`{key}` is {row[key]!r}; give a list of spans")
    return TaggedExample(tokens, None, token_spans(characters, offsets, where, notes), number)


def _cluener_spans(label: dict[str, Any], text: str) -> Iterator[Mark]:
    for kind, surfaces in label.items():
        if not isinstance(surfaces, dict):
            raise InputError(f"the spans of {kind!r} are not of the form {{text: [[start, end]]}}")
        for surface, places in surfaces.items():
            for place in places if isinstance(places, list) else [places]:
                if not isinstance(place, list) or len(place) != 2:
                    raise InputError(f"the place of {surface!r} is {place!r}, not [start, end]")
                start, end, _ = span = mark((*place, kind), text, inclusive=True)
                if text[start:end] != surface:
                    raise InputError(
                        f"span {place[0]}..{place[1]} (end inclusive) reads "
                        f"{text[start:end]!r}, not {surface!r}; correct its offsets"
                    )
                yield span


def _parts(item: Any) -> tuple[Any, Any, Any, Any]:
    """Start, end, type and own text of a span."""
    if isinstance(item, dict):
        start, end, kind, surface = (
            next((item[key] for key in keys if key in item), None)
            for keys in (START_KEYS, _END_KEYS, _TYPE_KEYS, _SURFACE_KEYS)
        )
        return start, end, kind, surface
    if isinstance(item, list) and len(item) == 3:
        return (*item, None)
    raise InputError(f"span {item!r} is neither [start, end, type] nor a dictionary")
