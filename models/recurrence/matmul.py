"""Matrix products of a recurrence, by oneDNN where that serves.

A product of a few rows with a weight takes torch's default library a fifth to a third longer than
oneDNN with a weight laid out beforehand (AMD Zen 4). oneDNN generates code for every new number of
rows, which takes a millisecond, and keeps it: so products over all tokens are rounded up to one of
a few sizes. What oneDNN does not serve (float64, builds without it) goes the default way.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

WORTH = (
    1 << 15
)  # numbers in a weight below which finding oneDNN's code takes longer than running it


def one_dnn_serves(weight: Tensor) -> bool:
    """Whether oneDNN can be asked for products with this weight, and is worth asking."""
    return bool(
        weight.numel() >= WORTH
        and weight.dtype == torch.float32
        and weight.device.type == "cpu"
        and torch.backends.mkldnn.is_available()
        and torch.backends.mkldnn.enabled
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )


class Product:
    """`x @ weight^T` for one weight [outputs, inputs] and many small `x` [at most rows, inputs]."""

    def __init__(self, weight: Tensor, rows: int) -> None:
        self.transposed = weight.t()
        self.packed: Tensor | None = None
        if one_dnn_serves(weight) and rows > 1:
            self.packed = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), rows)

    def add_to(self, sums: Tensor, x: Tensor) -> None:
        """`sums` [rows, outputs] grows by the product with `x` [rows, inputs]."""
        if self.packed is None:
            sums.addmm_(x, self.transposed)
        else:
            sums.add_(self.of(x, None))

    def of(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """The product with `x` [rows, inputs], and a bias [outputs]."""
        if self.packed is None:
            return F.linear(x, self.transposed.t(), bias)
        product: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.packed, bias, "none", [], "")
        return product


def of_all_tokens(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """`x @ weight^T + bias` [tokens, outputs] for many `x` [tokens, inputs].

    Args:
        x: `[tokens, inputs]`.
        weight: `[outputs, inputs]`.
        bias: `[outputs]`.
    """
    tokens = len(x)
    if tokens < 64 or not one_dnn_serves(weight):
        return torch.addmm(bias, x, weight.t())
    grain = 1 << (tokens.bit_length() - 6)  # 32 to 64 sizes from one power of two to the next
    rounded = x.new_empty(-(-tokens // grain) * grain, x.shape[1])
    rounded[:tokens] = x
    rounded[tokens:] = 0
    return torch.ops.mkldnn._linear_pointwise(
        rounded, weight.contiguous(), bias.contiguous(), "none", [], ""
    )[:tokens]
