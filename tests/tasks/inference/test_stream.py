"""Models that read a text as it arrives: what they say is what they say of the whole text.

The models have random weights, which find more, and odder, things than trained ones.
"""

import io
import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlp.data.errors import InputError
from rnnlp.data.tagging.schemes import allowed_transitions
from rnnlp.data.text.featurizer import Featurizer
from rnnlp.data.text.tokenizer import BOS, EOS, Tokenizer
from rnnlp.models.layers.ngrams import common_ngrams
from rnnlp.tasks.base.components import EmbeddingConfig, EncoderConfig, Sizes
from rnnlp.tasks.classification.config import ClassifierConfig
from rnnlp.tasks.classification.pipeline import ClassificationPipeline
from rnnlp.tasks.classification.torch_engine import TorchClassifier
from rnnlp.tasks.export.export import export
from rnnlp.tasks.generation.config import GeneratorConfig
from rnnlp.tasks.generation.pipeline import GenerationPipeline
from rnnlp.tasks.generation.torch_engine import TorchGenerator
from rnnlp.tasks.inference.load import load
from rnnlp.tasks.tagging.config import TaggerConfig
from rnnlp.tasks.tagging.pipeline import TaggingPipeline
from rnnlp.tasks.tagging.torch_engine import TorchTagger

from ..conftest import train

FOLDERS = Path(__file__).parents[2] / "folders"

TEXTS = [
    "Barack Obama hasn't visited Berlin, or www.berlin.de, on 24.7.2008. He'll phone Dr. Merkel.",
    "张伟去年在上海加入了华为公司，他说：“很好！”\n王芳在Berlin住了3年。",
    "<b>Great</b> room<br />, but 1,000 times o'er-priced… 不错 e\u0301 👩\u200d🚀 ok",
]
TAGS = ["O", *(f"{letter}-{kind}" for kind in ("PER", "LOC") for letter in "BIES")]
CELLS = ["rnn", "rnn_relu", "lstm", "gru", "mingru"]


def featurizer(level, characters=False, token_features=()):
    if level == "bpe":
        return Featurizer(tokens=Tokenizer.train(TEXTS, level="bpe", vocabulary_size=280))
    split = Tokenizer.train(TEXTS, level=level).split
    tokens = [[text[a:b] for a, b in split(text)] for text in TEXTS]
    tokens += tokens  # attributes are known from two occurrences on
    return Featurizer.train(
        tokens, level=level, characters=characters, token_features=token_features
    )


def parts(features, encoder):
    """The settings that models of all tasks have."""
    sizes, token_features = features.sizes, list(features.token_features)
    return {
        "sizes": Sizes(
            tokens=sizes.tokens, characters=sizes.characters, token_features=sizes.token_features
        ),
        "embedding": EmbeddingConfig(
            size=6, characters="cnn" if sizes.characters else "none", character_size=3,
            character_features=4, token_features=token_features, token_feature_size=3,
        ),
        "encoder": EncoderConfig(**{"hidden_size": 5, "bidirectional": False, **encoder}),
    }  # fmt: skip


ENGINES = {
    TaggingPipeline: TorchTagger,
    ClassificationPipeline: TorchClassifier,
    GenerationPipeline: TorchGenerator,
}


def made(pipeline, config, features, spread=0.5):
    torch.manual_seed(7)
    network = config.build()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=spread)
    for table in network.modules():
        if isinstance(table, torch.nn.Embedding) and table.padding_idx is not None:
            table.weight.data[table.padding_idx] = 0.0
    return pipeline(engine=ENGINES[pipeline](network), featurizer=features, settings=config)


def tagger(level="word", *, characters=True, token_features=("bigram", "shape"), crf=True,
           scheme="BIOES", **encoder):  # fmt: skip
    features = featurizer(level, characters, token_features)
    tags = TAGS if scheme == "BIOES" else [t for t in TAGS if t[0] in "OBI"] if scheme else TAGS
    assert allowed_transitions(tags, scheme)
    config = TaggerConfig(tags=tags, scheme=scheme, crf=crf, **parts(features, encoder))
    return made(TaggingPipeline, config, features)


