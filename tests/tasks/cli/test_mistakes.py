"""What goes wrong around a command line: one line and exit code 2, or an answer."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rnnlp.data.errors import LONGEST, InputError
from rnnlp.data.formats import text_files
from rnnlp.data.formats.text_files import read_lines

FOLDERS = Path(__file__).parents[2] / "folders"
SMALL = (
    *("--model.embedding.size", 8, "--model.encoder.hidden_size", 8),
    *("--trainer.max_epochs", 1, "--trainer.accelerator", "cpu"),
)


def table(path, labels):
    rows = [f"a text of number {number},{label}" for number, label in enumerate(labels)]
    path.write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def train(tmp_path):
    return table(tmp_path / "train.csv", ["good", "bad"] * 20)


def shell(command, **options):
    """Runs a command in bash, where `rnnlp` is this package."""
    command = command.replace("rnnlp ", f'"{sys.executable}" -m rnnlp ', 1)
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, **options
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["--model.optimizer.learning_rate", "-1"], "learning_rate is -1.0: it must be above 0"),
        (["--model.optimizer.weight_decay", "-1"], "weight_decay is -1.0"),
        (["--trainer.logger", "WandbLogger"], "WandbLogger cannot be used: 'wandb"),
        (
            ["--trainer.callbacks+=ExponentialMovingAverage", "--trainer.callbacks.decay=1.5"],
            "ExponentialMovingAverage cannot be used: Invalid decay value 1.5",
        ),
        (["--train", "x"], "there is no key train: did you mean data.train?"),
        (["--data.trai", "x"], "there is no key data.trai: did you mean data.train?"),
        (["--resum"], "there is no key resum: did you mean resume?"),
        (["--model.encoder.hidden_size", "100000000"], "not enough memory"),
        (["--seed_everything", "-1"], "seed_everything is -1: it takes a number from 0 to"),
        (["--data.train", ""], '"": no such file'),
    ],
)
def test_settings(rnnlp, train, tmp_path, settings, words):
    code, out, err = rnnlp(
        *("fit", "--config", "sentiment", "--data.train", train, "--output", tmp_path / "m"),
        *(*SMALL, *settings),
    )
    assert (code, out) == (2, "")
    assert words in err.splitlines()[-1], err


def test_a_column_of_unique_values_is_no_label(rnnlp, tmp_path):
    train = table(tmp_path / "train.csv", [f"id-{number}" for number in range(60)])
    code, _, err = rnnlp(
        *("fit", "--config", "sentiment", "--data.train", train, "--output", tmp_path / "m"), *SMALL
    )
    assert code == 2 and "has a label of its own" in err and "data.label_column" in err


def test_labels_of_any_script_are_printed(rnnlp, tmp_path):
    train = table(tmp_path / "train.csv", ["好", "schlecht 🙁"] * 20)
    code, _, err = rnnlp(
        *("fit", "--config", "sentiment", "--data.train", train, "--output", tmp_path / "m"), *SMALL
    )
    assert code == 0, err
    plain = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    for option in ("", "--json"):
        actual = shell(f"rnnlp evaluate {tmp_path}/m {train} {option}", env=plain, encoding="utf-8")
        assert actual.returncode == 0 and "好" in actual.stdout, actual.stderr


def test_a_mistyped_folder(rnnlp, tmp_path, monkeypatch):
    shutil.copytree(FOLDERS / "classification-v1", tmp_path / "runs" / "reviews")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for name in ("runs/reviws", "rnus/reviews"):
        code, _, err = rnnlp("predict", name, "x")
        assert code == 2 and "no such folder: did you mean runs/reviews?" in err
        assert "Error" not in err and err.count("\n") == 1


@pytest.mark.parametrize("command", ["predict {} fine", "evaluate {} {}/../t.csv"])
def test_a_full_stdout(tmp_path, command):
    if not os.path.exists("/dev/full"):
        pytest.skip("no device that is always full")
    shutil.copytree(FOLDERS / "classification-v1", tmp_path / "m")
    label = json.loads((tmp_path / "m" / "config.json").read_text())["model"]["classes"][0]
    table(tmp_path / "t.csv", [label] * 3)
    actual = shell(f"rnnlp {command} > /dev/full".replace("{}", f"{tmp_path}/m"))
    assert actual.returncode == 2, actual.stderr
    assert actual.stderr.splitlines()[-1] == "rnnlp: No space left on device"


@pytest.mark.parametrize("option", ["", "--stream"])
def test_a_closed_stdin(option):
    model = FOLDERS / ("generation-v1" if option else "classification-v1")
    actual = shell(f"rnnlp predict {model} {option} <&-")
    assert actual.returncode == 2 and "stdin is closed" in actual.stderr
    assert actual.stderr.count("\n") == 1


def test_messages_do_not_repeat_a_file():
    said = str(InputError(f"no such label: {'x' * 50_000_000}", path="a.csv", line=3))
    assert said.startswith("a.csv:3: no such label: xx") and len(said) < LONGEST + 100


def test_a_packed_file_that_grows_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(text_files, "MOST_UNPACKED", 10_000)
    with gzip.open(tmp_path / "a.txt.gz", "wt") as file:
        file.write("the same line\n" * 100_000)
    with pytest.raises(InputError, match=r"a.txt.gz:\d+: unpacks to more than .* gunzip"):
        list(read_lines(tmp_path / "a.txt.gz"))
    with gzip.open(tmp_path / "b.txt.gz", "wt") as file:
        file.writelines(f"{number**7}\n" for number in range(5_000))
    assert len(list(read_lines(tmp_path / "b.txt.gz"))) == 5_000


def test_lines_of_stdin_have_a_bound(monkeypatch):
    from rnnlp.data.formats.layout import Layout
    from rnnlp.tasks.cli.rows import STDIN, Lines, stdin_rows

    def read():
        return stdin_rows(Lines(STDIN, None, Layout(), set()))

    class Stdin:
        def __init__(self, pieces):
            self.pieces = iter(pieces)
            self.buffer = self

        def read1(self, _):
            return next(self.pieces, b"")

    pieces = [b"a", b"b\nc", b"d\n\ne\n", b"f", b"g"]
    monkeypatch.setattr(sys, "stdin", Stdin(pieces))
    assert [[row.text for row in rows] for rows in read()] == [
        ["ab"], ["cd", "", "e"], ["fg"],
    ]  # fmt: skip
    monkeypatch.setattr(text_files, "LONGEST_LINE", 100)
    monkeypatch.setattr(sys, "stdin", Stdin([b"short\n", *[b"x" * 30] * 9]))
    with pytest.raises(InputError, match="<stdin>:2: a line of more than"):
        list(read())


def test_an_option_of_fit_keeps_its_name_in_other_verbs(rnnlp, tmp_path):
    (tmp_path / "a.csv").write_bytes("text,label\n你好,好\n再见,坏\n".encode("gbk"))
    code, _, err = rnnlp("check", tmp_path / "a.csv")
    assert code == 2 and "say --encoding gb18030 (fit: --data.encoding)" in err
