"""N-grams straight to the scores of classes as ONNX nodes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from onnx import TensorProto

from rnnlp.models.layers.ngrams import BUCKETS, FACTOR, PRIME, SCRAMBLE, NGrams

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
    one, prime = graph.constant(1), graph.constant(PRIME)
    steps = graph.range(graph.size(tokens, 1))
    inside = graph.add("Cast", graph.inside(lengths, graph.size(tokens, 1)), to=TensorProto.INT32)
    ids = graph.add("Add", tokens, one)
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
            shifted = graph.add("Mul", shifted, graph.constant(FACTOR))
            value = graph.add("Mod", graph.add("Add", shifted, ids), prime)
        hashed = graph.add("Mod", graph.add("Mul", value, graph.constant(SCRAMBLE)), prime)
        hashed = graph.add("Mod", hashed, graph.constant(BUCKETS))
        rows = graph.add("Gather", graph.weight(module.rows.numpy(), "ngrams"), hashed)
        whole = graph.add("Greater", places, graph.constant(length - 1))  # begin in the text
        whole = graph.add("Cast", whole, to=TensorProto.INT32)
        hashes.append(graph.add("Mul", graph.add("Mul", rows, inside), whole))
    rows = graph.add("Concat", *hashes, axis=1)  # [batch, order * time]
    scores = _sums(graph, module, rows)
    if before is not None:
        scores = graph.add("Add", scores, before.scores)
    return Counted(graph.add("Concat", *values, axis=1) if values else "", scores)


def _sums(graph: Graph, module: NGrams, rows: str) -> str:
    """The rows `[batch, n]` of the table added up, `[batch, classes]`."""
    table = as_array(module.table.weight).copy()
    table[0] = 0.0
    if not graph.int8:
        vectors = graph.add("Gather", graph.weight(table), rows)
        return graph.add("ReduceSum", vectors, graph.constant([1]), keepdims=0)
    q, scale = quantised(table.T)
    vectors = graph.add("Gather", graph.weight(q.T.copy()), rows)
    vectors = graph.add("Cast", vectors, to=TensorProto.FLOAT)
    vectors = graph.add("Sub", vectors, graph.constant(ZERO_POINT, np.float32))
    total = graph.add("ReduceSum", vectors, graph.constant([1]), keepdims=0)
    return graph.add("Mul", total, graph.weight(scale))
