"""The groups of parameters that an optimiser is built with, and their learning rates."""

import torch

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
