"""A saved and reloaded model gives the same outputs, for every two parts together."""

import json
from pathlib import Path

import pytest
import torch

import rnnlp as package
from rnnlp.data.datamodule.tensors import as_tensors
from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import Featurizer
from rnnlp.tasks.base.components import EmbeddingConfig, EncoderConfig, Sizes
from rnnlp.tasks.tagging.config import TaggerConfig
from rnnlp.tasks.tagging.pipeline import TaggingPipeline
from rnnlp.tasks.tagging.torch_engine import TorchTagger

from ...pairwise import pairwise
from ..make_golden_folder import SENTENCES, TAGS, featurizer_for, fresh

TEXTS = ["Maria visited Oslo.", "", "In Rio, unseen-words café 42!", "a"]
CELLS, CHARACTERS = ["rnn", "lstm", "gru", "mingru"], ["cnn", "rnn", "none"]
TOKEN_FEATURES = [[], ["bigram", "shape"]]
GOLDEN = Path(__file__).parents[2] / "folders"


def saved_and_loaded(pipeline, folder):
    pipeline.save(folder, overwrite=True)
    return package.load(folder)


@pytest.mark.parametrize(
    ("cell", "bidirectional", "num_layers", "characters", "token_features", "crf"),
    pairwise(CELLS, [True, False], [1, 2], CHARACTERS, TOKEN_FEATURES, [True, False]),
)
def test_every_pair_of_parts(
    tmp_path, cell, bidirectional, num_layers, characters, token_features, crf
):
    pipeline = fresh(
        EmbeddingConfig(
            size=8, characters=characters, character_size=4, character_features=6,
            token_features=token_features, token_feature_size=3,
        ),
        EncoderConfig(cell=cell, bidirectional=bidirectional, num_layers=num_layers, hidden_size=5),
        crf=crf,
    )  # fmt: skip
    before = pipeline(TEXTS)
    loaded = saved_and_loaded(pipeline, tmp_path)
    assert loaded(TEXTS) == before
    batch = as_tensors(pipeline.featurizer.batch(SENTENCES))
    ids = (batch.tokens, batch.characters, batch.token_features, batch.lengths)
    with torch.no_grad():
        assert loaded.network.emissions(*ids).equal(pipeline.network.emissions(*ids))
    assert loaded.tags(SENTENCES) == pipeline.tags(SENTENCES)
    settings = json.dumps(pipeline.settings.to_json())
    assert json.dumps(loaded.settings.to_json()) == settings


def test_parts_are_not_taken_for_each_other(tmp_path):
    """Embeddings of equal width, trained apart: joining them in another order would show."""
    pipeline = fresh(EmbeddingConfig(size=6, characters="cnn", character_features=6))
    with torch.no_grad():
        pipeline.network.embedding.words.weight.mul_(100)
    before = pipeline(TEXTS)
    assert saved_and_loaded(pipeline, tmp_path)(TEXTS) == before


def test_weights_of_another_shape_are_refused(tmp_path):
    pipeline = fresh(EmbeddingConfig(size=6))
    saved_and_loaded(pipeline, tmp_path)
    config = tmp_path / "config.json"
    good = config.read_text()
    for old, new, words in (
        ('"size": 6', '"size": 7', "do not fit"),
        ('"size": 6', '"sise": 6', "sise"),
        ('"format_version": 2', '"format_version": 99', "format version 99"),
        ('"task": "tagging"', '"task": "juggling"', "juggling"),
        ("{", "[", "config.json"),
    ):
        assert old in good
        config.write_text(good.replace(old, new, 1))
        with pytest.raises(InputError, match=words):
            package.load(tmp_path)
    config.write_text(good)
    (tmp_path / "model.safetensors").write_bytes(b"garbage")
    with pytest.raises(InputError, match="cannot read the weights"):
        package.load(tmp_path)


def test_stale_vocabularies_do_not_survive(tmp_path):
    saved_and_loaded(fresh(EmbeddingConfig(size=6, characters="cnn")), tmp_path)
    assert (tmp_path / "characters.json").exists()
    saved_and_loaded(fresh(EmbeddingConfig(size=6, characters="none")), tmp_path)
    assert not (tmp_path / "characters.json").exists()


@pytest.mark.parametrize("folder", sorted(GOLDEN.glob("tagging-v*")), ids=lambda f: f.name)
def test_folders_of_every_format_version_load(folder):
    """Folders written once, by the code of then, with what it predicted."""
    tagger = package.load(folder)
    expected = [json.loads(line) for line in (folder / "expected.jsonl").read_text().splitlines()]
    for answer, kept in zip(tagger([row["text"] for row in expected]), expected, strict=True):
        assert [e.pop("score") for e in answer["entities"]] == pytest.approx(
            [e.pop("score") for e in kept["entities"]], abs=2e-3
        )
        assert answer == kept
    assert sum(file.stat().st_size for file in folder.iterdir()) < 150_000


@pytest.mark.parametrize("task", ["classification", "translation", "joint"])
def test_folders_of_other_tasks_load(task):
    folders = sorted(GOLDEN.glob(f"{task}-v*"))
    assert folders
    for folder in folders:
        lines = (folder / "expected.jsonl").read_text(encoding="utf-8").splitlines()
        expected = [json.loads(line) for line in lines]
        answers = package.load(folder)([row["text"] for row in expected])
        for answer, kept in zip(answers, expected, strict=True):
            assert answer.pop("score") == pytest.approx(kept.pop("score"), abs=2e-3)
            for one, other in zip(
                answer.get("entities", []), kept.get("entities", []), strict=True
            ):
                assert one.pop("score") == pytest.approx(other.pop("score"), abs=2e-3)
            scores = kept.pop("scores", None)
            assert answer.pop("scores", None) == (scores and pytest.approx(scores, abs=2e-3))
            assert answer == kept
        assert sum(file.stat().st_size for file in folder.iterdir()) < 150_000


def test_folders_of_generators_load():
    folders = sorted(GOLDEN.glob("generation-v*"))
    assert folders
    for folder in folders:
        model = package.load(folder)
        lines = (folder / "expected.jsonl").read_text(encoding="utf-8").splitlines()
        for kept in map(json.loads, lines):
            assert model(kept["text"], labels=kept.pop("labels", None)) == kept
        assert sum(file.stat().st_size for file in folder.iterdir()) < 150_000


def test_sizes_come_from_the_featurizer():
    embedding = EmbeddingConfig(size=6, characters="cnn", token_features=["shape"])
    featurizer = featurizer_for(embedding)
    assert isinstance(featurizer, Featurizer)
    sizes = featurizer.sizes
    settings = TaggerConfig(
        tags=TAGS, scheme="BIOES",
        sizes=Sizes(**sizes._asdict()),
        embedding=embedding, encoder=EncoderConfig(hidden_size=4),
    )  # fmt: skip
    pipeline = TaggingPipeline(
        engine=TorchTagger(settings.build()), featurizer=featurizer, settings=settings
    )
    assert len(pipeline.tags(SENTENCES)[0]) == len(SENTENCES[0])
