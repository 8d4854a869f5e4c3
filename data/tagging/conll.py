"""Reads column files for tagging: CoNLL in its many forms, and CoNLL-U.

A sentence is a block of lines, a line is a token with its columns. What varies from file to file
(separator, number of columns, comments, a column that numbers the tokens, positions glued to
characters) is read off the first lines, then held against every line that follows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError, counted
from rnnlp.data.formats.layout import Layout

from .example import TaggedExample

Line = tuple[int, str]  # number, text

_COMMENT = re.compile(r"#(\s|$)")
_BLANKS = re.compile(r"[ \t]+")
# Weibo NER and its kin: a character with its position in its word, `口0`, `p10`; the character
# may be several code points (an emoji, lost ones as U+FFFD U+FFFD) but only one digit (`310`).
_POSITIONED = re.compile(r"([^0-9]+|[0-9])([0-9]{1,4})", re.DOTALL)
_REGULAR_SHARE = 0.99  # of the tokens that must fit a pattern before it is believed
_WORD_ID = re.compile(r"[0-9]{1,9}")
_SKIPPED_ID = re.compile(r"[0-9]{1,9}[-.][0-9]{1,9}")  # multiword range, empty node
_TAG = re.compile(r"O|[BIESMLUW]-\S+")  # of entities, in any scheme
_WORD_TAG = re.compile(r"[A-Z]+[-:A-Z0-9]*\$?|[^\w\s]{1,5}")  # NNS, PRP$, and the tag of a comma
_CONLLU_COLUMNS = 10
FORM, UPOS, _XPOS = 2, 4, 5


class _Layout(NamedTuple):
    tabs: bool  # columns are parted by single tabs, else by runs of blanks
    columns: int
    token: int  # index of the token's column
    tag: int | None  # index of the tag's column, None if there is none
    positions: bool  # tokens are characters with a position
    numbered: bool  # the first column numbers the words
    tags: frozenset[str]  # some of the tags

    def split(self, line: str) -> list[str]:
        return _split(line, self.tabs)

    def is_comment(self, line: str, fields: list[str], *, first: bool) -> bool:
        """Tells a comment from the token `#`: by its columns, at a sentence's start by its tag."""
        if not _COMMENT.match(line):
            return False
        if len(fields) != self.columns:
            return True
        return first and self.tag is not None and fields[self.tag] not in self.tags


def is_conllu(head: Sequence[Line]) -> bool:
    """Whether the first lines of a file look like CoNLL-U."""
    for _, line in head:
        if line.strip() and not line.startswith("#"):
            fields = line.split("\t")
            numbered = _WORD_ID.fullmatch(fields[0]) or _SKIPPED_ID.fullmatch(fields[0])
            return len(fields) == _CONLLU_COLUMNS and numbered is not None
    return False


def holds_tags(head: Sequence[Line]) -> bool:
    """Whether the first lines are CoNLL-U, or a token each with the tag of an entity or of a word.

    Tags of words are capitals behind tokens that are none, in rows of one length of which some
    are parted by a blank line: `dogs NNS`, and nobody writes texts so.
    """
    if is_conllu(head):
        return True
    rows = [line.split() for _, line in head if line.strip()]
    if len(rows) < 2 or any(len(fields) < 2 for fields in rows):
        return False
    tags = {fields[-1] for fields in rows}
    if all(map(_TAG.fullmatch, tags)):
        return tags != {"O"}
    blank = any(not line.strip() for _, line in head)
    tokens = any(not _WORD_TAG.fullmatch(fields[0]) for fields in rows)
    alike = len({len(fields) for fields in rows}) == 1
    return blank and tokens and alike and all(map(_WORD_TAG.fullmatch, tags))


def read_conll(
    head: Sequence[Line],
    lines: Iterable[Line],
    *,
    path: str,
    token_column: int | None,
    tag_column: int | None,
    labelled: bool,
    notes: Notes,
) -> Iterator[TaggedExample]:
    """Yields the sentences of a CoNLL file.

    Args:
        head: The first lines, from which the layout is read.
        lines: All lines, those of `head` included.
        path: The file's name, for errors and notes.
        token_column: Number of the token's column from 1; by default the first, or the second
            where the first numbers the tokens.
        tag_column: Number of the tag's column from 1; by default the last.
        labelled: Whether a file without tags is an error.
        notes: Takes the count of lost characters.
    """
    layout = _look(head, path, token_column, tag_column)
    if layout.numbered and token_column is None:
        notes.add(f"{path}: the first column numbers the words, which stand in the second")
    if labelled and layout.tag is None:
        raise InputError(
            "only one column: tokens without tags; add the tags as a second column", path=path
        )
    for block in _blocks(lines):
        try:
            rows = list(_rows(block, layout, path))
            tokens = [_token(fields, layout, path, number) for number, fields in rows]
        except InputError as error:  # of one row; its sentence would not be one without it
            notes.bad(error)
            continue
        if rows:
            tags = None if layout.tag is None else [fields[layout.tag] for _, fields in rows]
            line = rows[0][0]
            notes.count(
                "tokens that hold U+FFFD, a lost character",
                f"{path}:{line}",
                sum("\ufffd" in token for token in tokens),
            )
            yield TaggedExample(tokens, tags, None, line)


