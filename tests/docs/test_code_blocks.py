"""The code of the pages runs and prints what they say, and both languages have the same code."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

import rnnlp
from rnnlp.models import CELLS

FILE = Path(rnnlp.__file__).parent / "docs" / "pages.py"
spec = importlib.util.spec_from_file_location("pages", FILE)
pages = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pages)

NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:e[+-]\d+)?")
SETTING = r"--((?:data|model|early_stopping|trainer(?!\.logger))\.[\w.]*\w)"  # a logger has its own
NAMES = [str(page.relative_to(pages.DOCS / "en")) for page in pages.pages("en")]


def same_output(printed, written):
    """Words are equal; numbers may differ in the last digit or two, as on another processor."""
    assert NUMBER.sub("#", printed) == NUMBER.sub("#", written)
    for one, two in zip(NUMBER.findall(printed), NUMBER.findall(written), strict=True):
        value = float(two.replace(",", ""))
        assert float(one.replace(",", "")) == pytest.approx(value, rel=0.1), (printed, written)


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("guide/")])
def test_python_prints_what_stands_below_it(name, tmp_path, monkeypatch):
    monkeypatch.setattr("rnnlp.models.recurrence.cells.CELLS", dict(CELLS))  # pages register some
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
    for block in pages.blocks((pages.DOCS / "en" / name).read_text(encoding="utf-8")):
        for words in commands(block.code) if block.language in ("sh", "bash") else ():
            verb, *rest = words
            known = help_of(verb, rest, capsys)
            for option in (word.partition("=")[0] for word in rest if word.startswith("--")):
                assert option in known, f"{verb} has no {option}"


def test_settings_that_the_text_names_are_there(capsys):
    known = "".join(
        help_of("fit", ["--config", config], capsys)
        for config in ("ner", "sentiment", "translation", "generation", "joint")
    )
    for page in (pages.README, *pages.pages("en")):
        prose = pages.FENCE.sub("", page.read_text(encoding="utf-8"))
        for code in re.findall(r"`([^`\n]+)`", prose):
            for setting in re.findall(SETTING, code):
                assert f"--{setting}" in known, f"{page}: {code}"


def commands(code):
    """The words after `rnnlp` of each command, wherever it stands in a pipe."""
    code = re.sub(r"<<'(\w+)'\n.*?\n\1\n", "\n", code, flags=re.DOTALL)  # files that it writes
    for line in code.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        for at, word in enumerate(words):
            if word == "rnnlp" and (at == 0 or words[at - 1] in ("|", "&&")):
                rest = words[at + 1 :]
                ends = [rest.index(end) for end in ("|", "&&", ">") if end in rest]
                yield rest[: min(ends, default=len(rest))]


def help_of(verb, rest, capsys):
    """What the verb says of its options: all of them, of fit and of what passes settings on."""
    from rnnlp.tasks.cli import main as cli

    assert cli.main([verb, "--help"]) == 0
    known = capsys.readouterr().out
    config = rest[rest.index("--config") + 1] if "--config" in rest else ".yaml"
    if verb in ("fit", "compare") and not config.endswith(".yaml"):  # those the page has made
        assert cli.main(["fit", "--config", config, "--help"]) == 0
        known += capsys.readouterr().out
    return known


def test_both_languages_have_the_same_pages_and_code():
    chinese = {str(page.relative_to(pages.DOCS / "zh")) for page in pages.pages("zh")}
    assert chinese == set(NAMES)
    for page in (pages.README, *pages.pages("en")):
        mine, other = (
            [(block.language, block.code) for block in pages.blocks(file.read_text("utf-8"))]
            for file in (page, pages.other(page))
        )
        assert mine == other, f"{page}: python docs/pages.py {page} gives the Chinese page its code"
