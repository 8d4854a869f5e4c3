"""The CRF against enumeration of every path, and what must never change its results."""

from itertools import pairwise, product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlp.models.tagging.crf import CRF, _LogPartition, forward_backward
from rnnlp.models.tagging.paths import Paths
from rnnlp.models.tagging.softmax import ConstrainedSoftmax
from rnnlp.models.tagging.viterbi import viterbi

# BIOES over one type: O, B, I, E, S.
ALLOWED = [
    [True, True, False, False, True],
    [False, False, True, True, False],
    [False, False, True, True, False],
    [True, True, False, False, True],
    [True, True, False, False, True],
]
START = [True, True, False, False, True]
END = [True, False, False, True, True]


def make(constrained=True, tags=5, seed=0):
    torch.manual_seed(seed)
    rules = dict(allowed=ALLOWED, start=START, end=END) if constrained else {}
    crf = CRF(tags=tags, **rules).double()
    with torch.no_grad():
        for parameter in crf.parameters():
            parameter.normal_()
    return crf


def draw(lengths, tags=5, scale=1.0):
    emissions = scale * torch.randn(len(lengths), max(lengths), tags, dtype=torch.float64)
    return emissions, torch.tensor(lengths)


def paths(crf, emission, length):
    """All legal paths of one row with their scores: the definition, word by word."""
    actual = {}
    for path in product(range(crf.tags), repeat=length):
        steps = list(pairwise(path))
        legal = crf.allowed_start[path[0]] and crf.allowed_end[path[-1]]
        if legal and all(crf.allowed[i, j] for i, j in steps):
            score = crf.start[path[0]] + crf.end[path[-1]]
            score = score + sum(emission[t, tag] for t, tag in enumerate(path))
            actual[path] = score + sum(crf.transitions[i, j] for i, j in steps)
    return actual


def certainty(lattice, row, path, start, end):
    """How probable it is that positions start to end - 1 carry the tags of a path."""
    probability = lattice.marginals[start, row, path[start]]
    for t in range(start + 1, end):
        i, j = path[t - 1], path[t]
        pair = lattice.alpha[t - 1, row, i] * lattice.arriving[t - 1, row, j] * lattice.steps[i, j]
        probability = probability * pair / lattice.marginals[t - 1, row, i]
    return probability


LENGTHS = [5, 1, 3, 2, 4]


@pytest.mark.parametrize("constrained", [True, False])
def test_everything_equals_enumeration(constrained):
    crf = make(constrained).requires_grad_(False)
    emissions, lengths = draw(LENGTHS)
    tags = crf.decode(emissions, lengths)
    marginals = crf.marginals(emissions, lengths)
    lattice = forward_backward(emissions, *crf.path_scores(), lengths)
    for row, length in enumerate(LENGTHS):
        every = paths(crf, emissions[row], length)
        probability = torch.stack(list(every.values())).softmax(0)
        weight = dict(zip(every, probability, strict=True))
        best = max(every, key=lambda p: every[p])
        assert tags[row].tolist() == list(best) + [-1] * (5 - length)
        for t in range(5):
            for j in range(5):
                expected = sum(p for path, p in weight.items() if t < length and path[t] == j)
                assert marginals[row, t, j].item() == pytest.approx(float(expected), abs=1e-9)
        for start in range(length):
            for end in range(start + 1, length + 1):
                part = best[start:end]
                expected = sum(p for path, p in weight.items() if path[start:end] == part)
                ours = certainty(lattice, row, best, start, end)
                assert ours.item() == pytest.approx(float(expected), abs=1e-9)
        assert marginals[row, length:].abs().sum() == 0


@pytest.mark.parametrize("constrained", [True, False])
@pytest.mark.parametrize("unknown", [False, True])
def test_loss_equals_enumeration(constrained, unknown):
    crf = make(constrained)
    emissions, lengths = draw(LENGTHS)
    gold = crf.decode(torch.randn_like(emissions), lengths)
    if unknown:
        gold[0, 2], gold[3, :] = -1, -1
        gold[4, 0] = -1
    emissions.requires_grad_()
    total = torch.zeros((), dtype=torch.float64)
    for row, length in enumerate(LENGTHS):
        every = paths(crf, emissions[row], length)
        fits = [
            score
            for path, score in every.items()
            if all(g in (-1, tag) for tag, g in zip(path, gold[row].tolist(), strict=False))
        ]
        total = total + torch.stack(list(every.values())).logsumexp(0)
        total = total - torch.stack(fits).logsumexp(0)
    loss = crf.loss(emissions, gold, lengths)
    torch.testing.assert_close(loss, total / sum(LENGTHS))
    wanted = [emissions, *crf.parameters()]
    ours = torch.autograd.grad(loss, wanted)
    plain = torch.autograd.grad(total / sum(LENGTHS), wanted)
    for a, b in zip(ours, plain, strict=True):
        assert a.isfinite().all()
        torch.testing.assert_close(a, b)


