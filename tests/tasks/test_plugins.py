"""Tasks and cells from a user's own files go through the verbs; nothing in rnnlp knows of them."""

import json
import random
import sys
from pathlib import Path

import pytest

from rnnlp.models.recurrence.cells import CELLS
from rnnlp.tasks.registry import _SPECS

PLUGINS = Path(__file__).parents[1] / "plugins"
VALUES = {"good": 2, "fine": 1, "bad": -2, "dull": -1}
WORDS = [*VALUES, "the", "a", "film", "was"]


@pytest.fixture(autouse=True)
def forgotten():
    """What a plugin has made known is unknown again in the next test."""
    yield
    for table, name in ((_SPECS, "rating"), (CELLS, "leaky")):
        table.pop(name, None)
    for name in [name for name in sys.modules if name.startswith("rnnlp_plugin_")]:
        del sys.modules[name]


@pytest.fixture
def rated(tmp_path):
    """A folder with ratings."""
    draw = random.Random(1)
    for name, count in (("train", 300), ("dev", 40)):
        texts = [draw.choices(WORDS, k=draw.randint(2, 6)) for _ in range(count)]
        lines = [f"{' '.join(t)}\t{max(VALUES.get(w, 0) for w in t)}\n" for t in texts]
        (tmp_path / f"{name}.tsv").write_text("".join(lines))
    return tmp_path


def test_a_task_from_a_users_own_file(rated, rnnlp):
    model, plugin = rated / "model", ("--plugin", PLUGINS / "rating.py")
    code, _, err = rnnlp(
        "fit", *plugin, "--task", "rating", "--output", model,
        "--data.train", rated / "train.tsv", "--data.validation", rated / "dev.tsv",
        "--trainer.max_epochs", "6", "--model.optimizer.learning_rate", "0.01",
    )  # fmt: skip
    assert code == 0, err
    scores = json.loads(rnnlp("evaluate", model, rated / "dev.tsv", *plugin, "--json")[1])
    metrics = json.loads((model / "metrics.json").read_text())
    assert scores["rmse"] == pytest.approx(metrics["validation"]["rmse"], abs=1e-3)
    assert scores["explained"] > 0.5
    answers = rnnlp("predict", model, "good good film", "dull", *plugin)[1].splitlines()
    good, dull = (json.loads(line)["rating"] for line in answers)
    assert good > dull + 0.5

    del _SPECS["rating"]
    code, _, err = rnnlp("predict", model, "good")
    assert code == 2 and len(err.splitlines()) == 1
    assert "the task 'rating', which this rnnlp does not know" in err and "--plugin" in err


def test_a_cell_from_a_users_own_file(tmp_path, rnnlp):
    (tmp_path / "train.conll").write_text("Maria B-PER\nsleeps O\n\nRain O\nfell O\n\n" * 20)
    model, plugin = tmp_path / "model", ("--plugin", PLUGINS / "leaky.py")
    code, _, err = rnnlp(
        "fit", "--config", "ner", *plugin, "--model.encoder.cell", "leaky", "--output", model,
        "--data.train", tmp_path / "train.conll", "--data.validation", tmp_path / "train.conll",
        "--trainer.max_epochs", "8", "--model.optimizer.learning_rate", "0.02",
    )  # fmt: skip
    assert code == 0, err
    assert "leaky integrator" in (model / "README.md").read_text()
    said = json.loads(rnnlp("predict", model, "Maria sleeps", *plugin)[1])
    assert [one["word"] for one in said["entities"]] == ["Maria"]

    del CELLS["leaky"]
    code, _, err = rnnlp("predict", model, "Maria sleeps")
    assert code == 2 and len(err.splitlines()) == 1 and "leaky" in err
