"""Pretrained word vectors from text files: GloVe, word2vec, fastText.

Only the vectors that are asked for are kept, so memory follows the vocabulary and not the file.
Binary formats are not read; gensim and fastText can both write text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, islice
from os import PathLike
from typing import NamedTuple

import numpy as np

from rnnlp.data.errors import InputError
from rnnlp.data.formats.text_files import read_lines

from .tokenizer import SPECIALS

_COUNT = re.compile(r"[0-9]{1,9}")  # a number of a header
_HEAD = 100  # lines that the dimension is read from
_STEPS = ("as written", "in lower case", "capitalised", "in upper case")


class Vectors(NamedTuple):
    """Words and their vectors, in the order of the file."""

    words: list[str]
    matrix: np.ndarray  # [words, dimension] float32


class Coverage(NamedTuple):
    """How many words of a vocabulary have a vector, and by which spelling."""

    types: int
    tokens: int
    found_types: Mapping[str, int]  # by spelling
    found_tokens: Mapping[str, int]

    def line(self) -> str:
        """The report in one line."""
        steps = ", ".join(f"{n:,} {step}" for step, n in self.found_types.items() if n)
        return (
            f"pretrained vectors cover {_share(sum(self.found_types.values()), self.types)} of the "
            f"training vocabulary ({steps or 'none'}) and "
            f"{_share(sum(self.found_tokens.values()), self.tokens)} of the training tokens"
        )


def read_vectors(
    path: str | PathLike[str], *, wanted: Collection[str] = (), limit: int | None = None
) -> Vectors:
    """Reads the vectors of some words.

    The first line may be a header (number of words, dimension). Words may hold blanks: the last
    fields of a line are the vector. Of a word that comes twice, the first counts.

    Args:
        path: A text file, one word and its vector a line; gzip-packed where it ends in `.gz`.
        wanted: Words to keep wherever they stand, in any of the spellings that `match` tries.
        limit: How many of the first vectors to keep although nobody wants them; None for all.

    Raises:
        InputError: A line of another dimension, or one that holds no numbers.
    """
    lines = read_lines(path)
    head = list(islice(lines, _HEAD))
    dimension, skip = _dimension(head)
    spellings = {spelling for word in wanted for spelling in _spellings(word)}
    vectors: dict[str, np.ndarray] = {}
    for rank, (number, line) in enumerate(islice(chain(head, lines), skip, None)):
        line = line.rstrip(" \t")
        fields = line.count(" ") + line.count("\t")
        if fields < dimension:
            raise InputError(
                f"{fields} numbers, where the file has vectors of {dimension}; is it cut off?",
                path=path,
                line=number,
            )
        word, numbers = _take_apart(line, dimension)
        if word in vectors or (limit is not None and rank >= limit and word not in spellings):
            continue
        try:
            with np.errstate(over="ignore"):  # infinite ones are refused below
                vector = np.array(numbers, dtype=np.float32)
        except ValueError as error:
            raise InputError(
                f"no vector of {dimension} numbers follows {word!r} ({error})",
                path=path,
                line=number,
            ) from error
        if (fields > dimension and _are_numbers(word.split()[1:])) or not np.isfinite(vector).all():
            raise InputError(
                f"{fields} numbers, where the file has vectors of {dimension} finite ones",
                path=path,
                line=number,
            )
        vectors[word] = vector
    matrix = np.stack(list(vectors.values())) if vectors else np.zeros((0, dimension), np.float32)
    return Vectors(list(vectors), matrix)


def match(
    vectors: Vectors, vocabulary: Sequence[str], *, frequencies: np.ndarray
) -> tuple[np.ndarray, Coverage]:
    """Gives each token of a vocabulary its vector, by its own spelling or the nearest one.

    Tokens without a vector get zeros: what those begin with is the business of the embedding.

    Args:
        vectors: What `read_vectors` gave.
        vocabulary: All tokens, the special ones first.
        frequencies: How often training saw each, [vocabulary]; the report counts those it saw.

    Returns:
        The matrix, [vocabulary, dimension] float32, and the coverage.
    """
    rows = {word: row for row, word in enumerate(vectors.words)}
    matrix = np.zeros((len(vocabulary), vectors.matrix.shape[1]), dtype=np.float32)
    types: Counter[str] = Counter({step: 0 for step in _STEPS})
    tokens = types.copy()
    for i, token in enumerate(vocabulary[len(SPECIALS) :], start=len(SPECIALS)):
        for step, spelling in zip(_STEPS, _spellings(token), strict=True):
            if (row := rows.get(spelling)) is not None:
                matrix[i] = vectors.matrix[row]
                types[step] += bool(frequencies[i])
                tokens[step] += int(frequencies[i])
                break
    seen = frequencies[len(SPECIALS) :]
    return matrix, Coverage(
        int((seen > 0).sum()), int(frequencies.sum()), dict(types), dict(tokens)
    )


def _spellings(word: str) -> tuple[str, str, str, str]:
    return word, word.lower(), word.title(), word.upper()


def _dimension(head: Sequence[tuple[int, str]]) -> tuple[int, int]:
    """The dimension, and the number of header lines."""
    first = head[0][1].split()
    if len(first) == 2 and all(_COUNT.fullmatch(field) for field in first):
        return int(first[1]), 1
    counts = Counter(len(line.split(" ")) - 1 for line in _clean(head))
    return max(1, counts.most_common(1)[0][0]), 0


def _clean(head: Sequence[tuple[int, str]]) -> Iterator[str]:
    for _, line in head:
        yield line.rstrip(" \t").replace("\t", " ")


def _take_apart(line: str, dimension: int) -> tuple[str, list[str]]:
    word, *numbers = line.replace("\t", " ").rsplit(" ", dimension)
    return word, numbers


def _are_numbers(fields: Sequence[str]) -> bool:
    try:
        return bool([float(field) for field in fields])
    except ValueError:
        return False


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "nothing"
