"""Labels: several a text, how they are written, their weights and thresholds."""

import json

import numpy as np
import pytest
import torch
import yaml

import rnnlp as package
from rnnlp.data.classification.collate import ClassificationBatch
from rnnlp.data.classification.datamodule import ClassificationData
from rnnlp.data.datamodule.tensors import TokenTensors
from rnnlp.data.errors import InputError
from rnnlp.tasks.base.components import EmbeddingConfig, EncoderConfig, Sizes
from rnnlp.tasks.base.objective import Validation
from rnnlp.tasks.classification.config import ClassifierConfig, ClassifierTraining
from rnnlp.tasks.classification.objective import ClassificationObjective


def test_several_labels_with_balanced_weights(rnnlp, tmp_path):
    lines = []
    for i in range(240):
        labels = [name for bit, name in enumerate(("red", "round", "big")) if i >> bit & 1]
        words = [*labels, "thing", str(i % 5)]
        lines.append(" ".join([f"__label__{name}" for name in labels] + words) + "\n")
    (tmp_path / "data.txt").write_text("".join(lines))
    code, out, err = rnnlp(
        "fit", "--task", "classification", "--data.train", tmp_path / "data.txt",
        "--output", tmp_path / "m", "--trainer.max_epochs=6", "--model.encoder.hidden_size=16",
        "--model.embedding.size=16", "--model.class_weights=balanced",
        "--model.optimizer.learning_rate=0.02", "--trainer.accelerator=cpu",
    )  # fmt: skip
    assert code == 0, err
    assert "may have several labels" in err
    pipeline = package.load(tmp_path / "m")
    answer = pipeline("big red thing 3")
    assert set(answer["label"]) == {"big", "red"}
    assert answer["score"] == [answer["scores"][name] for name in answer["label"]]
    assert pipeline("thing")["label"] == []
    code, out, _ = rnnlp("evaluate", tmp_path / "m", tmp_path / "data.txt", "--json")
    assert json.loads(out)["accuracy"] > 0.95


def test_labels_up_to_a_mark_are_kept_in_the_folder(rnnlp, tmp_path):
    kinds = ("LOC:city where is", "HUM:ind who is", "LOC:state where lies")
    text = "".join(f"{kinds[i % 3]} thing {i % 7}\n" for i in range(90))
    (tmp_path / "trec").write_text(text)
    code, _, err = rnnlp(
        "fit", "--task", "classification", "--data.train", tmp_path / "trec",
        "--data.label_before=:", "--output", tmp_path / "m", "--trainer.max_epochs=1",
        "--model.encoder.hidden_size=8", "--trainer.accelerator=cpu",
    )  # fmt: skip
    assert code == 0, err
    assert package.load(tmp_path / "m").settings.classes == ["HUM", "LOC"]
    code, out, _ = rnnlp("evaluate", tmp_path / "m", tmp_path / "trec", "--json")
    assert set(json.loads(out)["per_class"]) == {"HUM", "LOC"}


@pytest.mark.parametrize("separator", ["#", "~", "|", ","])
def test_any_mark_may_part_labels(rnnlp, tmp_path, separator):
    rows = "".join(f"text number {i}\taa{separator}bb\n" for i in range(9)) + "more of it\tcc\n"
    (tmp_path / "a.tsv").write_text(rows)
    code, out, err = rnnlp(
        *("fit", "--config", "sentiment", "--data.train", tmp_path / "a.tsv", "--print_config"),
        *("--data.label_separator", separator),
    )
    assert code == 0, err
    options = yaml.safe_load(out)["data"]
    assert options["label_separator"] == separator
    data = ClassificationData(train=str(tmp_path / "a.tsv"), label_separator=separator)
    assert data.classes == ["aa", "bb", "cc"] and data.multilabel


