"""The pages' code blocks: found, run, and held together; what tests and notebooks are made of.

    python docs/pages.py --run docs/en/course/3-forgetting.md    run its Python, pictures go here
    python docs/pages.py docs/en/course/2-simple-rnn.md          write what it prints into the page
    python docs/pages.py README.md                               give README.zh.md its code

A block `output` after a block `python` is what that prints; on how-to pages a block `text` after a
block `sh` likewise (`bash` is for what the command above shall not run: installing, servers). The
Chinese page has the same blocks as the English one: the command above writes them there too, into
the fences that stand in the text.
Nothing here is part of the package.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

DOCS = Path(__file__).resolve().parent
README = DOCS.parent / "README.md"
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block of code."""

    language: str  # what stands after the first fence
    code: str
    line: int  # of the first line of code, from 1


def blocks(text: str) -> list[Block]:
    """The code blocks of a page."""
    return [
        Block(found[1], found[2], text.count("\n", 0, found.start(2)) + 1)
        for found in FENCE.finditer(text)
    ]


def pages(language: str) -> list[Path]:
    """The pages in a language, `en` or `zh`."""
    return sorted((DOCS / language).rglob("*.md"))


def other(page: Path) -> Path:
    """The same page in the other language."""
    if page.resolve() == README:
        return README.with_suffix(".zh.md")
    language, *rest = page.resolve().relative_to(DOCS).parts
    return DOCS.joinpath("zh" if language == "en" else "en", *rest)


def run_python(block: Block, names: dict[str, Any], *, source: str) -> str:
    """Runs a block with the names that the blocks before it have left; gives what it prints.

    Args:
        block: The block.
        names: The namespace of the page.
        source: File of the page, for tracebacks that name its lines.
    """
    printed = io.StringIO()
    code = compile("\n" * (block.line - 1) + block.code, source, "exec")
    with contextlib.redirect_stdout(printed):
        exec(code, names)
    return printed.getvalue()


def run_shell(block: Block, path: Path) -> str:
    """Runs a block's commands in the working directory; gives stdout.

    Args:
        block: The block.
        path: A folder for the command `rnnlp`, that of this Python.
    """
    command = path / "rnnlp"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m rnnlp "$@"\n')
    command.chmod(0o755)
    return subprocess.run(
        ["bash", "-e", "-c", block.code],
        env={**os.environ, "PATH": f"{path}:{os.environ['PATH']}"},
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ).stdout


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    """The working directory for a while."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def with_codes(text: str, codes: list[str]) -> str:
    """The page with other code in its blocks."""
    rest = iter(codes)
    return FENCE.sub(lambda found: f"{found[0].partition(chr(10))[0]}\n{next(rest)}```", text)


def refresh(page: Path) -> None:
    """Runs an English page, writes its outputs and pictures, and gives the Chinese page both."""
    text = page.read_text(encoding="utf-8")
    found = blocks(text)
    codes = [block.code for block in found]
    names: dict[str, Any] = {"__name__": page.stem}
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as path:
        with inside(Path(folder)):
            for number, block in enumerate(found):
                if block.language == "python":
                    printed, kind = run_python(block, names, source=str(page)), "output"
                elif block.language == "sh" and page.parent.name == "howto":
                    printed, kind = run_shell(block, Path(path)), "text"
                else:
                    continue
                if number + 1 < len(found) and found[number + 1].language == kind:
                    codes[number + 1] = printed
        for picture in Path(folder).glob("*.png"):
            (DOCS / "images").mkdir(exist_ok=True)
            (DOCS / "images" / picture.name).write_bytes(picture.read_bytes())
    page.write_text(with_codes(text, codes), encoding="utf-8")
    translate(page)


def run(page: Path) -> None:
    """Runs a page's Python as a reader would: here, with its output on the screen."""
    names: dict[str, Any] = {"__name__": page.stem}
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.language == "python":
            print(run_python(block, names, source=str(page)), end="", flush=True)


def translate(page: Path) -> None:
    """Gives the Chinese page the code of the English one."""
    found, chinese = blocks(page.read_text(encoding="utf-8")), other(page)
    if chinese.is_file():
        text = chinese.read_text(encoding="utf-8")
        kinds = [block.language for block in blocks(text)], [block.language for block in found]
        if kinds[0] != kinds[1]:
            raise SystemExit(f"{chinese} has other blocks: {kinds[0]}, not {kinds[1]}")
        codes = [block.code for block in found]
        chinese.write_text(with_codes(text, codes), encoding="utf-8")


if __name__ == "__main__":
    do = run if "--run" in sys.argv else refresh
    for name in (word for word in sys.argv[1:] if word != "--run"):
        page = Path(name).resolve()
        translate(page) if page == README else do(page)
