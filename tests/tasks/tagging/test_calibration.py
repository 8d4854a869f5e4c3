"""Scores of entities as probabilities: temperature, and the error that is left."""

import pytest
import torch
from torch import nn
from torchmetrics.functional.classification import binary_calibration_error

from rnnlp.data.datamodule.tensors import TokenTensors
from rnnlp.data.tagging.collate import TaggingBatch
from rnnlp.data.tagging.schemes import Span, allowed_transitions, tags_to_spans
from rnnlp.models.tagging.crf import CRF
from rnnlp.models.tagging.softmax import ConstrainedSoftmax
from rnnlp.models.tagging.tagger import Tagger
from rnnlp.tasks.base.calibration import best_temperature
from rnnlp.tasks.base.components import EmbeddingConfig, EncoderConfig, Sizes
from rnnlp.tasks.tagging.config import TaggerConfig, TaggerTraining
from rnnlp.tasks.tagging.objective import OFFSETS, Known, TaggingObjective
from rnnlp.tasks.tagging.scores import TagScores

TAGS = ["O", "B-A", "I-A"]


def objective(**training):
    settings = TaggerConfig(
        tags=TAGS,
        scheme="IOB2",
        sizes=Sizes(tokens=9),
        embedding=EmbeddingConfig(),
        encoder=EncoderConfig(),
    )
    return TaggingObjective(settings, training=TaggerTraining(**training))


def spans_of(tags):
    """The entities of each row of tags, by name."""
    rows = ([TAGS[tag] for tag in row] for row in tags.tolist())
    return [[Span(*span) for span in tags_to_spans(row, "IOB2", strict=True)] for row in rows]


def sampled(head, sentences=1000, time=3):
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


@pytest.mark.parametrize(("kind", "factor"), [(CRF, 2.5), (ConstrainedSoftmax, 0.5)])
def test_temperature_undoes_a_factor_and_changes_no_tag(kind, factor):
    rules = allowed_transitions(TAGS, "IOB2") if kind is CRF else (None, None, None)
    head = kind(tags=3, allowed=rules[0], start=rules[1], end=rules[2])
    torch.manual_seed(2)
    for parameter in head.parameters():
        nn.init.normal_(parameter)
    network = Table(head)
    with torch.no_grad():
        emissions, tags, lengths = sampled(head)
        best = head.decode(emissions, lengths)
        network.scale(factor)
        known = Known(factor * emissions, lengths, spans_of(tags))
        actual = best_temperature(objective()._surprise(network, [known]))
        assert actual == pytest.approx(factor, rel=0.15)
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


class Table(nn.Module):
    """A tagger whose scores hang on the token alone."""

    scale = Tagger.scale

    def __init__(self, head):
        super().__init__()
        self.projection = nn.Linear(9, 3)
        self.neighbours = None
        self.output = head

    def emissions(self, tokens, characters, token_features, lengths):
        return self.projection(nn.functional.one_hot(tokens, 9).float())


def found_by(network, batch, less=0.0):
    """F1 on the even half, where O counts less."""
    scores = TagScores("IOB2")
    emissions = network.emissions(batch.features.tokens, None, None, None)[::2]
    emissions[:, :, 0] -= less
    tags = network.output.decode(emissions, batch.features.lengths[::2])
    scores.add([[TAGS[tag] for tag in row] for row in tags.tolist()], batch.gold[::2])
    return scores.result()["f1"]


def test_what_finds_too_little_is_made_to_find_more():
    torch.manual_seed(4)
    allowed, start, end = allowed_transitions(TAGS, "IOB2")
    network = Table(CRF(tags=3, allowed=allowed, start=start, end=end))
    with torch.no_grad():
        network.projection.weight.copy_(2.0 * torch.randn(3, 9))
        tokens = torch.randint(0, 9, (200, 4))
        lengths = torch.full((200,), 4)
        gold = network.output.decode(
            network.emissions(tokens, None, None, lengths) + torch.randn(200, 4, 3), lengths
        )
        network.projection.bias[0] += 2.0
    spans = spans_of(gold)
    features = TokenTensors(tokens, lengths, None, None)
    batch = TaggingBatch(features, gold, spans, torch.arange(200))
    with torch.no_grad():
        expected = [found_by(network, batch, less) for less in OFFSETS]
    fitting = objective(fit_thresholds=True)
    fitting.calibrate(network, [batch])
    with torch.no_grad():
        assert found_by(network, batch) == max(expected) > expected[0] + 0.05
    fitted = fitting.extras(network)
    assert expected[OFFSETS.index(fitted["outside_less"])] == max(expected)
    assert fitted["temperature"] != 1.0
    plain = objective()
    before = network.projection.bias[0] - network.projection.bias[1]
    plain.calibrate(network, [batch])  # now the best there is: nothing but a temperature near 1
    after = network.projection.bias[0] - network.projection.bias[1]
    assert after.item() == pytest.approx(before.item(), rel=0.05)
