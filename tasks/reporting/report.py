"""A report as a folder: `report.md`, `report.html` and the figures beside them.

The page needs nothing but itself: pictures are inline SVG, nothing is fetched, and it can be read
on a phone (wide tables scroll, pictures shrink). What is reported, and how figures are drawn, is
the business of those who call.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from html import escape
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rnnlp.tasks.model_folder.atomic import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARKDOWN, PAGE = "report.md", "report.html"

HTML = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
body {{ margin: 0 auto; padding: 1rem; max-width: 62rem; background: #fff; color: #1b1f24;
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: break-word; }}
p, figcaption {{ max-width: 44rem; }}
h1 {{ font-size: 1.6rem; line-height: 1.2; }}
h2 {{ font-size: 1.2rem; margin-top: 2.2rem; }}
code {{ background: #eef1f4; padding: 0 0.25em; border-radius: 3px; font-size: 0.9em; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-size: 0.9rem; }}
th, td {{ padding: 0.35em 0.7em; border-bottom: 1px solid #d7dce1; text-align: left;
  vertical-align: top; }}
th {{ border-bottom: 2px solid #8a939c; vertical-align: bottom; }}
.number {{ text-align: right; font-variant-numeric: tabular-nums; }}
td.number {{ white-space: nowrap; }}
.name {{ position: sticky; left: 0; background: #fff; white-space: nowrap; }}
.text {{ min-width: 10rem; }}
.long {{ min-width: 16rem; }}
figure {{ margin: 1rem 0; }}
figure svg {{ display: block; width: 100%; max-width: 44rem; height: auto; }}
figcaption {{ color: #4c555e; font-size: 0.9rem; }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


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
    markdown, page = [f"# {title}"], []
    number = 0
    for section in sections:
        markdown.append(f"## {section.heading}")
        page.append(f"<h2>{_html(section.heading)}</h2>")
        for text in section.paragraphs:
            markdown.append(text)
            page.append(f"<p>{_html(text)}</p>")
        if section.table is not None:
            markdown.append(_markdown_table(section.table))
            page.append(_html_table(section.table))
        if section.figure is not None:
            number += 1
            name = f"figure-{number}.svg"
            svg = draw_svg(section.figure, name=name)
            _write(folder / name, svg)
            label = section.caption or section.heading
            markdown.append(f"![{label}]({name})")
            picture = _inline(svg, label)
            page.append(f"<figure>\n{picture}\n<figcaption>{_html(section.caption)}</figcaption>")
            page.append("</figure>")
        if section.caption and section.figure is not None:
            markdown.append(f"*{section.caption}*")
    _write(folder / MARKDOWN, "\n\n".join(markdown) + "\n")
    _write(folder / PAGE, HTML.format(title=escape(title), body="\n".join(page)))


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
    return element.replace("<svg", f'<svg role="img" aria-label="{escape(label)}"', 1)


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
        " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) for row in rows
    ]
    lines.insert(1, " | ".join(marks))
    return "\n".join(f"| {line} |" for line in lines)


def _html_table(table: Table) -> str:
    shapes = []
    for place, number in enumerate(_numeric(table)):
        longest = max((len(row[place]) for row in table.rows), default=0)
        names = place == 0 and longest <= 20  # stays in sight while the others scroll
        text = "long" if longest > 60 else "text" if longest > 20 else ""
        shapes.append("name" if names else "number" if number else text)

    def line(cells: Sequence[str], kind: str) -> str:
        made = zip(cells, shapes, strict=True)
        parts = [f"<{kind}{_class(shape)}>{_html(cell)}</{kind}>" for cell, shape in made]
        return f"<tr>{''.join(parts)}</tr>"

    body = "\n".join(line(row, "td") for row in table.rows)
    return (
        f'<div class="wide"><table>\n<thead>{line(table.header, "th")}</thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""


def _html(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _write(path: Path, text: str) -> None:
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))
