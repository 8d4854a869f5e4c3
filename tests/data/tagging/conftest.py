"""Files of sentences, read as they are written."""

from __future__ import annotations

import re

import pytest

from rnnlp.data.corpus.report import Notes
from rnnlp.data.tagging.readers import TaggedExample, read_tagging


def words(text: str) -> list[tuple[int, int]]:
    """Offsets of words and of each mark between them."""
    return [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]


@pytest.fixture
def read(tmp_path):
    """Writes a text to a file and reads it."""

    def _read(text, name="data.txt", *, split=words, notes=None, **options) -> list[TaggedExample]:
        path = tmp_path / name
        path.write_bytes(text.encode())
        return list(read_tagging(path, split=split, notes=notes or Notes(), **options))

    return _read