def test_gradcheck():
    crf = make(False)
    emissions, lengths = draw([4, 1, 3])
    emissions.requires_grad_()
    permitted = torch.rand(3, 4, 5) < 0.6
    permitted[:, :, 0] = True
    for mask in (None, permitted):
        assert torch.autograd.gradcheck(
            lambda e, a, s, f, mask=mask: _LogPartition.apply(e, a, s, f, lengths, mask),
            (emissions, crf.transitions, crf.start, crf.end),
        )


@settings(max_examples=40, deadline=None)
@given(lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5), seed=st.integers(0, 999))
def test_a_row_alone_gives_what_it_gives_in_any_batch(lengths, seed):
    crf = make(seed=seed)
    emissions, lengths = draw(lengths)
    gold = crf.decode(torch.randn_like(emissions), lengths)
    order = torch.randperm(len(lengths))
    padded = torch.nn.functional.pad(emissions, (0, 0, 0, 3), value=1e4)
    tags = crf.decode(padded[order], lengths[order])[order.argsort()]
    scores = [part.detach() for part in crf.path_scores()]
    together = forward_backward(padded[order], *scores, lengths[order])
    loss = torch.zeros((), dtype=torch.float64)
    for row, length in enumerate(lengths.tolist()):
        alone = (emissions[row : row + 1, :length], lengths[row : row + 1])
        assert crf.decode(*alone)[0].tolist() == tags[row, :length].tolist()
        single, place = forward_backward(alone[0], *scores, alone[1]), order.argsort()[row]
        torch.testing.assert_close(single.marginals[:, 0], together.marginals[:length, place])
        path = tags[row].tolist()
        for t in range(length - 1):
            ours = certainty(together, place, path, t, t + 2)
            torch.testing.assert_close(certainty(single, 0, path, t, t + 2), ours)
        loss += crf.loss(alone[0], gold[row : row + 1, :length], alone[1]) * length
    longer = torch.nn.functional.pad(gold, (0, 3), value=-1)
    batch = crf.loss(padded[order], longer[order], lengths[order])
    torch.testing.assert_close(batch, loss / lengths.sum())


@pytest.mark.parametrize("output", [CRF, ConstrainedSoftmax])
@pytest.mark.parametrize("scale", [1.0, 30.0, 1e4])
def test_no_forbidden_step_is_ever_chosen_and_all_stays_finite(output, scale):
    torch.manual_seed(1)
    head = output(tags=5, allowed=ALLOWED, start=START, end=END)
    emissions, lengths = draw([9, 1, 2, 7, 9], scale=scale)
    emissions = emissions.float().requires_grad_()
    tags = head.decode(emissions, lengths)
    for row, length in zip(tags.tolist(), lengths.tolist(), strict=True):
        path = row[:length]
        assert START[path[0]] and END[path[-1]] and row[length:] == [-1] * (9 - length)
        assert all(ALLOWED[i][j] for i, j in pairwise(path))
    gold = head.decode(torch.randn(5, 9, 5), lengths)
    loss = head.loss(emissions, gold, lengths)
    assert loss.isfinite() and loss > 0
    loss.backward()
    assert all(x.grad.isfinite().all() for x in [emissions, *head.parameters()])
    assert head.marginals(emissions, lengths).isfinite().all()


def test_forbidden_transitions_get_no_gradient_and_no_probability():
    crf = make()
    emissions, lengths = draw([6, 4])
    crf.loss(emissions, crf.decode(emissions.flip(0), lengths), lengths).backward()
    assert (crf.transitions.grad[~crf.allowed] == 0).all()
    assert (crf.transitions.grad[crf.allowed] != 0).all()
    assert (crf.marginals(emissions, lengths)[:, 0, 2:4] == 0).all()


def test_half_precision_emissions_are_summed_in_full_precision():
    crf = make().float()
    emissions, lengths = draw([300, 280])
    emissions = emissions.bfloat16()
    gold = crf.decode(torch.randn(2, 300, 5), lengths)
    exact = crf.double().loss(emissions.double(), gold, lengths)
    crf.float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = crf.loss(emissions, gold, lengths)
        assert (
            crf.decode(emissions, lengths).tolist()
            == crf.decode(emissions.float(), lengths).tolist()
        )
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(exact.item(), rel=1e-6)


def test_viterbi_breaks_ties_by_the_lower_tag():
    zeros = torch.zeros(3, 3)
    tags = viterbi(torch.zeros(1, 4, 3), zeros, zeros[0], zeros[0], torch.tensor([3]))
    assert tags.tolist() == [[0, 0, 0, -1]]


