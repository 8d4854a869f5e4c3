"""The splits of a tagging corpus in files and in data sets of the hub.

Reading column files and JSON lines is the business of `readers.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import datasets

from rnnlp.data.corpus.report import Notes
from rnnlp.data.corpus.source import Source
from rnnlp.data.errors import InputError
from rnnlp.data.formats.layout import Layout
from rnnlp.data.text.tokenizer import Level, splitter

from .example import TaggedExample
from .readers import read_tagging

_CHUNK = 1000  # sentences that are in memory at once


def file_source(
    path: str, *, format: str, level: Level, layout: Layout, **columns: str | int | None
) -> Source[TaggedExample]:
    """A file; `level` says how raw text with spans is split into tokens, `columns` where group and
    weight stand.

    Args:
        path: The file.
        format: Its format; "auto" recognises it.
        level: How raw text with spans is split into tokens.
        layout: How the training file was laid out.
        columns: Where group and weight stand.
    """

    def read(notes: Notes) -> Iterator[TaggedExample]:
        return read_tagging(
            path,
            format=format,
            split=splitter(level),
            group_column=columns.get("group_column"),
            weight_column=columns.get("weight_column"),
            layout=layout,
            notes=notes,
        )

    return Source(path, read)


def hub_source(
    rows: datasets.Dataset, name: str, *, tokens: str, tags: str
) -> Source[TaggedExample]:
    """A split of a data set of the hub.

    Args:
        rows: The split.
        name: What messages call it.
        tokens: The column of token lists.
        tags: The column of tag lists, class labels or strings.

    Raises:
        InputError: Where it lacks a column.
    """
    for column, option in ((tokens, "hub_tokens"), (tags, "hub_tags")):
        if column not in rows.column_names:
            raise InputError(
                f"no column {column!r} among {', '.join(rows.column_names)}: set data.{option}",
                path=name,
            )
    kind = getattr(rows.features[tags], "feature", None)
    names = kind.names if isinstance(kind, datasets.ClassLabel) else None
    if names is None and getattr(kind, "dtype", None) not in ("string", "large_string"):
        raise InputError(f"column {tags!r} holds no tags with names but {kind}", path=name)

    def read(notes: Notes) -> Iterator[TaggedExample]:
        columns = rows.select_columns([tokens, tags])
        pairs = chain.from_iterable(
            zip(chunk[tokens], chunk[tags], strict=True) for chunk in columns.iter(_CHUNK)
        )
        for row, (words, labels) in enumerate(pairs, start=1):
            if not words or len(words) != len(labels):
                problem = (
                    f"{len(words)} tokens and {len(labels)} tags; one tag for each of at least one "
                    "token is needed"
                )
                notes.bad(InputError(problem, path=name, line=row))
                continue
            yield TaggedExample(
                words, labels if names is None else [names[i] for i in labels], None, row
            )

    return Source(name, read)