def classifier(level="word", *, token_features=("bigram",), encoder=None, **options):
    features = featurizer(level, False, token_features)
    common = parts(features, encoder or {})
    config = ClassifierConfig(classes=["a", "b", "c"], multilabel=False, **common, **options)
    if config.ngrams is None:
        return made(ClassificationPipeline, config, features, 0.5)
    texts = [features.encode(text)[0].tokens for text in TEXTS]
    hashes = common_ngrams(texts * 2, config.ngrams)
    config = replace(config, sizes=replace(config.sizes, ngrams=len(hashes)))
    model = made(ClassificationPipeline, config, features, 0.5)
    model.network.ngrams.count_only(hashes)
    return model


def generator(level="character", **encoder):
    features = featurizer(level)
    config = GeneratorConfig(fields={"kind": ["x", "y"]}, **parts(features, encoder))
    return made(GenerationPipeline, config, features, 0.5)


def fed(stream, chunks):
    """All results, those of each chunk in a list and those of the end in the last one."""
    with stream:
        found = [stream.feed(chunk) for chunk in chunks]
    return [*found, stream.rest]


def flat(results):
    return [result for some in results for result in some]


@st.composite
def cut_texts(draw):
    """A text of several, and the same text in chunks."""
    text = "".join(draw(st.lists(st.sampled_from([*TEXTS, " ", "\n"]), max_size=4)))
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


TAGGERS = {
    **{cell: tagger(cell=cell) for cell in CELLS},
    "num_layers": tagger(cell="gru", num_layers=3, residual=True, layer_norm=True),
    "softmax": tagger(crf=False),
    "two letters": tagger(scheme="IOB2"),
    "plain tags": tagger(scheme=None),
    "plain tags, softmax": tagger(scheme=None, crf=False),
    "characters": tagger("character", characters=False, token_features=("bigram",)),
}


@pytest.mark.parametrize("name", TAGGERS)
@settings(max_examples=15, deadline=None)
@given(chunks=cut_texts())
def test_entities_are_those_of_the_whole_text(name, chunks):
    model, text = TAGGERS[name], "".join(chunks)
    stream = model.stream()
    found = flat(fed(stream, chunks))
    expected = model(text)["entities"]
    plain = [
        [(e["start"], e["end"], e["entity_group"]) for e in some] for some in (found, expected)
    ]
    assert stream.forced == 0
    assert plain[0] == plain[1]
    assert all(text[e["start"] : e["end"]] == e["word"] for e in found)
    if "softmax" in name:
        assert [e["score"] for e in found] == pytest.approx(
            [e["score"] for e in expected], abs=2e-4
        )
    # Where the chunks are cut changes no score either.
    whole = flat(fed(model.stream(), [text]))
    assert [e["score"] for e in found] == pytest.approx([e["score"] for e in whole], abs=2e-4)


def test_entities_come_as_soon_as_they_are_certain():
    model = TAGGERS["plain tags, softmax"]
    results = fed(model.stream(), ["Barack Ob", "ama", " has", "n't ", "visited"])
    assert [[r["word"] for r in some] for some in results] == [
        ["Barack"], [], ["Obama"], ["has", "n't"], [], ["visited"],
    ]  # fmt: skip


def test_a_bound_on_open_tags_keeps_the_rest_and_is_counted():
    model = TAGGERS["lstm"]
    torch.nn.init.zeros_(model.network.projection.weight)
    text = " ".join(TEXTS)
    tight, loose = model.stream(lag=1), model.stream(lag=1000)
    assert flat(fed(loose, [text])) and loose.forced == 0
    fed(tight, [text])
    assert tight.forced > 0
    with pytest.raises(InputError, match="lag is 0: it must be 1 or more"):
        model.stream(lag=0)


WAYS = ["last", "max", "mean", "attention"]
CLASSIFIERS = {
    **{cell: classifier(encoder={"cell": cell}, pooling=WAYS) for cell in CELLS},
    "num_layers": classifier(encoder={"num_layers": 2, "residual": True}, pooling=WAYS),
    "head and tail": classifier(pooling=WAYS, max_length=9),
    "short head": classifier(max_length=3),
    "windows": classifier(pooling=WAYS, max_length=7, long_texts="windows"),
    "no order": classifier(pooling=WAYS, recurrent=False),
    "no order, windows": classifier(
        pooling=WAYS, recurrent=False, max_length=7, long_texts="windows"
    ),
    "characters": classifier("character", max_length=None),
    "n-grams": classifier(ngrams=3, max_length=9),
    "n-grams alone": classifier(ngrams=3, recurrent=False, max_length=9),
}


