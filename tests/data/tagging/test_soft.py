"""A probability a tag of each token: read, stored, and made a batch of."""

import json

import pytest
import torch

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.tagging.datamodule import TaggingData
from rnnlp.data.tagging.readers import read_tagging

SCORES = [
    {"B-PER": 0.7, "O": 0.3},
    [{"label": "O", "score": 0.9}, {"label": "S-LOC", "score": 0.1}],
]


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def read(path):
    return list(read_tagging(path, split=lambda text: [], notes=Notes()))


@pytest.mark.parametrize("key", ["scores", "probabilities"])
def test_they_stand_in_the_place_of_tags_or_beside_them(tmp_path, key):
    row = {"tokens": ["Ann", "left"], key: SCORES}
    alone, beside = read(write(tmp_path / "x.jsonl", row, {**row, "tags": ["O", "O"]}))
    assert alone.soft == beside.soft == [{"B-PER": 0.7, "O": 0.3}, {"O": 0.9, "S-LOC": 0.1}]
    assert alone.tags == ["B-PER", "O"] and beside.tags == ["O", "O"]


@pytest.mark.parametrize(
    ("scores", "line"),
    [
        ([{"O": 1.0}], "2 tokens but 1 `scores`; give one a token"),
        ([{"O": 0.5}, {"O": 1.0}], "token 0: the probabilities of O sum to 0.5, not to 1"),
        ([{"O": 1.0}, {"O": 1.4}], "token 1: the probability of 'O' is 1.4: give numbers from"),
        ([{"O": 1.0}, "O"], "`scores` of token 1 is 'O'; give a probability a tag"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path, scores, line):
    good = {"tokens": ["a"], "tags": ["O"]}
    path = write(tmp_path / "x.jsonl", good, {"tokens": ["a", "b"], "scores": scores})
    with pytest.raises(InputError) as error:
        read(path)
    assert str(error.value).startswith(f"{path}:2: {line}")


def test_a_batch_has_them_where_there_are_some(tmp_path):
    path = write(
        tmp_path / "x.jsonl",
        {"tokens": ["Ann", "left"], "scores": [{"S-PER": 0.7, "O": 0.3}, {"O": 0.9, "S-LOC": 0.1}]},
        {"tokens": ["Bob"], "tags": ["S-PER"]},
    )
    data = TaggingData(train=path, validation=path)
    assert "S-LOC" in data.tags  # never the likeliest, and a label all the same
    (batch,) = data.train_dataloader()
    order = batch.number.argsort()
    soft = batch.soft[order]
    assert soft.shape == (2, 2, len(data.tags))
    expected = torch.zeros(2, 2, len(data.tags))
    for token, tag, share in ((0, "S-PER", 0.7), (0, "O", 0.3), (1, "O", 0.9), (1, "S-LOC", 0.1)):
        expected[0, token, data.tags.index(tag)] = share
    assert torch.equal(soft, expected)
    names = [[data.tags[tag] for tag in row if tag >= 0] for row in batch.tags[order].tolist()]
    assert names == [["S-PER", "O"], ["S-PER"]]


def test_tags_are_in_the_scheme_of_the_model(tmp_path):
    path = write(tmp_path / "x.jsonl", {"tokens": ["Ann"], "scores": [{"U-PER": 1.0}]})
    with pytest.raises(InputError, match=r"x\.jsonl:1: .*in the scheme of data\.scheme"):
        TaggingData(train=path, validation=path).prepare()
