"""What makes one vector of states as ONNX nodes: poolings of a text, attention of a decoder."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rnnlp.data.errors import InputError
from rnnlp.models.classification.pooling import Pooling
from rnnlp.models.classification.ways import WAYS
from rnnlp.models.translation.attention import Attention

from .encoders import Encoded, last
from .graph import ALL, Graph


class Pooled(NamedTuple):
    """What is kept of the states of texts that go on; "" where a way of pooling is not among
    those of the network.
    """

    largest: str = ""  # [batch, size]
    mean: str = ""  # [batch, size]
    peak: str = ""  # [batch, 1], the highest attention score
    mass: str = ""  # [batch, 1], sum of exp(score - peak)
    weighted: str = ""  # [batch, size], sum of exp(score - peak) * state

    @staticmethod
    def names(module: Pooling) -> list[str]:
        """Those that a module needs."""
        of_ways = {"max": ["largest"], "mean": ["mean"], "attention": ["peak", "mass", "weighted"]}
        return [name for way in module.ways for name in of_ways.get(way, [])]


def pool(
    graph: Graph,
    module: Pooling,
    encoded: Encoded,
    lengths: str,
    before: Pooled | None = None,
    read: str = "",
) -> tuple[str, str, Pooled]:
    """Pools texts.

    Args:
        graph: Where nodes are added.
        module: The pooling.
        encoded: What an encoder gave.
        lengths: `[batch]`.
        before: What this gave for the tokens before; None where texts begin.
        read: How many tokens these were, `[batch]`.

    Returns:
        The pooled vector `[batch, size]`, attention `[batch, time]` or "", and what to pass on.
    """
    if len(module.own):
        raise InputError(f"a pooling of one's own cannot be exported: {', '.join(WAYS)} can")
    states, now = encoded.states, Pooled()
    before = before or now
    mask = graph.inside(lengths, graph.size(states, 1), [2])  # [batch, time, 1]
    never, zero = graph.constant(-math.inf, np.float32), graph.constant(0.0, np.float32)
    vectors, weights = [], ""

    def total(values: str, old: str, factor: str) -> str:
        """Sums over time, to which old ones are added by a factor."""
        new = graph.add("ReduceSum", values, graph.constant([1]), keepdims=0)
        return graph.add("Add", new, graph.add("Mul", old, factor)) if old else new

    def largest(values: str, old: str) -> str:
        masked = graph.add("Where", mask, values, never)
        new = graph.add("ReduceMax", masked, axes=[1], keepdims=0)
        return graph.add("Max", new, old) if old else new

    for way in module.ways:
        if way == "last":
            vectors.append(last(graph, encoded))
        elif way == "max":
            now = now._replace(largest=largest(states, before.largest))
            vectors.append(now.largest)
        elif way == "mean":
            masked = graph.add("Where", mask, states, zero)
            now = now._replace(mean=graph.mean(masked, lengths, before.mean, read))
            vectors.append(now.mean)
        elif module.attention is not None:
            hidden, _, weigh = module.attention
            scores = graph.add("Tanh", graph.linear(states, hidden))  # type: ignore[arg-type]
            scores = graph.linear(scores, weigh, exact=True)  # type: ignore[arg-type]
            peak = largest(scores, before.peak)  # [batch, 1]
            apart = graph.add("Sub", scores, graph.add("Unsqueeze", peak, graph.constant([1])))
            shares = graph.add("Exp", graph.add("Where", mask, apart, never))  # [batch, time, 1]
            fade = graph.add("Exp", graph.add("Sub", before.peak, peak)) if before.peak else ""
            mass = total(shares, before.mass, fade)
            seen = graph.add("Mul", graph.add("Where", mask, states, zero), shares)
            weighted = total(seen, before.weighted, fade)
            vectors.append(graph.add("Div", weighted, mass))
            weights = graph.add("Div", graph.add("Squeeze", shares, graph.constant([2])), mass)
            now = now._replace(peak=peak, mass=mass, weighted=weighted)
    vector = vectors[0] if len(vectors) == 1 else graph.add("Concat", *vectors, axis=1)
    return vector, weights, now


def attend(
    graph: Graph, module: Attention, queries: str, keys: str, values: str, mask: str
) -> tuple[str, str]:
    """Contexts `[sentences, time, output_size]` and weights `[sentences, time, source]`.

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
        heads, words = module.heads, ""
        if module.word_size:  # they stand behind what the heads read
            words = graph.part(values, -module.word_size, ALL, 2)
            values = graph.part(values, 0, -module.word_size, 2)

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
        context = graph.linear(context, module.output)
        weights = graph.add("ReduceMean", weights, axes=[1], keepdims=0)
        if words:
            context = graph.add("Concat", context, graph.add("MatMul", weights, words), axis=2)
        return context, weights
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
