"""Reading texts and tunes, cutting them into segments, and the batches that come of it."""

import gzip
import json
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlp.data.corpus.report import Notes
from rnnlp.data.datamodule.samplers import Share
from rnnlp.data.errors import InputError
from rnnlp.data.generation.datamodule import GenerationData
from rnnlp.data.generation.readers import header_fields, read_texts
from rnnlp.data.generation.sample import sample_generation
from rnnlp.data.generation.sample_scenes import sample_scenes
from rnnlp.data.generation.segments import SegmentBatchSampler
from rnnlp.data.generation.vectors import scale_of
from rnnlp.data.samples.grammar import SIZES
from rnnlp.data.text.tokenizer import BOS, EOS

COLOURED = {
    "english": re.compile(r"(?:small|large) (\w+) (\w+)"),
    "chinese": re.compile(r"一个(.色)的[大小](.+?)(?=在|的|$)"),
}
TUNES = """\
% a file of tunes

X:1
T:One
M:4/4
L:1/8
K:D
abcd efga|

X: 2
T:Two
M:4/4 % common time
K:G
M:6/8
P:A
abc def|
M:3/4
abc|
X:3
T:Three
K:Am
abc|
"""


def write(path, text):
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def read(path, **options):
    return [(example.text, example.labels, example.line) for example in read_texts(path, **options)]


def test_lines_and_blocks(tmp_path):
    lines = write(tmp_path / "lines.txt", "\n one \ntwo\n\n")
    assert read(lines) == [(" one ", {}, 2), ("two", {}, 3)]
    assert read(lines, separator="blank") == [(" one \ntwo", {}, 2)]
    blocks = write(tmp_path / "blocks.txt.gz", "one\ntwo\n\n\n{three}\n")
    assert read(blocks) == [("one\ntwo", {}, 1), ("{three}", {}, 5)]
    assert [text for text, _, _ in read(blocks, separator="line")] == ["one", "two", "{three}"]


def test_what_annotators_did_not_accept_is_left_out(tmp_path):
    rows = [{"text": answer, "answer": answer} for answer in ("accept", "reject", "ignore")]
    path = write(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    assert read(path) == [("accept", {}, 1)]


@pytest.mark.parametrize("name", ["tunes.abc", "tunes.txt", "tunes.abc.gz"])
def test_tunes(tmp_path, name):
    text = TUNES if ".abc" in name else TUNES[TUNES.index("X") :]
    notes = Notes()
    actual = read(write(tmp_path / name, text), notes=notes)
    assert [labels for _, labels, _ in actual] == [
        {"M": "4/4", "K": "D"},
        {"M": "6/8", "K": "G"},  # the last before the music
        {"M": None, "K": "Am"},
    ]
    assert actual[0][0] == "X:1\nT:One\nM:4/4\nL:1/8\nK:D\nabcd efga|"
    assert actual[1][0].endswith("M:3/4\nabc|")
    assert notes["pieces of text outside of tunes, left out"] == (".abc" in name)
    assert read(tmp_path / name, labels=["T"])[2][1] == {"T": "Three"}
    assert read(tmp_path / name, labels=[])[0][1] == {}


def test_json_and_folders(tmp_path):
    rows = [{"text": "a\nb", "topic": "x", "n": 3}, {"text": "c", "topic": None, "n": 4}]
    file = write(tmp_path / "1.jsonl", "\n".join(map(json.dumps, rows)))
    assert read(file) == [("a\nb", {}, 1), ("c", {}, 2)]
    assert read(file, labels=["topic", "n"])[0][1] == {"topic": "x", "n": "3"}
    assert read(file, labels=["topic"])[1][1] == {"topic": None}
    write(tmp_path / "2.txt", "d\n")
    write(tmp_path / ".hidden", "e\n")
    assert [text for text, _, _ in read(tmp_path)] == ["a\nb", "c", "d"]
    assert read(tmp_path, labels=["topic"], strict=False)[2][1] == {"topic": None}


@pytest.mark.parametrize(
    ("name", "text", "options", "message"),
    [
        ("a.txt", "one\n", {"labels": ["M"]}, "a.txt: plain text has no labels such as 'M'"),
        ("a.abc", TUNES, {"labels": ["metre"]}, "no field 'metre' in a tune"),
        ("a.abc", "words\n", {}, "no texts in it"),
        ("a.txt", "\n\n", {}, "no texts in it"),
        ("a.jsonl", '{"text": 1}\n', {}, "a.jsonl:1: 'text' is 1"),
        ("a.jsonl", '{"text": "a"}\n{"text": "b"\n', {}, "a.jsonl:2: not JSON"),
        ("a.jsonl", '{"text": "a"}\n', {"labels": ["x"]}, "a.jsonl:1: no key 'x' among text"),
        ("a.jsonl", '{"text": "a", "x": []}\n', {"labels": ["x"]}, "is a text or a number"),
        ("a.txt", "a", {"format": "csv"}, "unknown format 'csv'"),
        ("a.txt", "a", {"separator": "tab"}, "unknown separator 'tab'"),
    ],
)
def test_wrong_files(tmp_path, name, text, options, message):
    with pytest.raises(InputError) as raised:
        read(write(tmp_path / name, text), **options)
    assert message in str(raised.value)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="no files"):
        read(tmp_path)


