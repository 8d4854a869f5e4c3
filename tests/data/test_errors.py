"""What data and models hold is shown without steering a terminal."""

import pytest

from rnnlp.data.errors import InputError, counted, note, printable


@pytest.mark.parametrize("text", ["plain", "naïve 好 👩‍👩‍👧 می‌خواهم", "a\u00a0b\u3000c", ""])
def test_texts_stay(text):
    assert printable(text) == text


def test_controls_are_shown(capsys):
    assert printable("\x1b]0;x\x07\r\n\t\x9b\x7f") == "\\x1b]0;x\\x07\\r\\n\\t\\x9b\\x7f"
    assert printable("a\u202eb\u2028\ud800") == "a\\u202eb\\u2028\\ud800"
    assert str(InputError("a\x1bb\nc", path="p\n", line=3)) == "p\\n:3: a\\x1bb c"
    note("a\x1bb\nc")
    assert capsys.readouterr().err == "note: a\\x1bb\\nc\n"


def test_one_is_no_plural():
    assert [counted(number, "row") for number in (0, 1, 1200)] == ["0 rows", "1 row", "1,200 rows"]
