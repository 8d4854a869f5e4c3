"""An example of weight 2 is the example twice, one of weight 0 none, in one process and in several.

The oracle is the same training on a file that repeats or lacks the rows.
"""

import json
import random

import pytest
import torch
from safetensors.torch import load_file

from rnnlp.data.classification.datamodule import ClassificationData
from rnnlp.data.classification.readers import read_classification
from rnnlp.data.corpus.report import Notes
from rnnlp.data.datamodule.samplers import Share
from rnnlp.data.errors import InputError
from rnnlp.data.formats.weights import weight_of
from rnnlp.data.tagging.datamodule import TaggingData
from rnnlp.tasks.fit.config_files import find_configs, find_task
from rnnlp.tasks.fit.lightning_cli import FitRequest, build

WORDS = ["Anna", "went", "to", "看", "Rome"]  # all in each text: repeats leave the vocabulary alone
STILL = [
    "--model.embedding.dropout=0", "--model.embedding.word_dropout=0", "--trainer.max_epochs=2",
    "--model.optimizer.name=sgd", "--model.optimizer.learning_rate=0.5", "--model.dropout=0",
    "--trainer.accelerator=cpu", "--model.encoder.hidden_size=8", "--model.embedding.size=8",
]  # fmt: skip
KINDS = {
    "balanced": ("sentiment", ["--model.class_weights=balanced", "--model.label_smoothing=0.1"]),
    "several": ("sentiment", []),
    "crf": ("ner", ["--model.embedding.characters=none"]),
    "softmax": ("ner", ["--model.embedding.characters=none", "--model.crf=false"]),
}


def rows_of(kind, count=12):
    draw = random.Random(3)
    for number in range(count):
        words = draw.sample(WORDS, len(WORDS))
        if KINDS[kind][0] == "ner":
            yield {"tokens": words, "tags": ["B-X" if word == "Rome" else "O" for word in words]}
        else:
            labels = ["a", "b"][: 1 + number % 2] if kind == "several" else "ab"[number % 3 == 0]
            yield {"text": " ".join(words), "label": labels}


def write(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_weight_2_is_twice_and_weight_0_is_absent(kind, rnnlp, tmp_path):
    rows = list(rows_of(kind))
    weights = [0, 1, 2, 3] * 2 + [1, 3, 0, 2.0]
    weighted = [{**row, "weight": w} for row, w in zip(rows, weights, strict=True)]
    repeated = [row for row, w in zip(rows, weights, strict=True) for _ in range(int(w))]
    config, settings = KINDS[kind]
    validation = write(tmp_path / "v.jsonl", rows)
    for name, content in (("weighted", weighted), ("repeated", repeated)):
        code, _, err = rnnlp(
            "fit", "--config", config, "--output", tmp_path / name, *STILL, *settings,
            f"--data.train={write(tmp_path / f'{name}.jsonl', content)}",
            f"--data.validation={validation}", "--data.max_sentences=1000",
        )  # fmt: skip
        assert code == 0, err
        if name == "weighted":
            assert "have a weight other than 1 (1 to 3; all together count" in err
            assert "of weight 0, left out: 3 (first at" in err
    one, two = (
        load_file(tmp_path / name / "model.safetensors") for name in ("weighted", "repeated")
    )
    for name, tensor in one.items():
        torch.testing.assert_close(tensor, two[name], atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_shares_of_several_processes_add_up(kind, tmp_path):
    rows = [{**row, "weight": 0.25 + i % 4} for i, row in enumerate(rows_of(kind))]
    path = write(tmp_path / "t.jsonl", rows)
    config, settings = KINDS[kind]
    files = find_configs([config], task=None, resumed=None)
    request = FitRequest(
        task=find_task(files, task=None), configs=files, output=tmp_path, resume=False,
        overwrite=False,
        arguments=[*STILL, *settings, f"--data.train={path}", f"--data.validation={path}"],
    )  # fmt: skip
    command = build(request)
    model, data = command.model, command.datamodule
    model.network.eval()

    def loss(rank, of):
        data.deal(Share(rank, of))
        (batch,) = data.train_dataloader()
        loss = model.objective.loss(model.network, batch).detach()
        return float(loss), model.objective.weight(batch)

    whole, weight = loss(0, 1)
    parts = [loss(rank, 2) for rank in range(2)]
    assert sum(part for _, part in parts) == pytest.approx(weight)
    assert sum(loss * part for loss, part in parts) == pytest.approx(whole * weight, rel=1e-5)


def test_tables_have_weights_too(tmp_path):
    (tmp_path / "a.csv").write_text("text,label,weight,p\na,x,0.5,2\nb,y,,3\n")

    def weights(**options):
        rows = read_classification(tmp_path / "a.csv", notes=Notes(), **options)
        return [row.weight for row in rows]

    assert weights() == [1.0, 1.0]  # nothing is asked for
    assert weights(weight_column="weight") == [0.5, 1.0]
    assert weights(weight_column="p") == weights(weight_column=4) == [2.0, 3.0]
    with pytest.raises(InputError, match=r"no column 'q' among .*: set data\.weight_column"):
        weights(weight_column="q")
    (tmp_path / "a.csv").write_text("text,label,weight\na,x,1\nb,y,1.2kg\n")
    with pytest.raises(InputError, match=r"a\.csv:3: the weight '1\.2kg' is neither"):
        weights(weight_column="weight")


@pytest.mark.parametrize("value", [-1, "-0.5", "nan", float("inf"), True, 1e-9, [], "x"])
def test_what_is_no_weight_is_refused(value):
    with pytest.raises(InputError, match="the weight"):
        weight_of(value)


def test_mistakes_are_met_with_file_and_row(rnnlp, tmp_path):
    rows = [{"text": f"a {i}", "label": "xy"[i % 2], "weight": 1 - i} for i in range(4)]
    path = write(tmp_path / "t.jsonl", rows)
    code, _, err = rnnlp("fit", "--config", "sentiment", f"--data.train={path}",
                         "--output", tmp_path / "m")  # fmt: skip
    assert code == 2 and f"{path}:3: the weight -1 is neither 0 nor" in err
    with pytest.raises(InputError, match=r"t\.jsonl:1: no key 'importance' among text, label"):
        ClassificationData(train=str(path), weight_column="importance").read()
    assert len(ClassificationData(train=str(path), weight_column=None).read().corpora) == 2
    (tmp_path / "a.conll").write_text("Anna B-X\n")
    with pytest.raises(InputError, match=r"data\.weight_column is for JSON lines, not conll"):
        TaggingData(train=str(tmp_path / "a.conll"), weight_column="w").read()
    with pytest.raises(InputError, match="name that file as well"):
        TaggingData(weight_column="w")
