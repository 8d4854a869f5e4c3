"""N-grams around a token as a setting: trained, kept, exported, refused where they cannot be."""

import json

import pytest
import torch
import yaml

import rnnlp
from rnnlp.data.errors import InputError

CONLL = "".join(
    f"{a} {'A' if b == 'x' else 'B'}\n{b} O\n\n" for a in "mn" for b in "xy" for _ in "12"
)


def config(folder, **model):
    (folder / "train.conll").write_text(CONLL)
    settings = {
        "task": "tagging",
        "data": {"train": f"{folder}/train.conll", "validation": f"{folder}/train.conll"},
        "model": {
            "embedding": {"size": 4, "characters": "none", "token_features": ["suffix"]},
            "encoder": {"hidden_size": 4, "cell": "gru"},
            "ngrams": 2,
            "ngram_dropout": 0.0,
            "optimizer": {"learning_rate": 0.1, "schedule": "none"},
            **model,
        },
        "trainer": {
            "max_epochs": 10, "logger": False, "enable_progress_bar": False, "accelerator": "cpu",
        },
        "early_stopping": None,
    }  # fmt: skip
    (folder / "tiny.yaml").write_text(yaml.safe_dump(settings))
    return folder / "tiny.yaml"


def tags(tagger, text):
    return [one["entity_group"] for one in tagger(text)["entities"]]


def test_a_tag_by_the_next_word_trained_and_exported(tmp_path):
    """With the recurrence held at nothing, n-grams alone tell the tag by the word to come."""
    rnnlp.fit(config(tmp_path), output=tmp_path / "model")
    tagger = rnnlp.load(tmp_path / "model")
    with torch.no_grad():
        tagger.engine.network.projection.weight.zero_()
    assert [tags(tagger, text)[0] for text in ("m x", "n x", "m y", "n y")] == list("AABB")
    assert json.loads((tmp_path / "model/config.json").read_text())["model"]["ngrams"] == 2
    fresh = rnnlp.load(tmp_path / "model")
    exported = rnnlp.export(tmp_path / "model", tmp_path / "onnx")
    for text in ("m x", "n y", "unheard of x"):
        ours, theirs = fresh(text), rnnlp.load(exported)(text)
        for one, other in zip(ours["entities"], theirs["entities"], strict=True):
            assert one["entity_group"] == other["entity_group"]
            assert one["score"] == pytest.approx(other["score"], abs=1e-5)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ({"ngrams": 0}, "model.ngrams is 0: give the tokens of the longest n-grams"),
        ({"encoder": {"bidirectional": False}}, "set model.encoder.bidirectional to true"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, model, said):
    with pytest.raises(InputError, match=said):
        rnnlp.fit(config(tmp_path, **model), output=tmp_path / "model")
