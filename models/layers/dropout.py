"""Dropout: of single numbers, of features of a whole sentence, and of whole words."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

UNKNOWN = 1  # id of <unk>
FIRST_WORD = 4  # ids below are <pad>, <unk>, <bos>, <eos> and are never dropped


def check_rate(rate: float) -> float:
    """Return `rate` if it is a probability below one, else raise ValueError."""
    if not 0.0 <= rate < 1.0:
        raise ValueError(f"a dropout rate lies in [0, 1), got {rate}")
    return rate


def drop_out(values: Tensor, rate: float) -> Tensor:
    """Dropout of single numbers (Srivastava et al. 2014): some are zero, the rest are scaled up.

    As torch's, which takes four to five times as long on a CPU: here one draw of 64 bits serves
    four numbers.

    Args:
        values: Of any shape.
        rate: Probability with which a number is zeroed, in [0, 1); on a CPU to 16 bits.
    """
    if values.device.type != "cpu":
        return F.dropout(values, rate)
    count, steps = values.numel(), 2**16
    dropped = min(round(rate * steps), steps - 1)
    drawn = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None)
    each = drawn.view(torch.int16)[:count].view(values.shape)
    kept = torch.ge(each, dropped - steps // 2, out=torch.empty_like(values))
    return values * kept.mul_(steps / (steps - dropped))


class Dropout(nn.Module):
    """Dropout of single numbers during training; see `drop_out`.

    Args:
        rate: Probability with which a number is zeroed, in [0, 1).
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = check_rate(rate)

    def forward(self, values: Tensor) -> Tensor:
        """Map `[...]` to the same shape; identity in evaluation."""
        return drop_out(values, self.rate) if self.training and self.rate else values

    def extra_repr(self) -> str:
        """Show the rate in `print(model)`."""
        return f"rate={self.rate}"


class WordDropout(Dropout):
    """Replaces whole words by `<unk>` during training, so that `<unk>` gets a trained vector.

    Without it a model trained on every word of its corpus never meets an unknown one, and its
    first unknown word in use is noise. Source: Iyyer et al. 2015, Dai and Le 2015.

    Args:
        rate: probability with which a word is replaced, in [0, 1).
    """

    def forward(self, tokens: Tensor) -> Tensor:
        """Map ids `[...]` to ids `[...]`; padding and special ids stay, evaluation is identity."""
        if not self.training or self.rate == 0.0:
            return tokens
        dropped = torch.rand(tokens.shape, device=tokens.device) < self.rate
        return tokens.masked_fill(dropped & (tokens >= FIRST_WORD), UNKNOWN)


class LockedDropout(Dropout):
    """Dropout whose mask is drawn once per sentence and holds at every position of it.

    A recurrence that sees a new mask at each step averages the noise away; a locked mask removes
    the same features from the whole sentence. Source: Gal and Ghahramani 2016 ("variational").

    Args:
        rate: probability with which a feature is zeroed, in [0, 1).
    """

    def forward(self, states: Tensor) -> Tensor:
        """Map `[batch, time, size]` to the same shape; identity in evaluation."""
        if not self.training or self.rate == 0.0:
            return states
        if states.dim() != 3:
            raise ValueError(f"expected [batch, time, size], got shape {list(states.shape)}")
        keep = 1.0 - self.rate
        mask = states.new_empty(states.shape[0], 1, states.shape[2]).bernoulli_(keep) / keep
        return states * mask
