"""The messages that the pages explain are still those of the code."""

import re
from pathlib import Path

import pytest

import rnnlp

from .test_code_blocks import pages

ROOT = Path(rnnlp.__file__).parent
QUOTED = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)  # the first column


@pytest.fixture(scope="module")
def modules():
    """The text of each module, its strings joined where a line ends inside of them."""
    files = [file for room in ("data", "models", "tasks") for file in (ROOT / room).rglob("*.py")]
    return [re.sub(r'"\s*\n\s*f?"', "", file.read_text(encoding="utf-8")) for file in files]


def quoted(language):
    return QUOTED.findall((pages.DOCS / language / "howto" / "messages.md").read_text("utf-8"))


def test_messages_stand_in_the_code(modules):
    """Between two `…`, and their punctuation, a message is word for word that of one module."""
    assert len(quoted("en")) > 50
    for message in quoted("en"):
        words = [part for part in re.split(r"[ ,:;]*…[ ,:;]*", message) if len(part) > 3]
        assert words
        assert any(all(part in text for part in words) for text in modules), message


def test_both_languages_explain_the_same_messages():
    assert quoted("zh") == quoted("en")
