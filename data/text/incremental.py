"""How much of a text that is still arriving is already split for good.

A text comes in chunks that are cut anywhere, inside words too. What is given out here are pieces of
it whose tokens no continuation can change, so that the tokens of all pieces, one after the other,
are exactly the tokens of the whole text. A token therefore waits until its end is certain: at word
level for white space, a Chinese character or Chinese punctuation, since `Berlin` may go on as
`Berliner` or `Berlin@example.org`; at character level for the next character; for sub-words until
the word after it has begun. What waits is bounded by the longest stretch without such an end, and
an eighth of a long one.

This file knows where tokens can end. What tokens are is said in `tokenizer.py`.
"""

from __future__ import annotations

import re
from functools import cache

from tokenizers import Regex, pre_tokenizers

from .cleaning import clean, cleaned_tags
from .patterns import ALONE, INNER
from .tokenizer import Tokenizer, encodable

# At word level the splitting rules look back at nothing, and no token holds one of these after its
# first character; what they look ahead to ends there too. Chinese punctuation takes up marks that
# follow it, so that the next character must be one that is no mark.
_STOP = r"、。〈-】〔-〛！（），：；？“”…—"
_CUT = (
    rf"\s|[{ALONE}]{INNER}*(?!{INNER})(?=[\s\S])|[{_STOP}](?=[\x{{00}}-\x{{7F}}\s{ALONE}{_STOP}])"
)
# The beginning of what `clean` may yet take for an HTML tag.
_OPEN_TAG = re.compile(r"</?[a-z]{0,6}\s*/?\Z", re.IGNORECASE)
_LONG = 1024  # characters that are looked through with each chunk


@cache
def _cuts() -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Split(Regex(_CUT), "removed", invert=True)


def certain_length(tokenizer: Tokenizer, text: str) -> int:
    """How many of the first characters of a text are split the same whatever follows.

    Args:
        tokenizer: Splits texts.
        text: A text that begins where a token may begin.

    Returns:
        A length n: the tokens of `text[:n]` followed by the tokens of `text[n:] + more` are those
        of `text + more`, whatever `more` is.
    """
    if tokenizer.level == "word":
        cuts = _cuts().pre_tokenize_str(encodable(text))
        return cuts[-1][1][1] if cuts else 0
    pieces = tokenizer.split(text) if tokenizer.level == "character" else tokenizer.words(text)
    last = len(pieces) - 1
    if tokenizer.level == "bpe":
        # An apostrophe may belong to what follows it ('ll), and a dotted capital I leaves its dot
        # to what follows when it is made a small letter.
        while last > 0 and text[slice(*pieces[last - 1])].endswith(("'", "İ")):
            last -= 1
    return pieces[last][0] if last > 0 else 0


class IncrementalText:
    """Gives out a text that arrives in chunks, as far as its tokens are certain.

    Args:
        tokenizer: Splits the text.
        cleaned: Whether the text is cleaned as that of classifiers is (`cleaning.py`), character
            for character.

    Attributes:
        end: How many characters have been given out.
    """

    def __init__(self, tokenizer: Tokenizer, *, cleaned: bool = False) -> None:
        self._tokenizer = tokenizer
        self._cleaned = cleaned
        self._raw = ""  # not cleaned yet, since it may be a part of a tag
        self._held = ""
        self._tags: list[tuple[int, int]] = []  # in `_held`, where they are blanks already
        self._next = 0  # how much must be held before it is looked through again
        self.end = 0

    def feed(self, chunk: str) -> str:
        """The text that has become certain, which may be none; it goes on at `end`."""
        self._hold(self._mendable(chunk))
        held = len(self._held)
        if held < self._next:
            return ""
        length = certain_length(self._tokenizer, self._held)
        for begin, end in reversed(self._tags):
            if begin < length < end:  # a text that ends inside a tag has no tag: other tokens
                length = certain_length(self._tokenizer, self._held[:begin])
        # Of a long stretch without an end nothing is looked at again before it has grown by an
        # eighth: the time then grows with the stretch, not with its square.
        self._next = 0 if length or held < _LONG else held * 9 // 8
        return self._give(length)

    def finish(self) -> str:
        """What is left when the text has ended."""
        self._hold(self._raw)
        self._raw = ""
        return self._give(len(self._held))

    def _hold(self, text: str) -> None:
        if self._cleaned:
            held = len(self._held)
            self._tags += [(held + begin, held + end) for begin, end in cleaned_tags(text)]
            text = clean(text)
        self._held += text

    def _mendable(self, chunk: str) -> str:
        if not self._cleaned:
            return chunk
        raw = self._raw + chunk
        open_tag = _OPEN_TAG.search(raw, raw.rfind("<")) if "<" in raw else None
        safe = open_tag.start() if open_tag else len(raw)
        self._raw = raw[safe:]
        return raw[:safe]

    def _give(self, length: int) -> str:
        piece, self._held = self._held[:length], self._held[length:]
        self._tags = [(begin - length, end - length) for begin, end in self._tags if end > length]
        self.end += length
        return piece
