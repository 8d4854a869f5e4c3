import json
import tracemalloc
from inspect import signature

import datasets
import pyarrow
import pytest
import torch

from rnnlp.data.classification.datamodule import ClassificationData
from rnnlp.data.classification.sample import sample_classification
from rnnlp.data.errors import InputError
from rnnlp.data.text.preprocessing import EMPTY, tokenise
from rnnlp.data.text.tokenizer import splitter

TRAIN = [("a fine film", "pos"), ("a dull film", "neg"), ("fine , fine", "pos"), ("dull", "neg")]
DEV = [("a fine film", "pos"), ("so dull", "neg")]


def tsv(path, pairs):
    path.write_text("text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in pairs))
    return str(path)


def jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def files(folder, train=TRAIN, validation=DEV, **options):
    return ClassificationData(
        train=tsv(folder / "train.tsv", train),
        validation=tsv(folder / "dev.tsv", validation),
        **options,
    )


def everything(loader):
    """Number -> (token ids, target, gold) of all texts of a loader."""
    return {
        int(number): (ids[: int(length)].tolist(), target.tolist(), gold)
        for batch in loader
        for number, ids, length, target, gold in zip(
            batch.number, batch.features.tokens, batch.features.lengths, batch.targets, batch.gold,
            strict=True,
        )
    }  # fmt: skip


def test_files(tmp_path):
    data = files(tmp_path)
    assert data.classes == ["neg", "pos"]
    assert data.class_counts == [2, 2]
    assert not data.multilabel
    assert not data.has_test
    actual = everything(data.train_dataloader())
    for number, (text, label) in enumerate(TRAIN):
        ids = data.featurizer.tokens.ids(text.split())
        assert actual[number] == (ids, data.classes.index(label), [label])
    assert any("1 of 2 texts are in the training data as well" in note for note in data.notes)


def test_labels_that_training_never_saw_are_misses(tmp_path):
    data = files(tmp_path, validation=[("fine", "great"), ("dull", "neg")])
    batch = next(iter(data.val_dataloader()))
    assert sorted(batch.targets.tolist()) == [-1, 0]
    assert any("never saw, counted as misses: great (1)" in note for note in data.notes)


def test_several_labels(tmp_path):
    rows = [
        {"text": "red and blue", "labels": ["red", "blue"]},
        {"text": "red", "labels": ["red"]},
        {"text": "nothing", "labels": []},
    ]
    path = jsonl(tmp_path / "train.jsonl", rows)
    data = ClassificationData(train=path, validation=path)
    assert data.multilabel
    assert data.classes == ["blue", "red"]
    actual = everything(data.val_dataloader())
    assert [actual[i][1] for i in range(3)] == [[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]


def test_empty_texts(tmp_path):
    data = files(tmp_path, train=[*TRAIN, (" ", "pos")], validation=[*DEV, ("\u200b", "pos")])
    assert data.class_counts == [2, 2]
    assert everything(data.val_dataloader())[2][0] == data.featurizer.tokens.ids(EMPTY)
    assert any("training texts without a token, left out: 1" in note for note in data.notes)


def test_long_texts_keep_head_and_tail(tmp_path):
    long = " ".join(f"w{i}" for i in range(100))
    data = files(tmp_path, train=[*TRAIN, (long, "pos")], max_length=8)
    words = [
        data.featurizer.tokens.vocabulary[i] for i in everything(data.train_dataloader())[4][0]
    ]
    assert words == ["w0", "w1", "w94", "w95", "w96", "w97", "w98", "w99"]
    assert any("texts of more than 8 tokens, middle left out: 1" in note for note in data.notes)
    for options in ({"max_length": None}, {"max_length": 8, "long_texts": "windows"}):
        whole = files(tmp_path, train=[*TRAIN, (long, "pos")], **options)
        assert len(everything(whole.train_dataloader())[4][0]) == 100
    assert any("more than 8 tokens, read in windows: 1" in note for note in whole.notes)


@pytest.mark.parametrize("level", ["word", "character"])
def test_offsets_are_those_of_the_text_as_given(level):
    text = "It\x92s fine<br /><br />really 很 好\u3000！" * 20
    for max_length in (None, 9):
        tokens, offsets, count = tokenise(text, splitter(level), max_length=max_length)
        assert len(tokens) == len(offsets) == (max_length or count)
        pieces = [text[start:end].replace("\x92", "’") for start, end in offsets]
        assert pieces == tokens
        assert not any(token.isspace() for token in tokens)
    assert tokenise(" \n", splitter(level), max_length=9) == ([], [], 0)


def test_contradictions_are_counted(tmp_path):
    data = files(tmp_path, train=[*TRAIN, ("a  fine film", "neg")])
    assert "train: 1 texts occur with different labels" in data.notes


@pytest.mark.parametrize("language", ["english", "chinese"])
def test_sample_corpus(language):
    data = ClassificationData(sample=language)
    assert data.classes == ["negative", "positive"]
    assert data.has_test
    batch = next(iter(data.train_dataloader()))
    assert batch.features.lengths.device.type == "cpu"
    assert batch.targets.dtype == torch.int64
    texts = {split: [e.text for e in sample_classification(language, split)] for split in SIZES}
    assert {split: len(actual) for split, actual in texts.items()} == SIZES
    assert texts["train"] == [e.text for e in sample_classification(language, "train")]
    assert len(set(texts["test"]) & set(texts["train"])) < 10


SIZES = {"train": 2000, "validation": 300, "test": 300}


def test_hub_data_set_with_class_labels(tmp_path):
    names = ["neg", "pos"]
    features = datasets.Features(
        {"sentence": datasets.Value("string"), "kind": datasets.ClassLabel(names=names)}
    )
    columns = {
        "sentence": [text for text, _ in TRAIN],
        "kind": [names.index(label) for _, label in TRAIN],
    }
    rows = datasets.Dataset.from_dict(columns, features=features)
    for split in ("train", "validation"):
        rows.to_parquet(tmp_path / f"{split}.parquet")
    data = ClassificationData(hub=str(tmp_path), hub_text="sentence", hub_label="kind")
    local = files(tmp_path, validation=TRAIN)
    assert data.classes == names
    assert everything(data.val_dataloader()) == everything(local.val_dataloader())
    with pytest.raises(InputError, match=r"no column 'text' among sentence, kind: set data\.hub_t"):
        ClassificationData(hub=str(tmp_path)).prepare()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"train": [("a", "x"), ("b", "x")]}, "only one label in the training data"),
        ({"train": [(" ", "x"), (" ", "y")]}, "texts without a token, left out: 2"),
        ({"max_length": 2}, "max_length is 2: it must be 4 or more"),
        ({"max_tokens": 0}, r"data\.max_tokens is 0"),
    ],
)
def test_mistakes_are_named(options, message, tmp_path):
    with pytest.raises(InputError, match=message):
        files(tmp_path, **options).prepare()


