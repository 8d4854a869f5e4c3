"""The networks of the tasks as ONNX graphs: what goes in, what comes out, and how it is named.

A graph that reads in one direction alone takes what it carries on and gives it again: an input
`hidden` and an output `final_hidden`, and so on. So a text can be read as it arrives. A text begins
with zeros, and with -infinity in the place of what is a maximum (`FIRST` in the runtime's format).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from onnx import ModelProto
from torch import nn

from rnnlp.data.errors import InputError
from rnnlp.models.classification.classifier import Calibrated, Classifier
from rnnlp.models.classification.linear import LinearClassifier
from rnnlp.models.embeddings.token import Embedding
from rnnlp.models.encoders.bag import BagEncoder
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.encoders.windowed import WindowedEncoder
from rnnlp.models.generation.language_model import LanguageModel, VectorReader
from rnnlp.models.joint import JointNetwork
from rnnlp.models.layers.ngrams import NGrams
from rnnlp.models.tagging.tagger import Tagger
from rnnlp.models.translation.decoder import Decoder
from rnnlp.models.translation.translator import Translator

from .embeddings import embed
from .encoders import Encoded, State, encode, last
from .graph import ALL, Graph, Shape, as_array
from .ngrams import Counted, count_ngrams, score_neighbours
from .pooling import Pooled, attend, pool
from .target_tokens import candidates, mix, scores, scores_among


def tagger(network: Tagger, *, int8: bool) -> Mapping[str, ModelProto]:
    """Ids to the scores of every tag for every token, and those of transitions."""
    graph = Graph(int8=int8)
    embedded, lengths = _read(graph, network.embedding)
    encoded = _encoded(graph, network.encoder, embedded, lengths)
    _tag(graph, network, encoded)
    return {"model.onnx": graph.model("tagger")}


def classifier(network: Classifier | LinearClassifier, *, int8: bool) -> Mapping[str, ModelProto]:
    """Ids to logits, calibrated probabilities and attention."""
    graph = Graph(int8=int8)
    if isinstance(network, LinearClassifier):
        graph.input("tokens", "int64", ["batch", "time"])
        lengths = graph.input("lengths", "int64", ["batch"])
        logits = _counted(graph, network.ngrams, lengths, _read_before(graph, lengths))
        _decide(graph, network, graph.add("Add", logits, graph.weight(as_array(network.bias))))
        return {"model.onnx": graph.model("classifier")}
    embedded, lengths = _read(graph, network.embedding)
    read = _read_before(graph, lengths) if _goes_on(network.encoder) else ""
    _classify(
        graph, network, _encoded(graph, network.encoder, embedded, lengths, read), lengths, read
    )
    return {"model.onnx": graph.model("classifier")}


def joint(network: JointNetwork, *, int8: bool) -> Mapping[str, ModelProto]:
    """What tagger and classifier give, from one encoder."""
    graph = Graph(int8=int8)
    embedded, lengths = _read(graph, network.embedding)
    read = _read_before(graph, lengths) if _goes_on(network.encoder) else ""
    encoded = _encoded(graph, network.encoder, embedded, lengths)
    _tag(graph, network.tagger, encoded)
    _classify(graph, network.classifier, encoded, lengths, read)
    return {"model.onnx": graph.model("joint")}


def language_model(network: LanguageModel, *, int8: bool) -> Mapping[str, ModelProto]:
    """Ids to log probabilities of what follows the tokens at `positions`, row by row."""
    graph = Graph(int8=int8)
    embedded, lengths = _read(graph, network.embedding)
    if len(network.labels):
        labels = graph.input("labels", "int64", ["batch", len(network.labels)])
        for number, table in enumerate(network.labels):
            ids = graph.add("Gather", labels, graph.constant(number), axis=1)
            vector = graph.add("Unsqueeze", graph.lookup(table, ids), graph.constant([1]))  # type: ignore
            embedded = graph.add("Add", embedded, vector)
    if network.vector is not None and network.vector.token is not None:
        condition = graph.input("condition", "float", ["batch", network.embedding.output_size])
        vector = graph.add("Unsqueeze", condition, graph.constant([1]))
        embedded = graph.add("Add", embedded, vector)
    positions = graph.input("positions", "int64", ["scored"])
    encoded = _encoded(graph, network.encoder, embedded, lengths)
    states = graph.reshape(encoded.states, -1, network.encoder.output_size)
    states = graph.add("Gather", states, positions)  # [scored, output_size]
    if isinstance(network.readout, nn.Linear):
        states = graph.linear(states, network.readout)
    if network.tie_embeddings:
        logits = graph.product(states, network.embedding.words.weight, network.output_bias)
    else:
        logits = graph.linear(states, network.output)
    _log_probabilities(graph, logits)
    graphs = {"model.onnx": graph.model("language model")}
    if network.vector is not None:
        graphs["start.onnx"] = _start(network.vector)
    return graphs


def translator(
    network: Translator, *, int8: bool, shortlist: bool = False
) -> Mapping[str, ModelProto]:
    """Sources to what a decoder reads, and one step of the decoder; the search is outside.

    Args:
        network: The translator.
        int8: Whether weights are kept in 8 bits.
        shortlist: Whether steps may be told which target tokens to look at.
    """
    if not isinstance(network.decoder, Decoder):
        raise InputError("a model with monotonic attention cannot be exported: the others can")
    graph = Graph(int8=int8)
    embedded, lengths = _read(graph, network.embedding)
    encoded = encode(graph, network.encoder, embedded, lengths)
    graph.output("states", encoded.states, ["batch", "time", network.encoder.output_size])
    graph.output("last", last(graph, encoded), ["batch", network.encoder.output_size])
    words = "" if network.decoder.lexical is None else embedded
    _begin(graph, network.decoder, encoded, words)
    graphs = {
        "encoder.onnx": graph.model("encoder"),
        "decoder.onnx": _step(network.decoder, int8=int8, shortlist=shortlist),
    }
    if shortlist:
        graphs["candidates.onnx"] = candidates(network.decoder, int8=int8)
    return graphs


NETWORKS: dict[str, Callable[..., Mapping[str, ModelProto]]] = {
    "tagging": tagger,
    "classification": classifier,
    "joint": joint,
    "generation": language_model,
    "translation": translator,
}


def _read(graph: Graph, module: Embedding) -> tuple[str, str]:
    """The inputs of every network, and the vectors of the tokens."""
    names = {"tokens": graph.input("tokens", "int64", ["batch", "time"])}
    lengths = graph.input("lengths", "int64", ["batch"])
    if module.spelling is not None:
        names["characters"] = graph.input("characters", "int64", ["batch", "time", "width"])
    if count := len(module.token_features):
        names["token_features"] = graph.input("token_features", "int64", ["batch", "time", count])
    return embed(graph, module, **names), lengths


def _goes_on(module: Encoder | BagEncoder | WindowedEncoder) -> bool:
    """Whether texts can be read as they arrive."""
    if isinstance(module, WindowedEncoder):
        module = module.encoder
    return isinstance(module, BagEncoder) or not module.bidirectional


def _read_before(graph: Graph, lengths: str) -> str:
    """How many tokens of each text came before these, `[batch]`, which is carried on."""
    read = graph.input("read", "int64", ["batch"])
    graph.output("final_read", graph.add("Add", read, lengths), ["batch"], "int64")
    return read


def _encoded(
    graph: Graph,
    module: Encoder | BagEncoder | WindowedEncoder,
    embedded: str,
    lengths: str,
    read: str = "",
) -> Encoded:
    """What the encoder makes of the tokens; its states, and its final state, are outputs."""
    if not _goes_on(module):
        encoded = encode(graph, module, embedded, lengths)
    else:
        inner = module.encoder if isinstance(module, WindowedEncoder) else module
        num_layers, size, has_cell = 1, inner.output_size, False
        if isinstance(inner, Encoder):
            num_layers, size, has_cell = inner.num_layers, inner.hidden_size, inner.kind.has_cell
        shape: Shape = [num_layers, "batch", size]
        start = State(
            graph.input("hidden", "float", shape),
            graph.input("cell", "float", shape) if has_cell else "",
        )
        encoded = encode(graph, module, embedded, lengths, start, read)
        graph.output("final_hidden", encoded.final.hidden, shape)
        if encoded.final.cell:
            graph.output("final_cell", encoded.final.cell, shape)
    graph.output("states", encoded.states, ["batch", "time", module.output_size])
    graph.output("last", last(graph, encoded), ["batch", module.output_size])
    return encoded


def _tag(graph: Graph, network: Tagger, encoded: Encoded) -> None:
    tags = network.output.tags
    emissions = graph.linear(encoded.states, network.projection, exact=True)
    if (neighbours := network.neighbours) is not None:
        features = "token_features" if neighbours.columns > 1 else ""
        said = score_neighbours(graph, neighbours, "tokens", features)
        emissions = graph.add("Add", emissions, said)
    graph.output("emissions", emissions, ["batch", "time", tags])
    transitions, start, end = (as_array(one) for one in network.output.path_scores())
    graph.output("transitions", graph.weight(transitions), [tags, tags])
    graph.output("start_transitions", graph.weight(start), [tags])
    graph.output("end_transitions", graph.weight(end), [tags])


def _classify(graph: Graph, network: Classifier, encoded: Encoded, lengths: str, read: str) -> None:
    before = None
    if read:
        widths = dict.fromkeys(Pooled._fields, network.pooling.size) | {"peak": 1, "mass": 1}
        shapes: dict[str, Shape] = {
            name: ["batch", widths[name]] for name in Pooled.names(network.pooling)
        }
        before = Pooled(**{name: graph.input(name, "float", shapes[name]) for name in shapes})
    vector, attention, now = pool(graph, network.pooling, encoded, lengths, before, read)
    if read:
        for name, shape in shapes.items():
            graph.output(f"final_{name}", getattr(now, name), shape)
    logits = graph.linear(vector, network.projection, exact=True)
    if network.ngrams is not None:
        wide = _counted(graph, network.ngrams, lengths, read)
        logits = graph.add("Add", logits, wide)
    _decide(graph, network, logits)
    if attention:
        graph.output("attention", attention, ["batch", "time"])


def _counted(graph: Graph, module: NGrams, lengths: str, read: str) -> str:
    """The scores of n-grams, which are carried on where texts are."""
    before = None
    if read:
        classes, more = module.table.weight.shape[1], module.order - 1
        before = Counted(
            graph.input("ngrams", "int64", ["batch", more]) if more else "",
            graph.input("counted", "float", ["batch", classes]),
        )
    counted = count_ngrams(graph, module, "tokens", lengths, before, read)
    if before is not None:
        if counted.values:
            graph.output("final_ngrams", counted.values, ["batch", more], "int64")
        graph.output("final_counted", counted.scores, ["batch", classes])
    return counted.scores


def _decide(graph: Graph, network: Calibrated, logits: str) -> None:
    graph.output("logits", logits, ["batch", network.classes])
    scaled = graph.add("Div", logits, graph.weight(as_array(network.temperature)))
    probabilities = graph.add("Sigmoid" if network.multilabel else "Softmax", scaled)
    graph.output("probabilities", probabilities, ["batch", network.classes])


def _log_probabilities(graph: Graph, logits: str) -> None:
    graph.output("log_probs", graph.add("LogSoftmax", logits, axis=-1), ["rows", "vocabulary"])


def _begin(graph: Graph, module: Decoder, encoded: Encoded, words: str) -> None:
    """The state before the first target token: what attention reads, and that of the layers.

    Args:
        graph: Where nodes are added.
        module: The decoder.
        encoded: What the encoder made of the sources.
        words: Their embeddings `[batch, time, word_size]`, for a lexical path.
    """

    def with_words(value: str) -> str:
        return graph.add("Concat", value, words, axis=2) if words else value

    attention, memory = module.attention, with_words(encoded.states)
    keys = encoded.states if attention.score == "dot" else graph.linear(memory, attention.key)
    values = memory
    if attention.score == "multihead":
        values = with_words(graph.linear(memory, attention.value))
    graph.output("keys", keys, ["batch", "time", "key_size"])
    graph.output("values", values, ["batch", "time", "value_size"])
    start = graph.add("Tanh", graph.linear(last(graph, encoded), module.start))
    start = graph.reshape(start, 0, -1, module.hidden_size)
    start = graph.add("Transpose", start, perm=[1, 0, 2])  # [layers or twice that, batch, size]
    num_layers = module.num_layers
    shape: Shape = [num_layers, "batch", module.hidden_size]
    graph.output("hidden", graph.part(start, 0, num_layers, 0), shape)
    if module.kind.has_cell:
        graph.output("cell", graph.part(start, num_layers, 2 * num_layers, 0), shape)


def _start(module: VectorReader) -> ModelProto:
    """Vectors to the state before the first token, and what is added to every token."""
    graph = Graph()
    vectors = graph.input("vectors", "float", ["rows", module.start.in_features])
    vectors = graph.add("Sub", vectors, graph.weight(as_array(module.mean)))
    vectors = graph.add("Div", vectors, graph.weight(as_array(module.deviation)))
    states, num_layers, size = module.shape
    start = graph.add("Tanh", graph.linear(vectors, module.start))
    start = graph.reshape(start, 0, states * num_layers, size)
    start = graph.add("Transpose", start, perm=[1, 0, 2])
    for number, name in enumerate(("hidden", "cell")[:states]):
        state = graph.part(start, number * num_layers, (number + 1) * num_layers, 0)
        graph.output(name, state, [num_layers, "rows", size])
    if module.token is not None:
        condition = graph.linear(vectors, module.token)
        graph.output("condition", condition, ["rows", module.token.out_features])
    return graph.model("start")


def _step(module: Decoder, *, int8: bool, shortlist: bool) -> ModelProto:
    """One token of every row; the rows of a sentence lie side by side, of each equally many."""
    graph = Graph(int8=int8)
    size, num_layers = module.readout.out_features, module.num_layers
    shape: Shape = [num_layers, "rows", module.hidden_size]
    tokens = graph.input("tokens", "int64", ["rows"])
    keys = graph.input("keys", "float", ["sentences", "source", "key_size"])
    values = graph.input("values", "float", ["sentences", "source", "value_size"])
    lengths = graph.input("source_lengths", "int64", ["sentences"])
    has_cell = module.kind.has_cell
    start = State(
        graph.input("hidden", "float", shape),
        graph.input("cell", "float", shape) if has_cell else "",
    )
    if module.pointer is not None:
        copies = graph.input("copies", "int64", ["sentences", "source"])
        most = graph.constant(module.pointer.vocabulary_size)
        unknown = graph.constant(module.unknown)
        tokens = graph.add("Where", graph.add("Less", tokens, most), tokens, unknown)
    vectors = graph.lookup(module.table, tokens)
    if module.input_feeding:
        fed = graph.input("fed", "float", ["rows", size])
        vectors = graph.add("Concat", vectors, fed, axis=1)

    def layers_of(state: State, start: int, stop: int) -> State:
        return State(*(one and graph.part(one, start, stop, 0) for one in state))

    def alone(value: str) -> str:  # [rows, size] as sequences of one token, [rows, 1, size]
        return graph.add("Unsqueeze", value, graph.constant([1]))

    lower = encode(graph, module.lower, alone(vectors), start=layers_of(start, 0, 1))
    states = graph.add("Squeeze", lower.states, graph.constant([1]))  # [rows, hidden_size]
    queries = graph.reshape(states, graph.size(keys, 0), -1, module.hidden_size)
    mask = graph.inside(lengths, graph.size(keys, 1))
    context, weights = attend(graph, module.attention, queries, keys, values, mask)
    context = graph.reshape(context, -1, module.attention.output_size)
    final = lower.final
    if module.upper is not None:
        inputs = graph.add("Concat", states, context, axis=1)
        upper = encode(graph, module.upper, alone(inputs), start=layers_of(start, 1, num_layers))
        states = graph.add("Squeeze", upper.states, graph.constant([1]))
        both = zip(lower.final, upper.final, strict=True)
        final = State(*(one and graph.add("Concat", one, two, axis=0) for one, two in both))
    together = graph.add("Concat", states, context, axis=1)
    readout = graph.add("Tanh", graph.linear(together, module.readout))
    if module.lexical is not None:
        words = graph.part(context, -module.lexical.in_features, ALL, 1)
        words = graph.linear(graph.add("Tanh", words), module.lexical)
        readout = graph.add("Add", readout, words)
    logits = (scores_among if shortlist else scores)(graph, module, readout)
    attention = graph.reshape(weights, -1, graph.size(keys, 1))
    if module.pointer is not None:
        copies = graph.add("Unsqueeze", copies, graph.constant([1]))  # for all rows of a sentence
        copies = graph.add("Expand", copies, graph.add("Shape", weights))
        copies = graph.reshape(copies, -1, graph.size(keys, 1))
        gate = graph.linear(readout, module.pointer.gate, exact=True)
        logits = mix(graph, logits, gate, attention, copies)
    _log_probabilities(graph, logits)
    graph.output("attention", attention, ["rows", "source"])
    graph.output("final_hidden", final.hidden, shape)
    if has_cell:
        graph.output("final_cell", final.cell, shape)
    if module.input_feeding:
        graph.output("final_fed", readout, ["rows", size])
    return graph.model("decoder")
