"""Soft labels: from the dictionaries of predict, of transformers and from votes to training."""

import json

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from rnnlp.data.classification.datamodule import ClassificationData
from rnnlp.data.classification.readers import read_classification
from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.models.layers.losses import distillation_losses

TINY = [
    "--config", "sentiment", "--trainer.max_epochs=1", "--model.encoder.hidden_size=8",
    "--model.embedding.size=8", "--trainer.accelerator=cpu",
]  # fmt: skip
HALF = {"good": 0.75, "bad": 0.25}


def write(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def read(tmp_path, row, **options):
    path = write(tmp_path / "x.jsonl", [{"text": "好", **row}])
    (example,) = read_classification(path, notes=Notes(), **options)
    return example.labels, example.soft


@pytest.mark.parametrize(
    "row",
    [
        {"label": "good", "score": 0.75, "scores": HALF},
        {"scores": HALF},
        {"probabilities": {"bad": 0.25, "good": 0.75}},
        {"label": [{"label": "bad", "score": 0.25}, {"label": "good", "score": 0.75}]},
        {"scores": [{"label": "good", "score": 0.75}, {"label": "bad", "score": 0.25}]},
        {"label": HALF},
        {"label": None, "scores": HALF},
        {"label": float("nan"), "scores": HALF},
        {"votes": ["good", "bad", "good", "good"]},
        {"votes": {"good": 3, "bad": 1}},
    ],
)
def test_every_form_is_read(row, tmp_path):
    assert read(tmp_path, row) == (["good"], HALF)


def test_what_is_stated_and_certain(tmp_path):
    assert read(tmp_path, {"label": "bad", "scores": HALF}) == (["bad"], HALF)  # gold and teacher
    assert read(tmp_path, {"label": "bad", "scores": {"good": 0.0, "bad": 1.0}}) == (["bad"], None)
    one = {"good": 1.0, "bad": 0.0}
    assert read(tmp_path, {"label": "bad", "scores": one}) == (["bad"], one)
    assert read(tmp_path, {"votes": ["good"] * 3}) == (["good"], None)
    for value in (True, 1, 1.5):  # named as a label of its own is
        assert read(tmp_path, {"votes": [value] * 3}) == read(tmp_path, {"label": value})
    assert read(tmp_path, {"label": ["a", "b"], "scores": {"a": 0.9, "b": 0.8}}) == (
        ["a", "b"], {"a": 0.9, "b": 0.8}
    )  # fmt: skip
    kinds = {"x:1": 0.5, "x:2": 0.25, "y:1": 0.25}
    assert read(tmp_path, {"scores": kinds}, label_before=":") == (["x"], {"x": 0.75, "y": 0.25})
    rounded = {str(i): 0.0012 for i in range(840)}  # sums to 1.008
    assert sum(read(tmp_path, {"scores": rounded})[1].values()) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ({"scores": {"a": 0.9, "b": 0.3}}, "the probabilities of a, b sum to 1.2, not to 1"),
        ({"label": [{"label": "a", "score": 0.6}]}, "sum to 0.6, not to 1"),
        ({"scores": {}}, "no usual key such as 'label' among text, scores"),
        ({"scores": {"a": 1.5, "b": -0.5}}, "the probability of 'a' is 1.5"),
        ({"scores": {"a": "0.5", "b": 0.5}}, "the probability of 'a' is '0.5'"),
        ({"label": "a", "scores": {"a": float("nan")}}, "the probability of 'a' is nan"),
        ({"votes": []}, "`votes` is []"),
        ({"votes": {"a": -1}}, "`votes` is {'a': -1}"),
        ({"votes": [["a"]]}, "neither a name nor a number"),
        ({"votes": ["a", float("nan")]}, "the label is NaN; give one"),
        ({"scores": [{"label": float("nan"), "score": 1.0}]}, "the label is NaN; give one"),
        ({"scores": {"a": float("nan"), "b": 1.0}}, "the probability of 'a' is nan"),
    ],
)
def test_what_is_no_distribution_is_refused_with_its_row(row, line, tmp_path):
    with pytest.raises(InputError) as caught:
        read(tmp_path, row)
    assert f"{tmp_path}/x.jsonl:1: " in str(caught.value) and line in str(caught.value)


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_loss_is_the_divergence_up_to_a_constant(temperature):
    logits = torch.randn(5, 3, requires_grad=True)
    teacher = torch.randn(5, 3)
    actual = distillation_losses(
        logits, teacher.softmax(1), multilabel=False, temperature=temperature
    )
    soft = (teacher / temperature).softmax(1)
    entropy = -(soft * soft.log()).sum(1)
    student = (logits / temperature).log_softmax(1)
    divergence = F.kl_div(student, soft, reduction="none").sum(1)
    torch.testing.assert_close(actual, temperature**2 * (divergence + entropy))
    several = distillation_losses(
        logits, teacher.sigmoid(), multilabel=True, temperature=temperature
    )
    losses = F.binary_cross_entropy_with_logits(
        logits / temperature, (teacher / temperature).sigmoid(), reduction="none"
    )
    torch.testing.assert_close(several, temperature**2 * losses.mean(1))
    one_hot = F.one_hot(torch.tensor([0, 1, 2, 1, 0]), 3).float()
    hard = distillation_losses(logits, one_hot, multilabel=False, smoothing=0.1)
    expected = F.cross_entropy(logits, one_hot, label_smoothing=0.1, reduction="none")
    torch.testing.assert_close(hard, expected)


