"""Every graph gives what its network gives: all parts, pairwise, on random weights."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import TokenBatch
from rnnlp.models import CRF, ConstrainedSoftmax, Neighbours, Tagger
from rnnlp.models.classification.classifier import Classifier
from rnnlp.models.classification.linear import LinearClassifier
from rnnlp.models.classification.pooling import Pooling
from rnnlp.models.embeddings.token import Embedding
from rnnlp.models.encoders.bag import BagEncoder
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.encoders.windowed import WindowedEncoder
from rnnlp.models.generation.language_model import LanguageModel
from rnnlp.models.joint import JointNetwork
from rnnlp.models.layers.ngrams import NGrams, common_ngrams
from rnnlp.models.translation.decoder import Decoder
from rnnlp.models.translation.translator import Translator
from rnnlp.tasks.classification.onnx_engine import OnnxClassifier
from rnnlp.tasks.export import networks
from rnnlp.tasks.generation.onnx_engine import OnnxGenerator
from rnnlp.tasks.runtime import session as engine
from rnnlp.tasks.runtime.check import checksum_of
from rnnlp.tasks.translation.onnx_engine import OnnxTranslator
from tests.pairwise import pairwise

BUILT_IN = ("rnn", "rnn_relu", "lstm", "gru", "mingru", "ssru")
LENGTHS = [6, 1, 4, 1]
WAYS = ("last", "max", "mean", "attention")


def batch_of(characters="none", features=0, lengths=LENGTHS):
    """Ids of texts of these lengths, words of uneven lengths among them."""
    numbers = np.random.default_rng(3)
    time = max(lengths)
    inside = np.arange(time) < np.array(lengths)[:, None]
    tokens = numbers.integers(1, 30, inside.shape) * inside
    spelled, told = None, None
    if characters != "none":
        widths = numbers.integers(1, 6, inside.shape) * inside
        spelled = numbers.integers(1, 12, (*inside.shape, 5)) * (np.arange(5) < widths[..., None])
    if features:
        told = numbers.integers(1, 9, (*inside.shape, features)) * inside[:, :, None]
    return TokenBatch(tokens, np.array(lengths), spelled, told)


def tensors(batch):
    values = (batch.tokens, batch.characters, batch.token_features, batch.lengths)
    return [None if one is None else torch.from_numpy(one) for one in values]


def embedding(characters="none", features=0, size=7):
    torch.manual_seed(1)
    return Embedding(
        vocabulary_size=30, size=size, characters=characters, character_vocabulary_size=12,
        character_size=4, character_features=6, token_feature_vocabulary_sizes=[9] * features,
        token_feature_size=3,
    )  # fmt: skip


def opened(folder, models):
    """The graphs, written and opened again."""
    sums = {}
    for name, model in models.items():
        content = model.SerializeToString()
        (folder / name).write_bytes(content)
        sums[name] = checksum_of(content)
    return engine.Graphs(folder, sums)


def close(actual, wanted, tolerance=1e-4):
    np.testing.assert_allclose(actual, wanted.detach().numpy(), atol=tolerance, rtol=0)


@pytest.mark.parametrize(
    (
        "cell", "two", "num_layers", "residual", "norm", "look_back", "characters", "features",
        "crf", "ngrams",
    ),
    pairwise(
        BUILT_IN, (True, False), (1, 3), (True, False), (True, False), (True, False),
        ("none", "cnn", "rnn"), (0, 2), (True, False), (None, 1, 3),
    ),
)  # fmt: skip
def test_tagger(
    tmp_path, cell, two, num_layers, residual, norm, look_back, characters, features, crf, ngrams
):
    embedded = embedding(characters, features)
    encoder = Encoder(
        input_size=embedded.output_size, cell=cell, hidden_size=5, num_layers=num_layers,
        bidirectional=two, residual=residual, layer_norm=norm,
        look_back=look_back and num_layers > 1,
    )  # fmt: skip
    output = (CRF if crf else ConstrainedSoftmax)(tags=3, start=[True, True, False])
    neighbours = None
    if ngrams is not None:
        neighbours = Neighbours(order=ngrams, columns=1 + features, tags=3)
        torch.nn.init.normal_(neighbours.table.weight)
    network = Tagger(
        embedding=embedded, encoder=encoder, output=output, neighbours=neighbours
    ).eval()
    batch = batch_of(characters, features)
    inside = np.arange(6) < batch.lengths[:, None]
    with torch.inference_mode():
        wanted = network.emissions(*tensors(batch))
    reader = engine.Reader(opened(tmp_path, networks.tagger(network, int8=False)), "tagging")
    (actual,) = reader(batch, "emissions")
    close(actual[inside], wanted[inside])
    for ours, theirs in zip(reader.path_scores(), output.path_scores(), strict=True):
        np.testing.assert_array_equal(ours, theirs.detach().numpy())
    alone, _ = reader(TokenBatch(*(None if one is None else one[1:2] for one in batch)),
                      "emissions", "states")  # fmt: skip
    close(alone[0, :1], wanted[1, :1])

    int8 = engine.Reader(opened(tmp_path, networks.tagger(network, int8=True)), "tagging")
    (rough,) = int8(batch, "emissions")
    assert np.abs(rough - actual)[inside].max() < 0.15 * max(1, np.abs(actual[inside]).max())


@pytest.mark.parametrize("cell", BUILT_IN)
@pytest.mark.parametrize("look_back", [False, True])
def test_a_text_in_stretches_gives_what_it_gives_as_a_whole(tmp_path, cell, look_back):
    embedded = embedding()
    encoder = Encoder(
        input_size=7, cell=cell, hidden_size=5, num_layers=2, bidirectional=False, layer_norm=True,
        look_back=look_back,
    )  # fmt: skip
    network = Tagger(embedding=embedded, encoder=encoder, output=CRF(tags=3)).eval()
    reader = engine.Reader(opened(tmp_path, networks.tagger(network, int8=False)), "tagging")
    batch = batch_of(lengths=[6, 6])
    (whole,) = reader(batch, "emissions")
    state, parts = None, []
    for start, stop in ((0, 1), (1, 4), (4, 6)):
        part = TokenBatch(batch.tokens[:, start:stop], np.array([stop - start] * 2), None, None)
        (emissions,), state = reader.read(part, "emissions", so_far=state)
        parts.append(emissions)
    np.testing.assert_allclose(np.concatenate(parts, 1), whole, atol=1e-5)


def classifier(reader, embedded, ways, multilabel):
    network = Classifier(
        embedding=embedded, encoder=reader, classes=3, multilabel=multilabel,
        pooling=Pooling(size=reader.output_size, ways=ways, attention_size=4),
    )  # fmt: skip
    network.temperature.fill_(1.7)
    return network.eval()


@pytest.mark.parametrize(
    ("kind", "cell", "window", "ways", "multilabel"),
    pairwise(
        ("two", "one", "bag"), BUILT_IN, (None, 2, 3, 40), [(way,) for way in WAYS] + [WAYS],
        (True, False),
    ),
)  # fmt: skip
def test_classifier(tmp_path, kind, cell, window, ways, multilabel):
    embedded = embedding()
    reader = BagEncoder(input_size=7) if kind == "bag" else Encoder(
        input_size=7, cell=cell, hidden_size=5, num_layers=2, bidirectional=kind == "two"
    )  # fmt: skip
    if window:
        reader = WindowedEncoder(encoder=reader, window=window)
    network = classifier(reader, embedded, ways, multilabel)
    batch = batch_of()
    with torch.inference_mode():
        wanted = network(*tensors(batch))
    graphs = opened(tmp_path, networks.classifier(network, int8=False))
    names = ["logits", "probabilities"] + ["attention"] * ("attention" in ways)
    logits, probabilities, *attention = engine.Reader(graphs, "classification")(batch, *names)
    close(logits, wanted.logits)
    close(probabilities, network.probabilities(wanted.logits))
    if attention:
        close(attention[0], wanted.weights)
    if kind != "two":
        check_stretches(network, graphs, ways=ways, window=window)


@pytest.mark.parametrize("cell", ["mingru", "ssru"])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_windows_are_more_than_texts(tmp_path, cell, num_layers):
    """What the loop of a cell says of its sizes is not what ONNX Runtime knows of the texts."""
    inner = Encoder(
        input_size=7, cell=cell, hidden_size=1, num_layers=num_layers, bidirectional=False
    )
    reader = WindowedEncoder(encoder=inner, window=2)
    network = classifier(reader, embedding(), ("max", "mean"), False)
    graphs = opened(tmp_path, networks.classifier(network, int8=False))
    batch = batch_of()
    with torch.inference_mode():
        wanted = network(*tensors(batch)).logits
    (logits,) = engine.Reader(graphs, "classification")(batch, "logits")
    close(logits, wanted)


def check_stretches(network, graphs, ways=("max",), window=None):
    """Texts that are read on have at each stop the probabilities of what has been read."""
    settings = SimpleNamespace(
        pooling=ways, linear=False, classes="abc", max_length=window,
        long_texts="windows" if window else "head_tail",
    )  # fmt: skip
    model = OnnxClassifier(engine.Reader(graphs, "classification"), settings)
    batch, so_far = batch_of(lengths=[9]), None
    for start, stop in ((0, 1), (1, 4), (4, 6), (6, 9)):
        part = TokenBatch(batch.tokens[:, start:stop], np.array([stop - start]), None, None)
        probabilities, so_far = model.read(part, so_far)
        prefix = TokenBatch(batch.tokens[:, :stop], np.array([stop]), None, None)
        with torch.inference_mode():
            close(probabilities, network.probabilities(network(*tensors(prefix)).logits))


def ngrams_of(batch, order):
    """N-grams of half the texts of a batch, so that some do not count, with random scores."""
    half = [row[:length].tolist() for row, length in zip(batch.tokens, batch.lengths, strict=True)]
    hashes = common_ngrams(half[::2] * 2, order)
    module = NGrams(order=order, rows=len(hashes), classes=3, dropout=0.5)
    module.count_only(hashes)
    torch.nn.init.normal_(module.table.weight)
    return module


@pytest.mark.parametrize(("order", "lengths"), [(1, [6, 1]), (3, LENGTHS), (3, [1]), (8, [5, 2])])
@pytest.mark.parametrize("alone", [True, False])
def test_ngrams(tmp_path, order, lengths, alone):
    batch = batch_of(lengths=lengths)
    ngrams = ngrams_of(batch, order)
    if alone:
        network = LinearClassifier(ngrams=ngrams, classes=3, multilabel=True).eval()
    else:
        network = classifier(BagEncoder(input_size=7), embedding(), ("max",), True)
        network.ngrams = ngrams.eval()
    with torch.inference_mode():
        wanted = network(*tensors(batch)).logits
        everything = ngrams(*(torch.from_numpy(one) for one in batch[:2]))
    graphs = opened(tmp_path, networks.classifier(network, int8=False))
    (logits,) = engine.Reader(graphs, "classification")(batch, "logits")
    close(logits, wanted)
    assert np.abs(everything.numpy()).max() > 0
    check_stretches(network, graphs)
    graphs = opened(tmp_path, networks.classifier(network, int8=True))
    (rough,) = engine.Reader(graphs, "classification")(batch, "logits")
    np.testing.assert_allclose(rough, wanted, atol=0.03 * np.abs(wanted.numpy()).max() + 0.05)


def test_joint(tmp_path):
    embedded = embedding("cnn", 1)
    encoder = Encoder(input_size=embedded.output_size, cell="gru", hidden_size=5)
    tagger = Tagger(embedding=embedded, encoder=encoder, output=CRF(tags=3))
    network = JointNetwork(
        tagger=tagger, classifier=classifier(encoder, embedded, ("max", "last"), False)
    ).eval()
    batch = batch_of("cnn", 1)
    inside = np.arange(6) < batch.lengths[:, None]
    reader = engine.Reader(opened(tmp_path, networks.joint(network, int8=False)), "joint")
    emissions, logits = reader(batch, "emissions", "logits")
    with torch.inference_mode():
        close(emissions[inside], network.tagger.emissions(*tensors(batch))[inside])
        close(logits, network.classifier(*tensors(batch)).logits)


@pytest.mark.parametrize(
    ("cell", "num_layers", "tied", "hidden", "fields", "vector"),
    pairwise(
        BUILT_IN, (1, 2), (True, False), (5, 7), ((), (4, 3)), ("none", "first state", "every step")
    ),
)
def test_language_model(tmp_path, cell, num_layers, tied, hidden, fields, vector):
    network = LanguageModel(
        embedding=embedding(), vocabulary_size=30, label_sizes=fields, tie_embeddings=tied,
        encoder=Encoder(
            input_size=7, cell=cell, hidden_size=hidden, num_layers=num_layers, bidirectional=False
        ),
        vector_size=0 if vector == "none" else 4, vector_every_step=vector == "every step",
    ).eval()  # fmt: skip
    vectors = None
    if network.vector is not None:
        network.vector.take(torch.randn(4), torch.tensor([0.5, 0.0, 2.0, 1.0]))
        vectors = torch.randn(4, 4)
    model = OnnxGenerator(opened(tmp_path, networks.language_model(network, int8=False)))
    batch = batch_of()
    labels = np.array([[1, 2], [0, 0], [3, 0], [2, 1]]) if fields else None
    of_torch = None if labels is None else torch.from_numpy(labels)
    rows, time = np.nonzero(np.arange(6) < batch.lengths[:, None])
    start, condition = model.start(4, None if vectors is None else vectors.numpy())
    log_probs, state = model.read(
        batch.tokens, batch.lengths, start, labels, rows * 6 + time, condition
    )
    tokens, *_, lengths = tensors(batch)
    with torch.inference_mode():
        logits, _, final = network(tokens, tokens, lengths, of_torch, vectors=vectors)
        close(log_probs, logits.log_softmax(1))
        close(state.hidden, final.hidden)
        begun = network.begin(tokens, lengths, of_torch, vectors)
        following = torch.tensor([3, 4, 5, 6])
        said = network.step(following, begun)
        log_probs, state = model.step(following.numpy(), state, labels, condition)
        close(log_probs, said.log_probs)
        close(state.hidden, said.state.recurrent.hidden)
        picked = np.array([2, 2, 0])
        again, _ = model.step(
            following.numpy()[:3],
            state.reorder(picked),
            *(None if one is None else one[picked] for one in (labels, condition)),
        )
        close(
            again,
            network.step(following[:3], said.state.reorder(torch.from_numpy(picked))).log_probs,
        )
    none, _ = model.read(batch.tokens, batch.lengths, start, labels, None, condition)
    assert none.shape == (0, 30)


@pytest.mark.parametrize(
    ("cell", "num_layers", "score", "fed", "tied", "two", "characters", "copy", "lexical"),
    pairwise(
        BUILT_IN, (1, 2, 3), ("general", "dot", "additive", "multihead"), (True, False),
        ("none", "output", "all"), (True, False), ("none", "cnn"), (True, False), (True, False),
    ),
)  # fmt: skip
def test_translator(tmp_path, cell, num_layers, score, fed, tied, two, characters, copy, lexical):
    embedded = embedding(characters, size=6)
    encoder = Encoder(
        input_size=embedded.output_size, cell=cell, hidden_size=4 if two else 8, bidirectional=two
    )
    decoder = Decoder(
        vocabulary_size=30, memory_size=8, final_size=8, size=6, cell=cell, hidden_size=8,
        word_size=embedded.output_size if lexical else 0,
        num_layers=num_layers, attention=score, attention_size=4, heads=2, input_feeding=fed,
        tie_embeddings=tied, embedding=embedded.words if tied == "all" else None, copy=copy,
    )  # fmt: skip
    network = Translator(embedding=embedded, encoder=encoder, decoder=decoder).eval()
    batch = batch_of(characters)
    model = OnnxTranslator(opened(tmp_path, networks.translator(network, int8=False)))
    rough = OnnxTranslator(opened(tmp_path, networks.translator(network, int8=True)))
    inside = np.arange(6) < batch.lengths[:, None]
    copies, copied = None, None
    if copy:  # some words twice, some of no vocabulary
        copies = np.array(
            [[4, 31, 4, 33, 9, 31], [30, *[0] * 5], [1, 31, 7, 33, 0, 0], [8, *[0] * 5]]
        )
        copied = torch.from_numpy(copies)
    with torch.inference_mode():
        wanted, state = network.encode(*tensors(batch), copied), model.encode(batch, copies)
        close(state.keys[inside], wanted.memory.keys[inside])
        close(state.values[inside], wanted.memory.values[inside])
        encoded = encoder(embedded(*tensors(batch)[:-1]), tensors(batch)[-1])
        (states,) = model.reader(batch, "states")
        close(states[inside], encoded.states[inside])  # without the words, with a path as without
        # A beam of two, then one in which a sentence is gone and rows have changed places.
        for index in (None, [0, 0, 1, 1, 2, 2, 3, 3], [1, 0, 2, 2, 7, 6]):
            if index is not None:
                state = state.reorder(np.array(index))
                wanted = wanted.reorder(torch.tensor(index))
            tokens = torch.arange(4 if index is None else len(index)) + (27 if copy else 3)
            said = network.step(tokens, wanted)
            ours = model.step(tokens.numpy(), state)
            log_probs, attention, state = ours.log_probs, ours.attention, ours.state
            wanted = said.state
            close(log_probs, said.log_probs)
            close(attention, said.attention)
            close(state.recurrent.hidden[:1], wanted.lower.hidden)
        log_probs = rough.step(np.array([3, 4, 5, 6]), rough.encode(batch, copies)).log_probs
        begun = network.encode(*tensors(batch), copied)
        close(log_probs, network.step(torch.tensor([3, 4, 5, 6]), begun).log_probs, 0.2)


def test_a_cell_of_ones_own_is_refused_in_one_line():
    encoder = Encoder(input_size=7, cell="gru", hidden_size=5)
    encoder.cell = "mine"
    network = Tagger(embedding=embedding(), encoder=encoder, output=CRF(tags=3))
    with pytest.raises(InputError, match="'mine' cannot be exported: rnn, rnn_relu, lstm"):
        networks.tagger(network, int8=False)
