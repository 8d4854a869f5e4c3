"""Embeddings as ONNX nodes: ids of tokens, of their characters and attributes to vectors."""

from __future__ import annotations

from onnx import TensorProto
from torch import nn

from rnnlp.models.embeddings.characters import CharacterCNN, CharacterRNN
from rnnlp.models.embeddings.token import Embedding

from .encoders import encode, last
from .graph import Graph, as_array


def embed(
    graph: Graph, module: Embedding, tokens: str, characters: str = "", token_features: str = ""
) -> str:
    """Vectors of tokens `[batch, time, size]`.

    Args:
        graph: Takes the nodes.
        module: The embedding.
        tokens: Ids `[batch, time]`.
        characters: Ids `[batch, time, width]`, of an embedding with a spelling part.
        token_features: Ids `[batch, time, features]`, of one with token features.
    """
    vectors = [graph.lookup(module.words, tokens)]
    if module.spelling is not None:
        vectors.append(_spell(graph, module.spelling, characters))
    for number, table in enumerate(module.token_features):
        ids = graph.add("Gather", token_features, graph.constant(number), axis=2)
        vectors.append(graph.lookup(table, ids))  # type: ignore[arg-type]
    return vectors[0] if len(vectors) == 1 else graph.add("Concat", *vectors, axis=2)


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
