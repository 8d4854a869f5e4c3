"""Writes a cleaned copy of a file: what is safe to mend without asking anybody.

Examples that stand there before, with the same answer, are left out; line ends become LF, the
encoding UTF-8 without a mark. Texts with contradictory answers are left as they are, and so are
those of another weight, other probabilities or other values that a model reads beside them;
nothing is changed inside a row.
"""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from rnnlp.data.annotation.tools import ANNOTATION
from rnnlp.data.classification.readers import classification_layout
from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.formats.delimited import csv_delimiter, table_rows
from rnnlp.data.formats.layout import TABLES, Layout
from rnnlp.data.formats.text_files import oddities, read_lines
from rnnlp.data.formats.workbooks import is_workbook
from rnnlp.data.tagging.readers import tagging_layout
from rnnlp.data.tagging.tables import TABLE

from .items import Item, Task


def layout_for_cleaning(
    path: str, task: Task, *, text_column: str | int | None, label_column: str | int | None
) -> Layout:
    """How a file is laid out that can be written again.

    Args:
        path: The file.
        task: tagging or classification.
        text_column: Column or key of the text, by name or number from 1; None guesses.
        label_column: The same of the label.

    Raises:
        InputError: It is no text file of one example after the other.
    """
    if task == "tagging":
        layout = tagging_layout(path, format="auto", token_column=None, tag_column=None)
    else:
        layout = classification_layout(
            path, format="auto", text_column=text_column, label_column=label_column
        )
    if is_workbook(path) or layout.format in (ANNOTATION, TABLE):
        kinds = "CoNLL columns" if task == "tagging" else "CSV"
        raise InputError(
            f"--fix writes text files with one example after the other: save it as {kinds} or JSON "
            "lines first",
            path=path,
        )
    return layout


def write_cleaned(
    path: str, part: Path, items: Iterable[Item], layout: Layout, *, packed: bool
) -> list[str]:
    """Writes the copy, and says what is different in it, one line each.

    Args:
        path: The file.
        part: What to write.
        items: The examples of the file.
        layout: How it is laid out.
        packed: Whether to write it with gzip.
    """
    answers: dict[str, set[tuple[object, ...]]] = defaultdict(set)
    examples: set[str] = set()
    repeated: list[tuple[str, int]] = []
    for item in items:
        example = repr((item.text, item.answer, item.beside, item.features))
        if example in examples:
            repeated.append((item.text, item.line))
        examples.add(example)
        answers[item.text].add(item.answer)
    dropped = {line for text, line in repeated if len(answers[text]) == 1}
    kept = len(repeated) - len(dropped)
    opened = gzip.open if packed else open
    with opened(part, "wt", encoding="utf-8", newline="") as out:
        for first, lines in _blocks(path, layout):
            if not dropped.intersection(range(first, first + len(lines))):
                out.writelines(f"{line}\n" for line in lines)
    said = list(oddities(path))
    if dropped:
        said.append(f"examples that stand there before, left out: {len(dropped):,}")
    if kept:
        said.append(f"repeated examples of texts with contradictory answers, kept: {kept:,}")
    return said


def _blocks(path: str, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """The lines of each example with the number of the first, blank lines after it included."""
    columns = layout.format in ("conll", "conllu")
    starts = set(_row_starts(path, layout)) if layout.format in TABLES else None
    first, lines = 1, list[str]()
    for number, line in read_lines(path):
        begins = bool(lines) and (starts is None or number in starts)
        if columns:  # a block of lines begins after a blank one
            begins = bool(lines) and bool(line.strip()) and not lines[-1].strip()
        if begins:
            yield first, lines
            first, lines = number, []
        lines.append(line)
    yield first, lines


def _row_starts(path: str, layout: Layout) -> Iterator[int]:
    """The lines that the rows of a table begin at, as its reader takes them."""
    first = next((line for _, line in read_lines(path) if line.strip()), "")
    rows = table_rows(
        read_lines(path),
        path=path,
        delimiter="\t" if layout.format == "tsv" else csv_delimiter(first),
        quoted=layout.format == "csv" or layout.quoted,
        notes=Notes(),
    )
    return (number for number, _ in rows)
