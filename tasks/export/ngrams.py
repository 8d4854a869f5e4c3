"""N-grams straight to the scores of classes, and of tags, as ONNX nodes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from onnx import TensorProto
from torch import nn

from rnnlp.models.layers.ngrams import BUCKETS, FACTOR, PRIME, SCRAMBLE, NGrams
from rnnlp.models.tagging.neighbours import ROWS, Neighbours

from .graph import ALL, ZERO_POINT, Graph, as_array, quantised


class Counted(NamedTuple):
    """What is kept of the n-grams of texts that go on."""

    values: str  # [batch, order - 1]: before hashing, of 1, 2, … tokens that end with the last one
    scores: str  # [batch, classes]


def count_ngrams(
    graph: Graph,
    module: NGrams,
    tokens: str,
    lengths: str,
    before: Counted | None = None,
    read: str = "",
) -> Counted:
    """Tokens `[batch, time]` to the scores of their n-grams.

    In int8 the table has one scale a class, since a row is only a few numbers.

    Args:
        graph: Where nodes are added.
        module: The table.
        tokens: Ids.
        lengths: `[batch]`; texts that go on have no padding.
        before: What this gave for the tokens before; None where texts begin.
        read: How many tokens these were, `[batch]`.
    """
    steps = graph.range(graph.size(tokens, 1))
    inside = graph.add("Cast", graph.inside(lengths, graph.size(tokens, 1)), to=TensorProto.INT32)
    ids = graph.add("Add", tokens, graph.constant(1))
    nothing = graph.add("Mul", graph.part(ids, 0, 1, 1), graph.constant(0))  # [batch, 1]
    places = steps
    if before is not None:
        places = graph.add("Add", steps, graph.add("Unsqueeze", read, graph.constant([1])))
    value, hashes, values = ids, [], []
    for length in range(module.order):
        if length:
            values.append(graph.part(value, -1, ALL, 1))
            first = nothing if before is None else graph.part(before.values, length - 1, length, 1)
            shifted = graph.add("Concat", first, graph.part(value, 0, -1, 1), axis=1)
            value = _longer(graph, shifted, ids)
        hashed = _spread(graph, value, BUCKETS)
        rows = graph.add("Gather", graph.weight(module.rows.numpy(), "ngrams"), hashed)
        whole = graph.add("Greater", places, graph.constant(length - 1))  # begin in the text
        whole = graph.add("Cast", whole, to=TensorProto.INT32)
        hashes.append(graph.add("Mul", graph.add("Mul", rows, inside), whole))
    rows = graph.add("Concat", *hashes, axis=1)  # [batch, order * time]
    scores = _sums(graph, module.table, rows)
    if before is not None:
        scores = graph.add("Add", scores, before.scores)
    return Counted(graph.add("Concat", *values, axis=1) if values else "", scores)


def score_neighbours(graph: Graph, module: Neighbours, tokens: str, token_features: str) -> str:
    """What the n-grams around each token say of its tags, `[batch, time, tags]`.

    In int8 the table has one scale a tag.

    Args:
        graph: Where nodes are added.
        module: The table.
        tokens: Ids `[batch, time]`.
        token_features: Ids `[batch, time, columns - 1]`; "" where words are all that is read.
    """
    near = []
    for column, reach in enumerate(module.reaches):
        ids = tokens
        if column:
            ids = graph.add("Gather", token_features, graph.constant(column - 1), axis=2)
        ids = graph.add("Pad", ids, graph.constant([0, reach, 0, reach]))
        value = ids = graph.add("Add", ids, graph.constant(1))
        for length in range(1, module.order + 1):
            if length > 1:
                last = graph.part(ids, length - 1, ALL, 1)
                value = _longer(graph, graph.part(value, 0, -1, 1), last)
            after = 2 * reach - length + 1
            for begin in range(after + 1):
                some = graph.part(value, begin, begin - after or ALL, 1)  # [batch, time]
                near.append(graph.add("Unsqueeze", some, graph.constant([2])))
    values = graph.add("Concat", *near, axis=2)  # [batch, time, n-grams]
    values = _longer(graph, values, graph.constant(np.arange(len(near))))
    rows = graph.add("Add", _spread(graph, values, ROWS), graph.constant(1))
    real = graph.add("Cast", tokens, to=TensorProto.BOOL)  # padding is token 0
    real = graph.add("Unsqueeze", real, graph.constant([2]))
    return _sums(graph, module.table, graph.add("Where", real, rows, graph.constant(0)))


def _longer(graph: Graph, values: str, last: str) -> str:
    """What `longer` of `models/layers/ngrams.py` gives."""
    values = graph.add("Mul", values, graph.constant(FACTOR))
    return graph.add("Mod", graph.add("Add", values, last), graph.constant(PRIME))


def _spread(graph: Graph, values: str, buckets: int) -> str:
    """What `spread` of `models/layers/ngrams.py` gives."""
    values = graph.add("Mul", values, graph.constant(SCRAMBLE))
    values = graph.add("Mod", values, graph.constant(PRIME))
    return graph.add("Mod", values, graph.constant(buckets))


def _sums(graph: Graph, module: nn.EmbeddingBag, rows: str) -> str:
    """The rows `[…, n]` of the table added up, `[…, classes]`."""
    table = as_array(module.weight).copy()
    table[0] = 0.0
    if not graph.int8:
        vectors = graph.add("Gather", graph.weight(table), rows)
        return graph.add("ReduceSum", vectors, graph.constant([-2]), keepdims=0)
    q, scale = quantised(table.T)
    vectors = graph.add("Gather", graph.weight(q.T.copy()), rows)
    vectors = graph.add("Cast", vectors, to=TensorProto.FLOAT)
    vectors = graph.add("Sub", vectors, graph.constant(ZERO_POINT, np.float32))
    total = graph.add("ReduceSum", vectors, graph.constant([-2]), keepdims=0)
    return graph.add("Mul", total, graph.weight(scale))
