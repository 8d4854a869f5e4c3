"""Going on with a trained model: it grows, begins as it was, and keeps what the new data lack."""

import json
from itertools import product

import pytest
import torch
import yaml

import rnnlp as package
from rnnlp.data.errors import InputError
from rnnlp.tasks.fit.lightning_cli import FitRequest, build
from rnnlp.tasks.fit.run import as_arguments
from rnnlp.tasks.tagging.pipeline import TaggingPipeline
from rnnlp.tasks.tagging.torch_engine import TorchTagger

PEOPLE, PLACES = ["Ann", "Bob", "Eve", "Jim"], ["Rome", "Oslo", "Bonn", "Lima"]
QUIET = {"logger": False, "enable_progress_bar": False, "accelerator": "cpu"}
MODEL = {
    "embedding": {"size": 12, "characters": "none", "dropout": 0.0},
    "encoder": {"hidden_size": 12, "cell": "gru"},
    "dropout": 0.0,
    "optimizer": {"learning_rate": 0.03, "schedule": "none"},
}


def sentences(kind):
    """Somebody and some town, of which only one kind is marked."""
    for person, town in product(PEOPLE, PLACES):
        yield [(person, "PER"), ("saw", ""), (town, "LOC")], kind
        yield [("in", ""), (town, "LOC"), ("lives", ""), (person, "PER")], kind


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Sentences with people marked, others with towns marked, and a tagger of people."""
    folder = tmp_path_factory.mktemp("growing")
    for kind in ("PER", "LOC"):
        lines = []
        for tokens, marked in sentences(kind):
            lines += [f"{word} {'B-' + label if label == marked else 'O'}"
                      for word, label in tokens if kind == "LOC" or label != "LOC"]  # fmt: skip
            lines.append("")
        (folder / f"{kind}.conll").write_text("\n".join(lines) + "\n")
    config = {
        "task": "tagging",
        "data": {"train": f"{folder}/PER.conll", "validation": f"{folder}/PER.conll"},
        "model": MODEL,
        "trainer": {**QUIET, "max_epochs": 12},
        "early_stopping": None,
    }
    (folder / "tiny.yaml").write_text(yaml.safe_dump(config))
    package.fit(folder / "tiny.yaml", output=folder / "people")
    return folder


def settings(folder, **model):
    towns = str(folder / "LOC.conll")
    return {
        "data": {"train": towns, "validation": towns},
        "model": {"continue_from": str(folder / "people"), **model},
    }


def marked(tagger, text):
    return {(one["word"], one["entity_group"]) for one in tagger(text)["entities"]}


def test_before_the_first_step_nothing_has_changed(folder):
    request = FitRequest(
        task="tagging",
        configs=[folder / "tiny.yaml"],
        arguments=as_arguments(settings(folder)),
        output=folder / "never",
        resume=False,
        overwrite=False,
    )
    command = build(request)
    module, featurizer = command.model, command.datamodule.featurizer
    old = package.load(folder / "people")
    assert module.settings.tags == ["O", *(f"{part}-{kind}" for part in "BEIS"
                                           for kind in ("LOC", "PER"))]  # fmt: skip
    assert featurizer.tokens.vocabulary[: len(old.featurizer.tokens)] == (
        old.featurizer.tokens.vocabulary
    )
    assert "Rome" in featurizer.tokens and "Rome" not in old.featurizer.tokens
    new = TaggingPipeline(
        engine=TorchTagger(module.network), featurizer=featurizer, settings=module.settings
    )
    for text in ("Ann saw Bob", "in Rome lives Eve", "Lima", "nobody saw Jim"):
        assert marked(new, text) == marked(old, text)
    own = [module.settings.tags.index(tag) for tag in old.settings.tags]
    said, grown = (each.marginals([["Ann", "saw", "Rome"]])[0] for each in (old, new))
    assert abs(grown[:, own] - said).max() < 0.02


def test_what_the_new_data_lack_is_kept_or_forgotten(folder):
    kept = package.fit(
        folder / "tiny.yaml", output=folder / "kept", trainer={"max_epochs": 20}, **settings(folder)
    )
    assert kept.labels == ["LOC", "PER"]
    assert marked(kept, "Eve saw Oslo") == {("Eve", "PER"), ("Oslo", "LOC")}
    # Nobody has marked people in the validation data either: finding them is no mistake.
    scores = json.loads((folder / "kept" / "metrics.json").read_text())["validation"]
    assert scores["f1"] == 1.0 and list(scores["per_type"]) == ["LOC"]
    naive = package.fit(
        folder / "tiny.yaml",
        output=folder / "naive",
        trainer={"max_epochs": 20},
        **settings(folder, keep_old=0),
    )
    assert marked(naive, "Eve saw Oslo") == {("Oslo", "LOC")}


def test_settings_follow_the_model(folder, tmp_path):
    with pytest.raises(InputError, match=r"hidden_size is 20, and .*people has 12: leave"):
        package.fit(
            folder / "tiny.yaml",
            output=tmp_path / "no",
            **settings(folder, encoder={"hidden_size": 20}),
        )
    with pytest.raises(InputError, match="is the model that is reused"):
        package.fit(
            folder / "tiny.yaml", output=folder / "people", overwrite=True, **settings(folder)
        )
    assert (folder / "people" / "config.json").exists()
    with pytest.raises(InputError, match=r"leave out model\.encoder_from"):
        package.fit(
            folder / "tiny.yaml",
            output=tmp_path / "no",
            **settings(folder, encoder_from=str(folder / "people")),
        )
    with pytest.raises(InputError, match=r"is a model for tagging, and what is trained is for cl"):
        package.fit(
            "sentiment",
            output=tmp_path / "no",
            model={"continue_from": str(folder / "people")},
        )
    with pytest.raises(InputError, match=r"keep_old is 2\.0: it must be from 0 to 1"):
        package.fit(folder / "tiny.yaml", output=tmp_path / "no", **settings(folder, keep_old=2.0))


def reviews(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"train": str(path), "validation": str(path)}


@pytest.mark.parametrize("multilabel", [False, True])
def test_a_classifier_gets_further_labels(tmp_path, capsys, multilabel):
    config = {
        "task": "classification",
        "model": {
            "recurrent": False,
            "ngrams": 1,
            "ngram_dropout": 0.0,
            "optimizer": {"learning_rate": 0.1, "schedule": "none"},
        },
        "trainer": {**QUIET, "max_epochs": 30},
        "early_stopping": None,
    }
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(config))
    words = {"red": "colour", "round": "shape", "loud": "sound"}

    def rows(chosen):
        """Things with two properties, of which some are said, or with one that is said."""
        for first, second in product(words, repeat=2):
            labels = sorted({words[first], words[second]} & chosen)
            if multilabel:
                yield {"text": f"a {first} and {second} thing", "label": labels}
            elif first == second and labels:
                yield {"text": f"a {first} thing", "label": labels[0]}

    first = reviews(tmp_path / "first.jsonl", list(rows({"colour", "shape"})) * 4)
    then = {"sound"} if multilabel else {"sound", "colour"}
    old = package.fit(tmp_path / "tiny.yaml", output=tmp_path / "old", data=first)
    new = package.fit(
        tmp_path / "tiny.yaml",
        output=tmp_path / "new",
        data=reviews(tmp_path / "then.jsonl", list(rows(then)) * 4),
        model={"continue_from": str(tmp_path / "old")},
    )
    assert new.labels == ["colour", "shape", "sound"] and new.settings.multilabel is multilabel
    if multilabel:
        assert set(new("a red and loud thing")["label"]) == {"colour", "sound"}
        assert set(new("a round and red thing")["label"]) == {"colour", "shape"}
    else:
        assert [new(f"a {word} thing")["label"] for word in words] == list(words.values())
    assert torch.isin(old.network.ngrams.hashes, new.network.ngrams.hashes).all()
    assert "new: sound" in capsys.readouterr().err
