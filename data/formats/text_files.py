"""Reads text files line by line, and says clearly what is wrong with those that are not.

UTF-8, or what `encodings.py` makes it of; gzip by name, one line in memory at a time. Lines end at
"\\n", "\\r\\n" or "\\r\\r\\n", or all of them at "\\r" alone; the other marks that `str.splitlines`
honours (U+2028, U+0085, form feed) occur inside real tokens.
"""

from __future__ import annotations

import gzip
import io
import os
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError

from .encodings import UTF8, advice, as_utf8

_BYTE_ORDER_MARK = "\ufeff"
_CHUNK = 1 << 16
LONGEST_LINE = 1 << 26  # bytes; what is longer is no line of a text, and would fill the memory
# A packed file is refused when it is larger than both: bytes, and times its packed size. Text
# shrinks to a third or a tenth of its size; the same line over and over to a thousandth.
MOST_UNPACKED = 1 << 30
MOST_TIMES = 100
# What a file begins with that is no text, and what to do about it.
_OTHERS = {
    b"\x1f\x8b": "gzip data; let its name end in .gz",
    b"PK\x03\x04": "a ZIP archive, as .xlsx files are; save the table as CSV in UTF-8",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file; save the table as CSV in UTF-8",
    b"PAR1": "a Parquet file; name its folder with data.hub, or convert it to CSV or JSON lines",
    b"BZh": "bzip2 data; unpack it, or pack it with gzip",
    b"\xfd7zXZ": "xz data; unpack it, or pack it with gzip",
    b"%PDF": "a PDF file; give plain text",
}


def read_lines(
    path: str | os.PathLike[str], *, rows: Notes | None = None, ends: bool = False
) -> Iterator[tuple[int, str]]:
    """Yields each line with its number, counted from 1, without its line end.

    Args:
        path: A text file; gzip-packed where the name ends in `.gz`.
        rows: Where each line is a row of its own, takes those that are no text.
        ends: Whether lines keep their ends, for whoever counts characters through the file.

    Raises:
        InputError: The file is missing, a folder, empty, not text in its encoding, or broken
            gzip.
    """
    number = size = 0
    most = _most_bytes(path)
    with _open(path) as file:
        try:
            head = file.peek(_CHUNK)
            for mark, what in _OTHERS.items():
                if head.startswith(mark):
                    raise InputError(what, path=path, line=1)
            recoded, encoding = as_utf8(file, head, path)
            for number, raw in enumerate(_raw_lines(recoded, path), start=1):
                size += len(raw)
                if most is not None and size > most:
                    raise InputError(
                        f"unpacks to more than {MOST_UNPACKED >> 20:,} MiB and {MOST_TIMES} times "
                        "its size, as no text does; unpack it with gunzip if it is meant",
                        path=path,
                        line=number,
                    )
                if len(raw) > LONGEST_LINE:
                    raise InputError(
                        f"a line of more than {LONGEST_LINE >> 20} MiB: not a text file with one "
                        "example a line",
                        path=path,
                        line=number,
                    )
                try:
                    text = _decode(raw, encoding, path, number)
                except InputError as error:
                    if rows is None or number == 1:  # then nothing of the file is text
                        raise
                    rows.bad(error)
                    continue
                if number == 1:
                    text = text.removeprefix(_BYTE_ORDER_MARK)
                yield number, text if ends else text.removesuffix("\n").rstrip("\r")
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise InputError(
                f"not a whole gzip file ({error}); pack it again, or drop .gz from its name",
                path=path,
                line=number + 1,
            ) from error
        except UnicodeError as error:  # of codecs such as idna
            raise InputError(f"cannot be read: {error}", path=path, line=number + 1) from error
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror or error}", path=path) from error
    if number == 0:
        raise InputError("the file is empty", path=path)


def oddities(path: str | os.PathLike[str]) -> Iterator[str]:
    """Says in words what of a file is not in its lines: encoding, byte order mark, line ends."""
    with _open(path) as file:
        recoded, encoding = as_utf8(file, file.peek(_CHUNK), path)
        if encoding != UTF8:
            yield f"{encoding} became UTF-8"
        elif recoded.peek(_CHUNK).startswith(_BYTE_ORDER_MARK.encode()):
            yield "the byte order mark is left out"
        if any(b"\r" in chunk for chunk in iter(partial(recoded.read, _CHUNK), b"")):
            yield "line ends became LF"


def stem(path: str | os.PathLike[str]) -> tuple[str, str]:
    """The file's name without `.gz`, split into base and lower-case suffix (`.json`)."""
    name = Path(path)
    if name.suffix.lower() == ".gz":
        name = name.with_suffix("")
    return name.stem, name.suffix.lower()


def _most_bytes(path: str | os.PathLike[str]) -> int | None:
    """How large a packed file may be when it is unpacked; None for others."""
    if not os.fspath(path).lower().endswith(".gz") or not os.path.isfile(path):
        return None
    return max(MOST_UNPACKED, MOST_TIMES * os.path.getsize(path))


def _open(path: str | os.PathLike[str]) -> io.BufferedReader:
    if not os.path.exists(path):
        raise InputError("no such file; check the path", path=path)
    if os.path.isdir(path):
        raise InputError("this is a folder; name a file in it", path=path)
    try:
        if os.fspath(path).lower().endswith(".gz"):
            return io.BufferedReader(gzip.open(path, "rb"), _CHUNK)
        return io.BufferedReader(io.FileIO(path), _CHUNK)
    except OSError as error:
        raise InputError(f"cannot be opened: {error.strerror or error}", path=path) from error


def _raw_lines(file: io.BufferedReader, path: str | os.PathLike[str]) -> Iterator[bytes]:
    """Lines with their ends; they end at carriage returns where a file begins so."""
    head = file.peek(_CHUNK)
    if b"\n" in head or b"\r" not in head:
        yield from iter(partial(file.readline, LONGEST_LINE + 1), b"")
        return
    rest = b""
    while chunk := file.read(_CHUNK):
        if b"\n" in chunk:
            raise InputError("line ends of two kinds, CR and LF; convert it to LF", path=path)
        *whole, rest = (rest + chunk).split(b"\r")
        yield from (line + b"\r" for line in whole)
        if len(rest) > LONGEST_LINE:
            break
    if rest:
        yield rest


def _decode(raw: bytes, encoding: str, path: str | os.PathLike[str], number: int) -> str:
    if b"\0" in raw:
        order = "be" if raw[::2].count(0) > raw[1::2].count(0) else "le"  # high bytes are NUL
        raise InputError(
            "a NUL byte: not a text file, or UTF-16 that has to be named (--encoding "
            f"utf-16-{order})",
            path=path,
            line=number,
        )
    try:
        return raw.decode(UTF8)
    except UnicodeDecodeError as error:
        problem = f"holds bytes that are not {encoding}"
        if encoding == UTF8:
            problem = (
                f"byte 0x{raw[error.start]:02x} at byte {error.start + 1} of the line is not "
                f"UTF-8; {advice(raw)}"
            )
        raise InputError(problem, path=path, line=number) from error
