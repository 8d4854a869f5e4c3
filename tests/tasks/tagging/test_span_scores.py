"""The score of an entity is its probability: the sum over all tag sequences, by enumeration."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
import torch

from rnnlp.data.tagging.schemes import allowed_transitions, tags_to_spans
from rnnlp.models.tagging.crf import CRF
from rnnlp.models.tagging.online_viterbi import TagStream
from rnnlp.models.tagging.softmax import ConstrainedSoftmax
from rnnlp.tasks.tagging.outputs import span_rules

LETTERS = {"IOB1": "BI", "IOB2": "BI", "BIOES": "BIES", "BILOU": "BILU", "BMES": "BMES"}


def head_of(kind, tags, scheme):
    allowed, start, end = allowed_transitions(tags, scheme)
    torch.manual_seed(3)
    head = kind(tags=len(tags), allowed=allowed, start=start, end=end)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)
    return head


def enumerated(head, emissions, tags, scheme):
    """The probability of every span, from all sequences of tags that the model gives weight to."""
    if isinstance(head, CRF):
        step, first, last = (part.double().tolist() for part in head.path_scores())
    else:  # tokens are independent, whatever the scheme says
        step, first, last = [[0.0] * len(tags)] * len(tags), [0.0] * len(tags), [0.0] * len(tags)
    scores, total, mass = emissions.double().tolist(), 0.0, Counter()
    for path in itertools.product(range(len(tags)), repeat=len(scores)):
        value = (
            first[path[0]] + last[path[-1]] + sum(r[t] for r, t in zip(scores, path, strict=True))
        )
        value += sum(step[a][b] for a, b in itertools.pairwise(path))
        if value > -math.inf:
            total += math.exp(value)
            names = [tags[tag] for tag in path]
            spans = (
                tags_to_spans(names, scheme, strict=True)
                if scheme
                else [(i, i + 1, name) for i, name in enumerate(names)]
            )
            for span in spans:
                mass[tuple(span)] += math.exp(value)
    return {span: value / total for span, value in mass.items()}


# Softmax gives weight to ill-formed sequences, and in IOB1 these hide where an entity begins.
@pytest.mark.parametrize(
    ("scheme", "kind"),
    [
        pair
        for pair in itertools.product([*LETTERS, None], [CRF, ConstrainedSoftmax])
        if pair != ("IOB1", ConstrainedSoftmax)
    ],
)
def test_scores_are_sums_over_all_tag_sequences(scheme, kind):
    letters = LETTERS.get(scheme, "BI")
    tags = ["O", *(f"{letter}-{name}" for name in ("PER", "LOC") for letter in letters)]
    if len(tags) > 6:
        tags = tags[: 1 + len(letters)] + tags[1 + len(letters) :][: len(letters)]
    time = 4 if len(letters) > 2 else 5
    head = head_of(kind, tags, scheme)
    emissions = torch.randn(time, len(tags), generator=torch.Generator().manual_seed(5)) * 2
    expected = enumerated(head, emissions, tags, scheme)
    decoded = head.paths().decode(emissions[None].detach().numpy(), np.array([time]))
    rules = span_rules(tags, scheme)
    asked = [(0, start, end, rules[name]) for start, end, name in expected]
    assert decoded.span_scores(asked) == pytest.approx(list(expected.values()), abs=1e-5)


@pytest.mark.parametrize("scheme", ["IOB1", "IOB2", "BIOES"])
def test_streams_give_the_same_once_the_text_has_ended(scheme):
    tags = ["O", *(f"{letter}-{name}" for name in ("PER", "LOC") for letter in LETTERS[scheme])]
    head = head_of(CRF, tags, scheme)
    emissions = torch.randn(5, len(tags), generator=torch.Generator().manual_seed(5)) * 2
    expected = enumerated(head, emissions, tags, scheme)
    stream, rules = TagStream(paths=head.paths(), lag=100), span_rules(tags, scheme)
    for emission in emissions:
        stream.read(emission.numpy())
    stream.finish()
    for (start, end, name), probability in sorted(expected.items()):
        assert stream.probability(start, end, rules[name]) == pytest.approx(probability, abs=1e-4)
