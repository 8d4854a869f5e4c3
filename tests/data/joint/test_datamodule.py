"""Two data sets at once: a batch of each at every step, one vocabulary, clear errors."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlp.data.classification.collate import ClassificationBatch
from rnnlp.data.datamodule.samplers import BucketBatchSampler
from rnnlp.data.errors import InputError
from rnnlp.data.joint.datamodule import (
    ClassificationFiles,
    JointBatch,
    JointData,
    TaggingFiles,
)
from rnnlp.data.joint.interleaving import PairedRows, PairedSampler
from rnnlp.data.tagging.collate import TaggingBatch
from rnnlp.data.text.featurizer import Featurizer

LENGTHS = st.lists(st.integers(1, 30), min_size=1, max_size=60)


def paired(*lengths):
    return PairedSampler(
        [BucketBatchSampler(lengths=row, max_tokens=40, max_sentences=4) for row in lengths]
    )


@given(first=LENGTHS, second=LENGTHS, epoch=st.integers(0, 3))
def test_every_step_has_a_batch_of_each(first, second, epoch):
    steps = paired(first, second).batches(epoch)
    longest = max(len(paired(row)) for row in (first, second))
    assert len(steps) == len(paired(first, second)) == longest
    for column, lengths in zip(zip(*steps, strict=True), (first, second), strict=True):
        rows = list(itertools.chain(*column))
        once = len(paired(lengths))
        assert sorted(itertools.chain(*column[:once])) == list(range(len(lengths)))
        most = max(map(rows.count, rows))
        assert most <= -(-longest // once)  # nothing is seen more often than the set goes round


def test_what_goes_round_comes_in_another_order_each_time():
    sampler = paired([5] * 100, [5] * 12)
    seen = []
    for epoch in range(2):
        column = [step[1] for step in sampler.batches(epoch)]
        seen += [tuple(map(tuple, column[at : at + 3])) for at in range(0, 24, 3)]
    assert len(set(seen)) == len(seen)


def test_it_goes_on_anywhere():
    sampler = paired([5] * 30, [5] * 12)
    assert sampler.batches(2) == paired([5] * 30, [5] * 12).batches(2)
    sampler.resume(2, 5)
    assert list(sampler) == sampler.batches(2)[5:]
    assert list(sampler) == sampler.batches(2)


def test_rows_of_a_step():
    class Letters(str):
        def __getitem__(self, rows):
            return "".join(str(self)[row] for row in rows)

    assert PairedRows([Letters("abc"), Letters("xyz")])[([2, 0], [1])] == ["ca", "y"]


@pytest.fixture
def files(tmp_path):
    """Nine sentences, and four texts with words of their own."""
    lines = ["Ann B-PER\nsaw O\nOslo O\n"] * 9
    (tmp_path / "tags.conll").write_text("\n".join(lines) + "\n")
    texts = [("fine food", "good"), ("poor food", "bad"), ("fine staff", "good"), ("dull", "bad")]
    rows = [json.dumps({"text": text, "label": label}) + "\n" for text, label in texts]
    (tmp_path / "labels.jsonl").write_text("".join(rows))
    return tmp_path


def make(files, tagging=None, classification=None, **shared):
    tags, labels = str(files / "tags.conll"), str(files / "labels.jsonl")
    return JointData(
        tagging=TaggingFiles(**{"train": tags, "validation": tags, **(tagging or {})}),
        classification=ClassificationFiles(
            **{"train": labels, "validation": labels, **(classification or {})}
        ),
        **shared,
    )


def test_one_vocabulary_of_both(files):
    data = make(files, lowercase=True, token_features=["suffix"])
    known = data.featurizer.tokens
    assert {"ann", "oslo", "fine", "food"} <= set(known.vocabulary)
    assert data.tagging.featurizer is data.classification.featurizer is data.featurizer
    assert data.featurizer.characters is not None
    assert data.tags == ["O", "B-PER", "E-PER", "I-PER", "S-PER"] and data.scheme == "BIOES"
    assert data.classes == ["bad", "good"] and data.class_counts == [2, 2] and not data.multilabel
    assert any(note.startswith("tagging: train: 9 sentences") for note in data.notes)
    assert any(note.startswith("classification: train: 4 texts") for note in data.notes)
    data.save_tokenizers(files)
    assert Featurizer.load(files).tokens.vocabulary == known.vocabulary
    again = make(files, tokenizer_from=str(files), lowercase=True, token_features=["suffix"])
    assert again.featurizer.tokens.vocabulary == known.vocabulary
    assert [note for note in again.notes if "0.00 % are unknown" in note]
    assert data.origin["classification train"] == str(files / "labels.jsonl")


@pytest.mark.parametrize("num_workers", [0, 1])
def test_batches(files, num_workers):
    data = make(files, {"max_sentences": 2}, {"max_sentences": 3}, num_workers=num_workers)
    loader = data.train_dataloader()
    steps = list(loader)
    assert len(steps) == len(loader) == 5  # of the sentences; the texts go round
    assert all(isinstance(step, JointBatch) for step in steps)
    assert sorted(itertools.chain(*(s.tagging.number.tolist() for s in steps))) == list(range(9))
    texts = [step.classification.number.tolist() for step in steps]
    assert (
        sorted(itertools.chain(*texts[:2])) == sorted(itertools.chain(*texts[2:4])) == [0, 1, 2, 3]
    )
    loader.load_state_dict({"epoch": 0, "batch": 3, "batches": 5})
    rest = [step.classification.number.tolist() for step in loader]
    assert rest == texts[3:]


def test_validation_goes_through_both_once(files):
    data = make(files, {"test": str(files / "tags.conll")}, evaluation_max_tokens=6)
    batches = list(data.val_dataloader())
    assert len(batches) == len(data.val_dataloader())
    assert isinstance(batches[0], TaggingBatch) and isinstance(batches[1], ClassificationBatch)
    for kind, count in ((TaggingBatch, 9), (ClassificationBatch, 4)):
        assert sum(len(batch.gold) for batch in batches if isinstance(batch, kind)) == count
    assert data.has_test
    assert all(isinstance(batch, TaggingBatch) for batch in data.test_dataloader())
    assert not make(files).has_test
    with pytest.raises(InputError, match=r"data\.tagging\.test"):
        make(files).test_dataloader()


def test_sample_corpora():
    data = JointData(sample="chinese", level="character")
    assert "person" in {tag[2:] for tag in data.tags} and data.classes == ["negative", "positive"]
    assert data.has_test and data.origin["tagging sample corpus"] == "chinese"


@pytest.mark.parametrize(
    ("tagging", "classification", "words"),
    [
        ({"max_sentences": 0}, {}, r"data\.tagging\.max_sentences is 0"),
        ({}, {"validation": None, "test": "x", "train": None}, r"set data\.classification\.train"),
        ({"train": None, "validation": None}, {}, r"set data\.tagging\.train"),
        ({}, {"label_column": "mood"}, r"labels\.jsonl:1: no key 'mood'"),
        ({"hub": "some/set"}, {}, r"data\.tagging\.train and data\.tagging\.hub"),
        ({"tag_column": 1}, {}, r"tags\.conll"),
    ],
)
def test_errors_name_the_part(files, tagging, classification, words):
    with pytest.raises(InputError, match=words):
        make(files, tagging, classification).prepare()


def test_errors_of_shared_options_name_these(files):
    with pytest.raises(InputError, match=r"data\.min_frequency is 0"):
        make(files, min_frequency=0)
