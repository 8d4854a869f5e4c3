"""Entity scores against seqeval, over thousands of random sequences."""

import random

import pytest
import torch
from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.scheme import IOB1, IOB2, IOBES

from rnnlp.data.tagging.schemes import is_valid, tags_to_spans
from rnnlp.tasks.tagging.metrics import SpanF1
from rnnlp.tasks.tagging.scores import SpanScores, TokenScores

LETTERS = {"IOB1": "BI", "IOB2": "BI", "BIOES": "BIES"}
ORACLE = {"IOB1": IOB1, "IOB2": IOB2, "BIOES": IOBES}
TYPES = ["LOC", "ORG", "PER"]


def random_tags(scheme, draw, length):
    tags = ["O", "O"] + [f"{letter}-{kind}" for letter in LETTERS[scheme] for kind in TYPES]
    return [draw.choice(tags) for _ in range(length)]


def batch(scheme, seed, sentences=40):
    """Gold and predicted sequences, valid or not, that agree in about half their tags."""
    draw = random.Random(seed)
    gold, predicted = [], []
    for _ in range(sentences):
        tags = random_tags(scheme, draw, draw.randint(1, 12))
        guess = random_tags(scheme, draw, len(tags))
        gold.append(tags)
        predicted.append(
            [a if draw.random() < 0.6 else b for a, b in zip(tags, guess, strict=True)]
        )
    return gold, predicted


def spans(sequences, scheme):
    return [tags_to_spans(tags, scheme, strict=True) for tags in sequences]


@pytest.mark.parametrize("scheme", ["IOB1", "IOB2", "BIOES"])
def test_agrees_with_seqeval_on_thousands_of_random_sequences(scheme):
    for seed in range(60):
        gold, predicted = batch(scheme, seed)
        metric = SpanF1(TYPES)
        for start in range(0, len(gold), 7):  # in batches, which must not matter
            part = slice(start, start + 7)
            metric.update(spans(predicted[part], scheme), spans(gold[part], scheme))
        found = {name: float(value) for name, value in metric.compute().items()}
        oracle = {"mode": "strict", "scheme": ORACLE[scheme], "zero_division": 0}
        assert found["f1"] == pytest.approx(f1_score(gold, predicted, **oracle))
        assert found["precision"] == pytest.approx(precision_score(gold, predicted, **oracle))
        assert found["recall"] == pytest.approx(recall_score(gold, predicted, **oracle))
        per_type = f1_score(gold, predicted, average=None, **oracle)
        assert [row["f1"] for row in metric.per_type().values()] == pytest.approx(list(per_type))


def test_counts_of_several_devices_add_up():
    gold, predicted = batch("IOB2", 1)
    whole, parts = SpanF1(TYPES), [SpanF1(TYPES), SpanF1(TYPES)]
    whole.update(spans(predicted, "IOB2"), spans(gold, "IOB2"))
    for half, part in enumerate(parts):
        part.update(spans(predicted[half::2], "IOB2"), spans(gold[half::2], "IOB2"))
    assert torch.equal(whole.counts, parts[0].counts + parts[1].counts)
    assert all(reduce is not None for reduce in whole._reductions.values())


def test_both_counters_agree():
    gold, predicted = batch("BIOES", 3)
    valid = [is_valid(tags, "BIOES") for tags in predicted]
    metric, scores = SpanF1(TYPES), SpanScores()
    metric.update(spans(predicted, "BIOES"), spans(gold, "BIOES"), valid)
    for guess, truth, ok in zip(
        spans(predicted, "BIOES"), spans(gold, "BIOES"), valid, strict=True
    ):
        scores.add(guess, truth, valid=ok)
    result = scores.result()
    assert 0 < result["invalid_sequences"] == valid.count(False)
    for name, value in metric.compute().items():
        assert float(value) == pytest.approx(result[name])
    assert metric.per_type() == result["per_type"]


def test_a_gold_type_unseen_in_training_is_a_miss():
    metric, scores = SpanF1(["PER"]), SpanScores()
    predicted, gold = [[(0, 1, "PER")]], [[(0, 1, "PER"), (2, 4, "PRODUCT")]]
    metric.update(predicted, gold)
    scores.add(predicted[0], gold[0])
    assert float(metric.compute()["recall"]) == scores.result()["recall"] == 0.5
    assert scores.result()["per_type"]["PRODUCT"] == {
        "f1": 0.0, "precision": 0.0, "recall": 0.0, "support": 1
    }  # fmt: skip


def test_nothing_found_and_nothing_there():
    metric = SpanF1(TYPES)
    metric.update([[]], [[]])
    assert float(metric.compute()["f1"]) == 0.0


def test_numbers_of_sentences_must_agree():
    with pytest.raises(ValueError, match="1 predicted sentences for 2"):
        SpanF1(TYPES).update([[]], [[], []])


def test_token_accuracy_counts_unseen_tags_as_wrong():
    scores = TokenScores()
    scores.add(["NOUN", "VERB"], ["NOUN", "AUX"])
    scores.add(["NOUN"], ["NOUN"])
    assert scores.result() == {"accuracy": pytest.approx(2 / 3)}
    with pytest.raises(ValueError, match="1 predicted tags for 2"):
        scores.add(["NOUN"], ["NOUN", "VERB"])
