"""Where answers are written: stdout, or a file that is none of those that are read."""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from rnnlp.data.errors import InputError
from rnnlp.tasks.model_folder.atomic import replacing


@contextmanager
def destination(path: str | None, *, inputs: Iterable[str] = ()) -> Iterator[TextIO]:
    """Stdout, or a file that appears under its name only when it is complete.

    Args:
        path: The file, packed where its name ends in `.gz`; None for stdout.
        inputs: The files that are read.

    Raises:
        InputError: It is one of them, or cannot be written.
    """
    if path is None:
        yield sys.stdout
        return
    check_not_read(path, inputs)
    target = check_place(path)
    try:
        with ExitStack() as held:
            part = held.enter_context(replacing(target))
            if target.suffix.lower() != ".gz":
                yield held.enter_context(part.open("w", encoding="utf-8", newline=""))
                return
            raw = held.enter_context(part.open("wb"))
            # Neither name nor time within, so that the same answers are the same file.
            packed = held.enter_context(gzip.GzipFile("", "wb", fileobj=raw, mtime=0))
            yield held.enter_context(TextIOWrapper(packed, "utf-8", newline=""))
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", path=path) from error


def check_place(path: str) -> Path:
    """The file that `--output` names.

    Raises:
        InputError: It is a folder, or lies in one that there is not.
    """
    target = Path(path)
    if target.is_dir() or not target.parent.is_dir():
        raise InputError("cannot be written: --output takes a file in a folder there is", path=path)
    return target


def check_not_read(path: str, inputs: Iterable[str], *, option: str = "--output") -> None:
    """Refuses to write over what is read.

    Args:
        path: The file that is to be written.
        inputs: The files that are read.
        option: The option that names it.

    Raises:
        InputError: It is one of them.
    """
    for name in inputs:
        if os.path.exists(path) and os.path.exists(name) and os.path.samefile(path, name):
            raise InputError(f"is read: name another file for {option}", path=path)
