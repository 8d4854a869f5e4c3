"""A pooling, a reader, an optimizer and a schedule of one's own, each named by its place.

rnnlp fit --config sentiment --plugin own.py --data.format own.read --model.pooling '[max,own.Sum]'
    --model.optimizer.name own.SignSGD --model.optimizer.schedule own.Halving
"""

import torch
from torch import nn


class Sum(nn.Module):
    """The sum of the states over their number's root."""

    def __init__(self, size):
        super().__init__()
        self.output_size = size
        self.scale = nn.Parameter(torch.ones(size))

    def forward(self, states, lengths):
        lengths = lengths.to(states.device).unsqueeze(1)
        inside = torch.arange(states.shape[1], device=states.device) < lengths
        return self.scale * (states * inside.unsqueeze(2)).sum(1) / lengths.sqrt()


class SignSGD(torch.optim.Optimizer):
    """A step of the learning rate against the sign of the gradient."""

    def __init__(self, params, lr, shrink=1.0):
        super().__init__(params, {"lr": lr, "shrink": shrink})

    @torch.no_grad()
    def step(self, closure=None):
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.mul_(group["shrink"]).sub_(group["lr"] * parameter.grad.sign())
        return loss


class Halving(torch.optim.lr_scheduler.LRScheduler):
    """Half the rate after each validation."""

    def get_lr(self):
        return [rate * 0.5**self.last_epoch for rate in self.base_lrs]


def read(path):
    """Lines such as `+ a good film`."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            mark, text = line.split(maxsplit=1)
            yield {"text": text.strip(), "label": {"+": "good", "-": "bad"}[mark]}


def read_tagged(path):
    """Lines such as `Maria/name sleeps`."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            pairs = [word.partition("/") for word in line.split()]
            tags = [f"B-{tag}" if tag else "O" for _, _, tag in pairs]
            yield {"tokens": [word for word, _, _ in pairs], "tags": tags}


def read_pairs(path):
    """Lines such as `hallo = hello`."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            left, right = line.split("=")
            yield {"de": left, "en": right}


def read_wrongly(path):
    """Gives no dictionaries."""
    yield "text"
