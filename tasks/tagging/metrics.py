"""Entity scores as a torchmetrics Metric: summed tensors, right on several devices too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torchmetrics import Metric

from rnnlp.tasks.base.ratios import precision_recall_f1

from .scores import SPAN_POLICY, SpanScores


class SpanF1(Metric):
    """Micro-averaged entity precision, recall and F1, and the counts of each type.

    Strict match as `seqeval` counts it in strict mode with a scheme: a predicted span is correct
    when a gold span has the same type and the same boundaries. Gold spans of types that are not in
    `types` (labels unseen in training) are counted under the last row, as misses.

    Args:
        types: The entity types that the model knows, in a fixed order.
    """

    full_state_update = False
    policy = SPAN_POLICY
    counts: Tensor
    invalid: Tensor

    def __init__(self, types: Sequence[str]) -> None:
        super().__init__()
        self.types = list(types)
        self._row = {kind: row for row, kind in enumerate(self.types)}
        # Columns: correct, predicted, gold. The last row gathers every type unseen in training.
        empty = torch.zeros(len(self.types) + 1, 3, dtype=torch.long)
        self.add_state("counts", empty, dist_reduce_fx="sum")
        self.add_state("invalid", torch.zeros((), dtype=torch.long), dist_reduce_fx="sum")

    def update(
        self,
        predicted: Sequence[Iterable[tuple[int, int, str]]],
        gold: Sequence[Iterable[tuple[int, int, str]]],
        valid: Sequence[bool] | None = None,
    ) -> None:
        """Adds a batch of sentences.

        Args:
            predicted: Predicted `(start, end, type)` spans of each sentence.
            gold: Gold spans of each sentence, in the same order.
            valid: Whether each predicted tag sequence obeys its scheme; all do when not given.
        """
        if len(predicted) != len(gold):
            raise ValueError(f"{len(predicted)} predicted sentences for {len(gold)} gold sentences")
        scores = SpanScores()
        for row, (guess, truth) in enumerate(zip(predicted, gold, strict=True)):
            scores.add(guess, truth, valid=valid is None or valid[row])
        table = [[0, 0, 0] for _ in range(len(self.types) + 1)]
        for column, counter in enumerate((scores.correct, scores.predicted, scores.gold)):
            for kind, count in counter.items():
                table[self._row.get(kind, len(self.types))][column] += count
        self.counts += torch.tensor(table, device=self.counts.device)
        self.invalid += scores.invalid_sequences

    def compute(self) -> dict[str, Tensor]:
        """`f1`, `precision`, `recall` and `invalid_sequences` as scalars."""
        correct, predicted, gold = self.counts.sum(dim=0).tolist()
        scores = precision_recall_f1(correct, predicted, gold)
        result = {name: torch.tensor(value) for name, value in scores.items()}
        result["invalid_sequences"] = self.invalid.float()
        return result

    def per_type(self) -> dict[str, dict[str, float]]:
        """F1, precision, recall and number of gold entities of each known type."""
        return {
            kind: {**precision_recall_f1(*row), "support": row[2]}
            for kind, row in zip(self.types, self.counts.tolist(), strict=False)
        }
