"""The wheel, away from the clone: it holds every room, with its data files, and nothing else."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import rnnlp

ROOT = Path(rnnlp.__file__).parent
ROOMS = ("data", "models", "tasks", "configs")

IMPORT_ALL = """
import importlib, pkgutil, rnnlp, sys
assert rnnlp.__file__.startswith(sys.argv[1]), rnnlp.__file__
names = [name for _, name, _ in pkgutil.walk_packages(rnnlp.__path__, "rnnlp.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
from rnnlp.data.samples.grammar import read_rules
from rnnlp.tasks.fit.config_files import shipped_configs
assert read_rules("translation") and len(shipped_configs()) > 10
print(len(names))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Unpacked, built from a copy, so that nothing is written beside the sources."""
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for name in (*ROOMS, "pyproject.toml", "README.md", "LICENSE", "py.typed"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    for name in ("__init__.py", "__main__.py"):
        shutil.copy(ROOT / name, copy / name)
    build = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", build, str(out)], cwd=copy, check=True, capture_output=True
    )
    (file,) = out.glob("rnnlp-*.whl")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(out)
    return out


def test_it_holds_what_the_rooms_hold(wheel):
    def files(root):
        return {
            str(file.relative_to(root))
            for room in ROOMS
            for file in (root / room).rglob("*")
            if file.suffix in (".py", ".yaml", ".jinja")
        }

    assert files(wheel / "rnnlp") == files(ROOT)
    tops = {path.name for path in wheel.iterdir() if path.is_dir()}
    assert {name for name in tops if not name.endswith(".dist-info")} == {"rnnlp"}


def test_every_module_is_imported_from_it(wheel, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(wheel)}
    run = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, str(wheel)],
        cwd=tmp_path, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) > 150
