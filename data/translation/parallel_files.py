"""Two files of texts side by side: `train.en` and `train.de`, found by their prefix."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from rnnlp.data.errors import InputError
from rnnlp.data.formats.text_files import read_lines


def line_pairs(files: tuple[str, str]) -> Iterator[tuple[int, str, Sequence[str]]]:
    """Lines of the same number; a tab inside one is text."""
    counts = [0, 0]
    for left, right in zip_longest(*map(read_lines, files)):
        counts[0] += left is not None
        counts[1] += right is not None
        if left is not None and right is not None:
            yield left[0], left[1], [right[1]]
    if counts[0] != counts[1]:
        raise InputError(
            f"{counts[0]:,} lines, but {files[1]} has {counts[1]:,}: line by line they must be "
            "translations of each other; mend the files",
            path=files[0],
        )


def two_files(name: str, languages: tuple[str, str]) -> tuple[str, str]:
    """The files of both languages, packed or not, with a prefix or with the name of one of them.

    Raises:
        InputError: One is missing.
    """
    prefix = prefix_of(name, languages)
    files: list[str] = []
    missing: list[str] = []
    for language in languages:
        file = f"{prefix}.{language}"
        candidates = sorted((file, f"{file}.gz"), key=lambda path: path != name)
        existing = next((path for path in candidates if os.path.isfile(path)), None)
        if existing is None:
            missing.append(file)
        else:
            files.append(existing)
    if not missing:
        return files[0], files[1]
    if os.path.isdir(name) and len(missing) == 2:
        raise InputError(
            "this is a folder; add what the names of the two files in it have in common", path=name
        )
    wanted = " and ".join(missing)
    suffixes = _suffixes(prefix)
    if suffixes:
        raise InputError(
            f"no file {wanted} (nor with .gz); with this prefix there are the suffixes "
            f"{', '.join(suffixes)}: check data.source and data.target",
            path=name,
        )
    raise InputError(
        f"no such file, and no pair {wanted} (nor with .gz); check the path", path=name
    )


def prefix_of(name: str, languages: tuple[str, str]) -> str:
    """What two files have in common; the name itself if it is not that of one of the two."""
    if any(
        os.path.isfile(f"{name}.{language}{gz}") for language in languages for gz in ("", ".gz")
    ):
        return name
    plain = name.removesuffix(".gz")
    for language in languages:
        if plain.endswith(f".{language}"):
            return plain.removesuffix(f".{language}")
    return name


def _suffixes(prefix: str) -> list[str]:
    """The suffixes of the files that there are with a prefix."""
    start = f"{Path(prefix).name}."
    try:
        files = os.listdir(Path(prefix).parent)
    except OSError:
        return []
    rests = (
        file.removeprefix(start).removesuffix(".gz") for file in files if file.startswith(start)
    )
    return sorted({rest for rest in rests if rest and "." not in rest})
