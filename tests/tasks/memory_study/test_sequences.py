"""The made-up tests of memory: what they ask for can be known, and only from far back."""

import pytest
import torch

from rnnlp.tasks.memory_study.sequences import (
    COPIED,
    SYMBOLS,
    TASKS,
    chance,
    make,
    outputs,
    right,
    width,
)


def sequences(task, lag=20, count=400, seed=3):
    return make(task, lag=lag, count=count, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("lag", [4, 5, 100])
def test_shapes_and_seeds(task, lag):
    one, same, other = (sequences(task, lag, 7, seed) for seed in (1, 1, 2))
    assert one.inputs.shape[::2] == (7, width(task))
    assert one.inputs.equal(same.inputs) and one.targets.equal(same.targets)
    assert not one.inputs.equal(other.inputs)


def test_adding():
    inputs, targets = sequences("adding")
    values, marked = inputs.unbind(2)
    assert (marked[:, :10].sum(1) == 1).all() and (marked[:, 10:].sum(1) == 1).all()
    torch.testing.assert_close((values * marked).sum(1), targets[:, 0])
    assert set(marked[:, :10].argmax(1).tolist()) == set(range(10))


def test_copying_asks_for_each_symbol_a_lag_after_it():
    inputs, targets = sequences("copy", lag=15)
    steps = inputs.argmax(2)
    assert steps.shape == (400, 15 + COPIED)
    answered = range(steps.shape[1] - targets.shape[1], steps.shape[1])
    for place, time in enumerate(answered):
        assert steps[:, time - 15].equal(targets[:, place])
    assert (steps[:, COPIED:15] == SYMBOLS).all() and (steps[:, 15] == SYMBOLS + 1).all()
    assert (steps[:, 16:] == SYMBOLS).all()


def test_recalling_the_first_symbol():
    inputs, targets = sequences("recall", lag=15)
    steps = inputs.argmax(2)
    assert steps.shape == (400, 16) and steps[:, :1].equal(targets)
    assert (steps[:, 1:] >= SYMBOLS).all()
    assert set(targets.flatten().tolist()) == set(range(SYMBOLS))


@pytest.mark.parametrize("task", TASKS)
def test_chance_is_what_the_best_constant_answer_reaches(task):
    _, targets = sequences(task, lag=10, count=20_000)
    if task == "adding":
        answers = torch.ones(*targets.shape, 1)
    else:
        answers = torch.zeros(*targets.shape, outputs(task))
        answers[..., 3] = 1.0
    assert right(task, answers, targets).float().mean() == pytest.approx(chance(task), abs=0.01)


def test_right_answers():
    sums = torch.tensor([[1.0], [1.0], [1.0]])
    answers = torch.tensor([[[1.03]], [[0.97]], [[1.05]]])
    assert right("adding", answers, sums).flatten().tolist() == [True, True, False]


def test_too_short():
    with pytest.raises(ValueError, match="at least 4 steps, not 3"):
        sequences("copy", lag=3)
