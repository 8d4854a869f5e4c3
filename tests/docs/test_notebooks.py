"""A notebook of a chapter has the page's code, its outputs and all of its text."""

import base64
import importlib.util
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import rnnlp

DOCS = Path(rnnlp.__file__).parent / "docs"


@pytest.fixture(scope="module")
def notebooks():
    sys.path.insert(0, str(DOCS))  # as MkDocs does for its hooks
    try:
        spec = importlib.util.spec_from_file_location("notebooks", DOCS / "notebooks.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(DOCS))
        sys.modules.pop("pages", None)


CHAPTERS = [
    DOCS / language / "course" / page.name
    for language in ("en", "zh")
    for page in sorted((DOCS / "en" / "course").glob("*.md"))
]


@pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: f"{page.parts[-3]}-{page.stem}")
def test_code_outputs_and_text_are_the_pages(notebooks, page):
    cells = notebooks.notebook(page)["cells"]
    text = page.read_text(encoding="utf-8")
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)
    codes = [code.rstrip("\n") for kind, code in fences if kind == "python"]
    assert codes and [cell["source"] for cell in cells if cell["cell_type"] == "code"] == codes
    outputs = [code for kind, code in fences if kind == "output"]
    assert [one["text"] for cell in cells for one in cell.get("outputs", [])] == outputs
    prose = "\n".join(cell["source"] for cell in cells if cell["cell_type"] == "markdown")
    for heading in re.findall(r"^#+ .*", re.sub(r"```.*?```", "", text, flags=re.S), re.M):
        assert heading in prose
    assert len({cell["id"] for cell in cells}) == len(cells)


def test_pictures_travel_with_it(notebooks):
    page = DOCS / "en" / "course" / "4-lstm.md"
    pictures = {}
    for cell in notebooks.notebook(page)["cells"]:
        for name, data in cell.get("attachments", {}).items():
            assert f"(attachment:{name})" in cell["source"]
            pictures[name] = base64.b64decode(data["image/png"])
    assert set(pictures) == {"gates-but.png", "gates-though.png"}
    assert all(data == (DOCS / "images" / name).read_bytes() for name, data in pictures.items())


def test_only_chapters_get_a_link_and_a_file(notebooks, tmp_path):
    for source, expected in (("course/1-sequences.md", True), ("howto/my-csv.md", False)):
        built = tmp_path / source / "index.html"
        file = SimpleNamespace(abs_src_path=DOCS / "zh" / source, abs_dest_path=built)
        page = SimpleNamespace(file=file)
        shown = notebooks.on_page_markdown("text", page=page, config=None, files=None)
        assert ('href="1-sequences.ipynb"' in shown) == expected
        assert notebooks.on_post_page("<html>", page=page, config=None) == "<html>"
        assert (built.parent / "1-sequences.ipynb").is_file() == expected