def test_weights_that_are_all_0_are_told(tmp_path):
    rows = [{"text": name, "label": name, "weight": 0} for name in "ab"]
    train = jsonl(tmp_path / "t.jsonl", rows)
    with pytest.raises(InputError, match="texts of weight 0, left out: 2"):
        ClassificationData(train=train, validation=train).prepare()


def test_more_labels_in_validation_than_in_training_are_an_error(tmp_path):
    train = jsonl(tmp_path / "t.jsonl", [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}])
    dev = jsonl(tmp_path / "d.jsonl", [{"text": "a", "label": ["x", "y"]}])
    with pytest.raises(InputError, match=r"d\.jsonl:1: 2 labels \(x, y\) where the training data"):
        ClassificationData(train=train, validation=dev).prepare()


def test_memory_does_not_grow_with_the_file(tmp_path):
    def peak(size):
        pairs = [(f"a {'fine' if i % 2 else 'dull'} film", "np"[i % 2]) for i in range(size)]
        path = tsv(tmp_path / f"{size}.tsv", pairs)
        del pairs
        tracemalloc.start()
        try:
            data = ClassificationData(train=path, validation=path)
            assert data.class_counts == [size / 2, size / 2]
            return tracemalloc.get_traced_memory()[1] + pyarrow.total_allocated_bytes()
        finally:
            tracemalloc.stop()

    peak(10)
    assert peak(20_000) < 2.5 * peak(2_000)  # some 30 bytes a text, where a text is 100


def test_every_option_has_a_line_of_help():
    documented = ClassificationData.__doc__.split("Args:")[1]
    for name in signature(ClassificationData).parameters:
        assert f"        {name}: " in documented


def test_a_text_without_a_label_does_not_give_the_others_several(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("__label__a one two\n__label__b three\nfour\n" * 5)
    with pytest.raises(InputError, match=r"a\.txt:3: 0 labels \(none\)"):
        ClassificationData(train=str(path)).prepare()


@pytest.mark.parametrize("encoding", ["big5", "utf-16"])
def test_files_in_another_encoding(tmp_path, encoding):
    (tmp_path / "a.csv").write_bytes(
        "text,label\n好,pos\n壞,neg\n也好,pos\n也壞,neg\n".encode(encoding)
    )
    data = ClassificationData(
        train=str(tmp_path / "a.csv"), level="character", encoding=encoding, validation_share=0.5
    )
    assert set(data.featurizer.tokens.vocabulary) & set("好壞")
    with pytest.raises(InputError, match="unknown encoding 'big6'"):
        ClassificationData(encoding="big6")


def test_probabilities_contradict_no_label(tmp_path):
    rows = [
        {"text": "fine", "label": "good"},
        {"text": "fine", "scores": {"good": 0.4, "bad": 0.6}},
        {"text": "dull", "votes": ["bad", "bad", "good"]},
        {"text": "dull", "votes": ["bad", "good", "good"]},
        {"text": "so so", "label": "good"},
        {"text": "so so", "label": "bad"},
    ]
    notes = ClassificationData(train=jsonl(tmp_path / "train.jsonl", rows * 3)).notes
    assert [line for line in notes if "different labels" in line] == [
        "train: 1 texts occur with different labels"
    ]
