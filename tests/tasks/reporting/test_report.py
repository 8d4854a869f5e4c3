"""Reports: one Markdown file and one page that needs nothing but itself."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from rnnlp.tasks.reporting.report import Section, Table, write_report


def drawing(height=1.0):
    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.subplots()
    axes.plot([1, 2, 3], [height, 2, 3], label="准确率")
    axes.set_xlabel("lag (tokens)")
    axes.legend()
    return figure


SECTIONS = [
    Section(
        "Speed & size",
        ["Numbers of `a < b`, measured."],
        Table(["cell", "tokens/s", "claim"], [["lstm", "1,200 ± 30", "a|b"], ["gru", "—", "yes"]]),
    ),
    Section("Lag", figure=drawing(), caption="Accuracy <against> lag."),
    Section("More", figure=drawing(5.0)),
]


class Page(HTMLParser):
    """Collects tags with their attributes, and the text."""

    def __init__(self):
        super().__init__()
        self.tags, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "new"
    write_report(folder, title="比较 <cells>", sections=SECTIONS)
    return folder


def test_the_page_says_everything_and_fetches_nothing(folder):
    source = (folder / "report.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(source)
    for words in ("比较 <cells>", "Speed & size", "a < b", "1,200 ± 30", "lag (tokens)", "准确率"):
        assert words in page.text
    # An address that a browser would ask for, rather than a name space or a place on the page.
    for tag, attributes in page.tags:
        assert tag not in ("script", "img", "iframe", "object")
        for name in ("src", "href", "xlink:href", "data"):
            assert attributes.get(name, "#").startswith(("#", "data:,")), (tag, attributes)
    assert not re.search(r"@import|url\((?!#)", source)
    assert "DOCTYPE svg" not in source
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in [
        (tag, attributes) for tag, attributes in page.tags
    ]


def test_identifiers_are_used_by_one_figure_only(folder):
    """Clip paths of one figure must not cut another one on the same page."""
    clips = [
        set(re.findall(r'clipPath id="(\w+)"', (folder / name).read_text(encoding="utf-8")))
        for name in ("figure-1.svg", "figure-2.svg")
    ]
    assert clips[0] and clips[1] and not clips[0] & clips[1]


def test_markdown_and_figures(folder):
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert text.startswith(
        "# 比较 \\<cells>\n\n## Speed & size\n\nNumbers of `a < b`, measured.\n\n"
    )
    assert (
        "| cell | tokens/s | claim |\n| --- | ---: | --- |\n| lstm | 1,200 ± 30 | a\\|b |" in text
    )
    assert "![Accuracy \\<against> lag.](figure-1.svg)" in text and "(figure-2.svg)" in text
    for name in ("figure-1.svg", "figure-2.svg"):
        assert ElementTree.parse(folder / name).getroot().tag.endswith("svg")


def test_the_same_report_is_the_same_bytes(folder, tmp_path):
    write_report(tmp_path, title="比较 <cells>", sections=SECTIONS)
    for name in ("report.md", "report.html", "figure-1.svg", "figure-2.svg"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_a_row_that_does_not_fit_its_header(tmp_path):
    section = Section("s", table=Table(["a", "b"], [["1"]]))
    with pytest.raises(ValueError, match="1 cells under a header of 2"):
        write_report(tmp_path, title="t", sections=[section])
