"""What decoders say of target tokens, as nodes: scores of all, of some, and of copied words."""

from __future__ import annotations

import math

import numpy as np
from onnx import ModelProto

from rnnlp.models.translation.decoder import Decoder

from .graph import Graph


def scores(graph: Graph, module: Decoder, readout: str) -> str:
    """Scores of generating every target token `[rows, vocabulary]`; see `TargetSide.logits`.

    Args:
        graph: Where nodes are added.
        module: The decoder.
        readout: What is predicted from `[rows, size]`.
    """
    return graph.product(readout, *module.scorer)


def scores_among(graph: Graph, module: Decoder, readout: str) -> str:
    """Scores of some target tokens, a column each; of all where there are none of these.

    Adds inputs to the graph, what `candidates` makes of them; see `TargetSide.among`.

    Args:
        graph: Where nodes are added.
        module: The decoder.
        readout: What is predicted from `[rows, size]`; the rows of a sentence lie side by side.
    """
    size = module.readout.out_features
    weights = graph.input("candidate_weights", "float", ["sentences", size, "candidates"])
    bias = graph.input("candidate_bias", "float", ["sentences", 1, "candidates"])
    every, some = (Graph(int8=graph.int8, outer=graph) for _ in range(2))
    every.output("every", scores(every, module, readout), ["rows", "columns"])
    rows = some.reshape(readout, some.size(weights, 0), -1, size)  # [sentences, of each, size]
    logits = some.add("Add", some.add("MatMul", rows, weights), bias)
    number = some.size(weights, 2)
    some.output("some", some.reshape(logits, -1, number), ["rows", "columns"])
    named = graph.add("Greater", graph.size(weights, 2), graph.constant([0]))
    return graph.choose(graph.add("Squeeze", named), some, every)


def candidates(module: Decoder, *, int8: bool) -> ModelProto:
    """Target tokens, 0 behind them, to what scores them, once for a search."""
    graph = Graph(int8=int8)
    ids = graph.input("candidates", "int64", ["sentences", "candidates"])
    weight, bias = module.scorer
    size = module.readout.out_features
    weights = graph.add("Transpose", graph.rows(weight, ids), perm=[0, 2, 1])
    graph.output("candidate_weights", weights, ["sentences", size, "candidates"])
    outside = graph.add("Less", ids, graph.constant(1))
    never = graph.constant(-math.inf, np.float32)
    biases = graph.add("Where", outside, never, graph.rows(bias, ids, exact=True))
    biases = graph.add("Unsqueeze", biases, graph.constant([1]))
    graph.output("candidate_bias", biases, ["sentences", 1, "candidates"])
    return graph.model("candidates")


def mix(graph: Graph, logits: str, gate: str, weights: str, copies: str) -> str:
    """Log probabilities of generating or copying, `[rows, vocabulary + source]`.

    Args:
        graph: Where nodes are added.
        logits: Of generating, `[rows, vocabulary]`.
        gate: The logit of generating rather than copying, `[rows, 1]`.
        weights: Attention, `[rows, source]`.
        copies: The ids that the source positions stand for, `[rows, source]`.
    """
    never = graph.constant(-math.inf, np.float32)
    softplus = graph.add("Softplus", gate)  # log sigmoid(g) = g - softplus(g), of -g: -softplus(g)
    generated = graph.add("LogSoftmax", logits, axis=-1)
    generated = graph.add("Add", generated, graph.add("Sub", gate, softplus))
    zeros, more = graph.constant([0]), graph.size(weights, 1)
    pads = graph.add("Concat", zeros, zeros, zeros, more, axis=0)
    generated = graph.add("Pad", generated, pads, never)
    empty = graph.add("Expand", graph.constant(0.0, np.float32), graph.add("Shape", generated))
    mass = graph.add("ScatterElements", empty, copies, weights, axis=1, reduction="add")
    copied = graph.add("Sub", graph.add("Log", mass), softplus)
    larger = graph.add("Max", generated, copied)
    shares = [graph.add("Exp", graph.add("Sub", one, larger)) for one in (generated, copied)]
    both = graph.add("Add", larger, graph.add("Log", graph.add("Add", *shares)))
    some = graph.add("Greater", mass, graph.constant(0.0, np.float32))  # elsewhere -inf less -inf
    return graph.add("Where", some, both, generated)
