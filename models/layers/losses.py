"""Losses over logits, each a mean with a stated denominator."""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.nn import functional as F

from rnnlp.models.layers.dropout import check_rate


def classification_loss(
    logits: Tensor,
    targets: Tensor,
    *,
    smoothing: float = 0.0,
    class_weights: Tensor | None = None,
    reduction: Literal["mean", "none"] = "mean",
) -> Tensor:
    """Cross entropy, the mean over the texts.

    Args:
        logits: `[batch, classes]`.
        targets: Class ids `[batch]` (int64) for one class a text, or 0 and 1 `[batch, classes]`
            (float) for any number of them. A text of class -1 (not known) adds nothing.
        smoothing: How much of the target is spread over all classes (Szegedy et al. 2016).
        class_weights: Weight of each class `[classes]`; with several labels, of its presence.
        reduction: "none" gives the loss of each text `[batch]`.

    Raises:
        ValueError: A smoothing outside [0, 1).
    """
    check_rate(smoothing)
    if class_weights is not None:  # of a model in half precision, whose n-grams are not
        class_weights = class_weights.to(logits.dtype)
    if targets.dim() == 2:
        smoothed = targets * (1.0 - smoothing) + smoothing / 2
        losses = F.binary_cross_entropy_with_logits(
            logits, smoothed, pos_weight=class_weights, reduction=reduction
        )
        return losses if reduction == "mean" else losses.mean(1)
    return F.cross_entropy(
        logits,
        targets,
        weight=class_weights,
        ignore_index=-1,
        label_smoothing=smoothing,
        reduction=reduction,
    )


def distillation_losses(
    logits: Tensor,
    probabilities: Tensor,
    *,
    multilabel: bool,
    temperature: float = 1.0,
    smoothing: float = 0.0,
    class_weights: Tensor | None = None,
) -> Tensor:
    """Cross entropy of each text `[batch]` with a probability a class (Hinton et al. 2015).

    That is the Kullback-Leibler divergence up to a constant. Both sides are divided by the
    temperature, before the softmax or sigmoid that the probabilities are taken to come from.

    Args:
        logits: `[batch, classes]`.
        probabilities: `[batch, classes]`; rows sum to 1 unless `multilabel`.
        multilabel: Whether a text may have any number of classes.
        temperature: Above 1, what is improbable counts more. The loss is multiplied with its
            square, so that gradients keep their size.
        smoothing: As for `classification_loss`.
        class_weights: As for `classification_loss`.
    """
    check_rate(smoothing)
    power = 1.0 / temperature
    target = probabilities if temperature == 1.0 else probabilities.pow(power)
    if multilabel:
        if temperature != 1.0:
            target = target / (target + (1.0 - probabilities).pow(power))
        losses = classification_loss(
            logits * power,
            target,
            smoothing=smoothing,
            class_weights=class_weights,
            reduction="none",
        )
        return losses * temperature**2
    if temperature != 1.0:
        target = target / target.sum(1, keepdim=True).clamp_min(1e-12)
    target = target * (1.0 - smoothing) + smoothing / logits.shape[1]
    if class_weights is not None:
        target = target * class_weights
    return -(target * (logits * power).log_softmax(1)).sum(1) * temperature**2


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


def coverage_loss(weights: Tensor, inside: Tensor) -> Tensor:
    """How much a decoder looks at once more, the mean over the target tokens (See et al. 2017).

    Of each token the sum over the source of min(a, c), where a is its attention and c the sum of
    the attention of all tokens before it (equation 12 there).

    Args:
        weights: Attention, `[sentences, time, source]`.
        inside: Which target tokens are no padding, `[sentences, time]`.
    """
    before = weights.cumsum(1) - weights
    return weights.minimum(before).sum(2)[inside].mean()