@pytest.mark.parametrize("name", CLASSIFIERS)
@settings(max_examples=15, deadline=None)
@given(chunks=cut_texts())
def test_labels_are_those_of_the_text_so_far(name, chunks):
    model, text = CLASSIFIERS[name], "".join(chunks)
    results = fed(model.stream(), chunks)
    for some in results:
        for result in some:
            expected = model(text[: result["end"]])
            assert result["scores"] == pytest.approx(expected["scores"], abs=2e-4)
    assert all(len(some) <= 1 for some in results) and len(results[-1]) == 1
    assert results[-1][0]["end"] == len(text)


@pytest.mark.parametrize("name", ["characters", "gru"])
@pytest.mark.parametrize(
    "chunks", [["<b>Great</b>", " room"], ["fine<br />", "x"], ["fine<", "b>x"], ["a <em ", "/>"]]
)
def test_a_label_never_ends_inside_a_tag(name, chunks):
    model, text = CLASSIFIERS[name], "".join(chunks)
    ends = [result["end"] for result in flat(fed(model.stream(), chunks))]
    assert ends and all("<" not in text[:end] or ">" in text[:end] for end in ends)
    for result in flat(fed(model.stream(), chunks)):
        assert result["scores"] == pytest.approx(model(text[: result["end"]])["scores"], abs=2e-4)


def test_a_label_comes_with_every_chunk_that_ends_a_token():
    results = fed(CLASSIFIERS["gru"].stream(), ["The ro", "om ", "", "  ", "was"])
    assert [[r["end"] for r in some] for some in results] == [[4], [9], [], [], [], [14]]


GENERATORS = {
    f"{cell}, {level}": generator(level, cell=cell, num_layers=2)
    for cell, level in zip(CELLS, ["character", "word", "bpe", "bpe", "character"], strict=True)
}


@pytest.mark.parametrize("name", GENERATORS)
@settings(max_examples=15, deadline=None)
@given(chunks=cut_texts(), label=st.sampled_from([None, "x"]))
def test_costs_are_those_of_the_whole_text(name, chunks, label):
    model, text = GENERATORS[name], "".join(chunks)
    labels = {"kind": label} if label else {}
    *found, end = flat(fed(model.stream(labels=labels), chunks))
    row, offsets = model.featurizer.encode(text)
    ids = row.tokens
    with torch.inference_mode():
        logits, following, _ = model.network(
            torch.tensor([[BOS, *ids]]), torch.tensor([[*ids, EOS]]),
            torch.tensor([len(ids) + 1]), torch.tensor([model.label_row(labels)]),
        )  # fmt: skip
        costs = torch.nn.functional.cross_entropy(logits, following, reduction="none")
    expected = (costs / math.log(2)).tolist()
    assert [(r["start"], r["end"], r["word"]) for r in found] == [
        (a, b, text[a:b]) for a, b in offsets
    ]
    assert [r["bits"] for r in [*found, end]] == pytest.approx(expected, abs=1e-3)
    assert end["total_bits"] == pytest.approx(sum(expected), rel=1e-4)
    assert end["bits_per_character"] == pytest.approx(sum(expected) / max(1, len(text)), rel=1e-4)


@pytest.mark.parametrize(
    "model",
    [
        TAGGERS["num_layers"], TAGGERS["softmax"], CLASSIFIERS["lstm"], CLASSIFIERS["windows"],
        CLASSIFIERS["no order, windows"], CLASSIFIERS["n-grams alone"], GENERATORS["gru, bpe"],
    ],
)  # fmt: skip
def test_an_exported_model_streams_the_same(tmp_path, model):
    model.save(tmp_path / "model")
    exported = load(export(tmp_path / "model", tmp_path / "exported"))
    text = " ".join(TEXTS)
    chunks = [text[at : at + 40] for at in range(0, len(text), 40)]
    ours, theirs = (flat(fed(each.stream(), chunks)) for each in (exported, model))
    assert ours and len(ours) == len(theirs)
    for result, other in zip(ours, theirs, strict=True):
        result, other = (levelled(each) for each in (result, other))
        assert result == pytest.approx(other, abs=2e-3)


