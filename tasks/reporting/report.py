"""A report as a folder: `report.md`, `report.html` and the figures beside them.

The page needs nothing but itself: pictures are inline SVG, nothing is fetched, and it can be read
on a phone (wide tables scroll, pictures shrink). What is reported, and how figures are drawn, is
the business of those who call.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rnnlp.tasks.model_folder.atomic import write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARKDOWN, PAGE, TEMPLATE = "report.md", "report.html", "report.html.jinja"


class Table(NamedTuple):
    """Rows under a header. Columns that hold numbers only are set flush right."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


class Section(NamedTuple):
    """A part of a report: paragraphs, then the table, then the figure with its caption.

    In text, `backticks` mark code. A figure is shown as wide as the page, so what decides about the
    size of its letters is its width: 5 inches with matplotlib's usual 10 points can still be read
    on a phone. Axes have names and units.
    """

    heading: str
    paragraphs: Sequence[str] = ()
    table: Table | None = None
    figure: Figure | None = None
    caption: str = ""


def write_report(folder: Path, *, title: str, sections: Sequence[Section]) -> None:
    """Writes `report.md`, `report.html` and `figure-1.svg`, `figure-2.svg` and so on.

    Args:
        folder: Where; it is made if it is not there. An earlier report in it is replaced.
        title: The heading of the whole.
        sections: Its parts, in order.

    Raises:
        ValueError: A row of a table is longer or shorter than its header.
    """
    folder.mkdir(parents=True, exist_ok=True)
    markdown, pictures = _markdown(title, sections)
    for name, svg in pictures.items():
        write_text(folder / name, svg)
    write_text(folder / MARKDOWN, markdown)
    write_text(folder / PAGE, _page(title, markdown, pictures))


def write_page(path: Path, *, title: str, sections: Sequence[Section]) -> None:
    """Writes the page alone, its pictures in it.

    Args:
        path: The file.
        title: The heading of the whole.
        sections: Its parts, in order.

    Raises:
        ValueError: A row of a table is longer or shorter than its header.
    """
    write_text(path, _page(title, *_markdown(title, sections)))


def _markdown(title: str, sections: Sequence[Section]) -> tuple[str, dict[str, str]]:
    """The report as text, and its pictures by name."""
    parts = [f"# {_literal(title)}"]
    pictures: dict[str, str] = {}
    for section in sections:
        parts += [f"## {_literal(section.heading)}", *map(_literal, section.paragraphs)]
        if section.table is not None:
            parts.append(_markdown_table(section.table))
        if section.figure is not None:
            name = f"figure-{len(pictures) + 1}.svg"
            pictures[name] = draw_svg(section.figure, name=name)
            parts.append(f"![{_literal(section.caption or section.heading)}]({name})")
            parts += [f"*{_literal(section.caption)}*"] * bool(section.caption)
    return "\n\n".join(parts) + "\n", pictures


def _page(title: str, markdown: str, pictures: Mapping[str, str]) -> str:
    """The page of a text, with its pictures in it."""
    from jinja2 import Environment, PackageLoader
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    body = body.replace("<table>", '<div class="wide"><table>')
    body = body.replace("</table>", "</table></div>")
    for name, svg in pictures.items():
        body = re.sub(
            rf'<p><img src="{name}" alt="([^"]*)" /></p>',
            lambda image, svg=svg: _inline(svg, image[1]),  # type: ignore[misc]
            body,
        )
    template = Environment(loader=PackageLoader(__package__, "")).get_template(TEMPLATE)
    return template.render(title=title, body=body)


def draw_svg(figure: Figure, *, name: str) -> str:
    """The figure as an SVG document, the same for the same figure.

    Args:
        figure: What to draw.
        name: Tells apart the identifiers of figures that come to stand on one page.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    # Letters stay letters: they can be searched and copied, and every script has its glyphs in the
    # browser, where matplotlib's own font knows no Chinese.
    look: Any = {"svg.fonttype": "none", "svg.hashsalt": name}
    out = StringIO()
    with matplotlib.rc_context(look), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        FigureCanvasSVG(figure).print_svg(out, metadata=nothing)
    return out.getvalue()


def _inline(svg: str, label: str) -> str:
    """The `<svg>` element alone, named for readers who do not see it."""
    element = svg[svg.index("<svg") :].strip()
    element = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", element, count=1)
    element = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", element, count=1)
    return element.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)


def _numeric(table: Table) -> list[bool]:
    """Of each column, whether every cell begins like a number or is empty or a dash."""
    width = len(table.header)
    for row in table.rows:
        if len(row) != width:
            raise ValueError(f"a row of {len(row)} cells under a header of {width}: {row}")
    columns: list[list[str]] = [[row[place] for row in table.rows] for place in range(width)]
    return [
        any(cells) and all(re.match(r"[-+−±<>≈]?\s?\d|[-–—]?$", cell) for cell in cells)
        for cells in columns
    ]


def _markdown_table(table: Table) -> str:
    marks = ["---:" if number else "---" for number in _numeric(table)]
    rows = [table.header, *table.rows]
    lines = [
        " | ".join(_literal(cell).replace("|", "\\|").replace("\n", " ") for cell in row)
        for row in rows
    ]
    lines.insert(1, " | ".join(marks))
    return "\n".join(f"| {line} |" for line in lines)


def _literal(text: str) -> str:
    """Text in which nothing but `backticks` means anything to Markdown."""
    return "`".join(
        part if number % 2 else re.sub(r"([\\*_\[\]<])", r"\\\1", part)
        for number, part in enumerate(text.split("`"))
    )