@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=30),
    bptt=st.none() | st.integers(1, 15),
    budget=st.integers(1, 120),
    rows=st.none() | st.integers(1, 6),
    shuffle=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_segments_cover_everything_once_and_in_order(lengths, bptt, budget, rows, shuffle):
    sampler = SegmentBatchSampler(
        lengths=lengths, bptt=bptt, max_tokens=budget, max_sentences=rows, shuffle=shuffle
    )
    for epoch in (0, 1):
        sampler.set_epoch(epoch)
        actual = list(sampler)
        assert len(actual) == len(sampler)
        read = {row: 0 for row in range(len(lengths))}
        before = []
        for part in actual:
            if part.carried is None:
                assert part.start == 0
            else:
                assert [before[at] for at in part.carried] == part.rows
            width = min(part.size, max(lengths[row] for row in part.rows) - part.start)
            assert len(part.rows) == 1 or len(part.rows) * width <= budget
            assert rows is None or len(part.rows) <= rows
            for row in part.rows:
                assert read[row] == part.start < lengths[row]
                read[row] += min(part.size, lengths[row] - part.start)
            before = part.rows
        assert [read[row] for row in range(len(lengths))] == lengths
    assert 0.0 <= sampler.padding() < 1.0


@given(
    lengths=st.lists(st.integers(1, 40), min_size=3, max_size=30),
    bptt=st.none() | st.integers(1, 15),
    shuffle=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_processes_share_the_segments(lengths, bptt, shuffle):
    read = {row: 0 for row in range(len(lengths))}
    counts = set()
    for rank in range(3):
        sampler = SegmentBatchSampler(
            lengths=lengths, bptt=bptt, max_tokens=60, shuffle=shuffle, share=Share(rank, 3)
        )
        actual = list(sampler)
        counts |= {len(actual), len(sampler)}
        before = []
        for part in actual:
            if part.carried is not None:
                assert [before[at] for at in part.carried] == part.rows
            for row in [] if part.idle else part.rows:
                assert read[row] == part.start < lengths[row]
                read[row] += min(part.size, lengths[row] - part.start)
            before = part.rows
        assert 0.0 <= sampler.padding() < 1.0
    assert list(read.values()) == lengths and len(counts) == 1  # equally many batches


def test_short_examples_are_batched_as_elsewhere():
    lengths = np.random.default_rng(1).integers(1, 50, 200)
    sampler = SegmentBatchSampler(lengths=lengths, bptt=50, max_tokens=400)
    assert len(sampler) == len(list(sampler)) < 40
    assert sampler.padding() < 0.15
    again = [part.rows for part in sampler.segments(3)]
    assert (
        again
        == [part.rows for part in sampler.segments(3)]
        != [part.rows for part in sampler.segments(4)]
    )


def data(tmp_path, text="abcdefgh ijkl\nabc\nlonger than that is this one\nxy\n", **options):
    file = write(tmp_path / "train.txt", text)
    return GenerationData(train=str(file), validation=str(file), **options)


def whole_texts(module, batches):
    """The tokens read and those that follow, put together again from the segments."""
    read, following, names = [], [], []
    now = []
    for batch in batches:
        if batch.carried is None:
            now = list(range(len(read), len(read) + len(batch.gold)))
            read += [[] for _ in batch.gold]
            following += [[] for _ in batch.gold]
            names += batch.gold
        else:
            now = [now[at] for at in batch.carried.tolist()]
            assert not batch.gold
        for row, place in enumerate(now):
            size = int(batch.features.lengths[row])
            read[place] += batch.features.tokens[row, :size].tolist()
            following[place] += batch.following[row, :size].tolist()
    decode = module.featurizer.tokens.decode
    for ids, after, name in zip(read, following, names, strict=True):
        assert ids[0] == BOS and after[-1] == EOS and ids[1:] == after[:-1]
        yield name, decode(ids)


@pytest.mark.parametrize("level", ["character", "bpe"])
@pytest.mark.parametrize("num_workers", [0, 1])
def test_batches_hold_the_texts(tmp_path, level, num_workers):
    module = data(tmp_path, level=level, bptt=4, max_sentences=3, num_workers=num_workers)
    for loader in (module.train_dataloader(), module.val_dataloader()):
        actual = list(whole_texts(module, loader))
        assert len(actual) == 4 and all(name == text for name, text in actual)


def test_reversed(tmp_path):
    module = data(tmp_path, reverse=True, bptt=5)
    for name, text in whole_texts(module, module.train_dataloader()):
        assert text == name[::-1]


def test_a_loader_goes_on_in_the_midst_of_a_text(tmp_path):
    module = data(tmp_path, bptt=3)
    whole = module.train_dataloader()
    batches = list(whole)
    assert any(batch.carried is not None for batch in batches)
    for stop in range(1, len(batches)):
        first = module.train_dataloader()
        iterator = iter(first)
        for _ in range(stop):
            next(iterator)
        second = module.train_dataloader()
        second.load_state_dict(first.state_dict())
        rest = list(second)
        assert len(rest) == len(batches) - stop
        for one, other in zip(rest, batches[stop:], strict=True):
            assert torch.equal(one.features.tokens, other.features.tokens)
            assert (one.carried is None) == (other.carried is None)


def test_labels_get_numbers(tmp_path):
    file = write(tmp_path / "t.abc", TUNES)
    module = GenerationData(train=str(file), validation=str(file))
    assert module.fields == {"M": ["4/4", "6/8"], "K": ["Am", "D", "G"]}
    (batch,) = module.val_dataloader()
    ids = dict(zip([text[2:4].strip() for text in batch.gold], batch.labels.tolist(), strict=True))
    assert ids == {"1": [1, 2], "2": [2, 3], "3": [0, 1]}
    assert "train: 1 texts without a label of M" in module.notes


def test_labels_that_training_never_saw(tmp_path):
    train = write(tmp_path / "t.jsonl", '{"text": "a", "topic": "x"}\n{"text": "b", "topic": "y"}')
    other = write(tmp_path / "v.jsonl", '{"text": "a", "topic": "z"}')
    module = GenerationData(train=str(train), validation=str(other), labels=["topic"])
    (batch,) = module.val_dataloader()
    assert batch.labels.tolist() == [[0]]
    assert any("topic that training never saw" in note for note in module.notes)
    assert "validation: 1 of 1 texts are in the training data as well" in module.notes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bptt": 0}, "data.bptt is 0"),
        ({"level": "bpe", "vocabulary_size": 100}, "must be 260 or more"),
        ({"labels": ["kind", "kind"]}, "names a field twice"),
        ({"labels": ["M"]}, "the sample corpus has no labels of 'M'"),
    ],
)
def test_wrong_settings(options, message):
    with pytest.raises(InputError, match=message):
        GenerationData(**options).prepare()


