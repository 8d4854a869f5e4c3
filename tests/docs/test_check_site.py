"""Dead links and files from other hosts are found in a built site."""

import importlib.util
from pathlib import Path

import pytest

import rnnlp

FILE = Path(rnnlp.__file__).parent / "docs" / "check_site.py"
spec = importlib.util.spec_from_file_location("check_site", FILE)
check_site = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check_site)


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ('<a href="../b/">b</a> <a href="../b/#here">x</a> <a href="/a/">a</a>', None),
        ('<a href="https://example.org/">elsewhere</a> <a href="#top">x</a>', None),
        ('<img src="data:image/png;base64,AAAA"><a href="mailto:a@b.c">x</a>', None),
        ('<a href="../c/">c</a>', "no file at ../c/"),
        ('<img src="p.png">', "no file at p.png"),
        ('<a href="../b/#there">x</a>', "nothing is named ../b/#there"),
        ('<a href="#there">x</a>', "nothing is named #there"),
        ('<script src="https://example.org/a.js"></script>', "https://example.org/a.js"),
        ('<link rel="stylesheet" href="//example.org/a.css">', "//example.org/a.css"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, html, said):
    for name, text in (("a", f'<p id="top">{html}'), ("b", '<h2 id="here">')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text(text)
    wrong = check_site.complaints(tmp_path)
    assert [line.partition(": ")[2] for line in wrong if said and said in line] == [
        line.partition(": ")[2] for line in wrong
    ]
    assert len(wrong) == (said is not None)


def test_style_sheets_from_afar(tmp_path):
    (tmp_path / "a.css").write_text("@import url(https://fonts.example.org/css);")
    assert len(check_site.complaints(tmp_path)) == 1
