"""How unsure a model is, and which texts it would have labelled."""

import csv
import json
from itertools import pairwise, product
from math import log

import numpy as np
import pytest
import torch

import rnnlp as package
from rnnlp.data.tagging.schemes import allowed_transitions, tags_to_spans
from rnnlp.models import CRF, ConstrainedSoftmax
from rnnlp.tasks.classification.outputs import uncertainty_of
from rnnlp.tasks.inference.select import spread
from rnnlp.tasks.tagging.outputs import span_rules

TEXTS = ["Anna visited Berlin.", "It rained.", "Mr. Smith and 李明 of Reuters met in Paris", "a"]


@pytest.mark.parametrize("scheme", ["IOB2", "BIOES", None])
@pytest.mark.parametrize("head", [CRF, ConstrainedSoftmax])
def test_expected_spans_are_those_of_all_paths(head, scheme):
    tags = ["O", "B-X", "I-X", *(["E-X", "S-X"] if scheme == "BIOES" else [])]
    allowed, start, end = allowed_transitions(tags, scheme)
    output = head(tags=len(tags), allowed=allowed, start=start, end=end)
    for parameter in output.parameters():
        torch.nn.init.normal_(parameter)
    emissions = torch.randn(1, 4, len(tags), dtype=torch.float64)
    steps, begin, finish = (part.double() for part in output.path_scores())
    if head is ConstrainedSoftmax:  # independent tokens: the rules only bind the search
        steps, begin, finish = (torch.zeros_like(part) for part in (steps, begin, finish))
    total = spans = 0.0
    for path in product(range(len(tags)), repeat=4):
        score = begin[path[0]] + finish[path[-1]] + emissions[0, range(4), path].sum()
        mass = (score + sum(steps[pair] for pair in pairwise(path))).exp().item()
        names = [tags[tag] for tag in path]
        if scheme is None:
            count = 4
        elif head is CRF:
            count = len(tags_to_spans(names, scheme)) if mass else 0
        else:  # whatever follows, a span begins where a tag says so
            count = sum(name[0] in "BS" for name in names)
        total, spans = total + mass, spans + mass * count
    decoded = output.paths().decode(emissions.numpy(), np.array([4]))
    rules = span_rules(tags, scheme).values()
    assert decoded.expected_spans(rules) == pytest.approx([spans / total])


def test_uncertainty_of_labels():
    actual = uncertainty_of(np.array([0.5, 0.25, 0.25]), multilabel=False)
    assert actual == {"entropy": round(1.5 * log(2), 4), "margin": 0.25}
    assert uncertainty_of(np.array([1.0, 0.0]), multilabel=False) == {"entropy": 0, "margin": 1}
    actual = uncertainty_of(np.array([0.5, 1.0]), multilabel=True)
    assert actual == {"entropy": round(log(2), 4), "margin": 0.0}


def test_predict_tells_it_on_both_engines(rnnlp, english, tmp_path):
    code, out, err = rnnlp("predict", english, "--uncertainty", *TEXTS)
    assert code == 0, err
    answers = [json.loads(line) for line in out.splitlines()]
    plain = package.load(english)(TEXTS)
    assert all(answer.pop("uncertainty")["expected_errors"] >= 0 for answer in answers)
    assert answers == plain
    assert rnnlp("export", english, "--output", tmp_path / "onnx")[0] == 0
    torch_ones, onnx = (package.load(folder)(TEXTS, uncertainty=True)
                        for folder in (english, tmp_path / "onnx"))  # fmt: skip
    for one, other in zip(torch_ones, onnx, strict=True):
        assert one["uncertainty"] == pytest.approx(other["uncertainty"], abs=2e-4)


def test_select_gives_rows_of_the_pool(rnnlp, english, tmp_path):
    rows = [{"id": i, "text": f"{TEXTS[i % 4]} {i % 20}"} for i in range(60)]
    (tmp_path / "pool.csv").write_text(
        "id,text\n" + "".join(f"{r['id']},{r['text']}\n" for r in rows)
    )
    (tmp_path / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "pool.txt").write_text("".join(row["text"] + "\n" for row in rows))

    def choose(name, *more):
        code, out, err = rnnlp("select", english, "--input", tmp_path / name, "--count", 5, *more)
        assert code == 0, err
        assert "5 of 60 texts chosen" in err
        return out

    lines = choose("pool.txt").splitlines()
    places = package.select(str(english), [row["text"] for row in rows], count=5)
    assert [rows[place]["text"] for place in places] == lines
    assert len(set(lines)) == 5 and lines == choose("pool.txt").splitlines()
    assert [json.loads(line)["text"] for line in choose("pool.jsonl").splitlines()] == lines
    table = list(csv.DictReader(choose("pool.csv").splitlines()))
    assert [row["text"] for row in table] == lines and list(table[0]) == ["id", "text"]
    choose("pool.txt", "--output", tmp_path / "chosen.csv")
    assert [row["text"] for row in csv.DictReader((tmp_path / "chosen.csv").open())] == lines
    unsure = [
        a["uncertainty"]["expected_errors"] for a in package.load(english)(lines, uncertainty=True)
    ]
    assert unsure == sorted(unsure, reverse=True)
    code, _, err = rnnlp("select", english, "--input", tmp_path / "pool.txt", "--count", 50)
    assert code == 0 and "20 different texts, fewer than --count 50" in err


def test_spread_takes_one_of_each_kind():
    random = np.random.default_rng(0)
    kinds = np.repeat(np.eye(8), 20, axis=0)
    vectors = kinds + 0.01 * random.normal(size=kinds.shape)
    chosen = spread(vectors, random.random(len(kinds)), count=8, seed=1)
    assert sorted(row // 20 for row in chosen) == list(range(8))
    assert len(set(spread(np.zeros((9, 2)), np.zeros(9), count=9, seed=1))) == 9


def test_mistakes(rnnlp, english, tmp_path):
    (tmp_path / "pool.txt").write_text("a\nb\n")
    code, _, err = rnnlp("select", english, "--input", tmp_path / "pool.txt", "--count", 0)
    assert code == 2 and "--count is 0" in err
    code, _, err = rnnlp("select", english, "--input", tmp_path / "none.txt")
    assert code == 2 and "none.txt" in err
    folders = package.__path__[0] + "/tests/folders/generation-v1"
    code, _, err = rnnlp("select", folders, "--input", tmp_path / "pool.txt")
    assert code == 2 and "is a model for generation" in err
