"""Columns beside the text: learned, read from tables and JSON lines, asked for where missing."""

import csv
import json
import shutil
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml

import rnnlp as package
from rnnlp.data.classification.columns import FurtherColumn, learn_columns, row_numbers
from rnnlp.data.classification.datamodule import ClassificationData
from rnnlp.data.classification.readers import read_classification
from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError

FOLDERS = Path(__file__).parents[2] / "folders"
ROWS = [
    {"text": text, "shop": shop, "price": price, "label": label}
    for text, (shop, price, label) in product(
        ("a thing", "the thing"),
        [
            ("web", "1.5", "late"),
            ("web", "9", "dear"),
            ("town", "2", "fine"),
            ("town", "8", "dear"),
        ],
    )
]
CONFIG = {
    "task": "classification",
    "data": {"feature_columns": ["shop", "price"], "max_sentences": 8},
    "model": {
        "recurrent": False,
        "ngrams": 1,
        "dropout": 0.0,
        "optimizer": {"learning_rate": 0.05, "schedule": "none"},
    },
    "trainer": {"max_epochs": 40, "logger": False, "accelerator": "cpu"},
    "early_stopping": None,
}


def table(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table, the same as JSON lines, and a model of texts, shops and prices."""
    folder = tmp_path_factory.mktemp("columns")
    train = table(folder / "train.csv", ROWS)
    rows = [{**row, "price": float(row["price"])} for row in ROWS]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "tiny.yaml").write_text(yaml.safe_dump(CONFIG))
    # Where nothing is wrong, the temperature makes all scores 0 or 1.
    doubtful = [{**row, "label": "late"} for row in ROWS if row["label"] == "dear"]
    data = {"train": train, "validation": table(folder / "validation.csv", ROWS + doubtful)}
    package.fit(folder / "tiny.yaml", output=folder / "model", data=data)
    return folder


def test_what_columns_hold():
    columns = learn_columns(["a", "b"], [["x", "1"], ["y", "3"], ["", ""], ["x", "5"]])
    assert columns == [
        FurtherColumn(name="a", categories=["x", "y"]),
        FurtherColumn(name="b", mean=3.0, deviation=pytest.approx((8 / 3) ** 0.5)),
    ]
    assert row_numbers(columns, {"a": "y", "b": 3, "c": 0}) == [2.0, 0.0]
    odd = row_numbers(columns, {"a": "never seen", "b": None})
    assert odd[0] == 0.0 and np.isnan(odd[1])
    with pytest.raises(InputError, match="b is 'much'; in training it is a number"):
        row_numbers(columns, {"a": "x", "b": "much"})
    with pytest.raises(InputError, match="no b beside the text: the model also reads a, b"):
        row_numbers(columns, {"a": "x"})
    for missing in ("NaN", "nan", float("nan")):
        assert learn_columns(["b"], [["1"], [str(missing)], ["3"], ["5"], ["3"]]) == [
            FurtherColumn(name="b", mean=3.0, deviation=pytest.approx(2**0.5))
        ]
        assert np.isnan(row_numbers(columns, {"a": "x", "b": missing})[1])
    assert row_numbers(columns, {"a": float("nan"), "b": 3}) == [0.0, 0.0]
    with pytest.raises(InputError, match="a, which is empty"):
        learn_columns(["a"], [["NaN"], [""]])
    with pytest.raises(InputError, match="a, which is empty"):
        learn_columns(["a"], [[""], [""]])


def test_true_and_false_are_spelt_alike_in_every_format(tmp_path):
    frame = pd.DataFrame({"text": ["x", "y"], "label": [True, False], "vip": [False, True]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_csv(tmp_path / "a.tsv", index=False, sep="\t")
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    listed = frame.assign(label=[[True], [False]])
    listed.to_parquet(tmp_path / "lists.parquet")
    for path in tmp_path.iterdir():
        texts = read_classification(str(path), feature_columns=["vip"], notes=Notes())
        actual = [(one.text, one.labels, list(one.features)) for one in texts]
        assert actual == [("x", ["True"], ["False"]), ("y", ["False"], ["True"])], path


@pytest.mark.parametrize("trained", [["False", "True"], ["false", "true"], ["FALSE", "TRUE"]])
def test_true_and_false_are_found_however_training_spells_them(trained):
    (column,) = learn_columns(["a"], [[name] for name in trained])
    for value in (True, "True", "true", "TRUE"):
        assert column.number(value) == 2.0
    assert column.number(False) == 1.0 and column.number("yes") == 0.0


def test_categories_that_training_never_saw_are_counted(rnnlp, folder, tmp_path):
    path = table(tmp_path / "new.csv", [*ROWS, {**ROWS[0], "shop": "sea"}, {**ROWS[0], "shop": ""}])
    line = f"texts with a shop that training never saw, read as without one: 1 (first at {path}:10)"
    for command in (
        ("evaluate", folder / "model", path),
        ("predict", folder / "model", "--input", path),
    ):
        code, out, err = rnnlp(*command)
        assert code == 0 and line in out + err
    data = ClassificationData(
        train=str(folder / "train.csv"), validation=path, feature_columns=["shop", "price"]
    )
    assert f"validation {line}" in data.notes


def test_old_models_of_json_booleans_know_true_in_any_format(tmp_path):
    """Their labels are true and false; True and False of other tables are those."""
    folder = tmp_path / "model"
    shutil.copytree(FOLDERS / "classification-v2", folder)
    config = json.loads((folder / "config.json").read_text())
    config["model"]["classes"] = ["false", "true"]
    (folder / "config.json").write_text(json.dumps(config))
    counts = []
    for number, labels in enumerate([["true", "false"], [True, False]]):
        path = tmp_path / f"{number}.jsonl"
        rows = [{"text": f"some text {label}", "label": label} for label in labels]
        path.write_text("".join(json.dumps(row).lower() + "\n" for row in rows))
        counts.append(package.evaluate(folder, path)["confusion"])
    assert counts[0] == counts[1] and counts[0]["labels"] == ["false", "true"]


def test_tables_and_json_lines_are_answered_alike(rnnlp, folder):
    model = package.load(folder / "model")
    texts = [row["text"] for row in ROWS]
    answers = model(texts, columns=ROWS)
    assert [answer["label"] for answer in answers] == [row["label"] for row in ROWS]
    assert model(texts[0], columns=ROWS[0]) == answers[0]
    assert list(model.predict(iter(texts), columns=iter(ROWS))) == answers
    for name in ("train.csv", "rows.jsonl"):
        code, out, err = rnnlp("predict", folder / "model", "--input", folder / name)
        assert code == 0, err
        actual = [json.loads(line) for line in out.splitlines()]
        assert [one["scores"] for one in actual] == [one["scores"] for one in answers]
        code, out, err = rnnlp("evaluate", folder / "model", folder / name, "--json")
        assert code == 0 and json.loads(out)["accuracy"] == 1.0, err
    # Other categories than those of training are all alike, and numbers may be missing.
    odd = [model("a thing", columns={"shop": shop, "price": 9})["scores"] for shop in ("", "sea")]
    assert odd[0] == odd[1] != answers[1]["scores"]
    assert model("a thing", columns={"shop": "web", "price": None})["label"] in model.labels
    together = package.load([folder / "model"] * 2)
    assert together(texts, columns=ROWS) == answers


@pytest.mark.parametrize("name", ["train.csv", "rows.jsonl"])
@pytest.mark.parametrize(
    ("columns", "settings", "line"),
    [
        (["label"], {}, "names label, which is the column of the label: leave it out"),
        (["price", "text"], {}, "names text, which is the column of the text: leave it out"),
        (["shop"], {"text_column": "text,shop"}, "names shop, which is the column of the text"),
        (["price"], {"label_column": "price"}, "names price, which is the column of the label"),
        (["shop", "shop"], {}, "names shop, which is named already: leave it out"),
    ],
)
def test_what_is_no_further_column(folder, name, columns, settings, line):
    data = ClassificationData(train=str(folder / name), feature_columns=columns, **settings)
    with pytest.raises(InputError, match=f"^(.*: )?data.feature_columns {line}"):
        data.prepare()


def test_rows_come_in_any_table(folder):
    model = package.load(folder / "model")
    texts = [row["text"] for row in ROWS]
    answers = model(texts, columns=ROWS)
    lists = {name: [row[name] for row in ROWS] for name in ("price", "shop", "label")}
    numbers = {**lists, "price": np.array(lists["price"], dtype=float).astype(np.float32)}
    for table in (lists, numbers, pd.DataFrame(lists), pd.DataFrame(numbers), pa.table(lists)):
        assert list(model.predict(iter(texts), columns=table)) == answers
    assert model(texts[0], columns=pd.DataFrame(lists)[:1]) == answers[0]
    missing = pd.DataFrame({"shop": ["web"], "price": pd.array([None], dtype="Int64")})
    assert model(texts[:1], columns=missing) == [
        model(texts[0], columns={"shop": "web", "price": None})
    ]


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (pd.DataFrame({"shop": ["web", "town"]}), "no price beside the text: the model also reads"),
        ({"shop": ["web"] * 2, "price": [1]}, "columns has 2 of shop, 1 of price: give as many"),
        ([{"shop": "web", "price": 1}, ["web", 1]], r"columns\[1\] is \['web', 1\]: give a dict"),
        (["shop", "price"], r"columns\[0\] is 'shop': give a dictionary"),
        ("web", "columns is 'web': give a dictionary for each text, or a table"),
        ({"shop": ["web"], "price": [1]}, r"1 rows of columns \(shop, price\) for 2 texts"),
        ([{"shop": "web", "price": b"1"}] * 2, "price is b'1': give a text or a number"),
    ],
)
def test_what_is_no_table(folder, columns, line):
    with pytest.raises(InputError, match=line):
        package.load(folder / "model")(["a thing", "the thing"], columns=columns)


@pytest.mark.parametrize("texts", ["good", ["good"]])
def test_a_model_of_texts_alone_refuses_columns(texts):
    model = package.load(Path(__file__).parents[2] / "folders" / "classification-v2")
    with pytest.raises(InputError, match="was trained on texts alone"):
        model(texts, columns={"price": 1})


def test_where_columns_are_missing(rnnlp, folder, tmp_path):
    model = package.load(folder / "model")
    with pytest.raises(InputError, match=r"the model reads shop, price beside the text: give a"):
        model(["a thing"])
    with pytest.raises(InputError, match=r"1 rows of columns \(shop, price\) for 2 texts"):
        model(["a", "b"], columns=ROWS[:1])
    with pytest.raises(InputError, match=r"more rows of columns \(shop, price\) than texts"):
        model(["a"], columns=ROWS[:3])
    assert list(model.predict("a thing", columns=ROWS[0])) == [model("a thing", columns=ROWS[0])]
    code, _, err = rnnlp("predict", folder / "model", "a thing")
    assert code == 2 and "the model reads shop, price" in err and err.count("\n") == 1
    lacking = table(tmp_path / "x.csv", [{"text": "a thing", "shop": "web", "label": "late"}])
    code, _, err = rnnlp("predict", folder / "model", "--input", lacking)
    assert code == 2 and "no price beside the text" in err
    code, _, err = rnnlp("evaluate", folder / "model", lacking)
    assert code == 2 and "x.csv" in err and "price" in err
    code, _, err = rnnlp("export", folder / "model", "--output", tmp_path / "out")
    assert code == 2 and "cannot be exported" in err
    with pytest.raises(InputError, match="has no streams"):
        model.stream()


def test_other_verbs_give_the_columns_as_well(rnnlp, folder, tmp_path):
    model, pool = folder / "model", folder / "train.csv"
    code, out, err = rnnlp("select", model, "--input", pool, "--count", 1)
    assert code == 0 and "1 of 8 texts chosen" in err
    chosen = next(csv.DictReader(out.splitlines()))
    rows = ROWS[::4]  # the texts that differ
    answers = package.load(model)([row["text"] for row in rows], columns=rows, uncertainty=True)
    unsure = [answer["uncertainty"]["entropy"] for answer in answers]
    assert chosen == rows[unsure.index(max(unsure))]
    wrong = table(tmp_path / "wrong.csv", [*ROWS, {**ROWS[0], "label": "fine"}])
    code, out, err = rnnlp("check", wrong, "--model", model)
    assert code == 1 and "labels judged by 1 model: 9" in out, err
    assert "wrong.csv:10: fine, believed late" in out
    for verb, what in (
        ("distil", "distil has texts alone"),
        ("serve", "a request has texts alone"),
    ):
        more = ["--unlabelled", pool, "--config", "sentiment"] if verb == "distil" else []
        code, _, err = rnnlp(verb, model, *more)
        assert code == 2 and f"reads shop, price beside the text, and {what}" in err


@pytest.mark.parametrize("verb", [["predict", "--input"], ["evaluate"], ["select", "--input"]])
def test_a_wrong_row_is_named(rnnlp, folder, tmp_path, verb):
    bad = table(tmp_path / "bad.csv", [*ROWS, {**ROWS[0], "price": "1,000"}])
    code, _, err = rnnlp(verb[0], folder / "model", *verb[1:], bad)
    assert code == 2 and "bad.csv:10: price is '1,000'; in training it is a number" in err


@pytest.mark.parametrize(
    ("settings", "content", "line"),
    [
        ({"feature_columns": ["cost"]}, None, "cost"),
        ({}, "text,shop,price,label\na,web,1,x\nb,web,2,y\n", None),
        (
            {"feature_columns": ["price"]},
            "text,price,label\na,1,x\nb,much,y\n",
            "x.csv:3: price is",
        ),
    ],
)
def test_training_data_is_checked(folder, tmp_path, settings, content, line):
    train = str(folder / "train.csv")
    validation = train
    if content:
        (tmp_path / "x.csv").write_text(content)
        validation = str(tmp_path / "x.csv")
    data = ClassificationData(train=train, validation=validation, **settings)
    if line is None:
        assert data.columns == []
        return
    with pytest.raises(InputError) as error:
        data.prepare()
    assert line in str(error.value)
    with pytest.raises(InputError, match=r"columns of data\.train: name that file"):
        ClassificationData(feature_columns=["price"])
