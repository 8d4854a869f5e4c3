"""`rnnlp explain` prints what the cells compute, as the whole layer and torch.nn do."""

import re
from pathlib import Path

import pytest
import torch

from rnnlp.models import CELLS, Encoder

TOKENS = [[0.5, -1.0], [0.0, 0.0], [2.0, 1.0], [-0.25, 0.75]]
INPUT = " ".join(",".join(map(str, token)) for token in TOKENS)
LEAKY = Path(__file__).parents[2] / "plugins" / "leaky.py"


def encoder_of(cell, **settings):
    torch.manual_seed(7)
    return Encoder(input_size=2, cell=cell, hidden_size=3, bidirectional=False, **settings)


def printed(out):
    """Of each step the values by name."""
    steps = []
    for line in out.splitlines():
        if line.startswith("step "):
            steps.append({})
        elif steps and (row := re.match(r"  (\w)((?: +-?\d+\.\d{4})+)$", line)):
            steps[-1][row[1]] = [float(value) for value in row[2].split()]
    return steps


@pytest.mark.parametrize("cell", ["rnn", "rnn_relu", "lstm", "gru", "mingru", "ssru"])
def test_what_is_printed_is_what_the_layer_computes(rnnlp, cell):
    code, out, err = rnnlp("explain", cell, "--input", INPUT, "--hidden_size", 3, "--seed", 7)
    assert code == 0 and err == ""
    steps = printed(out)
    encoder = encoder_of(cell)
    with torch.no_grad():
        states, final = encoder(torch.tensor([TOKENS]), [4])
    torch.testing.assert_close(
        torch.tensor([step.get("y", step["h"]) for step in steps]), states[0], atol=1e-4, rtol=0
    )
    if final.cell is not None:
        torch.testing.assert_close(torch.tensor([steps[-1]["c"]]), final.cell[0], atol=1e-4, rtol=0)
    modules = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
    if cell in modules:
        module = modules[cell](2, 3, batch_first=True)
        module.load_state_dict(encoder.state_dict())
        torch.testing.assert_close(module(torch.tensor([TOKENS]))[0], states, atol=1e-6, rtol=0)
    named = [line.split(" = ")[0].strip() for line in CELLS[cell].equations.splitlines()]
    assert all(list(step) == named for step in steps)
    assert CELLS[cell].equations.splitlines()[0] in out
    assert f"{sum(parameter.numel() for parameter in encoder.parameters()):,}" in out


@pytest.mark.parametrize("cell", ["lstm", "gru", "mingru", "ssru"])
def test_the_printed_values_obey_the_printed_equations(rnnlp, cell):
    _, out, _ = rnnlp("explain", cell, "--input", INPUT, "--hidden_size", 3, "--seed", 7)
    before = {"h": torch.zeros(3), "c": torch.zeros(3)}
    checked = 0
    for step in printed(out):
        values = {name: torch.tensor(value) for name, value in step.items()}
        names = {**values, **{f"{name}_": value for name, value in before.items()}}
        for line in CELLS[cell].equations.splitlines():
            name, right = re.split(r"  +", line)[0].split(" = ")
            if "W_" not in right:
                functions = {"tanh": torch.tanh, "max": torch.clamp_min}
                expected = eval(right.replace("'", "_"), functions, names)
                torch.testing.assert_close(values[name], expected, atol=2e-4, rtol=0)
                checked += 1
        before = values
    assert checked == 4 * (2 if cell in ("lstm", "ssru") else 1)


def test_forget_bias(rnnlp):
    _, out, _ = rnnlp("explain", "lstm", "--input", "0 0", "--forget_bias", 3)
    (first, _) = printed(out)
    assert first["f"] == [0.9526, 0.9526]


def test_a_cell_of_ones_own(rnnlp):
    try:
        code, out, err = rnnlp("explain", "leaky", "--plugin", LEAKY)
    finally:
        CELLS.pop("leaky", None)
    assert code == 0 and len(printed(out)) == 3
    assert list(printed(out)[0]) == ["h"] and "does not name its gates" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gruu"], "did you mean 'gru'?"),
        (["gru", "--input", "1 a"], "must hold numbers"),
        (["gru", "--input", "1,2 3"], "tokens of one size"),
        (["gru", "--input", " "], "tokens of one size"),
        (["gru", "--hidden_size", "0"], "1 to 16 units"),
        (["rnn", "--forget_bias", "1"], "has no gate to start"),
    ],
)
def test_mistakes_are_one_line(rnnlp, arguments, said):
    code, out, err = rnnlp("explain", *arguments)
    assert code == 2 and out == ""
    assert said in err and err.count("\n") == 1
