"""The long-range tests: trainings are kept and gone on with, and reported."""

import json
import re

import pytest

from rnnlp.data.errors import InputError
from rnnlp.tasks.memory_study import run as memory_run
from rnnlp.tasks.memory_study import training as long_range
from rnnlp.tasks.memory_study.protocol import PLAIN, STARTS, Protocol, Trial
from rnnlp.tasks.memory_study.report import accuracy_at, holds
from rnnlp.tasks.memory_study.run import has_failed, run
from rnnlp.tasks.memory_study.training import train

QUICK = Protocol(hidden_size=12, updates=20, every=10)


@pytest.fixture
def trained(monkeypatch):
    """The trainings that are not taken from the folder, in order."""
    calls = []

    def counted(trial, *rest):
        calls.append(trial)
        return train(trial, *rest)

    monkeypatch.setattr(memory_run, "train", counted)
    return calls


def test_a_network_that_can_remember_does():
    """The first symbol after 12 steps, learned from scratch; and nothing of it without learning."""
    trial = Trial("recall", "rnn", "orthogonal", 12, 1)
    learned = train(trial, Protocol(hidden_size=24, updates=300))
    assert learned["accuracy"] > 0.95 and learned["updates"] <= 300
    assert train(trial, Protocol(hidden_size=24, updates=1, every=1))["accuracy"] < 0.5
    assert len(learned["back"]) == len(learned["before"]) == len(learned["after"]) == 12


def test_the_same_training_twice():
    trial = Trial("adding", "mingru", PLAIN, 6, 2)
    assert train(trial, QUICK) == train(trial, QUICK)


def test_trainings_are_kept(tmp_path, trained):
    folder = tmp_path / "out"
    chosen = {"cells": ["rnn", "gru"], "protocol": QUICK}
    run(folder, lags=[4], **chosen)
    first = len(trained)
    assert first == 3 * 4  # tests; two starts of each cell
    report = (folder / "report.md").read_bytes()
    run(folder, lags=[4], **chosen)
    assert len(trained) == first and (folder / "report.md").read_bytes() == report
    # What is missing is made: a file that is lost, half a file does not occur, a further seed.
    next((folder / "runs").glob("copy-gru-as*")).unlink()
    run(folder, lags=[4], **chosen)
    assert trained[first:] == [Trial("copy", "gru", PLAIN, 4, 1)]
    run(folder, lags=[4], seeds=2, **chosen)
    assert {trial.seed for trial in trained[first + 1 :]} == {2}
    # Another protocol is another measurement.
    del trained[:]
    run(folder, lags=[4], cells=["rnn"], protocol=Protocol(hidden_size=8, updates=10, every=10))
    assert len(trained) == 3 * 2


def test_longer_lags_are_not_tried_after_a_failure(tmp_path, monkeypatch):
    def fake(trial, protocol, tell):
        accuracy = 1.0 if trial.lag <= (6 if trial.start == PLAIN else 8) else 0.2
        norms = [1.0] * len(long_range.back(trial.lag))
        return {
            "accuracy": accuracy, "updates": 1, "back": long_range.back(trial.lag),
            "before": norms, "after": norms,
        }  # fmt: skip

    monkeypatch.setattr(memory_run, "train", fake)
    table = run(tmp_path, cells=["lstm"], lags=[12, 4, 6, 8, 10], protocol=QUICK)
    assert table.header[0] == "cell" and len(table.header) == 4
    assert [row[:2] for row in table.rows] == [
        ["LSTM", "6 (20.0\u00a0% at 8)"],
        ["LSTM, forget bias 1", "8 (20.0\u00a0% at 10)"],
        ["LSTM, spans up to the lag", "8 (20.0\u00a0% at 10)"],
    ]
    results = json.loads((tmp_path / "results.json").read_text())["results"]
    lags = {(one["trial"]["start"], one["trial"]["lag"]) for one in results}
    assert (PLAIN, 8) in lags and (PLAIN, 10) not in lags and ("forget bias 1", 10) in lags


def test_report(tmp_path):
    run(tmp_path, cells=["rnn", "mingru"], lags=[4, 6], protocol=QUICK, command="rnnlp this")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4
    assert not re.search(r'(?:src|href)="(?!data:|#)', page)
    for text in ("lag (steps)", "right answers (%)", "steps before the end", "rnnlp this"):
        assert text in page
    assert "minGRU, spans up to the lag" in page


def test_means_over_seeds():
    results = {
        Trial("recall", "rnn", PLAIN, 10, 1): {"accuracy": 1.0},
        Trial("recall", "rnn", PLAIN, 10, 2): {"accuracy": 0.5},
        Trial("recall", "rnn", PLAIN, 30, 1): {"accuracy": 1.0},
    }
    variant = ("rnn", PLAIN)
    assert accuracy_at(results, "recall", variant, 10) == 0.75
    assert accuracy_at(results, "recall", variant, 30) == (1 + 1 / 8) / 2  # chance for the other
    assert accuracy_at(results, "recall", variant, 100) is None
    assert holds(results, "recall", variant, [10, 30]) == "none (75.0\u00a0% at 10)"
    assert has_failed("recall", 0.5) and not has_failed("recall", 0.6)


def test_updates_at_long_lags():
    assert [Protocol().most_updates(lag) for lag in (10, 300, 1000)] == [1000, 1000, 300]


def test_every_start_is_one_that_the_cell_takes():
    for cell, starts in STARTS.items():
        for start in starts:
            long_range.make_encoder(Trial("recall", cell, start, 10, 1), QUICK)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"cells": ["bilstm"]}, ["bilstm", "reads from the end"]),
        ({"cells": ["qrnn"]}, ["no cell qrnn", "mingru"]),
        ({"lags": [10, 3]}, ["4 steps or more"]),
    ],
)
def test_refused(tmp_path, settings, words):
    with pytest.raises(InputError) as error:
        run(tmp_path / "out", **settings)
    for word in words:
        assert word in str(error.value)
    assert not (tmp_path / "out").exists()


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="no long-range test"):
        run(tmp_path)


def test_command_line(rnnlp, tmp_path, monkeypatch):
    monkeypatch.setattr(Protocol, "most_updates", lambda self, lag: 2)
    code, out, err = rnnlp(
        *("compare", "--long-range", "--cells", "gru,rnn", "--lags", "4,5"),
        *("--output", tmp_path / "out"),
    )
    assert code == 0, err
    lines = [line.split("\t") for line in out.splitlines()]
    assert lines[0][0] == "cell" and [line[0] for line in lines[1:]] == [
        *("GRU", "GRU, spans up to the lag", "RNN", "RNN, orthogonal"),
    ]
    assert "report.html" in err and (tmp_path / "out" / "report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--config", "ner"], "--config says nothing there"),
        (["--model.encoder.num_layers=2"], "--model.encoder.num_layers=2 says nothing there"),
        (["--lags", "ten"], "whole numbers such as 10,100,1000, not 'ten'"),
        (["--cells", "bigru"], "bigru reads from the end"),
        (["--seeds", "0"], "--seeds is 0"),
    ],
)
def test_command_line_refuses(rnnlp, arguments, words):
    code, out, err = rnnlp("compare", "--long-range", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert words in err
