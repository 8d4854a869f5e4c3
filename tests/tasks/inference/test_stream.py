"""Models that read a text as it arrives: what they say is what they say of the whole text.

What `predict --stream` does with them is in `tests/tasks/cli/test_streaming.py`.
"""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import Featurizer
from rnnlp.data.text.tokenizer import BOS, EOS, Tokenizer
from rnnlp.tasks.export.export import export
from rnnlp.tasks.generation.config import GeneratorConfig
from rnnlp.tasks.generation.pipeline import GenerationPipeline
from rnnlp.tasks.inference.load import load

from ..random_models import TEXTS, classifier, generator, tagger

CELLS = ["rnn", "rnn_relu", "lstm", "gru", "mingru", "ssru"]


def fed(stream, chunks):
    """All results, those of each chunk in a list and those of the end in the last one."""
    with stream:
        actual = [stream.feed(chunk) for chunk in chunks]
    return [*actual, stream.rest]


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
    "look_back": tagger(cell="mingru", num_layers=3, look_back=True),
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
    actual = flat(fed(stream, chunks))
    expected = model(text)["entities"]
    plain = [
        [(e["start"], e["end"], e["entity_group"]) for e in some] for some in (actual, expected)
    ]
    assert stream.forced == 0
    assert plain[0] == plain[1]
    assert all(text[e["start"] : e["end"]] == e["word"] for e in actual)
    if "softmax" in name:
        assert [e["score"] for e in actual] == pytest.approx(
            [e["score"] for e in expected], abs=2e-4
        )
    # Where the chunks are cut changes no score either.
    whole = flat(fed(model.stream(), [text]))
    assert [e["score"] for e in actual] == pytest.approx([e["score"] for e in whole], abs=2e-4)


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


LEVELS = ["character", "word", "bpe", "bpe", "character", "word"]
GENERATORS = {
    f"{cell}, {level}": generator(level, cell=cell, num_layers=2)
    for cell, level in zip(CELLS, LEVELS, strict=True)
}


@pytest.mark.parametrize("name", GENERATORS)
@settings(max_examples=15, deadline=None)
@given(chunks=cut_texts(), label=st.sampled_from([None, "x"]))
def test_costs_are_those_of_the_whole_text(name, chunks, label):
    model, text = GENERATORS[name], "".join(chunks)
    labels = {"kind": label} if label else {}
    *actual, end = flat(fed(model.stream(labels=labels), chunks))
    row, offsets = model.featurizer.encode(text)
    ids = row.tokens
    with torch.inference_mode():
        logits, following, _ = model.network(
            torch.tensor([[BOS, *ids]]), torch.tensor([[*ids, EOS]]),
            torch.tensor([len(ids) + 1]), torch.tensor([model.label_row(labels)]),
        )  # fmt: skip
        costs = torch.nn.functional.cross_entropy(logits, following, reduction="none")
    expected = (costs / math.log(2)).tolist()
    assert [(r["start"], r["end"], r["word"]) for r in actual] == [
        (a, b, text[a:b]) for a, b in offsets
    ]
    assert [r["bits"] for r in [*actual, end]] == pytest.approx(expected, abs=1e-3)
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