def test_one_hot_is_the_label_bit_for_bit(rnnlp, tmp_path):
    rows = [{"text": f"w{i % 7} {'fine' if i % 2 else 'dull'}", "label": "pn"[i % 2]}
            for i in range(40)]  # fmt: skip
    soft = [
        {"text": row["text"], "scores": {"p": float(row["label"] == "p"),
                                         "n": float(row["label"] == "n")}}
        for row in rows
    ]  # fmt: skip
    for name, content in (("hard", rows), ("soft", soft)):
        path = write(tmp_path / f"{name}.jsonl", content)
        code, _, err = rnnlp("fit", *TINY, f"--data.train={path}", "--output", tmp_path / name)
        assert code == 0, err
    hard, soft = (load_file(tmp_path / name / "model.safetensors") for name in ("hard", "soft"))
    assert hard.keys() == soft.keys()
    assert all(torch.equal(hard[name], soft[name]) for name in hard)


def test_predict_is_training_data(rnnlp, tmp_path):
    """The student of a model's own answers comes to the same probabilities."""
    texts = [f"{a} {b}" for a in ("a", "一", "c") for b in ("fine", "dull", "so so", "坏")]
    votes = {
        "fine": ["p", "p", "p", "n"],
        "dull": ["n"],
        "so so": ["p", "n"],
        "坏": ["n", "n", "p"],
    }
    rows = [{"text": text, "votes": votes[text.split(" ", 1)[1]]} for text in texts]
    path = write(tmp_path / "votes.jsonl", rows)
    long = [*TINY, "--trainer.max_epochs=30", "--model.optimizer.learning_rate=0.02",
            "--early_stopping.patience=60", "--model.dropout=0"]  # fmt: skip
    code, _, err = rnnlp("fit", *long, f"--data.train={path}", f"--data.validation={path}",
                         "--output", tmp_path / "big")  # fmt: skip
    assert code == 0, err
    assert "train: 9 of 12 texts are trained on the probability of each label" in err
    (tmp_path / "t.txt").write_text("\n".join(texts) + "\n")
    soft = tmp_path / "soft.jsonl"
    assert (
        rnnlp("predict", tmp_path / "big", "--input", tmp_path / "t.txt", "--output", soft)[0] == 0
    )
    code, _, err = rnnlp("fit", *long, f"--data.train={soft}", f"--data.validation={soft}",
                         "--output", tmp_path / "small")  # fmt: skip
    assert code == 0 and "texts are trained on the probability of each label" in err
    _, out, _ = rnnlp("predict", tmp_path / "small", "--input", tmp_path / "t.txt")
    for teacher, student in zip(map(json.loads, soft.open()), map(json.loads, out.splitlines()),
                                strict=True):  # fmt: skip
        assert student["scores"]["p"] == pytest.approx(teacher["scores"]["p"], abs=0.2)
    _, out, _ = rnnlp("evaluate", tmp_path / "small", soft, "--json")
    assert json.loads(out)["accuracy"] > 0.8
    for setting in ("soft_temperature=0", "label_smoothing=1"):
        code, _, err = rnnlp("fit", *TINY, f"--data.train={soft}", f"--model.{setting}")
        assert code == 2 and f"model.{setting.split('=')[0]} is" in err and err.count("\n") == 1


def test_labels_that_only_probabilities_have_are_classes(tmp_path):
    rows = [{"text": f"t{i}", "scores": {"a": 0.5, "b": 0.3, "c": 0.2, "d": 0.0}} for i in range(9)]
    path = write(tmp_path / "x.jsonl", [*rows, {"text": "e", "label": "b", "weight": 2}])
    data = ClassificationData(train=str(path), validation=str(path))
    assert data.classes == ["a", "b", "c"]
    assert data.class_counts == pytest.approx([4.5, 4.7, 1.8])
    (batch,) = data.train_dataloader()
    assert sorted(map(tuple, batch.soft.tolist()))[0] == (0.0, 0.0, 0.0)  # of the hard one
    torch.testing.assert_close(batch.soft.max(0).values, torch.tensor([0.5, 0.3, 0.2]))