def levelled(result):
    """The scores of labels beside all else."""
    return {**result.pop("scores", {}), **result}


@pytest.mark.parametrize("model", [TAGGERS["gru"], CLASSIFIERS["gru"], GENERATORS["gru, bpe"]])
def test_what_is_carried_does_not_grow(model):
    """All tensors, texts and lists that a stream holds, counted."""

    def size(value, seen):
        if id(value) in seen or isinstance(value, torch.nn.Module | Featurizer | Tokenizer):
            return 0
        seen.add(id(value))
        if isinstance(value, torch.Tensor):
            return value.numel()
        if isinstance(value, str):
            return len(value)
        inner = value.values() if isinstance(value, dict) else value
        if hasattr(value, "__dict__"):
            inner = vars(value).values()
        elif not isinstance(inner, list | tuple | dict | set) and not hasattr(inner, "__iter__"):
            return 1
        return 1 + sum(size(part, seen) for part in inner)

    sizes = []
    with model.stream() as stream:
        for _ in range(16):
            for chunk in TEXTS:
                stream.feed(chunk)
            sizes.append(size(stream, set()))
    assert max(sizes[8:]) <= 1.2 * max(sizes[:8])


def test_a_stream_ends_once_and_only_when_nothing_went_wrong():
    stream = TAGGERS["plain tags"].stream()
    stream.feed("Berlin")
    assert stream.finish() and stream.finish() is stream.rest and stream.read == 6
    with pytest.raises(ValueError, match="this stream is finished"):
        stream.feed("!")
    with pytest.raises(RuntimeError), TAGGERS["plain tags"].stream() as broken:
        broken.feed("Berlin")
        raise RuntimeError
    assert broken.rest == []


@pytest.mark.parametrize(
    "model", [tagger(bidirectional=True), classifier(encoder={"bidirectional": True})]
)
def test_a_model_of_two_directions_says_what_to_train_instead(model):
    with pytest.raises(InputError, match=r"both directions.*--model.encoder.bidirectional false"):
        model.stream()


def test_a_bag_that_says_bidirectional_streams():
    """Its encoder settings mean nothing."""
    model = classifier(recurrent=False, encoder={"bidirectional": True})
    assert fed(model.stream(), ["good "])[-1][0]["label"] == model("good ")["label"]


def test_a_generator_that_reads_backwards_is_refused():
    model = generator()
    backwards = GeneratorConfig(**{**vars(model.settings), "reverse": True})
    pipeline = GenerationPipeline(
        engine=model.engine, featurizer=model.featurizer, settings=backwards
    )
    with pytest.raises(InputError, match="reads from the end of a text"):
        pipeline.stream()


@pytest.fixture(scope="session")
def streaming(tmp_path_factory, corpus):
    """A tagger's folder, trained as the README says."""
    folder = tmp_path_factory.mktemp("models") / "streaming"
    return train(folder, corpus, "--trainer.max_epochs=6", "--model.encoder.bidirectional", "false")


@pytest.fixture
def stdin(monkeypatch):
    """Puts text or bytes on stdin."""

    def put(content):
        data = content if isinstance(content, bytes) else content.encode()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))

    return put


def objects(out):
    return [json.loads(line) for line in out.splitlines()]


