"""The code of the pages runs and prints what they say, and both languages have the same code."""

import importlib.util
import re
from pathlib import Path

import pytest

import rnnlp

FILE = Path(rnnlp.__file__).parent / "docs" / "pages.py"
spec = importlib.util.spec_from_file_location("pages", FILE)
pages = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pages)

NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:e[+-]\d+)?")
NAMES = [str(page.relative_to(pages.DOCS / "en")) for page in pages.pages("en")]


def same_output(printed, written):
    """Words are equal; numbers may differ in the last digit or two, as on another processor."""
    assert NUMBER.sub("#", printed) == NUMBER.sub("#", written)
    for one, two in zip(NUMBER.findall(printed), NUMBER.findall(written), strict=True):
        value = float(two.replace(",", ""))
        assert float(one.replace(",", "")) == pytest.approx(value, rel=0.1), (printed, written)


@pytest.mark.parametrize("name", NAMES)
def test_python_prints_what_stands_below_it(name, tmp_path, monkeypatch):
    page = pages.DOCS / "en" / name
    monkeypatch.chdir(tmp_path)
    names, printed = {"__name__": "page"}, None
    for block in pages.blocks(page.read_text(encoding="utf-8")):
        if block.language == "output":
            assert printed is not None, f"{page}:{block.line}: no Python above this output"
            same_output(printed, block.code)
        printed = None
        if block.language == "python":
            printed = pages.run_python(block, names, source=str(page))


@pytest.mark.parametrize("name", NAMES)
def test_shell_lines_name_verbs_and_options_that_there_are(name, capsys):
    from rnnlp.tasks.cli import main as cli

    for block in pages.blocks((pages.DOCS / "en" / name).read_text(encoding="utf-8")):
        for line in block.code.splitlines() if block.language == "sh" else ():
            if line.startswith("rnnlp "):
                _, verb, *rest = line.split()
                assert cli.main([verb, "--help"]) == 0
                known = capsys.readouterr().out
                for option in (word for word in rest if word.startswith("--")):
                    assert option in known, f"{verb} has no {option}"


def test_both_languages_have_the_same_pages_and_code():
    chinese = {str(page.relative_to(pages.DOCS / "zh")) for page in pages.pages("zh")}
    assert chinese == set(NAMES)
    for page in pages.pages("en"):
        mine, other = (
            [(block.language, block.code) for block in pages.blocks(file.read_text("utf-8"))]
            for file in (page, pages.other(page))
        )
        assert mine == other, page