def test_many_tags_are_searched_some_rows_at_a_time(monkeypatch):
    emissions, lengths = draw([5, 2, 3, 4, 1], tags=6)
    paths = [torch.randn(6, 6), torch.randn(6), torch.randn(6)]
    whole = viterbi(emissions, *paths, lengths)
    arrays = Paths(*(part.numpy() for part in paths), crf=True)
    for pairs in (1, 2 * 36):
        monkeypatch.setattr("rnnlp.models.tagging.viterbi.PAIRS", pairs)
        monkeypatch.setattr("rnnlp.models.tagging.paths._PAIRS", pairs)
        assert torch.equal(viterbi(emissions, *paths, lengths), whole)
        actual = arrays.best(emissions.double().numpy(), lengths.numpy())
        assert actual.tolist() == whole.tolist()


def test_softmax_equals_cross_entropy_and_plain_argmax_without_rules():
    head = ConstrainedSoftmax(tags=4)
    emissions, lengths = draw([5, 2, 3], tags=4)
    gold = emissions.argmax(-1).roll(1, 0)
    gold[0, 1] = -1
    known = [gold[r, t] for r, n in enumerate([5, 2, 3]) for t in range(n)]
    rows = torch.cat([emissions[r, :n] for r, n in enumerate([5, 2, 3])])
    summed = torch.nn.functional.cross_entropy(
        rows, torch.stack(known), ignore_index=-1, reduction="sum"
    )
    torch.testing.assert_close(head.loss(emissions, gold, lengths), summed / 10)
    tags = head.decode(emissions, lengths)
    for row, n in enumerate([5, 2, 3]):
        assert tags[row, :n].tolist() == emissions[row, :n].argmax(-1).tolist()
    span = head.marginals(emissions, lengths)[0].amax(-1)[1:4].prod()
    torch.testing.assert_close(span, emissions[0].softmax(-1).amax(-1)[1:4].prod())


@pytest.mark.parametrize("output", [CRF, ConstrainedSoftmax])
def test_errors_give_the_numbers(output):
    with pytest.raises(ValueError, match=r"shape \[2, 3\], but 3 tags need \[3, 3\]"):
        output(tags=3, allowed=[[True] * 3] * 2)
    with pytest.raises(ValueError, match="no legal tag sequence of length 1"):
        output(tags=2, start=[True, False], end=[False, True])
    head = output(tags=5)
    emissions, lengths = draw([3, 2])
    gold = torch.zeros(2, 3, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"expected \[batch, time, 5\]"):
        head.loss(emissions[:, :, :4], gold, lengths)
    with pytest.raises(ValueError, match="from 0 to 4"):
        head.decode(emissions, torch.tensor([4, 0]))
    with pytest.raises(ValueError, match=r"\[2, 2\]"):
        head.loss(emissions, gold[:, :2], lengths)
    gold[1, 1] = 5
    with pytest.raises(ValueError, match="gold tag 5 at row 1, position 1"):
        head.loss(emissions, gold, lengths)


def test_a_gold_path_against_the_rules_is_an_error():
    crf = make()
    emissions, lengths = draw([3, 2])
    for tags, where in (
        ([[0, 2, 3], [0, 0, 0]], "row 0, position 1"),
        ([[0, 0, 0], [0, 1, -1]], "row 1, position 1"),
        ([[2, 3, 0], [0, 0, -1]], "row 0, position 0"),
    ):
        with pytest.raises(ValueError, match=where):
            crf.loss(emissions, torch.tensor(tags), lengths)


def test_sums_over_a_long_text_do_not_round_away_what_tells_paths_apart() -> None:
    transitions = torch.full((4, 4), 1000.0)  # the same for all, so that each token is on its own
    emissions = torch.randn(1, 2000, 4, generator=torch.Generator().manual_seed(0))
    tags = viterbi(emissions, transitions, transitions[0], transitions[0], torch.tensor([2000]))
    assert tags.equal(emissions.argmax(2))


# O, B, E of one type for a teacher, and of two for its student; S is left out.
RULES = [[True, True, False], [False, False, True], [True, True, False]]
MORE = [
    [True, True, False, True, False],
    [False, False, True, False, False],
    [True, True, False, True, False],
    [False, False, False, False, True],
    [True, True, False, True, False],
]


def taught(seed):
    """A teacher of three tags, and a student of five, the first of which are the teacher's."""
    torch.manual_seed(seed)
    rules = (RULES, [True, True, False], [True, False, True])
    more = (MORE, [True, True, False, True, False], [True, False, True, False, True])
    layers = []
    for allowed, start, end in (rules, more):
        layer = CRF(tags=len(start), allowed=allowed, start=start, end=end).double()
        for parameter in layer.parameters():
            torch.nn.init.normal_(parameter)
        layers.append(layer)
    return layers


