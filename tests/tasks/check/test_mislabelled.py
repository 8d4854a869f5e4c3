"""`rnnlp check` with a model, and with those of folds: wrong labels, each with its place."""

import json
import random
import re
from pathlib import Path

import pytest

import rnnlp as package
from rnnlp.tasks.check.mislabelled import judges_of

FOLDERS = Path(__file__).parents[2] / "folders"
WORDS = {"good": ["fine", "merry", "bright", "warm"], "bad": ["dull", "slow", "grey", "cold"]}


SMALL = """\
task: classification
model: {recurrent: false, ngrams: 1, optimizer: {learning_rate: 0.05}}
trainer: {max_epochs: 10, enable_progress_bar: false, accelerator: cpu}
early_stopping: {min_steps: 30}
"""


@pytest.fixture
def texts(tmp_path):
    """A file of reviews, some of them with the other label; and their lines."""
    numbers = random.Random(1)
    wrong = {7, 30, 55, 101, 144}
    rows = []
    for line in range(1, 161):
        label = numbers.choice(list(WORDS))
        text = f"a {' and '.join(numbers.sample(WORDS[label], 3))} film, number {line}"
        other = "bad" if label == "good" else "good"
        rows.append({"text": text, "label": other if line in wrong else label})
    path = tmp_path / "reviews.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "small.yaml").write_text(SMALL)
    return path, wrong


def test_folds(rnnlp, tmp_path, texts):
    """Cross-validated by `check` itself, and by `fit` before: the same."""
    path, wrong = texts
    page, config = tmp_path / "page.html", tmp_path / "small.yaml"
    code, out, err = rnnlp("check", path, "--folds", 2, "--config", config, "--page", page)
    assert code == 1 and "labels judged by 2 models: 160" in out, err
    lines = re.findall(rf"{path}:(\d+): (\w+), believed (\w+) \([01]\.\d+\): a ", out)
    actual = {int(line) for line, *_ in lines}
    assert actual <= wrong and len(actual) >= 3
    assert f"labels that are probably wrong: {len(actual)} " in out
    assert all({gold, believed} == {"good", "bad"} for _, gold, believed in lines)
    assert all(f"<td>{path}:{line}</td>" in page.read_text() for line in actual)

    folds = tmp_path / "folds"
    package.fit(config, output=folds, data={"train": path, "folds": 2})
    assert rnnlp("check", path, "--model", folds)[1] == out
    every = [judge.lines for judge in judges_of(str(folds), str(path), "classification")]
    assert sorted(frozenset.union(*every)) == list(range(1, 161)) and not every[0] & every[1]
    other = path.rename(tmp_path / "other.jsonl")
    code, _, err = rnnlp("check", other, "--model", folds)
    assert code == 2 and "reviews.jsonl, not of" in err


def test_tags(rnnlp, corpus, english, tmp_path):
    """Every token is judged; neighbours in doubt are one line, with their sentence around them."""
    blocks = (corpus / "train.conll").read_text().strip().split("\n\n")
    tagger = package.load(english)
    sentences = [[line.split()[0] for line in block.split("\n")] for block in blocks]
    sure = [
        (score, place, spans[0][0])
        for place, spans in enumerate(tagger.spans(sentences))
        for score in [spans[0][1] if len(spans) == 1 else 0.0]
        if " B-" in blocks[place] and f"B-{spans[0][0].type}" in blocks[place]
        if spans
    ]
    _, place, span = max(sure)
    blocks[place] = re.sub(r" [BI]-\S+", " O", blocks[place])
    path = tmp_path / "train.conll"
    path.write_text("\n\n".join(blocks) + "\n")
    line = sum(block.count("\n") + 2 for block in blocks[:place]) + 1
    _, out, err = rnnlp("check", path, "--model", english)
    assert "a model that has learned from these very labels" in err
    assert "labels judged by 1 model: 1,374" in out
    name = " ".join(sentences[place][span.start : span.end])
    assert re.search(
        rf"{path}:{line}: O[ O]*, believed [BS]-{span.type}.*\[{re.escape(name)}\]", out
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--model", FOLDERS / "tagging-v1"], "this model is for tagging, not for classification"),
        (["--model", FOLDERS / "classification-v1"], "knows none of these examples or labels"),
        (["--model", "no-such"], "no-such"),
        (["--folds", "1"], "--folds is 1"),
        (["--folds", "x"], "invalid int value"),
        (["--config", "ner"], "give --folds as well"),
        (["--folds", "2", "--model", "m"], "not allowed with"),
        (["--folds", "2", "--page", "no/such/page.html"], "a folder there is"),
    ],
)
def test_wrong_input(rnnlp, texts, options, words):
    code, _, err = rnnlp("check", texts[0], *options)
    assert code == 2 and words in err.splitlines()[-1], err
