"""The numbers worked by hand on the course's pages: against torch.nn, and against scalars alone.

Each page sets weights for two units and works three steps. Here the equations stand once more, a
number at a time without tensors, so that a page, this file and torch.nn have to agree; gradients
are differences of these.
"""

import math
import re
from itertools import pairwise

import pytest
import torch

from rnnlp.models import Encoder

from .test_code_blocks import pages

WORKED = {
    "rnn": "2-simple-rnn.md",
    "lstm": "4-lstm.md",
    "gru": "5-gru.md",
    "mingru": "8-what-came-after.md",
}
INPUTS = (1.0, 0.0, 0.0)


def logistic(a):
    return 1 / (1 + math.exp(-a))


def states_of(cell, weights):
    """The two units' h after each step; `weights`: rows of W_i, W_h, b_i, b_h by their names."""
    w_i, w_h = weights["W_i"], weights["W_h"]
    b_i, b_h = weights["b_i"], weights["b_h"]
    h, c, states = [0.0, 0.0], [0.0, 0.0], []
    for x in INPUTS:

        def sums(block, h=h, x=x):
            """Of a block of rows: what the token adds, and what the old state adds."""
            rows = (2 * block, 2 * block + 1)
            of_state = [
                b_h[row] + sum(w * v for w, v in zip(w_h[row], h, strict=True)) for row in rows
            ]
            return [
                (w_i[row][0] * x + b_i[row], old) for row, old in zip(rows, of_state, strict=True)
            ]

        if cell == "rnn":
            h = [math.tanh(new + old) for new, old in sums(0)]
        elif cell == "lstm":
            i, f, o = ([logistic(new + old) for new, old in sums(block)] for block in (0, 1, 3))
            g = [math.tanh(new + old) for new, old in sums(2)]
            c = [f[u] * c[u] + i[u] * g[u] for u in (0, 1)]
            h = [o[u] * math.tanh(c[u]) for u in (0, 1)]
        elif cell == "gru":
            r, z = ([logistic(new + old) for new, old in sums(block)] for block in (0, 1))
            n = [math.tanh(new + r[u] * old) for u, (new, old) in enumerate(sums(2))]
            h = [(1 - z[u]) * n[u] + z[u] * h[u] for u in (0, 1)]
        else:
            z = [logistic(new) for new, _ in sums(0)]
            h = [(1 - z[u]) * n + z[u] * h[u] for u, (n, _) in enumerate(sums(1))]
        states.append(h)
    return states


@pytest.fixture(scope="module", params=WORKED)
def worked(request):
    """A cell, the weights that its page sets, and all that the page prints."""
    names, page = {"__name__": "page"}, pages.DOCS / "en" / "course" / WORKED[request.param]
    actual = pages.blocks(page.read_text(encoding="utf-8"))
    for block, shown in pairwise(actual):
        if block.language == "python":
            pages.run_python(block, names, source=str(page))
        if shown.code.startswith("step 1, x = 1"):
            break
    rows = len(names["W_i"])
    weights = {
        "W_i": names["W_i"],
        "W_h": names.get("W_h", torch.zeros(rows, 2)),
        "b_i": names["b_i" if request.param == "gru" else "b"],
        "b_h": names["b_h"] if request.param == "gru" else torch.zeros(rows),
    }
    printed = "".join(block.code for block in actual if block.language == "output")
    return request.param, {name: one.double().tolist() for name, one in weights.items()}, printed


def last_by(cell, weights, name, row, column):
    """How the sum of the last state moves with one weight, by central differences."""
    ends = []
    for move in (1e-5, -1e-5):
        moved = {one: [*values] for one, values in weights.items()}
        if column is None:
            moved[name][row] += move
        else:
            moved[name][row] = [*moved[name][row]]
            moved[name][row][column] += move
        ends.append(sum(states_of(cell, moved)[-1]))
    return (ends[0] - ends[1]) / 2e-5


def torch_nn(cell, weights):
    """The same network of torch.nn; a minGRU is a GRU that does not read its state.

    Its candidate has no tanh, so torch's gets what tanh turns into ours at the inputs 0 and 1.
    """
    if cell == "mingru":
        w_i, b = [row[0] for row in weights["W_i"]], weights["b_i"]
        at_0 = [math.atanh(b[row]) for row in (2, 3)]
        at_1 = [math.atanh(w_i[row] + b[row]) for row in (2, 3)]
        of_n = [[one - zero] for one, zero in zip(at_1, at_0, strict=True)]
        weights = {
            "W_i": [[0.0], [0.0], *weights["W_i"][:2], *of_n],
            "W_h": [[0.0, 0.0]] * 6,
            "b_i": [0.0, 0.0, *b[:2], *at_0],
            "b_h": [0.0] * 6,
        }
    kind = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM}.get(cell, torch.nn.GRU)
    return with_weights(kind(1, 2, batch_first=True).double(), weights)


def with_weights(module, weights):
    with torch.no_grad():
        for parameter, values in zip(module.parameters(), weights.values(), strict=True):
            parameter.copy_(torch.tensor(values))
    return module


def ours(cell, weights):
    encoder = Encoder(input_size=1, cell=cell, hidden_size=2, bidirectional=False).double()
    if cell == "mingru":
        weights = {name: weights[name] for name in ("W_i", "b_i")}
    return with_weights(encoder, weights)


def states_by(module):
    inputs = torch.tensor(INPUTS, dtype=torch.double).reshape(1, 3, 1)
    return (module(inputs, [3]).states if isinstance(module, Encoder) else module(inputs)[0])[0]


def test_states_are_those_of_torch_nn_and_of_the_page(worked):
    cell, weights, printed = worked
    states = torch.tensor(states_of(cell, weights), dtype=torch.double)
    for module in (torch_nn(cell, weights), ours(cell, weights)):
        torch.testing.assert_close(states_by(module), states, rtol=0, atol=1e-6)
    shown = re.findall(r"h = .* = (-?\d\.\d{4})$", printed, re.MULTILINE)[:6]
    assert [float(number) for number in shown] == pytest.approx(states.flatten().tolist(), abs=6e-5)


def test_gradients_are_those_of_torch_nn_and_of_the_page(worked):
    cell, weights, printed = worked
    networks = [ours(cell, weights)]
    if cell != "mingru":
        networks.append(torch_nn(cell, weights))
    names = ("W_i", "b_i") if cell == "mingru" else tuple(weights)
    for module in networks:
        states_by(module)[-1].sum().backward()
        for name, parameter in zip(names, module.parameters(), strict=True):
            for at in torch.cartesian_prod(*map(torch.arange, parameter.shape)).tolist():
                row, column = at if isinstance(at, list) else (at, None)
                gradient = parameter.grad[row] if column is None else parameter.grad[row, column]
                expected = last_by(cell, weights, name, row, column)
                assert gradient.item() == pytest.approx(expected, abs=1e-6), (name, at)
    if cell == "mingru":  # the gates of the GRU that is the same learn the same
        same = torch_nn(cell, weights)
        states_by(same)[-1].sum().backward()
        gates = networks[0].weight_ih_l0.grad[:2], same.weight_ih_l0.grad[2:4]
        torch.testing.assert_close(*gates, rtol=0, atol=1e-6)
    first = 2 if cell in ("lstm", "gru") else 0  # the rows of the gate that keeps
    shown = re.search(r"gradient of the .*biases: \['(.*)', '(.*)'\]", printed)
    expected = [last_by(cell, weights, "b_i", row, None) for row in (first, first + 1)]
    assert [float(number) for number in shown.groups()] == pytest.approx(expected, abs=6e-5)
