"""Losses over logits, each a mean with a stated denominator."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from rnnlp.models.layers.dropout import check_rate


def classification_loss(
    logits: Tensor,
    targets: Tensor,
    *,
    smoothing: float = 0.0,
    class_weights: Tensor | None = None,
) -> Tensor:
    """Cross entropy, the mean over the texts.

    Args:
        logits: `[batch, classes]`.
        targets: Class ids `[batch]` (int64) for one class a text, or 0 and 1 `[batch, classes]`
            (float) for any number of them. A text of class -1 (not known) adds nothing.
        smoothing: How much of the target is spread over all classes (Szegedy et al. 2016).
        class_weights: Weight of each class `[classes]`; with several labels, of its presence.

    Raises:
        ValueError: A smoothing outside [0, 1).
    """
    check_rate(smoothing)
    if targets.dim() == 2:
        soft = targets * (1.0 - smoothing) + smoothing / 2
        return F.binary_cross_entropy_with_logits(logits, soft, pos_weight=class_weights)
    return F.cross_entropy(
        logits, targets, weight=class_weights, ignore_index=-1, label_smoothing=smoothing
    )


def token_loss(
    logits: Tensor, targets: Tensor, *, smoothing: float = 0.0, vocabulary_size: int | None = None
) -> Tensor:
    """Cross entropy in nats, the mean over the tokens.

    Args:
        logits: `[tokens, vocabulary]`; log probabilities where `vocabulary_size` is given.
        targets: `[tokens]`.
        smoothing: How much of the target is spread over the vocabulary (Szegedy et al. 2016).
        vocabulary_size: How many of the first tokens are the vocabulary, where others follow that
            may be impossible.
    """
    check_rate(smoothing)
    if vocabulary_size is None:
        return F.cross_entropy(logits, targets, label_smoothing=smoothing)
    spread = logits[:, :vocabulary_size].mean()
    return (1.0 - smoothing) * F.nll_loss(logits, targets) - smoothing * spread
