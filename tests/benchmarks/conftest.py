"""How the scripts in `benchmarks/` are started in tests."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import rnnlp
from rnnlp.tasks.cli import main as cli

FOLDER = Path(rnnlp.__file__).parent / "benchmarks"


def script(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run(monkeypatch, capsys):
    """`run(script, *arguments)` gives what the script prints.

    The trainings that a script starts run in this process: loading torch takes longer than they do.
    """

    def here(command, **_):
        assert command[:3] == [sys.executable, "-m", "rnnlp"]
        assert cli.run(command[3:]) == 0

    def run(name, *arguments):
        monkeypatch.setattr(subprocess, "run", here)
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, arguments)])
        script(name).main()
        monkeypatch.undo()
        return capsys.readouterr().out

    return run
