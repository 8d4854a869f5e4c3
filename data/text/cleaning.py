"""The one clean-up that running text gets before it is split into tokens.

Two leftovers of the web are mended, each character for character, so that offsets into the cleaned
text are offsets into the text as given:

- line breaks and simple formatting in HTML (`<br />`, `<p>`, `<hr>`, `<i>`, `<b>`, `<em>`,
  `<strong>`, `<u>`, opening or closing, without attributes) become blanks;
- C1 control characters, which are Windows-1252 punctuation read as Latin-1, become that
  punctuation: U+0085 an ellipsis, U+0091 to U+0094 quotation marks, U+0096 and U+0097 dashes. The
  five that Windows-1252 does not have become blanks.

Everything else is the tokenizer's business, which drops control and format characters anyway.
"""

from __future__ import annotations

import re

_TAG = re.compile(r"</?(?:br|p|hr|i|b|em|strong|u)\s*/?>", re.IGNORECASE)
_C1 = re.compile("[\x80-\x9f]")
_PUNCTUATION = {
    code: bytes([code]).decode("cp1252", errors="replace").replace("\ufffd", " ")
    for code in range(0x80, 0xA0)
}


def clean(text: str) -> str:
    """A text of the same length without HTML breaks and C1 control characters."""
    if "<" in text:
        text = _TAG.sub(lambda tag: " " * len(tag[0]), text)
    return text.translate(_PUNCTUATION) if _C1.search(text) else text


def cleaned_tags(text: str) -> list[tuple[int, int]]:
    """Where the HTML tags lie that `clean` makes blanks: begin and end of each, in characters."""
    return [tag.span() for tag in _TAG.finditer(text)] if "<" in text else []
