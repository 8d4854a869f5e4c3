"""`rnnlp compare`, driven as a user does, on a tiny corpus."""

import json
import os
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO

import pytest
from safetensors.torch import load_file

import rnnlp as package
from rnnlp.data.errors import InputError
from rnnlp.tasks.cli import main as cli
from rnnlp.tasks.compare import run as compare
from rnnlp.tasks.compare import worker as compare_worker
from rnnlp.tasks.fit import run as fit
from rnnlp.tasks.model_folder.atomic import exclusive
from rnnlp.tasks.tagging.module import Tagging

SHORT = ("--trainer.max_epochs=1", "--seeds=1")


class Interrupted(Exception):
    pass


@pytest.fixture
def here(monkeypatch):
    """Jobs run in this process, and are counted: starting one for each costs seconds."""
    jobs = []

    def run(request, job, log, advance):
        jobs.append("sizes" if job["work"] == "sizes" else f"{job['cell']}-{job['seed']}")
        content = {
            **job,
            "task": request.task,
            "configs": request.configs,
            "arguments": ["--checkpoint_steps=2", *request.arguments],
        }
        with redirect_stdout(StringIO()):
            return compare_worker.work(content, advance)

    monkeypatch.setattr(compare, "run_worker", run)
    monkeypatch.setattr(compare_worker, "INFERENCE_SECONDS", 0.01)
    monkeypatch.setattr(compare_worker, "TEXTS", 6)
    return jobs


def test_compares_and_reports(rnnlp, here, corpus, tmp_path):
    output = tmp_path / "out"
    command = ["compare", "--config", corpus / "tiny.yaml", *SHORT, "--output", output]
    code, out, err = rnnlp(*command, "--cells=lstm,bimingru")
    assert code == 0 and here == ["sizes", "lstm-1", "bimingru-1"]
    assert out.startswith("cell\tvalidation F1 (%)\t")
    assert "\nTake " in out or "None: no cell learned anything" in out  # of one epoch
    assert "lstm, seed 1: f1 " in err and "report.html" in err
    results = json.loads((output / "results.json").read_text())
    assert [cell["name"] for cell in results["cells"]] == ["lstm", "bimingru"]
    for cell in results["cells"]:
        folder = output / "runs" / f"{cell['name']}-1"
        (run,) = cell["runs"]
        metrics = json.loads((folder / "metrics.json").read_text())
        assert run["quality"] == metrics["validation"]["f1"]
        weights = load_file(folder / "model.safetensors")
        assert cell["parameters"] == sum(weight.numel() for weight in weights.values())
        encoder = [w for name, w in weights.items() if name.startswith("encoder.")]
        assert cell["encoder_parameters"] == sum(weight.numel() for weight in encoder)
        for name in (
            "training_tokens_per_second", "inference_tokens_per_second", "latency_ms", "peak_mib",
        ):  # fmt: skip
            assert run[name] > 0
        assert run["best_epoch"] == 1 and len(run["curve"]) == 1
        package.load(folder)("Rome.")
    page = (output / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 3 and "training speed (tokens/s)" in page
    assert "--cells=lstm,bimingru" in (output / "report.md").read_text(encoding="utf-8")

    here.clear()  # with a seed and a cell more, only what is missing is trained
    code, _, _ = rnnlp(*command, "--cells=lstm,rnn", "--seeds=2")
    assert code == 0 and here == ["sizes", "rnn-1", "lstm-2", "rnn-2"]
    here.clear()
    code, _, _ = rnnlp(*command, "--cells=rnn,bimingru")
    assert code == 0 and here == []

    code, out, err = rnnlp(*command, "--cells=lstm", "--model.dropout=0.2")
    assert code == 2 and out == "" and err.count("\n") == 1
    assert "other settings (--trainer.max_epochs=1 on the command line)" in err
    code, _, err = rnnlp(*command, "--match=parameters")
    assert code == 2 and "other settings (--match hidden)" in err
    assert here == []


def ends(*folders):
    """The weights of a comparison's only run, and what does not depend on the clock."""
    actual = []
    for folder in folders:
        (cell,) = json.loads((folder / "results.json").read_text())["cells"]
        (run,) = cell["runs"]
        weights = load_file(folder / "runs/gru-1/model.safetensors")
        numbers = {name: tensor.tolist() for name, tensor in weights.items()}
        actual.append((numbers, run["quality"], run["best_epoch"], run["curve"]))
    return actual


def test_an_interrupted_run_goes_on(rnnlp, here, corpus, tmp_path, monkeypatch):
    settings = ["compare", "--config", f"{corpus / 'tiny.yaml'}", "--cells=gru", "--seeds=1"]
    whole, cut, late = tmp_path / "whole", tmp_path / "cut", tmp_path / "late"
    assert rnnlp(*settings, "--output", whole)[0] == 0
    steps = 0

    def interrupt(*arguments):
        nonlocal steps
        steps += 1
        if steps == 14:  # in the midst of the second of three epochs
            raise Interrupted

    def interrupt_at_once(*arguments, **settings):
        raise Interrupted

    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        patch.setattr(Tagging, "on_train_batch_start", interrupt)
        cli.run([*settings, "--output", str(cut)])
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        patch.setattr(fit, "finish", interrupt_at_once)  # all is trained, nothing is written
        cli.run([*settings, "--output", str(late)])
    assert rnnlp(*settings, "--output", late)[0] == 0
    monkeypatch.undo()  # and with it the jobs in this process: the rest is done as users do it
    assert rnnlp(*settings, "--output", cut)[0] == 0
    first, second, third = ends(whole, cut, late)
    assert first == second and first == third


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["--cells=lstm,gur"], "--cells names 'gur'"),
        (["--model.recurrent=false"], "there is no key model.recurrent"),
        (["--model.encoder.cell=gru"], "--model.encoder.cell is decided by the comparison"),
        (["--seed_everything", "3"], "--seed_everything is decided by the comparison"),
        (["--seeds=0"], "--seeds is 0"),
        (["--cells="], "must name at least one"),
        (["--data.train=missing.conll"], "missing.conll"),
    ],
)
def test_wrong_settings_are_one_line(rnnlp, here, corpus, tmp_path, settings, words):
    output = tmp_path / "out"
    code, out, err = rnnlp(
        "compare", "--config", corpus / "tiny.yaml", "--output", output, *settings
    )
    assert code == 2 and out == "" and words in err.splitlines()[-1]
    assert not (output / "compare.json").exists()


