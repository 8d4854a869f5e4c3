"""The parts of networks as ONNX nodes: embeddings, recurrent layers, poolings, attention.

Each function stands for the `forward` of one module of `models/` in evaluation, and takes what it
needs from the module itself. Values are named; their shapes stand in comments.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from onnx import TensorProto
from torch import nn

from rnnlp.data.errors import InputError
from rnnlp.models.classification.pooling import WAYS, Pooling
from rnnlp.models.embeddings.characters import CharacterCNN, CharacterRNN
from rnnlp.models.embeddings.token import Embedding
from rnnlp.models.encoders.bag import BagEncoder
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.encoders.windowed import WindowedEncoder
from rnnlp.models.layers.ngrams import BUCKETS, FACTOR, PRIME, SCRAMBLE, NGrams
from rnnlp.models.recurrence.cell import Weights
from rnnlp.models.translation.attention import Attention
from rnnlp.tasks.runtime.format import MICROSOFT

from .graph import ZERO_POINT, Graph, as_array, quantised

# Operators of ONNX for whole layers: name, in which order they have the blocks of rows that
# torch.nn has, and their attributes.
_OPERATORS: dict[str, tuple[str, list[int], dict[str, int]]] = {
    "rnn": ("RNN", [0], {}),
    "rnn_relu": ("RNN", [0], {}),
    "lstm": ("LSTM", [0, 3, 1, 2], {}),  # i f g o to i o f c
    "gru": ("GRU", [1, 0, 2], {"linear_before_reset": 1}),  # r z n to z r h
}
_ACTIVATIONS = {"rnn": "Tanh", "rnn_relu": "Relu"}
_FLOAT = TensorProto.FLOAT
_ALL = np.iinfo(np.int64).max  # the end of a dimension


class State(NamedTuple):
    """What recurrent layers carry on."""

    hidden: str  # [layers * directions, batch, hidden_size]
    cell: str  # the same of the LSTM's second state; "" for other cells


class Encoded(NamedTuple):
    """What an encoder gives."""

    states: str  # [batch, time, size]; any values at padding
    final: State  # of windows that of the last layer
    directions: int = 1


def embed(
    graph: Graph, module: Embedding, tokens: str, characters: str = "", token_features: str = ""
) -> str:
    """Ids `[batch, time]`, `[batch, time, width]`, `[batch, time, features]` to vectors."""
    vectors = [graph.lookup(module.words, tokens)]
    if module.spelling is not None:
        vectors.append(_spell(graph, module.spelling, characters))
    for number, table in enumerate(module.token_features):
        ids = graph.add("Gather", token_features, graph.constant(number), axis=2)
        vectors.append(graph.lookup(table, ids))  # type: ignore[arg-type]
    return vectors[0] if len(vectors) == 1 else graph.add("Concat", *vectors, axis=2)


def count_ngrams(graph: Graph, module: NGrams, tokens: str, lengths: str) -> str:
    """Tokens `[batch, time]` to the scores of their n-grams, `[batch, classes]`.

    In int8 the table has one scale a class, since a row is only a few numbers.
    """
    one, prime = graph.constant(1), graph.constant(PRIME)
    steps = graph.range(graph.size(tokens, 1))
    inside = graph.add("Less", steps, graph.add("Unsqueeze", lengths, graph.constant([1])))
    inside = graph.add("Cast", inside, to=TensorProto.INT32)  # [batch, time]
    ids = graph.add("Add", tokens, one)
    nothing = graph.add("Mul", graph.part(ids, 0, 1, 1), graph.constant(0))  # [batch, 1]
    value, hashes = ids, []
    for length in range(module.order):
        if length:
            before = graph.add("Concat", nothing, graph.part(value, 0, -1, 1), axis=1)
            before = graph.add("Mul", before, graph.constant(FACTOR))
            value = graph.add("Mod", graph.add("Add", before, ids), prime)
        hashed = graph.add("Mod", graph.add("Mul", value, graph.constant(SCRAMBLE)), prime)
        hashed = graph.add("Mod", hashed, graph.constant(BUCKETS))
        rows = graph.add("Gather", graph.weight(module.rows.numpy(), "ngrams"), hashed)
        whole = graph.add("Greater", steps, graph.constant(length - 1))  # begin in the text
        whole = graph.add("Cast", whole, to=TensorProto.INT32)
        hashes.append(graph.add("Mul", graph.add("Mul", rows, inside), whole))
    rows = graph.add("Concat", *hashes, axis=1)  # [batch, order * time]
    table = as_array(module.table.weight).copy()
    table[0] = 0.0
    if not graph.int8:
        vectors = graph.add("Gather", graph.weight(table), rows)
        return graph.add("ReduceSum", vectors, graph.constant([1]), keepdims=0)
    q, scale = quantised(table.T)
    vectors = graph.add("Cast", graph.add("Gather", graph.weight(q.T.copy()), rows), to=_FLOAT)
    vectors = graph.add("Sub", vectors, graph.constant(ZERO_POINT, np.float32))
    total = graph.add("ReduceSum", vectors, graph.constant([1]), keepdims=0)
    return graph.add("Mul", total, graph.weight(scale))


def _spell(graph: Graph, module: CharacterCNN | CharacterRNN, characters: str) -> str:
    """Characters `[batch, time, width]` to vectors of words `[batch, time, size]`."""
    width = graph.size(characters, 2)
    words = graph.reshape(characters, -1, width)  # [words, width]
    inside = graph.add("Cast", words, to=TensorProto.BOOL)
    lengths = graph.add(
        "ReduceSum", graph.add("Cast", inside, to=TensorProto.INT64), graph.constant([1]),
        keepdims=1,
    )  # [words, 1]  # fmt: skip
    # Small, and convolutions in int8 are slower than in float: these tables stay as they are.
    vectors = graph.lookup(module.embedding, words, exact=True)  # [words, width, character_size]
    spell = _convolve if isinstance(module, CharacterCNN) else _read_letters
    spelled = spell(graph, module, vectors, lengths, width)  # type: ignore[arg-type]
    some = graph.add("Greater", lengths, graph.constant(0))
    spelled = graph.add("Mul", spelled, graph.add("Cast", some, to=TensorProto.FLOAT))
    return graph.reshape(spelled, graph.size(characters, 0), graph.size(characters, 1), -1)


def _convolve(graph: Graph, module: CharacterCNN, vectors: str, lengths: str, width: str) -> str:
    """The strongest place of each filter, `[words, filters]`.

    A filter's places begin where it sees the first character alone, and end where it sees the last
    one alone; at padding it sees zeros, and does not count.
    """
    channels = graph.add("Transpose", vectors, perm=[0, 2, 1])  # [words, character_size, width]
    strongest = []
    for reach, layer in zip(module.widths, module.filters, strict=True):
        assert isinstance(layer, nn.Linear)
        rows = as_array(layer.weight).reshape(layer.out_features, reach, -1)
        kernel = rows.transpose(0, 2, 1)  # [filters, character_size, reach]
        strength = graph.add(
            "Conv", channels, graph.weight(kernel), graph.weight(as_array(layer.bias)),
            pads=[reach - 1, reach - 1],
        )  # [words, filters, width + reach - 1]  # fmt: skip
        more = graph.constant([reach - 1])
        places = graph.range(graph.add("Add", width, more))
        counts = graph.add("Less", places, graph.add("Add", lengths, more))  # [words, places]
        mask = graph.add("Cast", counts, to=TensorProto.FLOAT)
        strength = graph.add("Relu", strength)
        strength = graph.add("Mul", strength, graph.add("Unsqueeze", mask, graph.constant([1])))
        strongest.append(graph.add("ReduceMax", strength, axes=[2], keepdims=0))
    return graph.add("Concat", *strongest, axis=1)


def _read_letters(
    graph: Graph, module: CharacterRNN, vectors: str, lengths: str, width: str
) -> str:
    """The last states of both directions, `[words, 2 * hidden_size]`."""
    safe = graph.add("Max", graph.reshape(lengths, -1), graph.constant([1]))
    return last(graph, encode(graph, module.encoder, vectors, safe))


def encode(
    graph: Graph,
    module: Encoder | BagEncoder | WindowedEncoder,
    embedded: str,
    lengths: str = "",
    start: State | None = None,
) -> Encoded:
    """Reads `embedded` [batch, time, size].

    Args:
        graph: Where nodes are added.
        module: The encoder.
        embedded: What it reads.
        lengths: Of the sequences `[batch]`, at least 1; "" where there is no padding.
        start: What recurrent layers begin from; zeros if not given.
    """
    if isinstance(module, WindowedEncoder):
        return _windows(graph, module, embedded, lengths)
    if isinstance(module, BagEncoder):
        mask = inside(graph, lengths, graph.size(embedded, 1), [2])
        states = graph.add("Mul", embedded, graph.add("Cast", mask, to=TensorProto.FLOAT))
        mean = _mean(graph, states, lengths)
        return Encoded(states, State(graph.add("Unsqueeze", mean, graph.constant([0])), ""))
    return _recur(graph, module, embedded, lengths, start)


def inside(graph: Graph, lengths: str, time: str, axes: Sequence[int] = ()) -> str:
    """Where `[batch, time]` there is no padding, with dimensions of 1 at `axes`."""
    ends = graph.add("Unsqueeze", lengths, graph.constant([1]))
    mask = graph.add("Less", graph.range(time), ends)
    return graph.add("Unsqueeze", mask, graph.constant(list(axes))) if axes else mask


def _windows(graph: Graph, module: WindowedEncoder, embedded: str, lengths: str) -> Encoded:
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
    encoded = encode(graph, module.encoder, windows, graph.reshape(held, -1))
    states = graph.reshape(encoded.states, batch, -1, graph.size(encoded.states, 2))
    states = graph.add("Slice", states, zeros, time, one)
    # Forwards the last window of a text ends it, backwards the first.
    begin = graph.add("Mul", graph.range(batch), most)  # [batch]
    end = graph.add("Add", begin, graph.add("Div", graph.add("Sub", lengths, one), window))
    two = encoded.directions
    parts = [
        graph.part(encoded.final.hidden, at - two, at - two + 1 or _ALL, 0) for at in range(two)
    ]
    ends = [graph.add("Gather", part, at, axis=1) for part, at in zip(parts, (end, begin))]  # noqa: B905
    hidden = ends[0] if two == 1 else graph.add("Concat", *ends, axis=0)
    return Encoded(states, State(hidden, ""), two)


def _recur(
    graph: Graph, module: Encoder, embedded: str, lengths: str, start: State | None
) -> Encoded:
    two = module.directions
    states = graph.add("Transpose", embedded, perm=[1, 0, 2])  # [time, batch, size]
    width = module.input_size
    finals: list[tuple[str, str]] = []
    for layer in range(module.num_layers):
        begin = State("", "")
        if start is not None:
            at = (layer * two, (layer + 1) * two)
            whole = module.num_layers == 1
            begin = State(*(s if whole or not s else graph.part(s, *at, 0) for s in start))
        inputs = states
        states, final = _layer(graph, module, layer, inputs, lengths, begin)
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


def _layer(
    graph: Graph, module: Encoder, layer: int, inputs: str, lengths: str, begin: State
) -> tuple[str, State]:
    """One layer over `inputs` [time, batch, size]: states [time, batch, directions * hidden]."""
    cell, size = module.cell, module.hidden_size
    weights = module.weights(layer)
    if cell not in _OPERATORS and cell not in _STEPS:
        able = ", ".join(dict.fromkeys([*_OPERATORS, *_STEPS]))
        raise InputError(f"the cell {cell!r} cannot be exported: {able} can")
    if cell in _STEPS and (graph.int8 or cell not in _OPERATORS):
        return _scanned(graph, cell, inputs, lengths, weights, begin.hidden, size)
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
    if graph.int8:
        input_bytes, *input_scale = _bytes(graph, of_input)
        hidden_bytes, *hidden_scale = _bytes(graph, of_hidden)
        outputs = graph.split(
            "DynamicQuantizeLSTM", inputs, input_bytes, hidden_bytes, bias, sequence_lens, *initial,
            "",  # no peepholes
            *input_scale, *hidden_scale, outputs=3, domain=MICROSOFT, **named,
        )  # fmt: skip
    else:
        outputs = graph.split(
            operator, inputs, graph.weight(of_input), graph.weight(of_hidden), bias, sequence_lens,
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


# Cells that run in a loop of ours: the gates of a token (their product with it), the state before,
# and the weights, to the state after. In float only those that have no operator.
_Step = Callable[[Graph, str, str, Weights], str]


def _rnn(activation: str, body: Graph, gates: str, before: str, weights: Weights) -> str:
    total = body.add("Add", gates, body.product(before, weights.hidden, weights.hidden_bias))
    return body.add(activation, total)


def _gru(body: Graph, gates: str, before: str, weights: Weights) -> str:
    of_state = body.product(before, weights.hidden, weights.hidden_bias)
    i_r, i_z, i_n = body.split("Split", gates, outputs=3, axis=1)
    h_r, h_z, h_n = body.split("Split", of_state, outputs=3, axis=1)
    r = body.add("Sigmoid", body.add("Add", i_r, h_r))
    z = body.add("Sigmoid", body.add("Add", i_z, h_z))
    n = body.add("Tanh", body.add("Add", i_n, body.add("Mul", r, h_n)))
    return body.add("Add", n, body.add("Mul", z, body.add("Sub", before, n)))


def _mingru(body: Graph, gates: str, before: str, weights: Weights) -> str:
    z, n = body.split("Split", gates, outputs=2, axis=1)
    z = body.add("Sigmoid", z)
    return body.add("Add", n, body.add("Mul", z, body.add("Sub", before, n)))


_STEPS: dict[str, _Step] = {
    "rnn": lambda *arguments: _rnn("Tanh", *arguments),
    "rnn_relu": lambda *arguments: _rnn("Relu", *arguments),
    "gru": _gru,
    "mingru": _mingru,
}


def _scanned(
    graph: Graph,
    cell: str,
    inputs: str,
    lengths: str,
    weights: Sequence[Weights],
    begin: str,
    size: int,
) -> tuple[str, State]:
    """A layer as a loop, all directions in one; padding keeps the state."""
    two = len(weights)
    gates = [graph.product(inputs, one.input, one.input_bias) for one in weights]
    mask = ""
    if lengths:
        mask = inside(graph, lengths, graph.size(inputs, 0), [2])
        mask = graph.add("Transpose", mask, perm=[1, 0, 2])  # [time, batch, 1]
    if begin:
        starts = [begin] if two == 1 else graph.split("Split", begin, outputs=two, axis=0)
        starts = [graph.add("Squeeze", one, graph.constant([0])) for one in starts]
    else:
        shape = graph.add("Concat", graph.size(inputs, 1), graph.constant([size]), axis=0)
        starts = [graph.add("Expand", graph.constant(0.0, np.float32), shape)] * two

    body = Graph(int8=graph.int8, outer=graph)
    names = [body.name("state") for _ in range(two)]
    here = [body.name("gates") for _ in range(two)]
    masks = [body.name("inside") for _ in range(two)] if mask else []
    for name in names:
        body.input(name, "float", ["batch", size])
    for name in here:
        body.input(name, "float", ["batch", weights[0].input.shape[0]])
    for name in masks:
        body.input(name, "bool", ["batch", 1])
    after = []
    for number, weight in enumerate(weights):
        state = _STEPS[cell](body, here[number], names[number], weight)
        if masks:
            state = body.add("Where", masks[number], state, names[number])
        after.append(state)
    for _ in range(2):  # as states, and collected
        for state in after:
            body.output(body.name("after"), state, ["batch", size])
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


def _mean(graph: Graph, states: str, lengths: str) -> str:
    """Over time, of states that are zeros at padding."""
    total = graph.add("ReduceSum", states, graph.constant([1]), keepdims=0)
    counts = graph.add("Unsqueeze", lengths, graph.constant([1]))
    return graph.add("Div", total, graph.add("Cast", counts, to=TensorProto.FLOAT))


def last(graph: Graph, encoded: Encoded) -> str:
    """The last states of the last layer, directions side by side: `[batch, size]`."""
    ends = graph.part(encoded.final.hidden, -encoded.directions, _ALL, 0)
    return graph.reshape(graph.add("Transpose", ends, perm=[1, 0, 2]), 0, -1)


def pool(graph: Graph, module: Pooling, encoded: Encoded, lengths: str) -> tuple[str, str]:
    """The pooled vector `[batch, size]`, and attention `[batch, time]` or ""."""
    if len(module.own):
        raise InputError(f"a pooling of one's own cannot be exported: {', '.join(WAYS)} can")
    states = encoded.states
    mask = inside(graph, lengths, graph.size(states, 1), [2])  # [batch, time, 1]
    never = graph.constant(-math.inf, np.float32)
    vectors, weights = [], ""
    for way in module.ways:
        if way == "last":
            vectors.append(last(graph, encoded))
        elif way == "max":
            masked = graph.add("Where", mask, states, never)
            vectors.append(graph.add("ReduceMax", masked, axes=[1], keepdims=0))
        elif way == "mean":
            masked = graph.add("Where", mask, states, graph.constant(0.0, np.float32))
            vectors.append(_mean(graph, masked, lengths))
        elif module.attention is not None:
            hidden, _, weigh = module.attention
            scores = graph.add("Tanh", graph.linear(states, hidden))  # type: ignore[arg-type]
            scores = graph.linear(scores, weigh, exact=True)  # type: ignore[arg-type]
            shares = graph.add("Softmax", graph.add("Where", mask, scores, never), axis=1)
            zeros = graph.add("Where", mask, states, graph.constant(0.0, np.float32))
            weighted = graph.add("Mul", zeros, shares)
            vectors.append(graph.add("ReduceSum", weighted, graph.constant([1]), keepdims=0))
            weights = graph.add("Squeeze", shares, graph.constant([2]))
    vector = vectors[0] if len(vectors) == 1 else graph.add("Concat", *vectors, axis=1)
    return vector, weights


def attend(
    graph: Graph, module: Attention, queries: str, keys: str, values: str, mask: str
) -> tuple[str, str]:
    """Contexts `[sentences, time, memory_size]` and weights `[sentences, time, source]`.

    Args:
        graph: Where nodes are added.
        module: The attention.
        queries: `[sentences, time, query_size]`.
        keys: What `read` made of the sources, `[sentences, source, key_size]`.
        values: The same, `[sentences, source, value_size]`.
        mask: Where the sources are no padding, `[sentences, source]`.
    """
    never = graph.constant(-math.inf, np.float32)
    if module.score == "multihead":
        heads = module.heads

        def apart(value: str, perm: list[int]) -> str:
            return graph.add("Transpose", graph.reshape(value, 0, 0, heads, -1), perm=perm)

        q = apart(graph.linear(queries, module.query), [0, 2, 1, 3])
        k, v = apart(keys, [0, 2, 3, 1]), apart(values, [0, 2, 1, 3])
        scale = graph.constant(math.sqrt(module.query.out_features / heads), np.float32)
        scores = graph.add("Div", graph.add("MatMul", q, k), scale)
        wide = graph.add("Unsqueeze", mask, graph.constant([1, 2]))
        weights = graph.add("Softmax", graph.add("Where", wide, scores, never), axis=-1)
        context = graph.add("MatMul", weights, v)  # [sentences, heads, time, size of each]
        context = graph.reshape(graph.add("Transpose", context, perm=[0, 2, 1, 3]), 0, 0, -1)
        return (
            graph.linear(context, module.output),
            graph.add("ReduceMean", weights, axes=[1], keepdims=0),
        )
    if module.score == "additive":
        query = graph.add("Unsqueeze", graph.linear(queries, module.query), graph.constant([2]))
        total = graph.add("Add", query, graph.add("Unsqueeze", keys, graph.constant([1])))
        scores = graph.linear(graph.add("Tanh", total), module.weigh, exact=True)
        scores = graph.add("Squeeze", scores, graph.constant([3]))
    else:
        scores = graph.add("MatMul", queries, graph.add("Transpose", keys, perm=[0, 2, 1]))
    wide = graph.add("Unsqueeze", mask, graph.constant([1]))
    weights = graph.add("Softmax", graph.add("Where", wide, scores, never), axis=-1)
    return graph.add("MatMul", weights, values), weights
