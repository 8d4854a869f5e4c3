"""Which tag sequences are legal: the rules that every output layer for tags keeps.

The rules come as plain booleans, since label names and schemes are the business of `data/`. The
output layers themselves are `crf.py` and `softmax.py`; the search is `viterbi.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from .paths import Paths

FORBIDDEN = float("-inf")


class Belief(NamedTuple):
    """What is believed of the tags of sentences, in the place of gold tags."""

    tags: Tensor  # [batch, time, tags] probabilities, zeros at padding
    steps: Tensor | None  # [batch, tags, tags] how often tag j is expected after tag i; of a CRF

    def loss_of(self, log_shares: Tensor) -> Tensor:
        """Cross entropy `[batch]` with log probabilities `[batch, time, tags]` of single tags."""
        return -(self.tags * log_shares.clamp_min(-1e4)).sum((1, 2))


class LegalTags(nn.Module):
    """Base of the output layers for tags: holds the rules and checks what comes in against them.

    Args:
        tags: number of tags.
        allowed: `allowed[i][j]` says whether tag j may follow tag i; None allows everything.
        start: `start[j]` says whether a sequence may begin with tag j; None allows all.
        end: `end[i]` says whether a sequence may finish with tag i; None allows all.

    Raises:
        ValueError: a rule has the wrong shape, or some length has no legal sequence at all.
    """

    crf: ClassVar[bool]  # whether scores of paths say how probable these are
    allowed: Tensor  # [tags, tags]
    allowed_start: Tensor  # [tags]
    allowed_end: Tensor  # [tags]

    def __init__(
        self,
        *,
        tags: int,
        allowed: Sequence[Sequence[bool]] | Tensor | None = None,
        start: Sequence[bool] | Tensor | None = None,
        end: Sequence[bool] | Tensor | None = None,
    ) -> None:
        super().__init__()
        if tags < 1:
            raise ValueError(f"a tag set needs at least one tag, got {tags}")
        self.tags = tags
        for name, rule, shape in (
            ("allowed", allowed, (tags, tags)),
            ("start", start, (tags,)),
            ("end", end, (tags,)),
        ):
            tensor = torch.ones(shape) if rule is None else torch.as_tensor(rule)
            if tensor.shape != shape:
                raise ValueError(
                    f"{name} has shape {list(tensor.shape)}, but {tags} tags need {list(shape)}"
                )
            # The rules follow from the tag names, so they are no part of the saved weights.
            name = name if name == "allowed" else f"allowed_{name}"
            self.register_buffer(name, tensor.bool(), persistent=False)
        if self.allowed.is_meta:  # only shapes are asked for
            return
        reached = self.allowed_start
        for length in range(1, tags + 2):
            if not (reached & self.allowed_end).any():
                raise ValueError(f"the rules leave no legal tag sequence of length {length}")
            reached = (reached[:, None] & self.allowed).any(0)

    def belief(self, tags: Tensor) -> Belief:
        """What is believed where only the probability of each tag of each token is stated.

        Args:
            tags: `[batch, time, tags]`, zeros at padding.
        """
        return Belief(tags, None)

    def check_batch(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Return the emissions in full precision; raise ValueError where shapes do not fit."""
        if emissions.dim() != 3 or emissions.shape[2] != self.tags:
            raise ValueError(
                f"emissions have shape {list(emissions.shape)}, expected [batch, time, {self.tags}]"
            )
        if lengths.shape != emissions.shape[:1]:
            raise ValueError(
                f"lengths have shape {list(lengths.shape)} for a batch of {emissions.shape[0]} rows"
            )
        shortest, longest = (int(bound) for bound in lengths.aminmax())
        if shortest < 1 or longest > emissions.shape[1]:
            raise ValueError(
                f"lengths run from {shortest} to {longest}, "
                f"but must lie between 1 and {emissions.shape[1]}"
            )
        return emissions if emissions.dtype == torch.float64 else emissions.float()

    def check_gold(self, tags: Tensor, valid: Tensor) -> bool:
        """Return whether all gold tags are known; raise ValueError if they break the rules.

        Args:
            tags: `[batch, time]`, -1 where not known.
            valid: mask `[batch, time]` of what is not padding.
        """
        if tags.shape != valid.shape:
            raise ValueError(
                f"gold tags have shape {list(tags.shape)}, emissions need {list(valid.shape)}"
            )
        known = valid & (tags >= 0)
        safe = tags.clamp(0, self.tags - 1)
        last = valid.clone()
        last[:, :-1] &= ~valid[:, 1:]
        wrong = known & ((tags >= self.tags) | (last & ~self.allowed_end[safe]))
        wrong[:, 0] |= known[:, 0] & ~self.allowed_start[safe[:, 0]]
        wrong[:, 1:] |= known[:, 1:] & known[:, :-1] & ~self.allowed[safe[:, :-1], safe[:, 1:]]
        complete, broken = torch.stack(((known == valid).all(), wrong.any())).tolist()
        if broken:
            row, place = wrong.nonzero()[0].tolist()
            raise ValueError(
                f"gold tag {int(tags[row, place])} at row {row}, position {place} is outside "
                f"0..{self.tags - 1} or breaks the rules among its neighbours "
                f"{tags[row, max(place - 1, 0) : place + 2].tolist()}"
            )
        return bool(complete)

    def scale(self, factor: float) -> None:
        """Multiply all scores that were learned; a layer that has learned none stays as it is."""

    def path_scores(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return scores of transitions, first and last tags, `-inf` where the rules forbid."""
        raise NotImplementedError

    def paths(self) -> Paths:
        """Return the same for use on arrays, as they are now."""
        scores = (part.detach().cpu().numpy() for part in self.path_scores())
        return Paths(*scores, crf=self.crf)

    def restrict(
        self, transitions: Tensor, start: Tensor, end: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return transition, start and end scores with `-inf` where a rule forbids.

        Args:
            transitions: `[tags, tags]`, from the row's tag to the column's.
            start: Of the first tag, `[tags]`.
            end: Of the last tag, `[tags]`.
        """
        return (
            transitions.masked_fill(~self.allowed, FORBIDDEN),
            start.masked_fill(~self.allowed_start, FORBIDDEN),
            end.masked_fill(~self.allowed_end, FORBIDDEN),
        )


def exact_type(device: torch.device) -> torch.dtype:
    """Return the type for long sums: float64, but float32 on MPS, which has no float64."""
    return torch.float32 if device.type == "mps" else torch.float64


def mean_loss(losses: Tensor, lengths: Tensor, weights: Tensor | None) -> Tensor:
    """The loss of a token, on the average.

    Args:
        losses: of each sentence `[batch]`.
        lengths: `[batch]`.
        weights: how often each sentence counts `[batch]`; None for once.
    """
    lengths = lengths.to(losses.device)
    if weights is None:
        return losses.sum() / lengths.sum()
    weights = weights.to(losses.dtype)
    return (losses @ weights) / (lengths.to(losses.dtype) @ weights)
