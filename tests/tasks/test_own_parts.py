"""Parts of a user's own file are named by their place; rnnlp's own files know nothing of them."""

import json
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

import rnnlp as package
from rnnlp.data.errors import InputError
from rnnlp.data.formats.own import READERS
from rnnlp.models.classification.pooling import POOLINGS
from rnnlp.models.recurrence.cells import CELLS
from rnnlp.tasks.base.optimizer import OPTIMIZERS, SCHEDULES, OptimizerConfig

FILE = Path(__file__).parents[1] / "plugins" / "own.py"
SMALL = (
    "--model.embedding.size", "8", "--model.encoder.hidden_size", "8", "--data.max_sentences", "8",
)  # fmt: skip


@pytest.fixture(autouse=True)
def forgotten():
    """What is known of parts of one's own is unknown again in the next test."""
    yield
    for table in (READERS, POOLINGS, CELLS, OPTIMIZERS, SCHEDULES):
        for name in [name for name in table if "." in name]:
            del table[name]
    for name in [name for name in sys.modules if name.startswith("rnnlp_plugin_")]:
        del sys.modules[name]


@pytest.fixture
def rated(tmp_path):
    """Files that only the user's reader can read."""
    lines = ["+ good film\n", "- bad film\n", "+ a good one\n", "- this is bad\n"]
    for name, count in (("train", 10), ("dev", 3)):
        (tmp_path / f"{name}.marks").write_text("".join(lines * count))
    return tmp_path


def test_pooling_reader_optimizer_and_schedule(rated, rnnlp):
    model, plugin = rated / "model", ("--plugin", FILE)
    code, _, err = rnnlp(
        "fit", "--config", "sentiment", *plugin, *SMALL, "--output", model,
        "--data.train", rated / "train.marks", "--data.validation", rated / "dev.marks",
        "--data.format", "own.read", "--model.pooling", "[max, own.Sum]",
        "--model.optimizer.name", "own.SignSGD", "--model.optimizer.options.shrink", "0.999",
        "--model.optimizer.learning_rate", "0.05", "--model.optimizer.schedule", "own.Halving",
        "--trainer.max_epochs", "3", "--early_stopping", "null",
    )  # fmt: skip
    assert code == 0, err
    with safe_open(model / "model.safetensors", "pt") as file:
        assert file.get_tensor("pooling.own.0.scale").shape == (16,)  # and it has learned:
        moved = (file.get_tensor("pooling.own.0.scale") - 1.0).abs()
        assert file.get_tensor("projection.weight").shape == (2, 32)
    # 3 epochs of 5 steps, each the rate, which halves, and a little shrinking
    assert 0.0 < moved.max() <= 5 * 0.05 * (1 + 0.5 + 0.25) + 15 * 0.0015

    READERS.clear()
    scores = json.loads(
        rnnlp("evaluate", model, rated / "dev.marks", *plugin, "--format", "own.read", "--json")[1]
    )
    metrics = json.loads((model / "metrics.json").read_text())
    assert scores["accuracy"] == metrics["validation"]["accuracy"] == 1.0
    assert json.loads(rnnlp("predict", model, "so good", *plugin)[1])["label"] == "good"

    for verb in (["export", model, "--output", rated / "onnx"], ["predict", model, "--stream"]):
        code, _, err = rnnlp(*verb, *(plugin if verb[0] == "predict" else ()))
        assert code == 2 and len(err.splitlines()) == 1

    for name in [name for name in sys.modules if name.startswith("rnnlp_plugin_")]:
        del sys.modules[name]
    POOLINGS.clear()
    code, _, err = rnnlp(
        "predict", model, "so good"
    )  # nothing is imported because a folder says so
    assert code == 2 and len(err.splitlines()) == 1
    assert "config.json: model.pooling is own.Sum" in err and "--plugin own.py" in err


def test_what_is_imported_is_known_in_python(rated, monkeypatch):
    monkeypatch.syspath_prepend(FILE.parent)
    monkeypatch.delitem(sys.modules, "own", raising=False)
    settings = {
        "data": {"train": str(rated / "train.marks"), "format": "own.read", "max_sentences": 8},
        "model": {"pooling": ["own.Sum"], "embedding": {"size": 8}, "encoder": {"hidden_size": 8}},
        "trainer": {"max_epochs": 1},
    }
    model = rated / "model"
    trained = package.fit("sentiment", output=model, **settings)
    answer = trained("so good")
    POOLINGS.clear()
    assert package.load(model)("so good") == answer
    POOLINGS.clear()
    monkeypatch.delitem(sys.modules, "own")
    with pytest.raises(InputError, match=r"model\.pooling is own\.Sum, a part of your own"):
        package.load(model)


