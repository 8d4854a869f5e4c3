"""Tags decided as tokens arrive: those of the search over the whole sentence."""

import itertools
import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnnlp.data.tagging.schemes import allowed_transitions
from rnnlp.models.tagging.crf import CRF
from rnnlp.models.tagging.online_viterbi import TagStream
from rnnlp.models.tagging.softmax import ConstrainedSoftmax
from rnnlp.models.tagging.spans import SpanRules

TAGS = ["O", "B-A", "I-A", "E-A", "S-A", "B-B", "I-B", "E-B", "S-B"]


def output_layer(kind, scheme="BIOES", seed=1):
    allowed, start, end = allowed_transitions(TAGS, scheme)
    layer = kind(tags=len(TAGS), allowed=allowed, start=start, end=end)
    torch.manual_seed(seed)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter)
    return layer.requires_grad_(False)


def streamed(layer, emissions, lag=1000):
    """The tags, how many of them each token decided, and the stream."""
    stream = TagStream(paths=layer.paths(), lag=lag)
    given_out = [stream.read(emission) for emission in emissions.numpy()]
    tags = [tag for some in given_out for tag in some] + stream.finish()
    return tags, [len(some) for some in given_out], stream


def whole(layer, emissions):
    return layer.decode(emissions[None], torch.tensor([len(emissions)]))[0].tolist()


@pytest.mark.parametrize("kind", [CRF, ConstrainedSoftmax])
@pytest.mark.parametrize("scheme", ["BIOES", None])
@given(length=st.integers(0, 30), spread=st.sampled_from([0.3, 2.0, 8.0]), seed=st.integers(0, 999))
def test_tags_are_those_of_the_whole_sentence(kind, scheme, length, spread, seed):
    layer = output_layer(kind, scheme, seed)
    emissions = torch.randn(length, len(TAGS)) * spread
    tags, _, stream = streamed(layer, emissions)
    assert tags == (whole(layer, emissions) if length else [])
    assert stream.forced == 0


@pytest.mark.parametrize("kind", [CRF, ConstrainedSoftmax])
def test_no_continuation_changes_what_was_decided_and_all_else_is_open(kind):
    """Against enumeration: a token is open as long as two legal continuations differ in its tag."""
    layer = output_layer(kind)
    emissions = torch.randn(5, len(TAGS)) * 2
    stream, decided = TagStream(paths=layer.paths(), lag=100), []
    transitions, start, end = layer.path_scores()
    for read in range(1, 6):
        decided += stream.read(emissions[read - 1].numpy())
        best = start + emissions[0]  # the best path to each last tag, by brute force over tags
        paths = [[tag] for tag in range(len(TAGS))]
        for emission in emissions[1:read]:
            scores, come = (best[:, None] + transitions).max(0)
            best, paths = scores + emission, [[*paths[i], j] for j, i in enumerate(come.tolist())]
        after = best[:, None] + transitions
        winners = {int(after[:, j].argmax()) for j in range(len(TAGS)) if after[:, j].max() > -1e9}
        winners.add(int((best + end).argmax()))
        agreed = 0
        while agreed < read and len({paths[tag][agreed] for tag in winners}) == 1:
            agreed += 1
        assert decided == paths[winners.pop()][:agreed]


def test_plain_tags_without_a_crf_are_decided_at_once():
    emissions = torch.randn(20, len(TAGS))
    tags, counts, _ = streamed(output_layer(ConstrainedSoftmax, None), emissions)
    assert tags == emissions.argmax(1).tolist() and counts == [1] * 20


@pytest.mark.parametrize("lag", [1, 3])
def test_the_bound_holds_and_the_tags_stay_legal(lag):
    layer = output_layer(CRF)
    torch.nn.init.normal_(layer.transitions, std=5.0)
    emissions = torch.randn(200, len(TAGS)) * 0.1
    tags, counts, stream = streamed(layer, emissions, lag)
    assert stream.forced > 0 and len(tags) == 200
    for read in range(200):
        assert read + 1 - sum(counts[: read + 1]) <= lag
    pairs = pairwise(tags)
    assert layer.allowed_start[tags[0]] and layer.allowed_end[tags[-1]]
    assert all(layer.allowed[a, b] for a, b in pairs)


def test_a_bound_that_was_not_met_changes_nothing():
    layer, emissions = output_layer(CRF), torch.randn(300, len(TAGS)) * 4
    tags, _, stream = streamed(layer, emissions, 40)
    assert stream.forced == 0 and tags == whole(layer, emissions)


def test_the_score_is_the_probability_given_what_was_read():
    """Against the sum over all paths of what has been read, wherever these end."""
    layer, emissions = output_layer(CRF), torch.randn(6, len(TAGS)) * 2
    stream, decided = TagStream(paths=layer.paths(), lag=100), []
    transitions, start, _ = layer.path_scores()
    checked = 0
    for read in range(1, 7):
        fresh = stream.read(emissions[read - 1].numpy())
        decided += fresh
        for place in range(len(decided) - len(fresh), len(decided)):

            def total(fixed, read=read):
                sums = start.double()
                for at, emission in enumerate(emissions[:read].double()):
                    if at in fixed:
                        keep = torch.arange(len(TAGS)) != fixed[at]
                        emission = emission.masked_fill(keep, -torch.inf)
                    sums = sums + emission
                    if at + 1 < read:
                        sums = (sums[:, None] + transitions).logsumexp(0)
                return float(sums.logsumexp(0))

            tag = decided[place]
            actual = stream.probability(place, place + 1, SpanRules({tag: ()}, {}, {tag: ()}))
            assert actual == pytest.approx(math.exp(total({place: tag}) - total({})), abs=1e-4)
            checked += 1
    assert checked


def test_at_the_end_the_score_is_that_of_the_whole_sentence():
    layer, emissions = output_layer(CRF), torch.randn(12, len(TAGS)) * 0.5
    stream = TagStream(paths=layer.paths(), lag=100)
    done = sum(len(stream.read(emission)) for emission in emissions.numpy())
    tags = stream.finish()
    assert len(tags) >= 2
    path = whole(layer, emissions)
    known = torch.tensor([[-1] * done + path[done:]])
    expected = math.exp(-12 * layer.loss(emissions[None], known, torch.tensor([12])))
    successors = {tag: (after,) for tag, after in itertools.pairwise(path[done:])}
    rules = SpanRules({path[done]: ()}, successors, {path[-1]: ()})
    if len(set(path[done:])) == len(path[done:]):  # each tag then has one successor
        assert stream.probability(done, 12, rules) == pytest.approx(expected, abs=1e-4)
    assert expected < 0.9


def test_scores_do_not_lose_precision_in_a_long_text():
    """Where all scores rise by 1000 a token, sums of float32 would soon tell no tags apart."""
    layer = output_layer(ConstrainedSoftmax)
    emissions = torch.randn(3000, len(TAGS))
    expected = streamed(layer, emissions)[0]
    assert streamed(layer, (emissions.double() + 1000.0))[0] == expected


def test_what_is_released_is_forgotten():
    stream, decided = TagStream(paths=output_layer(CRF).paths(), lag=8), 0
    for emission in torch.randn(500, len(TAGS)).numpy():
        decided += len(stream.read(emission))
        stream.release(decided)
        assert len(stream._emissions) <= 9 and len(stream._back) <= 9


def test_a_lag_below_one_is_refused():
    with pytest.raises(ValueError, match="lag must be at least 1"):
        TagStream(paths=output_layer(CRF).paths(), lag=0)
