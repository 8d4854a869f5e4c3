"""Counts from which entity scores are made: plain Python, so that `evaluate` needs nothing heavy.

What is counted is what `seqeval` counts in strict mode: a predicted entity is correct when a gold
entity has the same type and the same two boundaries; precision, recall and F1 are micro averages
over all entities. The file knows spans and tag strings; it knows no tensors and no tag schemes.
It is the one scorer of entities: validation, the end of training and `evaluate` all add to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from rnnlp.data.tagging.schemes import Span, is_valid, split_tag, tags_to_spans
from rnnlp.tasks.base.calibration import BINS, Calibration, fits
from rnnlp.tasks.base.ratios import (
    RatioSums,
    baseline_lines,
    interval_lines,
    precision_recall_f1,
    safe_ratio,
)
from rnnlp.tasks.reporting.score_table import rate_lines

SPAN_POLICY = (
    "strict entity match: type and both boundaries, micro average over entities "
    "(seqeval mode='strict'); ece: expected calibration error of the scores of what is found, over "
    f"{BINS} bins; of the validation split that of the half which the temperature was not fitted on"
)
TOKEN_POLICY = "share of tokens whose tag is right; a tag unseen in training counts as wrong"


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
        self.f1 = RatioSums()
        self.calibration: Calibration | None = None  # where probabilities are known

    def add(
        self,
        predicted: Iterable[tuple[int, int, str]],
        gold: Iterable[tuple[int, int, str]],
        *,
        valid: bool = True,
        probabilities: Sequence[float] | None = None,
    ) -> None:
        """Adds one sentence.

        Args:
            predicted: The predicted spans.
            gold: The gold spans.
            valid: Whether the predicted tag sequence obeys its scheme.
            probabilities: Of each predicted span, where calibration is to be counted.
        """
        predicted = list(predicted)
        predicted_set, gold_set = set(predicted), set(gold)
        if probabilities is not None:
            self.calibration = self.calibration or Calibration()
            self.calibration.add(probabilities, [span in gold_set for span in predicted])
        self.predicted.update(kind for _, _, kind in predicted_set)
        self.gold.update(kind for _, _, kind in gold_set)
        correct = predicted_set & gold_set
        self.correct.update(kind for _, _, kind in correct)
        self.f1.add(2 * len(correct), len(predicted_set) + len(gold_set))
        self.invalid_sequences += not valid

    def merge(self, other: SpanScores) -> None:
        """Adds what was counted elsewhere."""
        self.correct.update(other.correct)
        self.predicted.update(other.predicted)
        self.gold.update(other.gold)
        self.invalid_sequences += other.invalid_sequences
        self.f1.merge(other.f1)
        if other.calibration is not None:
            self.calibration = self.calibration or Calibration()
            self.calibration.merge(other.calibration)

    def result(self) -> dict[str, Any]:
        """The scores under the names that `evaluate --json` prints."""
        types = sorted(set(self.gold) | set(self.predicted))
        return {
            **precision_recall_f1(self.correct.total(), self.predicted.total(), self.gold.total()),
            "interval": {"f1": self.f1.interval()},
            **({} if self.calibration is None else {"ece": self.calibration.error}),
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
        self.accuracy = RatioSums()
        self.gold: Counter[Hashable] = Counter()

    def add(self, predicted: Sequence[Hashable], gold: Sequence[Hashable]) -> None:
        """Adds one sentence of equally many predicted and gold tags."""
        if len(predicted) != len(gold):
            raise ValueError(f"{len(predicted)} predicted tags for {len(gold)} gold tags")
        right = sum(p == g for p, g in zip(predicted, gold, strict=True))
        self.accuracy.add(right, len(gold))
        self.gold.update(gold)

    def merge(self, other: TokenScores) -> None:
        """Adds what was counted elsewhere."""
        self.accuracy.merge(other.accuracy)
        self.gold.update(other.gold)

    def result(self) -> dict[str, Any]:
        """The scores under the names that `evaluate --json` prints."""
        most = max(self.gold.values(), default=0)
        return {
            "accuracy": self.accuracy.value,
            "interval": {"accuracy": self.accuracy.interval()},
            "baseline": safe_ratio(most, self.gold.total()),
        }


class TagScores:
    """Entity scores where tags follow a scheme, accuracy where they do not.

    Args:
        scheme: The scheme of the predicted tags, None for plain tags.
        final: Whether training is done, and calibration is to be counted.
        calibrated: Whether the probabilities were fitted on a half of these sentences (`fits`); the
            calibration error is then that of the others.
    """

    def __init__(
        self, scheme: str | None, *, final: bool = False, calibrated: bool = False
    ) -> None:
        self.scheme = scheme
        self.final = final
        self.calibrated = calibrated
        self.spans = SpanScores()
        self.tokens = TokenScores()

    def add(
        self,
        predicted: Sequence[Sequence[str]],
        gold: Sequence[Sequence[Any]],
        *,
        spans: Sequence[Sequence[tuple[Span, float]]] | None = None,
        numbers: Sequence[int] | None = None,
        unjudged: Collection[str] = (),
    ) -> None:
        """Adds sentences.

        Args:
            predicted: Their tags.
            gold: Gold spans (with a scheme) or gold tags.
            spans: The predicted spans and their probabilities, where calibration is counted.
            numbers: The number of each sentence in its split; needed where `calibrated`.
            unjudged: Types that nobody has annotated: predicted spans of these are left out.
        """
        counted = [spans is not None] * len(predicted)
        if spans is not None and self.calibrated:
            counted = (~fits(np.asarray(numbers))).tolist()
        for row, (tags, truth) in enumerate(zip(predicted, gold, strict=True)):
            if self.scheme is None:
                self.tokens.add(tags, truth)
            else:
                judged = [
                    span
                    for span in tags_to_spans(tags, self.scheme, strict=True)
                    if span.type not in unjudged
                ]
                self.spans.add(
                    judged,
                    truth,
                    valid=is_valid(tags, self.scheme),
                    probabilities=[p for span, p in spans[row] if span.type not in unjudged]
                    if spans is not None and counted[row]
                    else None,
                )

    def merge(self, other: TagScores) -> None:
        """Adds what was counted elsewhere."""
        self.spans.merge(other.spans)
        self.tokens.merge(other.tokens)

    def result(self) -> dict[str, Any]:
        """The scores under the names that `evaluate --json` prints."""
        return self.tokens.result() if self.scheme is None else self.spans.result()

    @property
    def policy(self) -> str:
        """What is counted, in words."""
        return TOKEN_POLICY if self.scheme is None else SPAN_POLICY


def labels_of(tags: Sequence[str], scheme: str | None) -> set[str]:
    """The entity types of tags with a scheme; plain tags are labels themselves."""
    if scheme is None:
        return set(tags)
    parts = (split_tag(tag) for tag in tags)
    return {part.type for part in parts if part is not None and part.letter != "O"}


def score_lines(result: Mapping[str, Any], policy: str) -> list[str]:
    """The scores as lines for people, in per cent."""
    if "per_type" not in result:
        shown = f"accuracy {100 * result['accuracy']:.2f}"
        sure = interval_lines(result)
        return [shown, *sure, *baseline_lines(result), f"policy: {policy}"]
    total = sum(scores["support"] for scores in result["per_type"].values())
    rows = {"all": {**result, "support": total}, **result["per_type"]}
    invalid = f"invalid sequences: {result['invalid_sequences']}"
    if "ece" in result:
        invalid += f"  ece {result['ece']:.4f}"
    sure = interval_lines(result)
    return [*rate_lines(rows, "entities"), *sure, invalid, f"policy: {policy}"]
