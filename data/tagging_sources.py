"""Where the splits of a tagging corpus come from: files, a data set of the hub, or a sample corpus.

A source can be gone through again and again; nothing is kept in memory. Reading column files and
JSON lines is the business of `tagging_readers.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Literal, NamedTuple

import datasets

from .errors import InputError
from .examples import TaggedExample
from .hub import load_splits
from .notes import Notes
from .samples import sample_tagging
from .tagging_readers import read_tagging
from .tokenizer import Level, splitter

_CHUNK = 1000  # sentences that are in memory at once


class Source(NamedTuple):
    """Where a split comes from: a name for messages, and a way to go through it again."""

    name: str
    read: Callable[[Notes], Iterator[TaggedExample]]


def file_source(
    path: str, *, format: str, level: Level, token_column: int | None, tag_column: int | None
) -> Source:
    """A file; `level` says how raw text with spans is split into tokens."""

    def read(notes: Notes) -> Iterator[TaggedExample]:
        return read_tagging(
            path,
            format=format,
            split=splitter(level),
            token_column=token_column,
            tag_column=tag_column,
            notes=notes,
        )

    return Source(path, read)


def sample_sources(language: Literal["english", "chinese"], *, seed: int) -> dict[str, Source]:
    """The splits of the sample corpus, `train` first."""

    def source(split: Literal["train", "validation", "test"]) -> Source:
        return Source(
            f"sample corpus ({language}, {split})",
            lambda notes: sample_tagging(language, split, seed=seed),
        )

    return {"train": source("train"), "validation": source("validation"), "test": source("test")}


def hub_sources(name: str, *, revision: str | None, tokens: str, tags: str) -> dict[str, Source]:
    """The splits of a data set of the hub, `train` first.

    Args:
        name: Its id, or a local folder that `datasets` can load.
        revision: A commit, a tag or a branch.
        tokens: The column of token lists.
        tags: The column of tag lists, class labels or strings.

    Raises:
        InputError: Where it cannot be loaded, or lacks the training split or a column.
    """
    return {
        split: _hub_source(rows, f"{name} ({split})", tokens, tags)
        for split, rows in load_splits(name, revision=revision).items()
    }


def _hub_source(rows: datasets.Dataset, name: str, tokens: str, tags: str) -> Source:
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
                raise InputError(
                    f"{len(words)} tokens and {len(labels)} tags; one tag for each of at least one "
                    "token is needed",
                    path=name,
                    line=row,
                )
            yield TaggedExample(
                words, labels if names is None else [names[i] for i in labels], None, row
            )

    return Source(name, read)