def test_joint_training_is_not_compared(rnnlp, here, tmp_path):
    config = tmp_path / "two.yaml"
    config.write_text("task: joint\n")
    code, _, err = rnnlp("compare", "--config", config)
    assert code == 2 and here == [] and err.count("\n") == 1


def test_another_folder_is_left_alone(rnnlp, here, corpus, english):
    code, _, err = rnnlp("compare", "--config", corpus / "tiny.yaml", "--output", english)
    assert code == 2 and "holds no comparison" in err and here == []


def test_stopped_while_it_finds_the_sizes(rnnlp, here, corpus, tmp_path, monkeypatch):
    output = tmp_path / "c"
    command = ["compare", "--config", corpus / "tiny.yaml", "--output", output, "--cells", "elmo"]

    def stop(request, job, log, advance):
        log.write_text("reading")
        (output / "runs").mkdir()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(compare, "run_worker", stop)
        assert rnnlp(*command)[0] == 130
    code, _, err = rnnlp(*command)
    assert code == 2 and "--cells names 'elmo'" in err  # it went on, and found that out


def test_two_comparisons_in_one_folder(rnnlp, here, corpus, tmp_path):
    with exclusive(tmp_path / "c"):
        code, _, err = rnnlp(
            "compare", "--config", corpus / "tiny.yaml", "--output", tmp_path / "c"
        )
    assert code == 2 and "another run is writing" in err


def test_a_generator_reads_in_one_direction(here, tmp_path):
    text = tmp_path / "texts.txt"
    text.write_text("\n".join(f"a line with number {n}" for n in range(40)))
    job = {
        "work": "sizes", "cells": ["gru", "bigru"], "match": "hidden", "seed": 1,
        "task": "generation", "configs": [], "output": str(tmp_path / "out"),
        "arguments": [f"--data.train={text}"],
    }  # fmt: skip
    with pytest.raises(InputError, match=r"start to end only: leave out bigru \(--cells gru\)"):
        compare_worker.work(job, lambda message: None)
    actual = compare_worker.work({**job, "cells": None}, lambda message: None)
    assert actual["usual"] == ["rnn", "lstm", "gru"] and actual["higher_is_better"] is False