def test_predict_reads_stdin_as_one_text(rnnlp, streaming, stdin, corpus):
    text = "\ufeffBarack Obama visited Berlin.\r\n\nAngela Merkel met\nTim Cook in 北京 on Monday"
    stdin(text)
    code, out, err = rnnlp("predict", streaming, "--stream")
    assert (code, err) == (0, "")
    plain = [(e["start"], e["end"], e["entity_group"], e["word"]) for e in objects(out)]
    expected = load(streaming)(text[1:])["entities"]
    assert plain and plain == [
        (e["start"], e["end"], e["entity_group"], e["word"]) for e in expected
    ]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_predict_by_line_is_predict_of_each_line(rnnlp, streaming, stdin, monkeypatch, size):
    monkeypatch.setattr("rnnlp.tasks.cli.streaming._MOST_BYTES", size)
    lines = ["Barack Obama visited Berlin.", "", "Angela Merkel met Tim Cook", "in 北京\r on May"]
    stdin("\r\n".join(lines))
    code, out, _ = rnnlp("predict", streaming, "--stream", "--by_line", "--lag", "1000")
    assert code == 0
    found = [(e["line"], e["start"], e["end"], e["entity_group"]) for e in objects(out)]
    expected = [
        (number, e["start"], e["end"], e["entity_group"])
        for number, answer in enumerate(load(streaming)(lines), start=1)
        for e in answer["entities"]
    ]
    assert found and found == expected


def test_predict_answers_before_its_input_ends(streaming):
    """What is certain leaves the process while its stdin is still open."""
    command = [sys.executable, "-m", "rnnlp", "predict", str(streaming), "--stream", "--lag", "1"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        process.stdin.write("Barack Obama visited Berlin. He said nothing more about it ")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["start"] < 30  # would wait for ever
        process.stdin.close()
        process.stdout.read()
        assert process.wait() == 0


def test_a_classifier_labels_after_each_line(rnnlp, stdin, monkeypatch):
    monkeypatch.setattr("rnnlp.tasks.inference.load.load", lambda model, **_: CLASSIFIERS["gru"])
    stdin("good\nbad\n\nso so")
    code, out, _ = rnnlp("predict", "model", "--stream")
    assert code == 0 and [result["end"] for result in objects(out)] == [5, 9, 13, 15]
    stdin("good\nbad\n")
    assert [result["end"] for result in objects(rnnlp("predict", "model", "--stream")[1])] == [5, 9]
    stdin("good\ngood\n\n")
    _, out, _ = rnnlp("predict", "model", "--stream", "--by_line")
    assert [(result["line"], result["end"]) for result in objects(out)] == [(1, 4), (2, 4), (3, 0)]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["english", "--stream"], "both directions.*--model.encoder.bidirectional false"),
        (["english", "--by_line"], "--by_line and --lag are for --stream"),
        (["streaming", "--stream", "text"], "--stream reads stdin"),
        (["streaming", "--stream", "--explain"], "--explain is not for it"),
        (["streaming", "--stream", "--lag", "0"], "lag is 0: it must be 1 or more"),
        (["streaming", "--stream", "--label", "kind=x"], "--label is for generation"),
        (["translation-v1", "--stream"], "reads the whole text before it writes"),
        (["joint-v1", "--stream"], r"model.tagging.stream\(\)"),
        (["generation-v1", "--stream", "--lag", "3"], "--lag is for tagging"),
        (["generation-v1", "--stream", "--seed", "3"], "--seed is not for it"),
    ],
)
def test_what_cannot_stream_is_one_line(rnnlp, english, streaming, stdin, arguments, says):
    stdin("some text")
    model = {"english": english, "streaming": streaming}.get(arguments[0], FOLDERS / arguments[0])
    code, out, err = rnnlp("predict", model, *arguments[1:])
    assert (code, out) == (2, "") and len(err.splitlines()) == 1
    assert re.search(says, err)


def test_bytes_that_are_not_utf8(rnnlp, streaming, stdin):
    stdin(b"one\ntwo\nth\xffree\n")
    code, _, err = rnnlp("predict", streaming, "--stream")
    assert code == 2 and "<stdin>:3: is not UTF-8 text" in err


def test_a_generator_on_stdin(rnnlp, stdin):
    text = "ab c"
    stdin(text)
    code, out, _ = rnnlp("predict", FOLDERS / "generation-v1", "--stream")
    found = objects(out)
    assert code == 0 and [result["word"] for result in found] == ["ab", "c", ""]
    assert all(text[result["start"] : result["end"]] == result["word"] for result in found)
    assert found[-1]["total_bits"] == pytest.approx(sum(r["bits"] for r in found), abs=1e-3)