def conll_layout(
    head: Sequence[Line], *, path: str, token_column: int | None, tag_column: int | None
) -> Layout:
    """What `read_conll` would decide of a file, from its first lines.

    Args:
        head: The first lines, numbered.
        path: The file, for errors.
        token_column: Number of the token's column, from 1; None to recognise it.
        tag_column: Number of the tag's column, likewise.
    """
    columns_seen = _look(head, path, token_column, tag_column)
    columns: dict[str, str | int] = {"token": columns_seen.token + 1}
    if columns_seen.tag is not None:
        columns["tag"] = columns_seen.tag + 1
    return Layout(format="conll", columns=columns)


def read_conllu(
    lines: Iterable[Line],
    *,
    path: str,
    token_column: int | None,
    tag_column: int | None,
    labelled: bool,
    notes: Notes,
) -> Iterator[TaggedExample]:
    """Yields the sentences of a CoNLL-U file: its words, without ranges and empty nodes.

    Args:
        lines: All lines.
        path: The file's name, for errors.
        token_column: Number of the token's column from 1; by default FORM, the 2nd.
        tag_column: Number of the tag's column from 1; by default UPOS, the 4th (XPOS is the 5th).
        labelled: Whether a word without a part of speech is an error.
        notes: Takes sentences with a bad row.
    """
    token = _index(token_column, FORM, _CONLLU_COLUMNS, path)
    tag = _index(tag_column, UPOS, _CONLLU_COLUMNS, path)
    needs_tag = labelled and tag + 1 in (UPOS, _XPOS)
    for block in _blocks(lines):
        try:
            example = _words(block, token, tag, needs_tag, path)
        except InputError as error:
            notes.bad(error)
            continue
        if example.tokens:
            yield example


def _words(block: list[Line], token: int, tag: int, needs_tag: bool, path: str) -> TaggedExample:
    """A sentence of CoNLL-U; without tokens where the block is comments only."""
    tokens, tags, first = [], [], 0
    previous: int | None = None
    for number, line in block:
        if line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != _CONLLU_COLUMNS:
            raise _ragged(len(fields), _CONLLU_COLUMNS, path, number)
        if _SKIPPED_ID.fullmatch(fields[0]):
            continue
        previous = _next_word(fields[0], previous, path, number)
        if needs_tag and fields[tag] == "_":
            raise InputError(
                f"no tag in column {tag + 1}; choose another with tag_column",
                path=path,
                line=number,
            )
        if not fields[token]:
            raise InputError(
                f"the word in column {token + 1} is empty; write _ or the word",
                path=path,
                line=number,
            )
        first = first or number
        tokens.append(fields[token])
        tags.append(fields[tag])
    return TaggedExample(tokens, tags, None, first)


def _blocks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Sentences as blocks of lines, parted by white space alone or by -DOCSTART-."""
    block: list[Line] = []
    for number, line in lines:
        if line.strip() and not line.startswith("-DOCSTART-"):
            block.append((number, line))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _split(line: str, tabs: bool) -> list[str]:
    if not tabs:
        return _BLANKS.split(line.strip(" \t"))
    return [field.strip(" ") or field for field in line.rstrip(" \t").split("\t")]


def _rows(block: list[Line], layout: _Layout, path: str) -> Iterator[tuple[int, list[str]]]:
    first = True
    previous: int | None = None  # number of the word before
    for number, line in block:
        fields = layout.split(line)
        if layout.is_comment(line, fields, first=first):
            continue
        if len(fields) != layout.columns:
            raise _ragged(len(fields), layout.columns, path, number)
        if layout.numbered:
            if _SKIPPED_ID.fullmatch(fields[0]):
                continue
            previous = _next_word(fields[0], previous, path, number)
        first = False
        yield number, fields


def _next_word(value: str, previous: int | None, path: str, number: int) -> int:
    """The number of a word, which is above that of the word before in its sentence."""
    if not _WORD_ID.fullmatch(value):
        raise InputError(f"{value!r} is no word number", path=path, line=number)
    if previous is not None and int(value) <= previous:
        raise InputError(
            f"word {value} after word {previous}: part sentences by a blank line",
            path=path,
            line=number,
        )
    return int(value)


def _token(fields: list[str], layout: _Layout, path: str, number: int) -> str:
    token = fields[layout.token]
    if layout.positions and (match := _POSITIONED.fullmatch(token)):
        token = match[1]
    if not token:
        raise InputError(
            "the token is empty; fill it in or remove the line", path=path, line=number
        )
    return token


def _ragged(here: int, expected: int, path: str, number: int) -> InputError:
    return InputError(
        f"{counted(here, 'column')} where the file has {expected}; part the columns alike on every "
        "line",
        path=path,
        line=number,
    )


def _index(column: int | None, default: int, columns: int, path: str) -> int:
    """A column's index from its number, which users count from 1."""
    number = default if column is None else column
    if not 1 <= number <= columns:
        raise InputError(f"there is no column {number}: the file has {columns}", path=path)
    return number - 1