def test_matching_parameters(corpus, tmp_path):
    job = {
        "work": "sizes", "cells": ["rnn", "gru", "lstm", "bilstm"], "match": "parameters",
        "seed": 1, "task": "tagging", "configs": [str(corpus / "tiny.yaml")],
        "output": str(tmp_path / "out"), "arguments": [],
    }  # fmt: skip
    cells = compare_worker.work(job, lambda message: None)["cells"]
    assert cells["bilstm"]["hidden_size"] == 16  # the config's own
    aim = cells["bilstm"]["parameters"]
    assert all(abs(cell["parameters"] - aim) < 0.03 * aim for cell in cells.values())
    sizes = [cells[name]["hidden_size"] for name in ("rnn", "gru", "lstm", "bilstm")]
    assert sizes == sorted(sizes, reverse=True) and len(set(sizes)) == 4


def test_ngrams_around_a_token_are_left_out(rnnlp, here, corpus, tmp_path):
    config, output = tmp_path / "wide.yaml", tmp_path / "out"
    wide = (corpus / "tiny.yaml").read_text().replace("\nmodel:\n", "\nmodel:\n  ngrams: 2\n")
    config.write_text(wide)
    command = ["compare", "--config", config, *SHORT, "--output", output]
    code, _, err = rnnlp(*command, "--cells=gru")
    assert code == 0 and "note: model.ngrams is left out: cells that read one way" in err
    assert package.load(output / "runs" / "gru-1").settings.ngrams is None
    code, _, err = rnnlp(*command, "--cells=gru", "--model.ngrams=2", "--overwrite")
    assert code == 2 and "model.ngrams reads the tokens on both sides of each" in err


@pytest.mark.parametrize("aim", [1, 2, 3, 50, 99, 10_000, 10**9])
def test_nearest_width(aim):
    def parameters(width):
        return 3 * width * width + 7

    best = min(range(1, 20_000), key=lambda width: abs(parameters(width) - aim))
    assert compare_worker.nearest_width(parameters, aim) == best


def test_a_run_ends_with_the_comparison(corpus, tmp_path):
    """Closing its stdin, as the end of the comparison does, ends a job at once."""
    job = {
        "work": "train", "cell": "gru", "hidden_size": 8, "seed": 1, "task": "tagging",
        "configs": [str(corpus / "tiny.yaml")], "output": str(tmp_path / "out"),
        "arguments": ["--trainer.max_epochs=100000"],
    }  # fmt: skip
    command = [sys.executable, "-m", "rnnlp.tasks.compare.worker", json.dumps(job)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) as process:
        assert "progress" in json.loads(process.stdout.readline())
        process.stdin.close()
        assert process.wait() == 1


def test_help_without_torch():
    code = (
        "import sys\n"
        "from rnnlp.tasks.cli.main import run\n"
        "assert run(['compare', '--help']) == 0\n"
        "import rnnlp.tasks.compare.run, rnnlp.tasks.compare.claims, rnnlp.tasks.registry\n"
        "assert 'torch' not in sys.modules, 'a comparison waits, and needs no torch for that'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--match" in done.stdout


def test_a_classifier_is_held_against_a_linear_model(rnnlp, here, tmp_path):
    words = {"good": "fine film", "bad": "dull film"}
    lines = [f"{label} a {words[label]} {i % 7}\n" for i in range(40) for label in words]
    (tmp_path / "texts").write_text("".join(lines))
    command = (
        "compare", "--config", "sentiment", "--data.train", tmp_path / "texts",
        "--data.validation", tmp_path / "texts", "--model.encoder.hidden_size=4",
        "--model.embedding.size=4", *SHORT, "--cells=gru", "--output", tmp_path / "out",
    )  # fmt: skip
    code, out, err = rnnlp(*command)
    assert code == 0, err
    assert here == ["sizes", "linear-1", "gru-1"]
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results["control"]["quality"] == 1.0  # one word tells
    line = "Linear control (n-grams alone, no network; one seed): validation accuracy (%) 100.0"
    assert line in out and line in (tmp_path / "out" / "report.md").read_text()
    assert [cell["name"] for cell in results["cells"]] == ["gru"]
    assert not package.load(tmp_path / "out" / "runs" / "linear").settings.recurrent
