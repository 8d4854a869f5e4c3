"""Losses over logits, each a mean with a stated denominator."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from rnnlp.models.layers.dropout import check_rate


def classification_loss(
    logits: Tensor,
    targets: Tensor,
    *,
    smoothing: float = 0.0,
    class_weights: Tensor | None = None,
    weights: Tensor | None = None,
) -> Tensor:
    """Cross entropy, the mean over the texts.

    Args:
        logits: `[batch, classes]`.
        targets: Class ids `[batch]` (int64) for one class a text, or 0 and 1 `[batch, classes]`
            (float) for any number of them. A text of class -1 (not known) adds nothing.
        smoothing: How much of the target is spread over all classes (Szegedy et al. 2016).
        class_weights: Weight of each class `[classes]`; with several labels, of its presence.
        weights: How often each text counts `[batch]`; None for once.

    Raises:
        ValueError: A smoothing outside [0, 1).
    """
    check_rate(smoothing)
    reduction = "mean" if weights is None else "none"
    if targets.dim() == 2:
        soft = targets * (1.0 - smoothing) + smoothing / 2
        losses = F.binary_cross_entropy_with_logits(
            logits, soft, pos_weight=class_weights, reduction=reduction
        )
        return losses if weights is None else (losses.mean(1) @ weights) / weights.sum()
    losses = F.cross_entropy(
        logits,
        targets,
        weight=class_weights,
        ignore_index=-1,
        label_smoothing=smoothing,
        reduction=reduction,
    )
    if weights is None:
        return losses
    return (losses @ weights) / class_mass(targets, class_weights, weights)


def class_mass(targets: Tensor, class_weights: Tensor | None, weights: Tensor | None) -> Tensor:
    """What `classification_loss` is the mean of: texts, each with its weight and that of its class.

    Args:
        targets: As there.
        class_weights: As there.
        weights: As there.
    """
    counts = targets.new_ones(len(targets), dtype=torch.float) if weights is None else weights
    if targets.dim() == 1:
        counts = counts * (targets >= 0)
        if class_weights is not None:
            counts = counts * class_weights[targets]
    return counts.sum()


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
