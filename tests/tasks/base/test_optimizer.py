"""The groups of parameters that an optimiser is built with, and their learning rates."""

from types import SimpleNamespace

import pytest
import torch

from rnnlp.data.errors import InputError
from rnnlp.tasks.base.module import TaskModule
from rnnlp.tasks.base.optimizer import OptimizerConfig


def test_what_is_scaled_learns_at_a_rate_of_its_own():
    first, second, third = (torch.nn.Parameter(torch.ones(2, 2)) for _ in range(3))
    bias = torch.nn.Parameter(torch.ones(2))
    config = OptimizerConfig(learning_rate=0.1, weight_decay=0.5)
    every = [first, second, third, bias]
    groups = config.build(every, scaled=[second, bias], factor=0.25).param_groups
    rates = {id(p): (g["lr"], g["weight_decay"]) for g in groups for p in g["params"]}
    assert rates[id(first)] == rates[id(third)] == (0.1, 0.5)
    assert rates[id(second)] == (0.025, 0.5) and rates[id(bias)] == (0.025, 0.0)
    assert len(config.build(every, scaled=[second]).param_groups) == 2


@pytest.mark.parametrize(
    ("epochs", "most", "limit", "gathered", "total"),
    [
        (3, -1, 1.0, 1, 30), (3, -1, 1.0, 4, 9), (3, -1, 0.25, 1, 6), (3, -1, 7, 2, 12),
        (-1, 50, 1.0, 1, 50), (3, 50, 1.0, 1, 30), (3, 12, 1.0, 1, 12), (-1, -1, 1.0, 1, None),
    ],
)  # fmt: skip
def test_a_run_ends_with_its_epochs_or_its_steps(epochs, most, limit, gathered, total):
    """Whichever come first: there a schedule has fallen to zero."""
    trainer = SimpleNamespace(
        max_epochs=epochs, max_steps=most, limit_train_batches=limit,
        accumulate_grad_batches=gathered,
        datamodule=SimpleNamespace(train_dataloader=lambda: range(10)),
    )  # fmt: skip
    assert TaskModule.total_steps(SimpleNamespace(trainer=trainer)) == total


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_a_schedule_that_falls_to_zero_must_know_when(schedule):
    config, weights = OptimizerConfig(schedule=schedule), [torch.nn.Parameter(torch.ones(2))]
    optimizer = config.build(weights)
    with pytest.raises(InputError, match=f"{schedule} falls .* set trainer.max_epochs or"):
        config.build_schedule(optimizer, total_steps=None, higher_is_better=True)
