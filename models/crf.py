"""Linear-chain conditional random field: the output layer that scores whole tag sequences.

For one sentence with emissions e and tags y (Lafferty et al. 2001; Lample et al. 2016),

    score(y) = start[y_0] + sum_t e_t[y_t] + sum_{t>0} A[y_{t-1}, y_t] + end[y_{T-1}]
    log p(y) = score(y) - log Z,        log Z = log sum_y' exp score(y')

where y' runs over the legal tag sequences only: a transition the scheme forbids has A = -inf, so
its probability is exactly zero, in training too.

The sums run in linear space, rescaled at each step (Rabiner 1989, section V.A), in float64:

    alpha_t = normalise( u_t * (alpha_{t-1} P) )         u_t = exp(e_t - max e_t),  P = exp(A)
    beta_t  = P (u_{t+1} * beta_{t+1})

so that a step is one small matrix product in place of a [batch, tags, tags] log-sum-exp. With
b_t = u_t * beta_t the second line has the form of the first, on the reversed sentence and with P
transposed; both run as one stacked batch in one loop over time. The gradient needs no second
loop, since the derivatives of log Z are the marginals:

    d log Z / d e_t[j]   = p(y_t = j)              = alpha_t[j] beta_t[j] / (their sum over j)
    d log Z / d A[i, j]  = sum_t p(y_{t-1} = i, y_t = j)
                         = P[i, j] sum_t alpha_{t-1}[i] b_t[j] / z_t,   z_t = (alpha_{t-1} P) b_t

float64 holds differences of 700 nats between rival tags at one position; beyond that, where only
a diverged model goes, values are floored and stay finite. No half precision under autocast.

Not here: where emissions come from (`tagger.py`), the search (`viterbi.py`), label names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from .viterbi import FORBIDDEN, check_batch, inside, legality, viterbi


class Lattice(NamedTuple):
    """All that forward and backward sums say about a batch; time comes first, padding is junk."""

    log_partition: Tensor  # [batch]
    alpha: Tensor  # [time, batch, tags], normalised
    marginals: Tensor  # [time, batch, tags], p(y_t = j)
    arriving: Tensor  # [time - 1, batch, tags], b_t / z_t for t >= 1
    steps: Tensor  # [tags, tags], P up to a factor that cancels in all uses


def forward_backward(
    emissions: Tensor,
    transitions: Tensor,
    start: Tensor,
    end: Tensor,
    lengths: Tensor,
    permitted: Tensor | None = None,
) -> Lattice:
    """Run the two recursions above over a padded batch.

    Args:
        emissions: `[batch, time, tags]`, finite.
        transitions: `[tags, tags]`, `-inf` where forbidden; start and end `[tags]` likewise.
        start: scores of the first tag.
        end: scores of the last tag.
        lengths: `[batch]`, between 1 and time.
        permitted: mask `[batch, time, tags]` of the tags to sum over; None sums over all.
    """
    batch, time, tags = emissions.shape
    device = emissions.device
    exact = torch.float32 if device.type == "mps" else torch.float64  # MPS knows no float64
    tiny = torch.finfo(exact).tiny
    lengths = lengths.to(device)
    valid = inside(lengths, time, device).t()[:, :, None]  # [time, batch, 1]

    scores = emissions.transpose(0, 1).to(exact).masked_fill(~valid, 0.0)
    if permitted is not None:
        scores = scores.masked_fill(~(permitted.transpose(0, 1) | ~valid), FORBIDDEN)
    peaks = scores.amax(2, keepdim=True)  # [time, batch, 1]
    weights = (scores - peaks).exp()  # u_t
    top = [x.detach().to(exact).amax() for x in (transitions, start, end)]
    steps, first, last = (
        (x.to(exact) - peak).exp() for x, peak in zip((transitions, start, end), top, strict=True)
    )

    # Position t of a reversed row is position length - 1 - t; padding maps to itself, so that
    # the same gather also undoes the reversal.
    clock = torch.arange(time, device=device)[:, None]
    mirror = torch.where(clock < lengths, lengths - 1 - clock, clock)  # [time, batch]
    mirror = mirror[:, :, None].expand(time, batch, tags)
    both = torch.stack((weights, weights.gather(0, mirror)), 1)  # [time, 2, batch, tags]
    products = torch.stack((steps, steps.t()))  # [2, tags, tags]

    before = torch.empty_like(both)  # what arrives at a position: alpha_{t-1} P, and beta_t
    after = torch.empty_like(both)  # with the position's own emission: alpha_t, and b_t
    scale = both.new_empty(time, 2, batch, 1)
    before[0] = torch.stack((first, last))[:, None, :]
    previous = None
    for into, out, weight, norm in zip(
        before.unbind(0), after.unbind(0), both.unbind(0), scale.unbind(0), strict=True
    ):
        if previous is not None:
            torch.bmm(previous, products, out=into)
        torch.mul(into, weight, out=out)
        torch.sum(out, 2, keepdim=True, out=norm)
        out.div_(norm.clamp_min_(tiny))
        previous = out

    alpha, beta = after[:, 0], before[:, 1].gather(0, mirror)
    marginals = alpha * beta
    marginals = marginals / marginals.sum(2, keepdim=True).clamp_min(tiny)
    arriving = after[:, 1].gather(0, mirror)[1:]
    arriving = arriving / (before[1:, 0] * arriving).sum(2, keepdim=True).clamp_min(tiny)

    final = alpha[lengths - 1, torch.arange(batch, device=device)] @ last
    log_partition = (
        ((scale[:, 0].log() + peaks) * valid).sum((0, 2))
        + final.clamp_min(tiny).log()
        + (lengths - 1) * top[0]
        + top[1]
        + top[2]
    )
    return Lattice(log_partition, alpha, marginals, arriving, steps)


class _LogPartition(torch.autograd.Function):
    """log Z `[batch]`, with the marginals as its gradient."""

    @staticmethod
    def forward(
        ctx: Any,
        emissions: Tensor,
        transitions: Tensor,
        start: Tensor,
        end: Tensor,
        lengths: Tensor,
        permitted: Tensor | None,
    ) -> Tensor:
        lattice = forward_backward(emissions, transitions, start, end, lengths, permitted)
        ctx.save_for_backward(lengths, *lattice[1:])
        ctx.kind = emissions.dtype
        return lattice.log_partition

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        lengths, alpha, marginals, arriving, steps = ctx.saved_tensors
        time, batch, tags = alpha.shape
        lengths = lengths.to(alpha.device)
        share = grad.to(alpha.dtype)[:, None] * inside(lengths, time, alpha.device).t()[:, :, None]
        mass = marginals * share  # [time, batch, tags]
        pairs = alpha[:-1].reshape(-1, tags).t() @ (arriving * share[1:]).reshape(-1, tags)
        closing = mass[lengths - 1, torch.arange(batch, device=alpha.device)].sum(0)
        gradients = (mass.transpose(0, 1), pairs * steps, mass[0].sum(0), closing)
        return *(g.to(ctx.kind) for g in gradients), None, None


class PathPosterior(NamedTuple):
    """How sure the model is of one given tag sequence per row, in log-probabilities."""

    tag: Tensor  # [batch, time], log p(y_t)
    step: Tensor  # [batch, time], log p(y_t | y_{t-1}); zero at the first position


class CRF(nn.Module):
    """Linear-chain CRF over emissions, restricted to legal tag sequences.

    Args:
        tags: number of tags.
        allowed: `allowed[i][j]` says whether tag j may follow tag i; None allows everything.
        start: `start[j]` says whether a sequence may begin with tag j; None allows all.
        end: `end[i]` says whether a sequence may finish with tag i; None allows all.

    Raises:
        ValueError: the rules have the wrong shape or leave no legal sequence.
    """

    allowed: Tensor
    allowed_start: Tensor
    allowed_end: Tensor

    def __init__(
        self,
        *,
        tags: int,
        allowed: Sequence[Sequence[bool]] | Tensor | None = None,
        start: Sequence[bool] | Tensor | None = None,
        end: Sequence[bool] | Tensor | None = None,
    ) -> None:
        super().__init__()
        self.tags = tags
        # The rules follow from the tag names, so they are not part of the weights.
        for name, rule in zip(
            ("allowed", "allowed_start", "allowed_end"),
            legality(tags, allowed, start, end),
            strict=True,
        ):
            self.register_buffer(name, rule, persistent=False)
        self.transitions = nn.Parameter(torch.zeros(tags, tags))
        self.start = nn.Parameter(torch.zeros(tags))
        self.end = nn.Parameter(torch.zeros(tags))

    def loss(self, emissions: Tensor, tags: Tensor, lengths: Tensor) -> Tensor:
        """Negative log-likelihood of the gold tags, divided by the number of tokens.

        Args:
            emissions: `[batch, time, tags]`.
            tags: gold tags `[batch, time]`; -1 inside a sentence says that the tag is not known,
                and the likelihood is summed over all tags there.
            lengths: `[batch]`.

        Returns:
            A scalar.

        Raises:
            ValueError: shapes do not fit, or the gold tags break the rules.
        """
        check_batch(emissions, lengths, self.tags)
        with torch.autocast(emissions.device.type, enabled=False):
            emissions = _full(emissions)
            rules = self._scores()
            valid = inside(lengths, emissions.shape[1], emissions.device)
            if self._check_gold(tags, valid):
                gold = self._path_score(emissions, tags, valid, lengths)
            else:
                choice = torch.arange(self.tags, device=tags.device)
                permitted = (tags[:, :, None] == choice) | (tags[:, :, None] < 0)
                gold = _LogPartition.apply(emissions, *rules, lengths, permitted)
            total = _LogPartition.apply(emissions, *rules, lengths, None)
            return ((total - gold).sum() / valid.sum()).to(emissions.dtype)

    def decode(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Return the most probable legal tags `[batch, time]`, -1 at padding."""
        check_batch(emissions, lengths, self.tags)
        with torch.autocast(emissions.device.type, enabled=False):
            return viterbi(_full(emissions), *self._scores(), lengths)

    @torch.no_grad()
    def marginals(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Return p(y_t = j) as `[batch, time, tags]`, zeros at padding."""
        check_batch(emissions, lengths, self.tags)
        with torch.autocast(emissions.device.type, enabled=False):
            lattice = forward_backward(_full(emissions), *self._scores(), lengths)
        valid = inside(lengths, emissions.shape[1], emissions.device)
        return (lattice.marginals.transpose(0, 1) * valid[:, :, None]).to(_full(emissions).dtype)

    @torch.no_grad()
    def posterior(self, emissions: Tensor, tags: Tensor, lengths: Tensor) -> PathPosterior:
        """Return how probable each tag of a path is, alone and given the tag before it.

        Given the words, the tags form a Markov chain, so the exact probability that positions
        s to e - 1 carry just these tags is `exp(tag[s] + step[s+1] + ... + step[e-1])`.

        Args:
            emissions: `[batch, time, tags]`.
            tags: a path per row `[batch, time]`, as `decode` returns it.
            lengths: `[batch]`.
        """
        check_batch(emissions, lengths, self.tags)
        with torch.autocast(emissions.device.type, enabled=False):
            lattice = forward_backward(_full(emissions), *self._scores(), lengths)
        tiny = torch.finfo(lattice.alpha.dtype).tiny
        path = tags.t().clamp_min(0)[:, :, None]  # [time, batch, 1]
        single = lattice.marginals.gather(2, path)[:, :, 0]
        pair = (
            lattice.alpha[:-1].gather(2, path[:-1])[:, :, 0]
            * lattice.arriving.gather(2, path[1:])[:, :, 0]
            * lattice.steps[path[:-1, :, 0], path[1:, :, 0]]
        )
        tag = single.clamp_min(tiny).log()
        step = torch.zeros_like(tag)
        step[1:] = (pair.clamp_min(tiny).log() - tag[:-1]).clamp_max(0.0)
        valid = inside(lengths, emissions.shape[1], emissions.device)
        kind = _full(emissions).dtype
        return PathPosterior((tag.t() * valid).to(kind), (step.t() * valid).to(kind))

    def _scores(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return transition, start and end scores with `-inf` where a rule forbids."""
        return (
            self.transitions.masked_fill(~self.allowed, FORBIDDEN),
            self.start.masked_fill(~self.allowed_start, FORBIDDEN),
            self.end.masked_fill(~self.allowed_end, FORBIDDEN),
        )

    def _check_gold(self, tags: Tensor, valid: Tensor) -> bool:
        """Return whether every gold tag is known; raise ValueError if they break a rule."""
        if tags.shape != valid.shape:
            raise ValueError(
                f"gold tags have shape {list(tags.shape)}, emissions need {list(valid.shape)}"
            )
        known = valid & (tags >= 0)
        safe = tags.clamp(0, self.tags - 1)
        after = torch.zeros_like(valid)
        after[:, :-1] = valid[:, 1:]
        wrong = known & (tags >= self.tags)
        wrong[:, 0] |= known[:, 0] & ~self.allowed_start[safe[:, 0]]
        wrong |= known & ~after & ~self.allowed_end[safe]
        wrong[:, 1:] |= known[:, 1:] & known[:, :-1] & ~self.allowed[safe[:, :-1], safe[:, 1:]]
        complete, broken = torch.stack(((known == valid).all(), wrong.any())).tolist()
        if broken:
            row, position = wrong.nonzero()[0].tolist()
            raise ValueError(
                f"gold tag {int(tags[row, position])} at row {row}, position {position} is outside "
                f"0..{self.tags - 1} or breaks the transition rules next to tags "
                f"{tags[row, max(position - 1, 0) : position + 2].tolist()}"
            )
        return complete

    def _path_score(self, emissions: Tensor, tags: Tensor, valid: Tensor, lengths: Tensor) -> Tensor:
        """Return score(y) of complete gold tags as `[batch]`."""
        path = tags.clamp_min(0)
        local = emissions.gather(2, path[:, :, None])[:, :, 0]
        local = torch.cat(
            (local[:, :1], local[:, 1:] + self.transitions[path[:, :-1], path[:, 1:]]), 1
        )
        last = path.gather(1, (lengths.to(path.device) - 1)[:, None])[:, 0]
        return (local * valid).sum(1) + self.start[path[:, 0]] + self.end[last]


def _full(emissions: Tensor) -> Tensor:
    """Return emissions in float32, or float64 where they came so."""
    return emissions if emissions.dtype == torch.float64 else emissions.float()
