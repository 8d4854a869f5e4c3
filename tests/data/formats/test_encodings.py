"""Files in other encodings: as named, as marked, as recognised; and when a guess is not taken."""

from __future__ import annotations

import codecs
import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlp.data.errors import InputError
from rnnlp.data.formats.encodings import _Recoded, named_encoding
from rnnlp.data.formats.text_files import read_lines

CHINESE = "房间很干净，服务员也很热情\n早餐一般，位置不错，下次还会来\n"
GERMAN = "Müller hört das schöne Lied über dreißig Gäste\n" * 6
FRENCH = (
    "Un homme âgé est assis à côté d’une fenêtre et lit.\n"
    "Une équipe de garçons court après le ballon.\n"
    "Des élèves répètent une pièce de théâtre où ça crie.\n"
) * 3
RUSSIAN = "Сегодня прекрасная погода, и мы идём в парк\n"
TURKISH = (
    "Bugün hava çok güzel ve güneşli. Çocuklar şişe topluyor, ığdır'da yağmur yağıyor, öğretmen "
    "geldi. İstanbul büyük bir şehir."
)
ICELANDIC = "Það er gott veður í dag og börnin eru að leika sér í garðinum. Þau þekkja líka dýrin."
HUNGARIAN = "Az őszi eső hűvös, a gyűrű fénylő, a tükörfúrógép működő\n" * 3


@pytest.fixture
def lines(tmp_path, capsys):
    """The lines of bytes as a file, and what was noted."""

    def read(content, name="f.txt", **options):
        (tmp_path / name).write_bytes(content)
        read = [line for _, line in read_lines(tmp_path / name, **options)]
        return read, capsys.readouterr().err

    return read


@pytest.mark.parametrize(
    ("text", "encoding", "name"),
    [
        (CHINESE, "gbk", "gb18030"),
        (CHINESE, "gb18030", "gb18030"),
        (GERMAN, "cp1252", "cp1252"),
        (FRENCH, "cp1252", "cp1252"),
        (CHINESE, "utf-16", "utf-16"),
        (codecs.BOM_UTF16_BE.decode("utf-16-be") + GERMAN, "utf-16-be", "utf-16"),
        (RUSSIAN, "utf-32", "utf-32"),
    ],
)
@pytest.mark.parametrize("pack", [False, True])
def test_what_is_marked_or_recognised_is_read_and_noted(lines, text, encoding, name, pack):
    content = text.encode(encoding)
    content, file = (gzip.compress(content), "f.gz") if pack else (content, "f.txt")
    read, err = lines(content, file)
    assert read == text.lstrip("\ufeff").splitlines()
    assert err.count("note:") == 1 and f"read as {name}, as its" in err


@pytest.mark.parametrize(
    ("text", "encoding", "words"),
    [
        ("1 今天天气很好", "gbk", "f.txt:1: byte 0xbd at byte 3 of the line is not UTF-8"),
        ("1 今天天气很好", "gbk", "say --encoding gb18030 (fit: --data.encoding)"),
        ("text,label\n你好,好\n再见,坏\n", "gbk", "may be gb18030 or "),
        ("ok\nMüller", "cp1252", "f.txt:2: byte 0xfc"),
        (RUSSIAN, "cp1251", "say --encoding cp1251 (fit: --data.encoding)"),
        (RUSSIAN, "koi8_r", "say --encoding koi8_r"),
        (HUNGARIAN, "cp1250", "say --encoding cp1250"),
        (TURKISH, "cp1254", "may be cp1252 or cp1254"),
        (ICELANDIC, "cp1252", "cp1252 or cp1254: say"),
        (CHINESE.replace("门", "").replace("务", "務"), "big5", "say --encoding big5"),
        (FRENCH.replace("’", "'"), "cp850", "is not UTF-8"),  # DOS
        (FRENCH.replace("’", "'"), "mac_roman", "is not UTF-8"),
        ("abc\n" * 9, "utf-16-le", "--encoding utf-16-le"),
        ("abc\n" * 9, "utf-16-be", "--encoding utf-16-be"),
    ],
)
def test_a_guess_that_is_not_safe_is_refused(lines, text, encoding, words):
    with pytest.raises(InputError) as caught:
        lines(text.encode(encoding, "ignore"))
    assert words in str(caught.value)


@pytest.mark.parametrize("encoding", ["cp1251", "koi8_r", "utf-16-le", "utf-16", "UTF8", "cp866"])
def test_what_is_named_is_taken_without_a_note(lines, encoding):
    with named_encoding(encoding):
        assert lines(RUSSIAN.encode(encoding)) == (RUSSIAN.splitlines(), "")


def test_damaged_utf8_stays_utf8(lines):
    content = CHINESE.encode() + b"\xff\n"
    with pytest.raises(InputError, match=r"f.txt:3: byte 0xff at byte 1"):
        lines(content)
    content = CHINESE.encode("gbk") * 2000 + b"\xff\n"  # far behind what it is recognised from
    with pytest.raises(InputError, match=r"f.txt:4001: holds bytes that are not gb18030"):
        lines(content)
    with named_encoding("cp1252"), pytest.raises(InputError, match=r"f.txt:2: holds bytes"):
        lines(b"\xe9\n\x81\n")


def test_a_mark_that_contradicts_the_name(lines):
    with named_encoding("gbk"), pytest.raises(InputError, match="mark of utf-8, not gbk"):
        lines("\ufeffa".encode())


@pytest.mark.parametrize("name", ["no-such", "hex", "rot13", "", "a\0b"])
def test_unknown_names(name):
    with pytest.raises(InputError, match="unknown encoding"), named_encoding(name):
        pass


@pytest.mark.parametrize("name", ["idna", "undefined"])
def test_codecs_that_are_no_encodings_of_files(lines, name):
    with named_encoding(name), pytest.raises(InputError, match=r"f\.txt:1: "):
        lines(GERMAN.encode())


@given(st.text(), st.sampled_from(["gb18030", "utf-16", "utf-32-be", "utf-7"]), st.integers(1, 9))
def test_recoded_bytes_are_those_of_utf8(text, encoding, size):
    raw = _Recoded(io.BufferedReader(io.BytesIO(text.encode(encoding))), encoding)
    parts = list(iter(lambda: raw.read(size), b""))
    assert b"".join(parts).decode() == text
