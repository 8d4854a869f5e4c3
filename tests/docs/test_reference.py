"""The reference has every public name, in both languages, and no name that there is not."""

import importlib
import re
from pathlib import Path

import pytest

import rnnlp
from rnnlp import models

DOCS = Path(rnnlp.__file__).parent / "docs"
PUBLIC = {f"rnnlp.{name}" for name in rnnlp.__all__ if name != "__version__"} | {
    f"rnnlp.models.{name}" for name in models.__all__ if name != "CELLS"
}


def names(language):
    pages = sorted((DOCS / language / "reference").glob("*.md"))
    return [name for page in pages for name in re.findall(r"^::: (\S+)$", page.read_text(), re.M)]


@pytest.mark.parametrize("name", names("en"))
def test_names_are_there_and_documented(name):
    module, _, attribute = name.rpartition(".")
    assert getattr(importlib.import_module(module), attribute).__doc__


def test_every_public_name_is_documented_once_in_both_languages():
    assert names("en") == names("zh")
    assert set(names("en")) >= PUBLIC
    assert len(names("en")) == len(set(names("en")))