@pytest.mark.parametrize("narrow", [False, True])
def test_learning_from_another_crf_equals_enumeration(narrow):
    """Gold tags of the further type stand at two places; elsewhere the teacher is believed."""
    teacher, student = taught(4)
    lengths = torch.tensor([5, 3, 1])
    said = torch.randn(3, 5, 3, dtype=torch.float64)
    emissions = torch.randn(3, 5, 5, dtype=torch.float64)
    meaning = torch.tensor([0, 1, 2, 0, 0])
    possible = torch.tensor([True, True, True, False, False]).repeat(3, 5, 1)
    gold = {} if narrow else {(0, 1): 3, (0, 2): 4}
    for place, tag in gold.items():
        possible[place] = torch.arange(5) == tag
    belief = teacher.believed(said, lengths, meaning=meaning, possible=possible)
    loss = student.soft_loss(
        emissions, belief, lengths, torch.tensor([1.0, 2.0, 0.5]), possible if narrow else None
    )
    total = 0.0
    for row, length in enumerate(lengths.tolist()):

        def renamed(path, row=row):
            return tuple(gold.get((row, t), tag) for t, tag in enumerate(path))

        every = paths(teacher, said[row], length)
        every = {
            path: score
            for path, score in every.items()
            if all(path[t] == 0 for r, t in gold if r == row)
        }
        weights = torch.stack(list(every.values())).softmax(0)
        own = paths(student, emissions[row], length)
        if narrow:
            own = {path: score for path, score in own.items() if max(path) < 3}
        normaliser = torch.stack(list(own.values())).logsumexp(0)
        for path, weight in zip(every, weights, strict=True):
            total += (1.0, 2.0, 0.5)[row] * weight * (normaliser - own[renamed(path)])
            for t, tag in enumerate(renamed(path)):
                belief.tags[row, t, tag] -= weight
    assert loss.item() == pytest.approx(float(total.detach()) / (5 + 6 + 0.5), abs=1e-9)
    assert belief.tags.abs().max() < 1e-9  # they were the shares of the paths


def test_a_belief_that_is_sure_gives_the_loss_of_gold_tags():
    teacher, student = make(), make(seed=1)
    said, lengths = draw(LENGTHS)
    emissions, _ = draw(LENGTHS)
    tags = teacher.decode(said, lengths)
    possible = torch.arange(5) == tags[:, :, None]
    for layer, other in ((student, teacher), (ConstrainedSoftmax(tags=5),) * 2):
        belief = other.believed(said, lengths, meaning=torch.arange(5), possible=possible)
        expected = layer.loss(emissions, tags, lengths)
        torch.testing.assert_close(layer.soft_loss(emissions, belief, lengths), expected)


def test_a_student_that_agrees_with_its_teacher_has_nothing_to_learn():
    crf = make()
    emissions, lengths = draw(LENGTHS)
    emissions.requires_grad_()
    everything = torch.ones(5, 5, 5, dtype=torch.bool)
    for layer in (crf, ConstrainedSoftmax(tags=5)):
        belief = layer.believed(
            emissions.detach(), lengths, meaning=torch.arange(5), possible=everything
        )
        inputs = [emissions, *layer.parameters()]
        for gradient in torch.autograd.grad(layer.soft_loss(emissions, belief, lengths), inputs):
            assert gradient.abs().max() < 1e-7


def test_probabilities_of_tags_become_those_of_steps():
    """Of chains with these tags the most even one: here the stated ones are of such a chain."""
    flat = make()
    flat.requires_grad_(False).transitions.zero_()
    emissions, lengths = draw(LENGTHS)
    everything = torch.ones(5, 5, 5, dtype=torch.bool)
    exact = flat.believed(emissions, lengths, meaning=torch.arange(5), possible=everything)
    actual = flat.belief(exact.tags)
    torch.testing.assert_close(actual.steps, exact.steps, rtol=0, atol=2e-3)
    assert (actual.steps[:, ~flat.allowed] == 0).all()


def test_a_student_learns_the_probabilities_that_are_stated():
    crf = make(seed=2)
    emissions, lengths = draw([4, 2])
    wanted = make(seed=5).marginals(*draw([4, 2])).detach()
    weights = emissions.requires_grad_()
    optimizer = torch.optim.Adam([weights, *crf.parameters()], lr=0.1)
    for _ in range(300):
        optimizer.zero_grad()
        crf.soft_loss(weights, crf.belief(wanted), lengths).backward()
        optimizer.step()
    assert (crf.marginals(weights, lengths) - wanted).abs().max() < 0.02
