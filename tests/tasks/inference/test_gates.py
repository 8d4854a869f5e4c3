"""`pipeline.gates` and `rnnlp explain MODEL TEXT`: what the model's own pass computes, shown."""

from pathlib import Path

import numpy as np
import pytest

import rnnlp as package
from rnnlp.data.errors import InputError
from rnnlp.models import BagEncoder
from rnnlp.tasks.base.components import EmbeddingConfig, EncoderConfig

from ..make_golden_folder import fresh

FOLDERS = Path(__file__).parents[2] / "folders"
TEXT = "Maria visited 北京, and Oslo."


@pytest.mark.parametrize("task", ["tagging", "classification", "joint", "translation"])
def test_the_states_are_those_of_the_pass_that_answers(task):
    pipeline = package.load(FOLDERS / f"{task}-v1")
    passes = []
    pipeline.network.encoder.register_forward_hook(lambda *call: passes.append(call[-1]))
    pipeline(TEXT)
    states = passes[0].states[0]
    directions = ("forward", "backward")[: pipeline.network.encoder.directions]
    both = [pipeline.gates(TEXT, direction=direction) for direction in directions]
    shown = np.concatenate([gates.values["h"] for gates in both], 1)
    np.testing.assert_allclose(shown, states.numpy(), atol=1e-6)
    assert all(len(gates.tokens) == len(states) for gates in both)
    if task != "translation":  # several sub-words may share a character
        assert "".join(both[0].tokens) == TEXT.replace(" ", "")


def test_a_generators_prompt_begins_with_the_start_symbol():
    pipeline = package.load(FOLDERS / "generation-v1")
    gates = pipeline.gates("Maria")
    assert gates.tokens[0] == "<bos>" and len(gates.tokens) == len(gates.values["h"]) > 1


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_state_follows_from_the_gates(cell):
    tagger = fresh(EmbeddingConfig(size=6), EncoderConfig(cell=cell, hidden_size=5))
    passes = []
    tagger.network.encoder.register_forward_hook(lambda *call: passes.append(call[-1]))
    tagger(TEXT)
    for side, direction in enumerate(("forward", "backward")):
        gates = tagger.gates(TEXT, direction=direction)
        h = c = np.zeros(5)
        times = range(len(gates.tokens))
        for t in reversed(times) if side else times:
            at = {name: value[t] for name, value in gates.values.items()}
            if cell == "lstm":
                c = at["f"] * c + at["i"] * at["g"]
                h = at["o"] * np.tanh(c)
            else:
                h = (1 - at["z"]) * at["n"] + at["z"] * h
            wanted = passes[0].states[0, t, 5 * side : 5 * side + 5].numpy()
            np.testing.assert_allclose(h, wanted, atol=1e-5)


def test_means_and_units():
    gates = fresh(EmbeddingConfig(size=6), EncoderConfig(hidden_size=4)).gates(TEXT)
    assert gates.names == ["i", "f", "o"]
    means = gates.per_token()
    assert list(means) == ["i", "f", "|g|", "o", "|c|", "|h|"]
    np.testing.assert_allclose(means["f"], gates.values["f"].mean(1))
    np.testing.assert_allclose(means["|c|"], np.abs(gates.values["c"]).mean(1))
    np.testing.assert_array_equal(gates.per_token(2)["c"], gates.values["c"][:, 1])
    for unit in (0, 5, -1):
        with pytest.raises(InputError, match="units 1 to 4"):
            gates.per_token(unit)
    lines = str(gates).splitlines()
    assert lines[0] == "LSTM, layer 1, forward, mean of 4 units" and lines[2].startswith("token")
    words = [line.split()[0] for line in lines[3:]]
    assert words == gates.tokens
    numbers = [[float(number) for number in line.split()[1:]] for line in lines[3:]]
    np.testing.assert_allclose(np.array(numbers), np.stack([*means.values()], 1), atol=1e-4)


def test_from_the_shell(rnnlp, tmp_path):
    model = FOLDERS / "tagging-v1"
    tagger = package.load(model)
    code, out, err = rnnlp("explain", model, TEXT)
    assert (code, out, err) == (0, tagger.gates(TEXT).table(), "")
    svg = tmp_path / "gates.svg"
    options = ("--unit", 3, "--direction", "backward", "--layer", 1)
    code, out, err = rnnlp("explain", model, TEXT, *options, "--output", svg)
    assert (code, err) == (0, "")
    assert out == tagger.gates(TEXT, layer=1, direction="backward").table(3)
    assert all(token in svg.read_text(encoding="utf-8") for token in tagger.gates(TEXT).tokens)
    code, _, err = rnnlp("explain", model, "$x$ Oslo", "--output", tmp_path / "gates.PNG")
    assert (code, err) == (0, "")
    assert (tmp_path / "gates.PNG").read_bytes().startswith(b"\x89PNG")
    assert len(list(tmp_path.iterdir())) == 2


def test_a_text_of_a_few_hundred_tokens_is_drawn(rnnlp, tmp_path):
    picture = tmp_path / "long.png"
    code, out, _ = rnnlp("explain", FOLDERS / "tagging-v1", "Oslo " * 600, "--output", picture)
    assert code == 0 and out.count("\n") == 603 and picture.stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["MODEL"], "give the text"),
        (["MODEL", " "], "no token"),
        (["MODEL", "a", "--layer", "3"], "no layer 3: the model has layers 1 to 2"),
        (["MODEL", "a", "--unit", "11"], "units 1 to 10"),
        (["MODEL", "a", "--direction", "up"], "invalid choice: 'up'"),
        (["MODEL", "a", "--output", "gates.txt"], ".png or .svg file"),
        (["MODEL", "a", "--output", "no/gates.svg"], "in a folder there is"),
        (["MODEL", "a", "--hidden_size", "3"], "--hidden_size is for a cell"),
        (["lstm", "--unit", "1"], "--unit is for a model"),
        (["nowhere/model", "a"], "nowhere/model"),
    ],
)
def test_mistakes_are_one_line(rnnlp, arguments, said, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    model = str(FOLDERS / "tagging-v1")
    code, out, err = rnnlp("explain", *(model if a == "MODEL" else a for a in arguments))
    assert code == 2 and out == ""
    assert said in err and err.count("\n") == 1


def test_one_direction_has_no_other():
    encoder = EncoderConfig(hidden_size=4, bidirectional=False)
    with pytest.raises(InputError, match="no direction 'backward': the model reads forward"):
        fresh(EmbeddingConfig(size=6), encoder).gates(TEXT, direction="backward")


def test_exported_folders_say_what_they_lack(tmp_path):
    fresh(EmbeddingConfig(size=6)).save(tmp_path / "model")
    package.export(tmp_path / "model", output=tmp_path / "exported")
    with pytest.raises(InputError, match="take the model folder that it was exported from"):
        package.load(tmp_path / "exported").gates(TEXT)


@pytest.mark.parametrize("option", ["recurrent", "linear"])
def test_models_without_recurrence_say_so(option):
    pipeline = package.load(FOLDERS / "classification-v1")
    network = pipeline.network
    if option == "linear":
        del network.encoder
    else:
        network.encoder = BagEncoder(input_size=network.encoder.input_size)
    with pytest.raises(InputError, match="no recurrent layers"):
        pipeline.gates(TEXT)
