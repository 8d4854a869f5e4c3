"""What a tagger is trained towards: the loss of its output layer, and entity scores or accuracy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from rnnlp.data.tagging.collate import TaggingBatch
from rnnlp.models.tagging.paths import Decoded, Paths
from rnnlp.models.tagging.tagger import Tagger
from rnnlp.tasks.base.calibration import best_temperature, fits
from rnnlp.tasks.base.growing import FormerModel
from rnnlp.tasks.base.objective import BatchLoss, Objective

from .config import TaggerConfig, TaggerTraining
from .keeper import Keeper
from .outputs import names_of, scored, span_rules, spans_in, spans_of
from .scores import TagScores, labels_of

OFFSETS = [0.25 * step for step in range(25)]  # what O may count less, in nats


class Known(NamedTuple):
    """What is fitted on after training."""

    emissions: Tensor  # [batch, time, tags]
    lengths: Tensor  # [batch]
    gold: list[Any]


class TaggingObjective(Objective):
    """Loss and scores of a tagger.

    Args:
        settings: Its tags and their scheme.
        training: What is fitted after training.
        former: A tagger that training goes on from.
        lacking: Entity types, or plain tags, that no training example has: what the former tagger
            says of them is kept.
        keep_old: How much that counts, from 0 to 1.
    """

    headline = ("f1", "accuracy")
    examples = ("Barack Obama visited Berlin.", "她在北京大学读书。")

    def __init__(
        self,
        settings: TaggerConfig,
        *,
        training: TaggerTraining,
        former: FormerModel | None = None,
        lacking: Sequence[str] = (),
        keep_old: float = 1.0,
    ) -> None:
        super().__init__()
        self.settings = settings
        self.keeper: Keeper | None = None
        self.keep_old = keep_old
        if former is not None and lacking and keep_old > 0.0:
            self.keeper = Keeper(former, settings, lacking)
        self.fit_thresholds = training.fit_thresholds
        # Plain tags have no spans, and no probabilities of spans that could be off.
        self._rules = span_rules(settings.tags, settings.scheme) if settings.scheme else {}
        self._temperature: float | None = None
        self._outside = 0.0

    @property
    def main(self) -> str:
        """F1 of entities, or accuracy of plain tags."""
        return "accuracy" if self.settings.scheme is None else "f1"

    def describe(self) -> str:
        """What the head gives, as the end of a sentence."""
        settings = self.settings
        output = "CRF" if settings.crf else "softmax"
        labels = sorted(labels_of(settings.tags, settings.scheme))
        kind = "entities" if settings.scheme else "tags"
        return f"{output} output for the {kind} {', '.join(labels)}"

    def loss(self, network: Tagger, batch: TaggingBatch) -> Tensor:
        """The loss of one batch, per token."""
        emissions = emissions_of(network, batch)
        if self.keeper is None:
            return self._gold(network, emissions, batch)
        lengths, weights = batch.features.lengths, batch.weights
        belief, among = self.keeper.belief(batch.features, batch.tags)
        kept = network.output.soft_loss(emissions, belief, lengths, weights, among)
        # Where types of entities are kept, the belief says all, with the gold entities among it.
        gold_share = 1.0 if among is not None else 1.0 - self.keep_old
        if gold_share == 0.0:
            return kept
        return self.keep_old * kept + gold_share * self._gold(network, emissions, batch)

    def _gold(self, network: Tagger, emissions: Tensor, batch: TaggingBatch) -> Tensor:
        """The loss against what the data says: tags, or how probable each is."""
        lengths, weights, output = batch.features.lengths, batch.weights, network.output
        if batch.soft is None:
            return output.loss(emissions, batch.tags, lengths, weights)
        stated = batch.soft.sum((1, 2)) > 0.0
        counts = torch.ones_like(emissions[:, 0, 0]) if weights is None else weights
        tokens = lengths.to(counts.device) * counts
        loss, total = emissions.new_zeros(()), tokens.sum()
        for rows, soft in ((stated, True), (~stated, False)):
            if not rows.any():
                continue
            there, own = emissions[rows], lengths[rows.cpu()]
            part = (
                output.soft_loss(there, output.belief(batch.soft[rows]), own, counts[rows])
                if soft
                else output.loss(there, batch.tags[rows], own, counts[rows])
            )
            loss = loss + part * tokens[rows].sum() / total
        return loss

    def weight(self, batch: TaggingBatch) -> float:
        """Tokens, each with the weight of its sentence."""
        lengths = batch.features.lengths
        weights = batch.weights
        return float(lengths.sum() if weights is None else (lengths * weights.cpu()).sum())

    def scores(self, *, final: bool = False, calibrated: bool = False) -> TagScores:
        """Entity scores, or accuracy of plain tags, that nothing has been added to."""
        return TagScores(self.settings.scheme, final=final, calibrated=calibrated)

    def add(self, scores: TagScores, network: Tagger, batch: TaggingBatch) -> BatchLoss:
        """Adds one batch to the scores, and gives its loss, from one encoding of it.

        Args:
            scores: Those of the split so far; changed.
            network: The tagger, on the device of the batch.
            batch: Sentences with their tags.
        """
        lengths = batch.features.lengths
        emissions = emissions_of(network, batch)
        tags = network.output.decode(emissions, lengths)
        names = names_of(tags, lengths, self.settings.tags)
        spans = None
        if scores.final and self._rules:
            decoded = network.output.paths().decode(emissions.cpu().numpy(), lengths.numpy())
            spans = spans_in(decoded, names, self.settings.scheme, self._rules)
        scores.add(
            names,
            batch.gold,
            spans=spans,
            numbers=batch.number.tolist(),
            unjudged=batch.unjudged,
        )
        loss = network.output.loss(emissions, batch.tags, lengths)
        return BatchLoss(loss, int(lengths.sum()))

    def extras(self, network: Tagger) -> dict[str, Any]:
        """What was fitted after training."""
        fitted = {}
        if self._temperature is not None:
            fitted["temperature"] = round(self._temperature, 4)
        if self.fit_thresholds:
            fitted["outside_less"] = self._outside
        return fitted

    @torch.no_grad()
    def calibrate(self, network: Tagger, batches: Iterable[TaggingBatch]) -> None:
        """Fits on one half of the validation split what follows training, and puts it into the
        weights: how much the tag O is to count less, if that is asked for, and a temperature for
        the scores of entities.

        The other half is what the calibration error of this split is measured on.
        """
        if not self._rules:
            return
        network.eval()
        known = []
        for batch in batches:
            if batch.unjudged:  # what the data has no entities of may be there all the same
                return
            rows = torch.from_numpy(fits(batch.number.numpy()))
            if rows.any():
                gold = [spans for spans, row in zip(batch.gold, rows.tolist(), strict=True) if row]
                lengths = batch.features.lengths[rows]
                emissions = emissions_of(network, batch)[rows]
                known.append(Known(emissions, lengths, gold))
        if not known:
            return
        if self.fit_thresholds:
            outside = self.settings.tags.index("O")
            self._outside = max(OFFSETS, key=lambda less: self._f1(network, known, outside, less))
            network.projection.bias[outside] -= self._outside
            for some in known:
                some.emissions[:, :, outside] -= self._outside
        surprise = self._surprise(network, known)
        if surprise(1.0) > 0.0:  # else nothing is found, or all of it is right beyond doubt
            self._temperature = best_temperature(surprise)
            network.scale(1.0 / self._temperature)

    def _surprise(self, network: Tagger, known: Sequence[Known]) -> Callable[[float], float]:
        """What a temperature costs: how improbable it makes that the entities found are right or
        wrong as they are.

        That of all tags would be too much about O: where many names are missed, it makes the scores
        of those found too low.
        """
        paths = network.output.paths()
        decoded = []
        for some in known:
            best = paths.decode(some.emissions.cpu().numpy(), some.lengths.numpy())
            names = names_of(best.tags, best.lengths, self.settings.tags)
            decoded.append((best, spans_of(names, self.settings.scheme), some.gold))
        scores = (paths.steps, paths.start, paths.end)

        def cost(temperature: float) -> float:
            warmer = Paths(*(part / temperature for part in scores), crf=paths.crf)
            total = 0.0
            for best, spans, gold in decoded:
                best = Decoded(best.tags, best.emissions / temperature, best.lengths, warmer)
                for row, right in zip(scored(best, spans, self._rules), gold, strict=True):
                    for span, score in row:
                        total -= math.log(max(score if span in right else 1.0 - score, 1e-6))
            return total

        return cost

    def _f1(self, network: Tagger, known: Iterable[Known], outside: int, less: float) -> float:
        """F1 where the tag O counts less by so much."""
        scores = TagScores(self.settings.scheme)
        for emissions, lengths, gold in known:
            emissions = emissions.clone()
            emissions[:, :, outside] -= less
            tags = network.output.decode(emissions, lengths)
            scores.add(names_of(tags, lengths, self.settings.tags), gold)
        f1: float = scores.result()["f1"]
        return f1


def emissions_of(network: Tagger, batch: TaggingBatch) -> Tensor:
    """The scores of every tag for every token of a batch."""
    ids = batch.features
    return network.emissions(ids.tokens, ids.characters, ids.token_features, ids.lengths)
