"""`rnnlp predict --stream`: stdin is answered as it arrives, as one text or line by line."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rnnlp.tasks.inference.load import load

from ..conftest import train
from ..random_models import classifier

FOLDERS = Path(__file__).parents[2] / "folders"


@pytest.fixture(scope="session")
def streaming(tmp_path_factory, corpus):
    """A tagger's folder, trained as the README says."""
    folder = tmp_path_factory.mktemp("models") / "streaming"
    return train(folder, corpus, "--trainer.max_epochs=6", "--model.encoder.bidirectional", "false")


@pytest.fixture
def stdin(monkeypatch):
    """Puts text or bytes on stdin."""

    def put(content):
        data = content if isinstance(content, bytes) else content.encode()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))

    return put


def objects(out):
    return [json.loads(line) for line in out.splitlines()]


def test_predict_reads_stdin_as_one_text(rnnlp, streaming, stdin, corpus):
    text = "\ufeffBarack Obama visited Berlin.\r\n\nAngela Merkel met\nTim Cook in 北京 on Monday"
    stdin(text)
    code, out, err = rnnlp("predict", streaming, "--stream")
    assert (code, err) == (0, "")
    plain = [(e["start"], e["end"], e["entity_group"], e["word"]) for e in objects(out)]
    expected = load(streaming)(text[1:])["entities"]
    assert plain and plain == [
        (e["start"], e["end"], e["entity_group"], e["word"]) for e in expected
    ]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_predict_by_line_is_predict_of_each_line(rnnlp, streaming, stdin, monkeypatch, size):
    monkeypatch.setattr("rnnlp.tasks.cli.streaming._MOST_BYTES", size)
    lines = ["Barack Obama visited Berlin.", "", "Angela Merkel met Tim Cook", "in 北京\r on May"]
    stdin("\r\n".join(lines))
    code, out, _ = rnnlp("predict", streaming, "--stream", "--by_line", "--lag", "1000")
    assert code == 0
    actual = [(e["line"], e["start"], e["end"], e["entity_group"]) for e in objects(out)]
    expected = [
        (number, e["start"], e["end"], e["entity_group"])
        for number, answer in enumerate(load(streaming)(lines), start=1)
        for e in answer["entities"]
    ]
    assert actual and actual == expected


def test_predict_answers_before_its_input_ends(streaming):
    """What is certain leaves the process while its stdin is still open."""
    command = [sys.executable, "-m", "rnnlp", "predict", str(streaming), "--stream", "--lag", "1"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        process.stdin.write("Barack Obama visited Berlin. He said nothing more about it ")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["start"] < 30  # would wait for ever
        process.stdin.close()
        process.stdout.read()
        assert process.wait() == 0


def test_a_classifier_labels_after_each_line(rnnlp, stdin, monkeypatch):
    model = classifier()
    monkeypatch.setattr("rnnlp.tasks.inference.load.load", lambda name, **_: model)
    stdin("good\nbad\n\nso so")
    code, out, _ = rnnlp("predict", "model", "--stream")
    assert code == 0 and [result["end"] for result in objects(out)] == [5, 9, 13, 15]
    stdin("good\nbad\n")
    assert [result["end"] for result in objects(rnnlp("predict", "model", "--stream")[1])] == [5, 9]
    stdin("good\ngood\n\n")
    _, out, _ = rnnlp("predict", "model", "--stream", "--by_line")
    assert [(result["line"], result["end"]) for result in objects(out)] == [(1, 4), (2, 4), (3, 0)]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["english", "--stream"], "both directions.*--model.encoder.bidirectional false"),
        (["english", "--by_line"], "--by_line and --lag are for --stream"),
        (["streaming", "--stream", "text"], "--stream reads stdin"),
        (["streaming", "--stream", "--explain"], "--explain is not for it"),
        (["streaming", "--stream", "--lag", "0"], "lag is 0: it must be 1 or more"),
        (["streaming", "--stream", "--label", "kind=x"], "--label is for generation"),
        (["translation-v1", "--stream"], "reads the whole text before it writes"),
        (["joint-v1", "--stream"], r"model.tagging.stream\(\)"),
        (["generation-v1", "--stream", "--lag", "3"], "--lag is for tagging"),
        (["generation-v1", "--stream", "--seed", "3"], "--seed is not for it"),
    ],
)
def test_what_cannot_stream_is_one_line(rnnlp, english, streaming, stdin, arguments, says):
    stdin("some text")
    model = {"english": english, "streaming": streaming}.get(arguments[0], FOLDERS / arguments[0])
    code, out, err = rnnlp("predict", model, *arguments[1:])
    assert (code, out) == (2, "") and len(err.splitlines()) == 1
    assert re.search(says, err)


def test_bytes_that_are_not_utf8(rnnlp, streaming, stdin):
    stdin(b"one\ntwo\nth\xffree\n")
    code, _, err = rnnlp("predict", streaming, "--stream")
    assert code == 2 and "<stdin>:3: is not UTF-8 text" in err


def test_a_generator_on_stdin(rnnlp, stdin):
    text = "ab c"
    stdin(text)
    code, out, _ = rnnlp("predict", FOLDERS / "generation-v1", "--stream")
    actual = objects(out)
    assert code == 0 and [result["word"] for result in actual] == ["ab", "c", ""]
    assert all(text[result["start"] : result["end"]] == result["word"] for result in actual)
    assert actual[-1]["total_bits"] == pytest.approx(sum(r["bits"] for r in actual), abs=1e-3)
