"""In which encoding a text file is written: as it is named, marked, or safely recognised.

UTF-8 comes first, and costs nothing. What is neither that nor begins with a byte order mark is
recognised by charset-normalizer from its beginning, and taken where enough of it is Chinese in
GB18030 (GBK is a part of it) or Western in Windows-1252; anything else has to be named. Files in
other encodings are handed on as UTF-8, so that nobody else knows of them.
"""

from __future__ import annotations

import codecs
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from rnnlp.data.errors import InputError, note_once

UTF8 = "utf-8"
_MARKS = (  # UTF-32 before UTF-16, whose mark it begins with
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
_TAKEN = ("gb18030", "cp1252")
# Their rivals: what wins against them is told, and not taken.
_RIVALS = ("big5", "cp932", "euc_jp", "cp949", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254")
_EAST = ("big5", "cp932", "euc_jp", "cp949")
_ENOUGH = 20  # characters beyond ASCII; of fewer, the guess is often wrong
# What letters of DOS and old Macintosh files become in Windows-1252: marks within words.
_INSIDE = re.compile("[^\\W\\d_][\x81-\x9f‚ƒ„…†‡ˆ‰ŠšŽžŸ‹›‘“”•˜™¡-©«-±´-¿×÷][^\\W\\d_]")
# Icelandic letters in Windows-1252; the same bytes are Turkish ones in 1254, Estonian in 1257.
_SHARED = re.compile("[ÐÝÞðýþ]")
_ODD = "rnnlp.odd"  # a byte sequence that an encoding lacks becomes a byte that UTF-8 lacks
_named: ContextVar[str | None] = ContextVar("encoding", default=None)


def _odd(error: UnicodeError) -> tuple[str | bytes, int]:
    assert isinstance(error, UnicodeEncodeError | UnicodeDecodeError)
    return (b"\xff" if isinstance(error, UnicodeEncodeError) else "\udcff"), error.end


codecs.register_error(_ODD, _odd)


@contextmanager
def named_encoding(name: str | None) -> Iterator[None]:
    """Text files that are opened inside are in this encoding; None leaves it to each of them.

    Raises:
        InputError: There is no such encoding.
    """
    try:
        known = name is None or codecs.lookup(name)._is_text_encoding
    except (LookupError, ValueError):
        known = False
    if not known:
        raise InputError(f"unknown encoding {name!r:.60}: such as gb18030, cp1252 or utf-16")
    token = _named.set(name)
    try:
        yield
    finally:
        _named.reset(token)


def as_utf8(
    file: io.BufferedReader, head: bytes, path: str | os.PathLike[str]
) -> tuple[io.BufferedReader, str]:
    """A file as UTF-8, and the name of its encoding; which was guessed is noted, once a file.

    Args:
        file: Opened at its beginning.
        head: Its first bytes.
        path: Its name, for the note.

    Raises:
        InputError: It begins with the mark of another encoding than the one that was named.
    """
    encoding, how = _named.get(), ""
    mark = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if mark is not None and encoding is None:
        encoding, how = mark, "as its byte order mark says"
    elif mark is not None and not codecs.lookup(encoding or "").name.startswith(mark):
        raise InputError(f"begins with the byte order mark of {mark}, not {encoding}", path=path)
    elif encoding is None:
        encoding, how = _recognise(head), "as its bytes look; --encoding names another"
    if codecs.lookup(encoding).name.startswith(UTF8):  # with and without a mark
        return file, UTF8
    if how:
        note_once(f"{os.fspath(path)}: read as {encoding}, {how}")
    return io.BufferedReader(_Recoded(file, encoding), io.DEFAULT_BUFFER_SIZE), encoding


def advice(raw: bytes) -> str:
    """What to do about bytes that are not UTF-8, by what they look like."""
    likely = [names[0] for names in _guesses(raw)]
    short = len(raw) - len(raw.decode("ascii", "ignore")) < 2 * _ENOUGH
    if short and likely and likely[0] in _EAST and "gb18030" in likely:  # which it may be as well
        likely.sort(key="gb18030".__ne__)
    western = likely and likely[0] in ("cp1252", "cp1254")
    if western and _SHARED.search(raw.decode("cp1252", "ignore")):
        likely = ["cp1252", "cp1254"]
    likely = likely[:3]
    looks = f"it may be {' or '.join(likely)}" if likely else "another encoding"
    return f"{looks}: say --encoding {(likely or ['NAME'])[0]} (fit: --data.encoding)"


def _recognise(head: bytes) -> str:
    """An encoding that is safe to take; UTF-8 where there is none, or where it is but damaged."""
    try:
        codecs.getincrementaldecoder(UTF8)().decode(head)  # the last character may be cut
        return UTF8
    except UnicodeDecodeError:
        whole = head.decode(UTF8, "replace")
    damaged = whole.count("\ufffd")
    if b"\0" in head or _beyond_ascii(whole) >= 2 * damaged:
        return UTF8
    guesses = _guesses(head) or _guesses(head[: head.rfind(b"\n") + 1])  # the last line may be cut
    encoding = guesses[0][0] if guesses and guesses[0][0] in _TAKEN else UTF8
    text = head.decode(encoding, "ignore")
    beyond = _beyond_ascii(text)
    inside = len(_INSIDE.findall(text)) if encoding == "cp1252" else 0
    if encoding == "cp1252" and _SHARED.search(text):
        return UTF8
    return encoding if beyond >= _ENOUGH and 10 * inside <= beyond else UTF8


def _beyond_ascii(text: str) -> int:
    return len(text) - len(text.encode("ascii", "ignore"))


def _guesses(raw: bytes) -> list[list[str]]:
    """The encodings that bytes may be in, the likeliest first; those of the same text together."""
    try:
        from charset_normalizer import from_bytes
    except ImportError:  # where an exported model is used alone
        return []
    matches = from_bytes(raw, cp_isolation=[*_TAKEN, *_RIVALS])
    return [sorted(one.could_be_from_charset, key=lambda e: e not in _TAKEN) for one in matches]


class _Recoded(io.RawIOBase):
    """The bytes of a file in another encoding, as UTF-8."""

    def __init__(self, file: io.BufferedReader, encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)(_ODD)
        self._rest = b""

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """The next bytes; none at the end."""
        while not self._rest:
            data = self._file.read1(io.DEFAULT_BUFFER_SIZE)
            self._rest = self._decoder.decode(data, final=not data).encode(UTF8, _ODD)
            if not data:
                break
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count
