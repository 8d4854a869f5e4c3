"""Running text to the tokens that a classifier reads, and how texts of a corpus repeat.

White space is no token here, not even at character level. Where a longest length is set, an
over-long text keeps its head and its tail, a quarter and three quarters of it: what a review comes
to is said at the end (Sun et al. 2019 found the like).
"""

from __future__ import annotations

from collections.abc import Callable

from .cleaning import clean
from .tokenizer import SPECIALS, UNK, Offsets

EMPTY = [SPECIALS[UNK]]  # what a text without a token is read as


def tokenise(
    text: str, split: Callable[[str], Offsets], *, max_length: int | None
) -> tuple[list[str], Offsets, int]:
    """Cleans a text and splits it.

    Args:
        text: The text as given.
        split: Gives the offsets of the tokens of a text.
        max_length: Most tokens to keep; None keeps all.

    Returns:
        The tokens, their character offsets into the text as given, and how many tokens there were
        before the middle was left out. All of it is empty for a text without a token.
    """
    text = clean(text)
    offsets = [(start, end) for start, end in split(text) if not text[start:end].isspace()]
    count = len(offsets)
    if max_length is not None and count > max_length:
        head = max_length // 4
        offsets = offsets[:head] + offsets[count - (max_length - head) :]
    return [text[start:end] for start, end in offsets], offsets, count