def _look(
    head: Sequence[Line], path: str, token_column: int | None, tag_column: int | None
) -> _Layout:
    """Reads the layout off the first lines of a file."""
    blocks = list(_blocks(head))
    solid = [line for block in blocks for _, line in block]
    plain = [line for line in solid if not _COMMENT.match(line)] or solid
    if not plain:
        raise InputError("no sentences: only blank lines", path=path)
    tabs, columns = _separator(plain)
    rows = [fields for line in plain if len(fields := _split(line, tabs)) == columns]
    sentences = [
        [fields for _, line in block if len(fields := _split(line, tabs)) == columns]
        for block in blocks
    ]
    numbered = columns >= 3 and _counts_tokens([[row[0] for row in rows] for rows in sentences])
    numbered = numbered and token_column != 1
    token = _index(token_column, 2 if numbered else 1, columns, path)
    if columns == 1 and tag_column is None:
        tag = None
    else:
        tag = _index(tag_column, columns, columns, path)
    if tag == token:
        raise InputError(f"column {token + 1} cannot be both token and tag", path=path)
    if tag is not None and token_column is tag_column is None:
        words, tags = ({row[column] for row in rows} for column in (token, tag))
        if len(tags) > len(words):
            raise InputError(
                f"column {tag + 1} would hold the tags, and has {len(tags):,} different ones in "
                f"the first lines, more than the {len(words):,} words of column {token + 1}: set "
                "data.token_column and data.tag_column",
                path=path,
            )
        if words != {"O"} and all(map(_TAG.fullmatch, words)):
            raise InputError(
                f"column {token + 1} would hold the words, and all look like tags "
                f"({', '.join(sorted(words)[:3])}): set data.token_column and data.tag_column",
                path=path,
            )
    return _Layout(
        tabs=tabs,
        columns=columns,
        token=token,
        tag=tag,
        positions=_has_positions([[row[token] for row in rows] for rows in sentences]),
        numbered=numbered,
        tags=frozenset() if tag is None else frozenset(row[tag] for row in rows),
    )


def _separator(lines: list[str]) -> tuple[bool, int]:
    """Tabs or blanks, whichever parts the lines more evenly, and the usual number of columns."""
    best = (0, True, 1)
    for tabs in (True, False):
        counts = Counter(len(_split(line, tabs)) for line in lines)
        columns, regular = counts.most_common(1)[0]
        if columns > 1 and regular > best[0]:
            best = (regular, tabs, columns)
    return best[1:] if best[0] else (False, 1)


def _counts_tokens(sentences: list[list[str]]) -> bool:
    """Whether a column counts words: from 0, from 1 or on through the file, ranges between them."""
    last: int | None = None
    longest = 0
    for column in sentences:
        numbers = [value for value in column if not _SKIPPED_ID.fullmatch(value)]
        if not all(_WORD_ID.fullmatch(value) for value in numbers):
            return False
        counts = [int(value) for value in numbers]
        if not counts:
            continue
        if counts[0] not in (0, 1, None if last is None else last + 1):
            return False
        steps = pairwise(counts)
        if any(after != before + 1 for before, after in steps if after not in (0, 1)):
            return False
        last, longest = counts[-1], max(longest, len(counts))
    return longest > 1


def _has_positions(sentences: list[list[str]]) -> bool:
    """Whether tokens are characters with their positions, which count up from 0 in each word."""
    fitting = total = 0
    is_text = False
    for tokens in sentences:
        position = -1
        for token in tokens:
            total += 1
            match = _POSITIONED.fullmatch(token)
            if match and int(match[2]) in (0, position + 1):
                fitting += 1
                position = int(match[2])
                is_text |= not match[1].isdigit()
    return is_text and fitting >= _REGULAR_SHARE * total