def test_a_field_that_no_text_has(tmp_path):
    train = write(tmp_path / "t.jsonl", '{"text": "a", "topic": null}')
    with pytest.raises(InputError, match="no training text has a label of topic"):
        GenerationData(train=str(train), validation=str(train), labels=["topic"]).prepare()


@pytest.mark.parametrize("language", ["english", "chinese"])
def test_scenes_hold_combinations_out(language):
    scenes = {split: list(sample_scenes(language, split)) for split in SIZES}
    assert [len(some) for some in scenes.values()] == list(SIZES.values())
    assert {example.vector.shape for some in scenes.values() for example in some} == {(48,)}
    again = next(sample_scenes(language, "train"))
    assert again.text == scenes["train"][0].text
    assert (again.vector == scenes["train"][0].vector).all()
    pairs = {}
    for split, some in scenes.items():
        colours = [one for example in some for one in COLOURED[language].findall(example.text)]
        assert len(colours) == 2 * len(some)
        pairs[split] = set(colours)
    assert not pairs["train"] & pairs["validation"] and not pairs["train"] & pairs["test"]
    words = {word for pair in pairs["train"] for word in pair}
    assert words >= {word for pair in pairs["validation"] | pairs["test"] for word in pair}
    with pytest.raises(InputError, match="scenes has no labels such as 'kind'"):
        next(sample_scenes(language, "train", labels=["kind"]))


