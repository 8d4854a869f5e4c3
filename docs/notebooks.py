"""The chapters as notebooks, for `make docs`: MkDocs runs this file as a hook.

Beside each built page of the course lies the same page as `.ipynb`, and a link at its end says so.
A `python` block is a cell of code, an `output` block is what the cell above printed, all else is
text, pictures included.
"""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

from pages import FENCE

LINK = {"en": "This page as a notebook", "zh": "本页的 notebook"}
PICTURE = re.compile(r"!\[([^]]*)\]\(([^)]*/)?([^)/]+\.png)\)")
CHAPTER = re.compile(r"\]\((\d-[\w-]+)\.md")  # a link to another one


def notebook(page: Path) -> dict[str, Any]:
    """A page as a notebook, as nbformat 4.5 has it.

    Args:
        page: The Markdown file.
    """
    text = page.read_text(encoding="utf-8")
    cells: list[dict[str, Any]] = []
    prose, end = "", 0
    for fence in FENCE.finditer(text):
        prose += text[end : fence.start()]
        end = fence.end()
        if fence[1] == "output" and cells and not prose.strip():
            stream = {"output_type": "stream", "name": "stdout", "text": fence[2]}
            cells[-1]["outputs"].append(stream)
        elif fence[1] == "python":
            cells += [
                *_text(prose, page),
                _cell("code", fence[2], execution_count=None, outputs=[]),
            ]
            prose = ""
        else:  # shown, not run
            prose += fence[0]
    cells += _text(prose + text[end:], page)
    return {
        "cells": [{"id": f"cell-{number}"} | cell for number, cell in enumerate(cells)],
        "metadata": {
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _cell(kind: str, source: str, **others: Any) -> dict[str, Any]:
    return {"cell_type": kind, "metadata": {}, "source": source.rstrip("\n"), **others}


def _text(prose: str, page: Path) -> list[dict[str, Any]]:
    """A cell of text with its pictures inside; none where there is no text."""
    if not prose.strip():
        return []
    pictures = {
        name: {"image/png": base64.b64encode((page.parent / folder / name).read_bytes()).decode()}
        for _, folder, name in PICTURE.findall(prose)
    }
    prose = PICTURE.sub(r"![\1](attachment:\3)", CHAPTER.sub(r"](\1.ipynb", prose))
    return [_cell("markdown", prose.strip("\n"), **({"attachments": pictures} if pictures else {}))]


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Adds the link to a chapter."""
    path = Path(page.file.abs_src_path)
    if path.parent.name != "course":
        return markdown
    language = path.parent.parent.name
    return f'{markdown}\n<a href="{path.stem}.ipynb" download>{LINK[language]}</a>\n'


def on_post_page(output: str, *, page: Any, **_: Any) -> str:
    """Writes the notebook beside the built page."""
    path = Path(page.file.abs_src_path)
    if path.parent.name == "course":
        built = Path(page.file.abs_dest_path).with_name(f"{path.stem}.ipynb")
        built.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(notebook(path), ensure_ascii=False, indent=1)
        built.write_text(text, encoding="utf-8")
    return output
