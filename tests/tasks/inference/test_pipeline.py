"""What every pipeline takes as texts, and that a saved one is a model folder."""

import os
import subprocess
import sys
from itertools import count, islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

import rnnlp as package
from rnnlp.data.errors import InputError
from rnnlp.tasks.base.components import EmbeddingConfig
from rnnlp.tasks.base.pipeline import each_text

from ..make_golden_folder import fresh

TEXTS = ["Maria visited Oslo.", "", "In Rio, 42!"]


class Shuffled:
    """A column as pandas has it: its index gives another order than iteration does."""

    def __getitem__(self, index):
        return TEXTS[::-1][index]

    def __len__(self):
        return len(TEXTS)

    def __iter__(self):
        return iter(TEXTS)


@pytest.mark.parametrize(
    "texts",
    [
        TEXTS,
        tuple(TEXTS),
        iter(TEXTS),
        (text for text in TEXTS),
        np.array(TEXTS),
        pa.array(TEXTS),
        pa.chunked_array([TEXTS[:1], TEXTS[1:]]),
        Shuffled(),
    ],
    ids=lambda texts: type(texts).__name__,
)
def test_any_iterable_is_read_in_order_once(texts):
    tagger = fresh(EmbeddingConfig(size=6))
    assert tagger(texts) == tagger(TEXTS)


def test_a_string_is_one_text_and_no_sentence():
    tagger = fresh(EmbeddingConfig(size=6))
    assert list(tagger.predict(TEXTS[0])) == [tagger(TEXTS[0])]
    folder = Path(__file__).parents[2] / "folders" / "classification-v2"
    classifier, encoder = package.load(folder), package.load_encoder(folder)
    assert (encoder.arrays(TEXTS[0]) == encoder.arrays(TEXTS[:1])).all()
    assert list(classifier.predict(TEXTS[0])) == [classifier(TEXTS[0])]
    for read in (tagger.tags, tagger.marginals, tagger.spans, classifier.probabilities):
        for sentences in ("ab", [["a"], "bc"]):
            with pytest.raises(InputError, match="sentences are lists of tokens"):
                read(sentences)


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (["a", None], r"texts\[1\] is None \(NoneType\)"),
        (["a", "b", float("nan")], r"texts\[2\] is nan \(float\)"),
        (["a", b"b"], r"texts\[1\] is b'b' \(bytes\)"),
        (np.array([1, 2]), r"texts\[0\] is .*1"),
        ([["a", "b"]], r"texts\[0\] is \['a', 'b'\] \(list\)"),
        (b"abc", "not bytes"),
        ({"text": "a"}, "not dict"),
        (7, "7 is no text"),
        (None, "None is no text"),
    ],
)
def test_what_is_no_text_is_named(texts, says):
    with pytest.raises(InputError, match=says):
        list(each_text(texts))


@pytest.mark.parametrize("least", ["x", -0.1, float("nan"), 2, [0.5]])
def test_a_least_score_is_a_probability(least):
    folders = Path(__file__).parents[2] / "folders"
    for task in ("tagging", "classification", "joint"):
        with pytest.raises(InputError, match=r"^min_score is .*: give a probability, from 0 to 1"):
            package.load(folders / f"{task}-v2")("a", min_score=least)


@pytest.mark.parametrize("model", [3, None, b"runs/ner", [3, "runs"]])
def test_what_is_no_model(model):
    with pytest.raises(InputError, match="is no model: give its folder"):
        package.load(model)


def test_answers_come_while_texts_are_read():
    tagger = fresh(EmbeddingConfig(size=6))
    endless = (f"text {number}" for number in count())
    answers = islice(tagger.predict(endless), 2)
    assert [one["text"] for one in answers] == ["text 0", "text 1"]


def test_save(tmp_path):
    tagger = fresh(EmbeddingConfig(size=6))
    tagger.save(tmp_path / "model")
    assert package.load(tmp_path / "model")(TEXTS) == tagger(TEXTS)
    with pytest.raises(InputError, match="holds a model already"):
        tagger.save(tmp_path / "model")
    tagger.save(tmp_path / "model", overwrite=True)
    assert "rnnlp.load" in (tmp_path / "model" / "README.md").read_text()


def test_threads(tmp_path, monkeypatch):
    """A short text is computed on one core, others on as many as are wanted; all is set back."""
    fresh(EmbeddingConfig(size=6)).save(tmp_path / "model")
    tagger = package.load(tmp_path / "model", threads=2)
    decode, taken = tagger.engine.decode, []
    monkeypatch.setattr(
        tagger.engine,
        "decode",
        lambda batch: taken.append(torch.get_num_threads()) or decode(batch),
    )
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        assert tagger(TEXTS[0]) == tagger(TEXTS)[0] == next(tagger.predict(TEXTS[:1]))
        tagger(TEXTS[0] * 100)
        assert taken == [1, 2, 1, 2] and torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    for wrong in (0, -1, 1.5, "2", True, 100_000):
        with pytest.raises(InputError, match=r"threads is .*: give (a whole number|1 to \d+)"):
            package.load(tmp_path / "model", threads=wrong)


def test_idle_threads_sleep_where_torch_is_not_loaded_yet():
    code = "import os, rnnlp; print(os.environ['OMP_WAIT_POLICY'])"
    for own, expected in ((None, "PASSIVE"), ("ACTIVE", "ACTIVE")):
        world = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
        world |= {"OMP_WAIT_POLICY": own} if own else {}
        done = subprocess.run(
            [sys.executable, "-c", code], env=world, capture_output=True, text=True
        )
        assert done.stdout.strip() == expected, done.stderr
