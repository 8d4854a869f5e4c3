"""Entity scores against seqeval, over thousands of random sequences."""

import random

import pytest
from seqeval.metrics import classification_report, f1_score, precision_score, recall_score
from seqeval.scheme import IOB1, IOB2, IOBES

from rnnlp.data.tagging.schemes import is_valid, tags_to_spans
from rnnlp.tasks.tagging.scores import TagScores, TokenScores, score_lines

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
        scores = TagScores(scheme)
        for start in range(0, len(gold), 7):  # in batches, which must not matter
            part = slice(start, start + 7)
            scores.add(predicted[part], spans(gold[part], scheme))
        result = scores.result()
        oracle = {"mode": "strict", "scheme": ORACLE[scheme], "zero_division": 0}
        assert result["f1"] == pytest.approx(f1_score(gold, predicted, **oracle))
        assert result["precision"] == pytest.approx(precision_score(gold, predicted, **oracle))
        assert result["recall"] == pytest.approx(recall_score(gold, predicted, **oracle))
        report = classification_report(gold, predicted, output_dict=True, **oracle)
        for kind, row in result["per_type"].items():
            expected = report[kind]
            assert row == pytest.approx({
                "f1": expected["f1-score"], "precision": expected["precision"],
                "recall": expected["recall"], "support": expected["support"],
            })  # fmt: skip
        invalid = [not is_valid(tags, scheme) for tags in predicted]
        assert result["invalid_sequences"] == sum(invalid)


def test_a_gold_type_unseen_in_training_is_a_miss():
    scores = TagScores("BIOES")
    scores.add([["S-PER", "O", "O", "O"]], [[(0, 1, "PER"), (2, 4, "PRODUCT")]])
    assert scores.result()["recall"] == 0.5
    assert scores.result()["per_type"]["PRODUCT"] == {
        "f1": 0.0, "precision": 0.0, "recall": 0.0, "support": 1
    }  # fmt: skip


def test_nothing_found_and_nothing_there():
    scores = TagScores("IOB2")
    scores.add([["O"]], [[]])
    assert scores.result()["f1"] == 0.0


def test_token_accuracy_counts_unseen_tags_as_wrong():
    scores = TokenScores()
    scores.add(["NOUN", "VERB"], ["NOUN", "AUX"])
    scores.add(["NOUN"], ["NOUN"])
    assert scores.result() == {
        "accuracy": pytest.approx(2 / 3),
        "interval": {"accuracy": pytest.approx((0.3542, 0.8794), abs=1e-4)},
        "baseline": pytest.approx(2 / 3),  # always NOUN
    }
    lines = score_lines(scores.result(), "p")
    assert lines[2] == (
        "always the most frequent label: accuracy 66.67, which this model does not beat"
    )
    with pytest.raises(ValueError, match="1 predicted tags for 2"):
        scores.add(["NOUN"], ["NOUN", "VERB"])
