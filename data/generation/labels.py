"""The ids that a language model reads: of labels and of the tokens of a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rnnlp.data.text.featurizer import Featurizer

NOT_GIVEN = 0  # id of a label that a text does not have, or that training never saw
Fields = Mapping[str, Sequence[str]]  # the labels that each field may have; ids count them from 1


def label_ids(fields: Fields) -> list[dict[str | None, int]]:
    """The ids of the labels of each field."""
    return [{label: n for n, label in enumerate(known, 1)} for known in fields.values()]


def token_ids(featurizer: Featurizer, text: str, *, reverse: bool) -> list[int]:
    """The ids of a text in the order in which they are read.

    Args:
        featurizer: Splits the text and looks it up.
        text: The text.
        reverse: Whether it is read from the end to the start.
    """
    ids = featurizer.encode(text)[0].tokens
    return ids[::-1] if reverse else ids