@given(st.lists(st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=2), min_size=1))
def test_the_scale_of_vectors(vectors):
    scale = scale_of(vectors)
    np.testing.assert_allclose(scale.mean, np.mean(vectors, 0), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(scale.deviation, np.std(vectors, 0), rtol=1e-4, atol=1e-3)
    assert (scale_of([vectors[0]] * 3).deviation == 0).all()


def test_vectors_of_a_hub(tmp_path):
    rows = [{"text": f"a text {n}", "vector": [float(n), 1.0]} for n in range(20)]
    lines = [json.dumps(row) + "\n" for row in rows]
    write(tmp_path / "train.jsonl", "".join(lines))
    module = GenerationData(hub=str(tmp_path), vector_column="vector", validation_share=0.2)
    assert module.vector_size == 2 and next(iter(module.val_dataloader())).vectors.shape == (4, 2)
    assert "1 of them are the same in all training texts" in " ".join(module.notes)
    with pytest.raises(InputError, match="no column 'v' among text, vector"):
        GenerationData(hub=str(tmp_path), vector_column="v").prepare()
    rows[7]["vector"].append(0.0)
    write(tmp_path / "train.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(InputError, match=r"\(train\):8: 'vector' has 3 components"):
        GenerationData(hub=str(tmp_path), vector_column="vector").prepare()


def test_hub_data(tmp_path):
    import datasets

    rows = {"text": ["a", "", "b", "c", "d"], "topic": ["x", "x", "y", "x", "y"]}
    datasets.Dataset.from_dict(rows).to_json(tmp_path / "train.jsonl")
    module = GenerationData(hub=str(tmp_path), labels=["topic"], validation_share=0.2)
    assert module.fields == {"topic": ["x", "y"]}
    assert "blank texts, left out: 1" in "\n".join(module.notes)
    with pytest.raises(InputError, match="no column 'body'"):
        GenerationData(hub=str(tmp_path), text_column="body").prepare()


@pytest.mark.parametrize("language", ["english", "chinese"])
def test_sample_texts(language):
    splits = {split: list(sample_generation(language, split)) for split in SIZES}
    for split, examples in splits.items():
        assert len(examples) == SIZES[split]
        assert {example.labels["kind"] for example in examples} == set(
            ["weather", "letter", "recipe", "announcement"]
        )
        assert all(set("{}<>|").isdisjoint(example.text) for example in examples)
    train = {example.text for example in splits["train"]}
    known = set("".join(train))
    for split in ("validation", "test"):
        assert not train.intersection(example.text for example in splits[split])
        assert known.issuperset("".join(example.text for example in splits[split]))
    assert splits["train"] == list(sample_generation(language, "train"))
    assert splits["train"] != list(sample_generation(language, "train", seed=2))
    assert next(sample_generation(language, "train", labels=[])).labels == {}


def test_a_header_may_go_on_in_a_second_line():
    tune = ["X:1", "T:A long", "title", "M:6/8", "+:or so", "K:G", "V:1", "abc", "K:D"]
    actual = header_fields(tune)
    assert (actual["M"], actual["K"], actual["T"]) == ("6/8 or so", "G", "A long")
    assert header_fields(["X:1", "M:3/4", "abc", "M:4/4"])["M"] == "3/4"
