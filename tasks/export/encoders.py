"""Encoders as ONNX nodes: windows, bags, and layers of every cell, one direction or two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from onnx import TensorProto

from rnnlp.data.errors import InputError
from rnnlp.models.encoders.bag import BagEncoder
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.encoders.windowed import WindowedEncoder
from rnnlp.models.recurrence.cell import Weights
from rnnlp.tasks.runtime.format import MICROSOFT

from .graph import ALL, ZERO_POINT, Graph, as_array, quantised

# Operators of ONNX for whole layers: name, in which order they have the blocks of rows that
# torch.nn has, and their attributes.
_OPERATORS: dict[str, tuple[str, list[int], dict[str, int]]] = {
    "rnn": ("RNN", [0], {}),
    "rnn_relu": ("RNN", [0], {}),
    "lstm": ("LSTM", [0, 3, 1, 2], {}),  # i f g o to i o f c
    "gru": ("GRU", [1, 0, 2], {"linear_before_reset": 1}),  # r z n to z r h
}
_ACTIVATIONS = {"rnn": "Tanh", "rnn_relu": "Relu"}
_LOOPS = ("mingru", "ssru")  # without an operator: a loop of ours
_OUTPUTS = {"ssru": "Relu"}  # what a layer gives of its states (`Cell.output`)


_BOOL = TensorProto.BOOL


class State(NamedTuple):
    """What recurrent layers carry on."""

    hidden: str  # [layers * directions, batch, hidden_size]
    cell: str  # the same of the LSTM's second state; "" for other cells


class Encoded(NamedTuple):
    """What an encoder gives."""

    states: str  # [batch, time, size]; any values at padding
    final: State  # of windows in two directions that of the last layer
    directions: int = 1


def encode(
    graph: Graph,
    module: Encoder | BagEncoder | WindowedEncoder,
    embedded: str,
    lengths: str = "",
    start: State | None = None,
    read: str = "",
) -> Encoded:
    """Reads `embedded` [batch, time, size].

    Args:
        graph: Where nodes are added.
        module: The encoder.
        embedded: What it reads.
        lengths: Of the sequences `[batch]`, at least 1; "" where there is no padding.
        start: What it goes on from; if not given, sequences begin here.
        read: How many tokens of each were read before, `[batch]`, where windows and bags go on; all
            of what is read then lies in one window.
    """
    if isinstance(module, WindowedEncoder):
        return _windows(graph, module, embedded, lengths, start, read)
    if isinstance(module, BagEncoder):
        mask = graph.inside(lengths, graph.size(embedded, 1), [2])
        states = graph.add("Mul", embedded, graph.add("Cast", mask, to=TensorProto.FLOAT))
        before = graph.add("Squeeze", start.hidden, graph.constant([0])) if start else ""
        mean = graph.mean(states, lengths, before, read)
        return Encoded(states, State(graph.add("Unsqueeze", mean, graph.constant([0])), ""))
    return _recur(graph, module, embedded, lengths, start)


def last(graph: Graph, encoded: Encoded) -> str:
    """The last states of the last layer, directions side by side: `[batch, size]`."""
    ends = graph.part(encoded.final.hidden, -encoded.directions, ALL, 0)
    return graph.reshape(graph.add("Transpose", ends, perm=[1, 0, 2]), 0, -1)


def _windows(
    graph: Graph,
    module: WindowedEncoder,
    embedded: str,
    lengths: str,
    start: State | None,
    read: str,
) -> Encoded:
    """Windows side by side; a window without tokens is read as one token and not used."""
    batch, time = graph.size(embedded, 0), graph.size(embedded, 1)
    window = graph.add("Min", time, graph.constant([module.window]))
    one = graph.constant([1])
    most = graph.add("Div", graph.add("Sub", graph.add("Add", time, window), one), window)
    missing = graph.add("Sub", graph.add("Mul", most, window), time)
    zeros = graph.constant([0])
    pads = graph.add("Concat", *[zeros] * 4, missing, zeros, axis=0)
    windows = graph.reshape(graph.add("Pad", embedded, pads), -1, window, graph.size(embedded, 2))
    starts = graph.add("Mul", graph.range(most), window)  # [most]
    left = graph.add("Sub", graph.add("Unsqueeze", lengths, graph.constant([1])), starts)
    held = graph.add("Min", graph.add("Max", left, graph.constant(1)), window)
    if start is not None:  # of the first window of each text, unless one begins just here
        read = graph.add("Mod", read, graph.constant(module.window))
        within = graph.add("Cast", graph.add("Cast", read, to=_BOOL), to=TensorProto.FLOAT)
        within = graph.add("Unsqueeze", within, graph.constant([1]))  # [batch, 1]
        more = graph.add("Sub", most, one)

        def first(state: str) -> str:  # [layers, batch, size] to [layers, batch * most, size]
            if not state:
                return state
            wide = graph.add("Unsqueeze", graph.add("Mul", state, within), graph.constant([2]))
            ends = graph.add("Concat", *[zeros] * 6, more, zeros, axis=0)
            return graph.reshape(graph.add("Pad", wide, ends), 0, graph.add("Mul", batch, most), -1)

        start = State(*map(first, start))
        column = graph.add("Unsqueeze", read, graph.constant([1]))
        pads = graph.add("Concat", *[zeros] * 3, more, axis=0)
        read = graph.reshape(graph.add("Pad", column, pads), -1)
    encoded = encode(graph, module.encoder, windows, graph.reshape(held, -1), start, read)
    states = graph.reshape(encoded.states, batch, -1, graph.size(encoded.states, 2))
    states = graph.add("Slice", states, zeros, time, one)
    # Forwards the last window of a text ends it, backwards the first.
    begin = graph.add("Mul", graph.range(batch), most)  # [batch]
    end = graph.add("Add", begin, graph.add("Div", graph.add("Sub", lengths, one), window))
    if encoded.directions == 1:
        final = [one and graph.add("Gather", one, end, axis=1) for one in encoded.final]
        return Encoded(states, State(*final))
    parts = [graph.part(encoded.final.hidden, at - 2, at - 1 or ALL, 0) for at in range(2)]
    ends = [graph.add("Gather", part, at, axis=1) for part, at in zip(parts, (end, begin))]  # noqa: B905
    return Encoded(states, State(graph.add("Concat", *ends, axis=0), ""), 2)


def _recur(
    graph: Graph, module: Encoder, embedded: str, lengths: str, start: State | None
) -> Encoded:
    two = module.directions
    states = graph.add("Transpose", embedded, perm=[1, 0, 2])  # [time, batch, size]
    width = module.input_size
    finals: list[tuple[str, str]] = []
    before = ""
    for layer in range(module.num_layers):
        begin = State("", "")
        if start is not None:
            at = (layer * two, (layer + 1) * two)
            whole = module.num_layers == 1
            begin = State(*(s if whole or not s else graph.part(s, *at, 0) for s in start))
        inputs = read = states
        if layer and module.look_back:
            weight = graph.weight(as_array(module.before_weight(layer)))
            read = graph.add("Add", inputs, graph.add("Mul", before, weight))
        states, final = _layer(graph, module, layer, read, lengths, begin)
        if module.look_back and layer + 1 < module.num_layers:
            before = _before(graph, states, begin.hidden, two)
        if module.cell in _OUTPUTS:
            states = graph.add(_OUTPUTS[module.cell], states)
        if len(module.norms):
            norm = module.norms[layer]
            scale, bias = (graph.weight(as_array(one)) for one in (norm.weight, norm.bias))  # type: ignore
            states = graph.add("LayerNormalization", states, scale, bias, axis=-1, epsilon=norm.eps)
        if module.residual and width == module.output_size:
            states = graph.add("Add", states, inputs)
        width = module.output_size
        finals.append(final)

    def joined(parts: Sequence[str]) -> str:
        return parts[0] if len(parts) == 1 or not parts[0] else graph.add("Concat", *parts, axis=0)

    final = State(*(joined(parts) for parts in zip(*finals, strict=True)))
    return Encoded(graph.add("Transpose", states, perm=[1, 0, 2]), final, two)


def _before(graph: Graph, states: str, begin: str, directions: int) -> str:
    """The states before each token `[time, batch, directions * hidden_size]`, as `states_before`.

    Args:
        graph: Where nodes are added.
        states: Those after each token; after the last of a sequence, backwards, those before it.
        begin: The state before the first token, of what reads forwards alone; "" for zeros.
        directions: 1 or 2.
    """
    if begin:
        return graph.add("Concat", begin, graph.part(states, 0, -1, 0), axis=0)
    both = [states] if directions == 1 else graph.split("Split", states, outputs=2, axis=2)
    moved = [graph.part(both[0], 0, -1, 0), *(graph.part(one, 1, ALL, 0) for one in both[1:])]
    pads = [[1, 0, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0]]
    parts = [
        graph.add("Pad", one, graph.constant(pad))
        for one, pad in zip(moved, pads[:directions], strict=True)
    ]
    return parts[0] if directions == 1 else graph.add("Concat", *parts, axis=2)


def _layer(
    graph: Graph, module: Encoder, layer: int, inputs: str, lengths: str, begin: State
) -> tuple[str, State]:
    """One layer over `inputs` [time, batch, size]: states [time, batch, directions * hidden]."""
    cell, size = module.cell, module.hidden_size
    weights = module.weights(layer)
    if cell in _LOOPS:
        return _scanned(graph, inputs, lengths, weights, begin.hidden, size)
    if cell not in _OPERATORS:
        able = ", ".join([*_OPERATORS, *_LOOPS])
        raise InputError(f"the cell {cell!r} cannot be exported: {able} can")
    operator, order, attributes = _OPERATORS[cell]
    rows = np.concatenate([np.arange(size) + gate * size for gate in order])
    of_input, of_hidden, *biases = (
        np.stack([as_array(one)[rows] for one in parts]) for parts in zip(*weights, strict=True)
    )
    bias = graph.weight(np.concatenate(biases, 1))  # [directions, 2 * gates * hidden_size]
    sequence_lens = graph.add("Cast", lengths, to=TensorProto.INT32) if lengths else ""
    named: dict[str, Any] = {
        "hidden_size": size,
        "direction": "bidirectional" if len(weights) == 2 else "forward",
        **attributes,
    }
    if cell in _ACTIVATIONS:
        named["activations"] = [_ACTIVATIONS[cell]] * len(weights)
    initial = [begin.hidden, begin.cell] if cell == "lstm" else [begin.hidden]
    if graph.int8 and cell == "lstm":
        input_bytes, *input_scale = _bytes(graph, of_input)
        hidden_bytes, *hidden_scale = _bytes(graph, of_hidden)
        outputs = graph.split(
            "DynamicQuantizeLSTM", inputs, input_bytes, hidden_bytes, bias, sequence_lens, *initial,
            "",  # no peepholes
            *input_scale, *hidden_scale, outputs=3, domain=MICROSOFT, **named,
        )  # fmt: skip
    else:
        outputs = graph.split(
            operator, inputs, _kept(graph, of_input), _kept(graph, of_hidden), bias, sequence_lens,
            *initial, outputs=3 if cell == "lstm" else 2, **named,
        )  # fmt: skip
    states, hidden, *cells = outputs  # [time, directions, batch, hidden_size], [directions, ...]
    if len(weights) == 1:
        states = graph.add("Squeeze", states, graph.constant([1]))
    else:
        states = graph.add("Transpose", states, perm=[0, 2, 1, 3])
        states = graph.reshape(states, 0, 0, 2 * size)
    return states, State(hidden, *(cells or [""]))


def _bytes(graph: Graph, weights: np.ndarray) -> tuple[str, str, str]:
    """Weights `[directions, out, in]` as bytes `[directions, in, out]`, their scales and zeros."""
    pairs = [quantised(one) for one in weights]
    turned = np.stack([q.T for q, _ in pairs])
    scale = np.stack([scale for _, scale in pairs])
    zeros = np.full(scale.shape, ZERO_POINT, np.uint8)
    return graph.weight(turned), graph.weight(scale), graph.weight(zeros)


def _kept(graph: Graph, weights: np.ndarray) -> str:
    """Weights `[directions, out, in]`; bytes are made numbers once, when the file is opened, since
    ONNX Runtime has products in 8 bits for the LSTM alone and a loop of ours took three times as
    long for one text.
    """
    if not graph.int8:
        return graph.weight(weights)
    q, scale = (np.stack(parts) for parts in zip(*map(quantised, weights), strict=True))
    numbers = graph.add("Cast", graph.weight(q), to=TensorProto.FLOAT)
    numbers = graph.add("Sub", numbers, graph.constant(ZERO_POINT, np.float32))
    return graph.add("Mul", numbers, graph.weight(scale[:, :, None]))


def _mingru(body: Graph, gates: str, before: str) -> str:
    """The gates of a token (their product with it) and the state before, to the state after."""
    z, n = body.split("Split", gates, outputs=2, axis=1)
    z = body.add("Sigmoid", z)
    return body.add("Add", n, body.add("Mul", z, body.add("Sub", before, n)))


def _scanned(
    graph: Graph,
    inputs: str,
    lengths: str,
    weights: Sequence[Weights],
    begin: str,
    size: int,
) -> tuple[str, State]:
    """A layer of minGRU or SSRU as a loop, all directions in one; padding keeps the state."""
    two = len(weights)
    gates = [graph.product(inputs, one.input, one.input_bias) for one in weights]
    mask = ""
    if lengths:
        mask = graph.inside(lengths, graph.size(inputs, 0), [2])
        mask = graph.add("Transpose", mask, perm=[1, 0, 2])  # [time, batch, 1]
    if begin:
        starts = [begin] if two == 1 else graph.split("Split", begin, outputs=two, axis=0)
        starts = [graph.add("Squeeze", one, graph.constant([0])) for one in starts]
    else:
        shape = graph.add("Concat", graph.size(inputs, 1), graph.constant([size]), axis=0)
        starts = [graph.add("Expand", graph.constant(0.0, np.float32), shape)] * two

    # Texts, or their windows: of a size with the name of another one, ONNX Runtime takes both to be
    # the same, and the memory of one for the other.
    body = Graph(int8=graph.int8, outer=graph)
    names = [body.name("state") for _ in range(two)]
    here = [body.name("gates") for _ in range(two)]
    masks = [body.name("inside") for _ in range(two)] if mask else []
    for name in names:
        body.input(name, "float", ["sequences", size])
    for name in here:
        body.input(name, "float", ["sequences", weights[0].input.shape[0]])
    for name in masks:
        body.input(name, "bool", ["sequences", 1])
    after = []
    for number in range(two):
        state = _mingru(body, here[number], names[number])
        if masks:
            state = body.add("Where", masks[number], state, names[number])
        after.append(state)
    for _ in range(2):  # as states, and collected
        for state in after:
            body.output(body.name("after"), state, ["sequences", size])
    directions = list(range(two))
    finals = graph.scan(
        body, starts, [*gates, *([mask] * two if mask else [])],
        [*directions, *(directions if mask else []), *directions],
    )  # fmt: skip
    states = finals[two:]
    hidden = [graph.add("Unsqueeze", one, graph.constant([0])) for one in finals[:two]]
    if two == 1:
        return states[0], State(hidden[0], "")
    joined = graph.add("Concat", *states, axis=2)
    return joined, State(graph.add("Concat", *hidden, axis=0), "")
