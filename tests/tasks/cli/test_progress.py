"""The line that a long run writes over and over: on a terminal only, and gone at the end."""

import io
import sys

import pytest

from rnnlp.tasks.cli import progress
from rnnlp.tasks.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("stream", [Terminal(), io.StringIO()])
def test_it_counts_on_a_terminal(stream, monkeypatch):
    clock = iter([0.0, 0.1, 1.0, 1.2, 2.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(sys, "stderr", stream)
    with Progress("texts") as shown:
        for count in (10, 990, 5, 995):
            shown.add(count)
    clear = "\r\033[K"
    expected = f"{clear}1,000 texts (1,000 a second){clear}2,000 texts (1,000 a second){clear}"
    assert stream.getvalue() == (expected if stream.isatty() else "")


def test_a_short_run_says_nothing(monkeypatch):
    monkeypatch.setattr(sys, "stderr", stream := Terminal())
    with Progress("texts") as shown:
        shown.add(3)
    assert stream.getvalue() == ""