@pytest.mark.parametrize(
    ("config", "text", "settings"),
    [
        ("ner", "Maria/PER sleeps\nRain fell\n", ["--data.format", "own.read_tagged"]),
        (
            "translation",
            "hallo = hello\nwelt = world\n",
            ["--data.format", "own.read_pairs", "--data.source", "de", "--data.target", "en"],
        ),
        ("generation", "+ good film\n- bad film\n", ["--data.format", "own.read"]),
    ],
)
def test_a_reader_for_every_task(config, text, settings, tmp_path, rnnlp):
    (tmp_path / "train.txt").write_text(text * 10)
    code, _, err = rnnlp(
        "fit", "--config", config, "--plugin", FILE, "--output", tmp_path / "model", *settings,
        "--data.train", tmp_path / "train.txt", "--data.validation", tmp_path / "train.txt",
        "--trainer.fast_dev_run", "1",
    )  # fmt: skip
    assert code == 0, err


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["--model.optimizer.name", "rmsprop"], "one of adam, adamw, sgd, or a class such as"),
        (["--model.optimizer.name", "torch.optim.RMSProp"], "RMSProp is not there"),
        (["--model.optimizer.name", "torch.nn.Linear"], "Linear is not a class of optimizers"),
        (["--model.optimizer.name", "nowhere.Fast"], "No module named 'nowhere'; install it, or"),
        (
            [
                "--model.optimizer.name",
                "torch.optim.RMSprop",
                "--model.optimizer.options.alfa",
                "1",
            ],
            "unexpected keyword argument 'alfa'",
        ),
        (
            ["--model.optimizer.name", "own.SignSGD", "--model.optimizer.weight_decay", "0.1"],
            "own.SignSGD has none, set it to 0",
        ),
        (["--model.optimizer.schedule", "torch.optim.lr_scheduler.StepLR"], "'step_size'"),
        (
            ["--model.optimizer.schedule", "own.Halving", "--model.optimizer.warmup_steps", "5"],
            "model.optimizer.warmup_steps is 5: it must be 0 with",
        ),
        (["--model.pooling", "[own.Smu]"], "model.pooling is own.Smu: Smu is not there"),
        (["--model.pooling", "[own.SignSGD]"], "SignSGD is not a class of modules"),
        (["--model.encoder.cell", "own.Sum"], "Sum is not a rnnlp.models.Cell"),
        (["--model.encoder.cell", "lstn"], "did you mean 'lstm'?"),
        (["--data.format", "own.raed"], "raed is not there"),
        (["--data.format", "xml"], "or name a function of your own"),
        (["--data.format", "own.read_wrongly"], "dev.marks:1: own.read_wrongly gives 'text'"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_what_is_no_such_part(settings, said, rated, rnnlp):
    code, _, err = rnnlp(
        "fit", "--config", "sentiment", "--plugin", FILE, *SMALL, "--output", rated / "model",
        "--data.train", rated / "dev.marks", "--data.format", "own.read", *settings,
        "--trainer.max_epochs", "1",
    )  # fmt: skip
    assert code == 2 and said in err
    assert len([line for line in err.splitlines() if line.startswith("rnnlp")]) == 1


def test_a_wrong_name_in_a_config_has_its_line(rated, rnnlp):
    config = rated / "mine.yaml"
    config.write_text("base: sentiment\nmodel:\n  optimizer:\n    name: rmsprop\n")
    code, _, err = rnnlp("fit", "--config", config, "--output", rated / "model")
    assert code == 2 and f"{config}:4: model.optimizer.name is rmsprop" in err


def test_a_class_is_made_with_the_options():
    OPTIMIZERS["torch.optim.RMSprop"] = torch.optim.RMSprop
    weight, bias = torch.nn.Linear(2, 2).parameters()
    config = OptimizerConfig(
        name="torch.optim.RMSprop", options={"alpha": 0.5}, learning_rate=0.1, weight_decay=0.2
    )
    made = config.build([weight, bias])
    assert type(made) is torch.optim.RMSprop and made.defaults["alpha"] == 0.5
    assert [(group["lr"], group["weight_decay"]) for group in made.param_groups] == [
        (0.1, 0.2),
        (0.1, 0.0),
    ]
