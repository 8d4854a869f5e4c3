"""Classifiers of every combination of parts, with random weights: saved, loaded, used."""

import json

import pytest
import torch

import rnnlp as package
from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import Featurizer
from rnnlp.tasks.base.components import EmbeddingConfig, EncoderConfig, Sizes
from rnnlp.tasks.classification.config import ClassifierConfig
from rnnlp.tasks.classification.pipeline import ClassificationPipeline
from rnnlp.tasks.classification.torch_engine import TorchClassifier

from ...pairwise import pairwise
from .test_classification import TEXTS


def fresh(**settings):
    torch.manual_seed(2)
    embedding = settings.pop("embedding", EmbeddingConfig(size=6, characters="none"))
    featurizer = Featurizer.train(
        [["A", "fine", "film", "."], ["So", "dull", ",", "dull", "film", "."]],
        level=settings.pop("level", "word"),
        characters=embedding.characters != "none",
        token_features=embedding.token_features,
    )
    config = ClassifierConfig(
        classes=["neg", "pos"],
        sizes=Sizes(**featurizer.sizes._asdict()),
        embedding=embedding,
        encoder=settings.pop("encoder", EncoderConfig(hidden_size=5)),
        **{"multilabel": False, **settings},
    )
    network = config.build()
    network.temperature.fill_(1.3)
    return ClassificationPipeline(
        engine=TorchClassifier(network), featurizer=featurizer, settings=config
    )


def check_saved_and_loaded(pipeline, folder):
    pipeline.save(folder)
    loaded = package.load(folder)
    explain = pipeline.explains
    assert loaded(TEXTS, explain=explain) == pipeline(TEXTS, explain=explain)
    texts = [pipeline.tokens(text)[0] for text in TEXTS]
    assert (loaded.probabilities(texts) == pipeline.probabilities(texts)).all()
    assert json.dumps(loaded.settings.to_json()) == json.dumps(pipeline.settings.to_json())


@pytest.mark.parametrize(
    ("cell", "bidirectional", "pooling", "long_texts", "multilabel"),
    pairwise(
        ["rnn", "lstm", "gru", "mingru", None],
        [True, False],
        [["last"], ["attention"], ["max", "mean"], ["mean", "attention", "last", "max"]],
        ["head_tail", "windows"],
        [True, False],
    ),
)
def test_every_pair_of_parts(tmp_path, cell, bidirectional, pooling, long_texts, multilabel):
    pipeline = fresh(
        encoder=EncoderConfig(cell=cell or "gru", hidden_size=5, bidirectional=bidirectional),
        recurrent=cell is not None,
        pooling=pooling,
        attention_size=4,
        max_length=7,
        long_texts=long_texts,
        multilabel=multilabel,
        state_dropout=0.3,
    )
    check_saved_and_loaded(pipeline, tmp_path)


@pytest.mark.parametrize("level", ["word", "character"])
@pytest.mark.parametrize("characters", ["none", "cnn", "rnn"])
@pytest.mark.parametrize("token_features", [[], ["bigram", "suffix"]])
def test_every_embedding(tmp_path, level, characters, token_features):
    embedding = EmbeddingConfig(
        size=6, characters=characters, character_size=4, character_features=6,
        token_features=token_features, token_feature_size=3,
    )  # fmt: skip
    check_saved_and_loaded(fresh(embedding=embedding, level=level), tmp_path)


def test_explaining_needs_attention():
    with pytest.raises(InputError, match="no attention weights"):
        fresh(pooling=["max"])("a", explain=True)


@pytest.mark.parametrize("long_texts", ["head_tail", "windows"])
def test_a_very_long_text(long_texts):
    pipeline = fresh(long_texts=long_texts, max_length=50, pooling=["mean"])
    answer = pipeline("fine " * 40_000)
    assert len(answer["text"]) == 200_000
    assert answer["label"] in ("neg", "pos")
