"""Scores of entities as probabilities: temperature, and the error that is left."""

import pytest
import torch
from torchmetrics.functional.classification import binary_calibration_error

from rnnlp.data.tagging.schemes import Span, allowed_transitions
from rnnlp.models.tagging.calibration import fit_temperature
from rnnlp.models.tagging.crf import CRF
from rnnlp.models.tagging.softmax import ConstrainedSoftmax
from rnnlp.tasks.tagging.scores import TagScores

TAGS = ["O", "B-A", "I-A"]


def sampled(head, sentences=3000, time=3):
    """Emissions, and tags drawn from what the layer says of them, by enumeration."""
    generator = torch.Generator().manual_seed(1)
    emissions = torch.randn(sentences, time, len(TAGS), generator=generator)
    paths = torch.cartesian_prod(*[torch.arange(len(TAGS))] * time)  # [paths, time]
    step, first, last = head.path_scores()
    scores = emissions[:, torch.arange(time), paths].sum(2)  # [sentences, paths]
    scores = scores + first[paths[:, 0]] + last[paths[:, -1]]
    scores = scores + step[paths[:, :-1], paths[:, 1:]].sum(1)
    tags = paths[torch.multinomial(scores.softmax(1), 1, generator=generator)[:, 0]]
    return emissions, tags, torch.full((sentences,), time)


@pytest.mark.parametrize("kind", [CRF, ConstrainedSoftmax])
@pytest.mark.parametrize("factor", [0.5, 1.0, 2.5])
def test_temperature_undoes_a_factor_and_changes_no_tag(kind, factor):
    rules = allowed_transitions(TAGS, "IOB2") if kind is CRF else (None, None, None)
    head = kind(tags=3, allowed=rules[0], start=rules[1], end=rules[2])
    torch.manual_seed(2)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)
    with torch.no_grad():
        emissions, tags, lengths = sampled(head)
        best = head.decode(emissions, lengths)
        head.scale(factor)
        found = fit_temperature(head, [(factor * emissions, tags, lengths)])
        assert found == pytest.approx(factor, rel=0.06)
        assert torch.equal(head.decode(factor * emissions, lengths), best)


def test_error_is_that_of_the_entities_found():
    generator = torch.Generator().manual_seed(1)
    probabilities = torch.rand(400, generator=generator)
    right = torch.rand(400, generator=generator) < probabilities**2
    scores, halves = TagScores("IOB2"), TagScores("IOB2", calibrated=True)
    for number, (score, hit) in enumerate(zip(probabilities.tolist(), right.tolist(), strict=True)):
        gold = [Span(0, 1, "A")] if hit else []
        for each in (scores, halves):
            spans = [[(Span(0, 1, "A"), score)]]
            each.add([["B-A"]], [gold], spans=spans, numbers=[number])
    assert scores.result()["ece"] == pytest.approx(
        float(binary_calibration_error(probabilities, right.long(), n_bins=15)), abs=1e-5
    )
    other = binary_calibration_error(probabilities[1::2], right[1::2].long(), n_bins=15)
    assert halves.result()["ece"] == pytest.approx(float(other), abs=1e-5)
    both = TagScores("IOB2")
    both.merge(scores)
    assert both.result() == scores.result()
