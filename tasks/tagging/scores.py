"""Counts from which entity scores are made: plain Python, so that `evaluate` needs nothing heavy.

What is counted is what `seqeval` counts in strict mode: a predicted entity is correct when a gold
entity has the same type and the same two boundaries; precision, recall and F1 are micro averages
over all entities. The file knows spans and tag strings; it knows no tensors and no tag schemes.
`metrics.py` keeps the same counts as summed tensors for training on several devices.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

SPAN_POLICY = (
    "strict entity match: type and both boundaries, micro average over entities "
    "(seqeval mode='strict')"
)
TOKEN_POLICY = "share of tokens whose tag is right; a tag unseen in training counts as wrong"


def safe_ratio(part: float, whole: float) -> float:
    """`part / whole`, and 0 where there is nothing to divide by (the convention of seqeval)."""
    return part / whole if whole else 0.0


def precision_recall_f1(correct: int, predicted: int, gold: int) -> dict[str, float]:
    """Precision, recall and F1 from three counts."""
    return {
        "f1": safe_ratio(2 * correct, predicted + gold),
        "precision": safe_ratio(correct, predicted),
        "recall": safe_ratio(correct, gold),
    }


class SpanScores:
    """Sums entity counts sentence by sentence.

    Spans are `(start, end, type)` triples; types that training never saw are counted like any
    other, so an unseen gold type is a miss.
    """

    def __init__(self) -> None:
        self.correct: Counter[str] = Counter()
        self.predicted: Counter[str] = Counter()
        self.gold: Counter[str] = Counter()
        self.invalid_sequences = 0
        self.sentences = 0

    def add(
        self,
        predicted: Iterable[tuple[int, int, str]],
        gold: Iterable[tuple[int, int, str]],
        *,
        valid: bool = True,
    ) -> None:
        """Adds one sentence.

        Args:
            predicted: The predicted spans.
            gold: The gold spans.
            valid: Whether the predicted tag sequence obeys its scheme.
        """
        predicted_set, gold_set = set(predicted), set(gold)
        self.predicted.update(kind for _, _, kind in predicted_set)
        self.gold.update(kind for _, _, kind in gold_set)
        self.correct.update(kind for _, _, kind in predicted_set & gold_set)
        self.invalid_sequences += not valid
        self.sentences += 1

    def result(self) -> dict[str, Any]:
        """The scores under the names that `evaluate --json` prints."""
        types = sorted(set(self.gold) | set(self.predicted))
        return {
            **precision_recall_f1(self.correct.total(), self.predicted.total(), self.gold.total()),
            "per_type": {
                kind: {
                    **precision_recall_f1(
                        self.correct[kind], self.predicted[kind], self.gold[kind]
                    ),
                    "support": self.gold[kind],
                }
                for kind in types
            },
            "invalid_sequences": self.invalid_sequences,
        }


class TokenScores:
    """Sums right and wrong tags token by token, for plain tags such as parts of speech."""

    def __init__(self) -> None:
        self.correct = 0
        self.tokens = 0
        self.sentences = 0

    def add(self, predicted: Sequence[Hashable], gold: Sequence[Hashable]) -> None:
        """Adds one sentence of equally many predicted and gold tags."""
        if len(predicted) != len(gold):
            raise ValueError(f"{len(predicted)} predicted tags for {len(gold)} gold tags")
        self.correct += sum(p == g for p, g in zip(predicted, gold, strict=True))
        self.tokens += len(gold)
        self.sentences += 1

    def result(self) -> dict[str, Any]:
        """The scores under the names that `evaluate --json` prints."""
        return {"accuracy": safe_ratio(self.correct, self.tokens)}
