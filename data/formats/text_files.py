"""Reads text files line by line, and says clearly what is wrong with those that are not.

UTF-8 only, gzip by name, one line in memory at a time. Lines end at "\\n" alone: the other marks
that `str.splitlines` honours (U+2028, U+0085, form feed) occur inside real tokens.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from rnnlp.data.errors import InputError

_BYTE_ORDER_MARK = "\ufeff"


def read_lines(path: str | os.PathLike[str]) -> Iterator[tuple[int, str]]:
    """Yields each line with its number, counted from 1, without its line end.

    Args:
        path: A UTF-8 text file; gzip-packed where the name ends in `.gz`.

    Raises:
        InputError: The file is missing, a folder, empty, not UTF-8 text, or broken gzip.
    """
    number = 0
    with _open(path) as file:
        try:
            for number, raw in enumerate(file, start=1):
                text = _decode(raw, path, number)
                if number == 1:
                    text = text.removeprefix(_BYTE_ORDER_MARK)
                yield number, text.removesuffix("\n").removesuffix("\r")
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise InputError(
                f"not a whole gzip file ({error}); pack it again, or drop .gz from its name",
                path=path,
                line=number + 1,
            ) from error
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror or error}", path=path) from error
    if number == 0:
        raise InputError("the file is empty", path=path)


def stem(path: str | os.PathLike[str]) -> tuple[str, str]:
    """The file's name without `.gz`, split into base and lower-case suffix (`.json`)."""
    name = Path(path)
    if name.suffix.lower() == ".gz":
        name = name.with_suffix("")
    return name.stem, name.suffix.lower()


def _open(path: str | os.PathLike[str]) -> BinaryIO:
    if not os.path.exists(path):
        raise InputError("no such file; check the path", path=path)
    if os.path.isdir(path):
        raise InputError("this is a folder; name a file in it", path=path)
    try:
        if os.fspath(path).lower().endswith(".gz"):
            return cast(BinaryIO, gzip.open(path, "rb"))
        return open(path, "rb")
    except OSError as error:
        raise InputError(f"cannot be opened: {error.strerror or error}", path=path) from error


def _decode(raw: bytes, path: str | os.PathLike[str], number: int) -> str:
    if number == 1:
        if raw.startswith(b"\x1f\x8b"):
            raise InputError("gzip data; let its name end in .gz", path=path, line=1)
        if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise InputError("UTF-16 text; convert it to UTF-8", path=path, line=1)
    if b"\0" in raw:
        raise InputError("a NUL byte: not a text file", path=path, line=number)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"byte 0x{raw[error.start]:02x} at byte {error.start + 1} of the line is not UTF-8; "
            "convert the file to UTF-8",
            path=path,
            line=number,
        ) from error