def test_thresholds_of_labels(rnnlp, tmp_path):
    """They are chosen on the even half of validation, kept, and hold wherever labels are given."""
    rows = "".join(
        f"{'late' if i % 3 else 'dear'} {'rude' if i % 4 == i % 5 else 'nice'} {i % 7}\t"
        f"{';'.join(['time' if i % 3 else 'price'] + ['tone'] * (i % 4 == i % 5))}\n"
        for i in range(120)
    )
    for split in ("train", "validation"):
        (tmp_path / f"{split}.tsv").write_text(rows)
    code, _, err = rnnlp(
        "fit", "--config", "sentiment", "--data.train", tmp_path / "train.tsv",
        "--data.validation", tmp_path / "validation.tsv", "--data.label_separator=;",
        "--model.recurrent=false", "--model.ngrams=1", "--trainer.max_epochs=2",
        "--trainer.accelerator=cpu", "--early_stopping.min_steps=4",
        "--model.fit_thresholds=true", "--output", tmp_path / "m",
    )  # fmt: skip
    assert code == 0, err
    pipeline = package.load(tmp_path / "m")
    thresholds = pipeline.settings.thresholds
    lines = rows.splitlines()
    scores = pipeline.probabilities([line.split("\t")[0].split() for line in lines])
    for name, least, column in zip(pipeline.settings.classes, thresholds, scores.T, strict=True):
        gold = np.array([name in line.split("\t")[1].split(";") for line in lines])[::2]

        def f1(cut, gold=gold, column=column[::2]):
            return 2 * (gold & (column >= cut)).sum() / (gold.sum() + (column >= cut).sum())

        assert f1(least) == max(f1(cut) for cut in column[::2])
    assert thresholds != [0.5] * 3
    texts = [line.split("\t")[0] for line in lines[:20]]
    answers = pipeline(texts)
    for answer in answers:
        expected = {
            name
            for (name, score), least in zip(answer["scores"].items(), thresholds, strict=True)
            if score >= least
        }
        assert set(answer["label"]) == expected
    stored = json.loads((tmp_path / "m" / "metrics.json").read_text())
    assert "each label its own" in stored["policy"]
    _, out, _ = rnnlp("evaluate", tmp_path / "m", tmp_path / "validation.tsv", "--json")
    assert json.loads(out)["macro_f1"] == pytest.approx(stored["validation"]["macro_f1"])
    assert rnnlp("export", tmp_path / "m", "--output", tmp_path / "light")[0] == 0
    light = package.load(tmp_path / "light")(texts)
    assert [answer["label"] for answer in light] == [answer["label"] for answer in answers]
    config = json.loads((tmp_path / "m" / "config.json").read_text())
    config["model"]["thresholds"] = [0.5]
    (tmp_path / "m" / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="a probability for each of the 3 labels"):
        package.load(tmp_path / "m")


@pytest.mark.parametrize("name", ["bad", "1"])
def test_weights_of_labels_as_numbers(rnnlp, tmp_path, name):
    """A label of weight 3 learns as its texts do with a weight of 3 each."""
    rows = [
        {"text": f"{['fine', 'dull'][i % 2]} {i}", "label": ["ok", name][i % 2]} for i in range(24)
    ]
    heavy = [{**row, "weight": 3.0 if row["label"] == name else 1.0} for row in rows]
    scores = []
    for which, settings in ((rows, [f"--model.class_weights={{{name}: 3}}"]), (heavy, [])):
        (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in which))
        out = tmp_path / f"m{len(scores)}"
        code, _, err = rnnlp(
            "fit", "--config", "sentiment", "--data.train", tmp_path / "a.jsonl", "--output", out,
            "--model.recurrent=false", "--model.ngrams=1", "--trainer.max_epochs=2",
            "--trainer.accelerator=cpu", "--early_stopping.min_steps=4", *settings,
        )  # fmt: skip
        assert code == 0, err
        scores.append(package.load(out)("dull fine 3")["scores"])
    assert scores[0] == scores[1]


@pytest.mark.parametrize("weights", [{"a": 5.0}, "balanced"])
def test_batches_do_not_change_the_validation_loss(weights):
    """Nor does a batch of texts that count for nothing: their label has no training text."""
    settings = ClassifierConfig(
        classes=["a", "b", "new"], multilabel=False, sizes=Sizes(tokens=9, characters=0),
        embedding=EmbeddingConfig(size=3, characters="none"), encoder=EncoderConfig(hidden_size=3),
    )  # fmt: skip
    objective = ClassificationObjective(
        settings, class_counts=[1, 8, 0], training=ClassifierTraining(class_weights=weights)
    )
    torch.manual_seed(1)
    network = settings.build().eval()
    tokens = torch.randint(1, 9, (6, 4))
    targets = torch.tensor([0, 1, 2, 1, -1, 0])  # -1: a label that is not known

    @torch.no_grad()
    def loss(*batches):
        validation = Validation(objective.scores())
        for rows in batches:
            batch = ClassificationBatch(
                TokenTensors(tokens[rows], torch.full((len(rows),), 4), None, None), targets[rows],
                [["a"]] * len(rows), torch.tensor(rows),
            )  # fmt: skip
            validation.add(objective.add(validation.scores, network, batch))
        return validation.loss / validation.weight

    whole = loss([0, 1, 2, 3, 4, 5])
    assert loss([2], [4], [0, 1], [3, 5]) == pytest.approx(whole)
