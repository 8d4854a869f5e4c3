"""The moving average of the weights, a callback that configs name."""

from __future__ import annotations

from pytorch_lightning.callbacks import WeightAveraging
from torch.optim.swa_utils import get_ema_multi_avg_fn


class ExponentialMovingAverage(WeightAveraging):
    """Exponential moving average of the weights, which is validated and kept in their place.

        average = decay * average + (1 - decay) * weights,   after each step

    (Polyak and Juditsky 1992.) Lightning's EMAWeightAveraging comes to the same weights one by one
    and not in place, which on a CPU takes five to twenty times as long.

    Args:
        decay: How much of the average stays at a step; 0.998 spans some 500 of them.
    """

    def __init__(self, *, decay: float = 0.999) -> None:
        super().__init__(multi_avg_fn=get_ema_multi_avg_fn(decay))
