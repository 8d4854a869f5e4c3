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
from typing import Any

import torch
from torch import Tensor, nn

from rnnlp.models.layers.masks import inside
from rnnlp.models.layers.precision import full_precision

from .spans import Lattice
from .transitions import FORBIDDEN, Belief, LegalTags, exact_type, mean_loss
from .viterbi import viterbi

_SINKHORN_ROUNDS = 30


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
        emissions: `[batch, time, tags]`, finite at padding too.
        transitions: `[tags, tags]`, `-inf` where forbidden; start and end `[tags]` likewise.
        start: scores of the first tag.
        end: scores of the last tag.
        lengths: `[batch]`, between 1 and time.
        permitted: mask `[batch, time, tags]` of the tags to sum over; None sums over all.
    """
    batch, time, tags = emissions.shape
    device = emissions.device
    exact = exact_type(device)
    tiny = torch.finfo(exact).tiny
    lengths = lengths.to(device)
    rows = torch.arange(batch, device=device)

    # Position t of a reversed row is position length - 1 - t; padding maps to itself, so that
    # the same selection also undoes the reversal.
    clock = torch.arange(time, device=device)[:, None]
    valid = clock < lengths  # [time, batch]
    mirror = (torch.where(valid, lengths - 1 - clock, clock) * batch + rows).flatten()

    def reverse(states: Tensor, out: Tensor | None = None) -> Tensor:
        out = torch.empty_like(states) if out is None else out
        torch.index_select(states.view(-1, tags), 0, mirror, out=out.view(-1, tags))
        return out

    # In all buffers index 0 of the first dimension runs forwards and index 1 backwards.
    weights = torch.empty(2, time, batch, tags, dtype=exact, device=device)
    weights[0] = emissions.transpose(0, 1)
    if permitted is not None:
        weights[0].masked_fill_(~(permitted.transpose(0, 1) | ~valid[:, :, None]), FORBIDDEN)
    peaks = weights[0].amax(2, keepdim=True)  # [time, batch, 1]
    weights[0].sub_(peaks).exp_()  # u_t
    reverse(weights[0], out=weights[1])
    tops = [x.detach().amax().to(exact) for x in (transitions, start, end)]
    steps, first, last = (
        (x.to(exact) - top).exp() for x, top in zip((transitions, start, end), tops, strict=True)
    )
    products = torch.stack((steps, steps.t()))  # [2, tags, tags]

    before = torch.empty_like(weights)  # what arrives at a position: alpha_{t-1} P, and beta_t
    after = torch.empty_like(weights)  # with the position's own emission: alpha_t, and b_t
    scale = weights.new_empty(2, time, batch, 1)
    before[:, 0] = torch.stack((first, last))[:, None, :]
    previous = None
    for into, out, weight, norm in zip(
        before.unbind(1), after.unbind(1), weights.unbind(1), scale.unbind(1), strict=True
    ):
        if previous is not None:
            torch.bmm(previous, products, out=into)
        torch.mul(into, weight, out=out)
        torch.sum(out, 2, keepdim=True, out=norm)
        out.div_(norm.clamp_min_(tiny))
        previous = out

    alpha = after[0]
    marginals = reverse(before[1]).mul_(alpha)
    marginals.div_(marginals.sum(2, keepdim=True).clamp_min_(tiny))
    arriving = reverse(after[1])[1:]
    arriving.div_((before[0, 1:] * arriving).sum(2, keepdim=True).clamp_min_(tiny))

    log_partition = (
        ((scale[0].log_() + peaks)[:, :, 0] * valid).sum(0)
        + (alpha[lengths - 1, rows] @ last).clamp_min(tiny).log()
        + (lengths - 1) * tops[0]
        + tops[1]
        + tops[2]
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


class CRF(LegalTags):
    """Linear-chain CRF over emissions, restricted to legal tag sequences.

    Args:
        tags: number of tags.
        allowed: `allowed[i][j]` says whether tag j may follow tag i; None allows everything.
        start: `start[j]` says whether a sequence may begin with tag j; None allows all.
        end: `end[i]` says whether a sequence may finish with tag i; None allows all.

    Raises:
        ValueError: the rules have the wrong shape or leave no legal sequence.
    """

    crf = True

    def __init__(
        self,
        *,
        tags: int,
        allowed: Sequence[Sequence[bool]] | Tensor | None = None,
        start: Sequence[bool] | Tensor | None = None,
        end: Sequence[bool] | Tensor | None = None,
    ) -> None:
        super().__init__(tags=tags, allowed=allowed, start=start, end=end)
        self.transitions = nn.Parameter(torch.zeros(tags, tags))
        self.start = nn.Parameter(torch.zeros(tags))
        self.end = nn.Parameter(torch.zeros(tags))

    def path_scores(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return transition, start and end scores, `-inf` where the rules forbid."""
        return self.restrict(self.transitions, self.start, self.end)

    @torch.no_grad()
    def scale(self, factor: float) -> None:
        """Multiply all transition scores."""
        for scores in (self.transitions, self.start, self.end):
            scores.mul_(factor)

    def loss(
        self, emissions: Tensor, tags: Tensor, lengths: Tensor, weights: Tensor | None = None
    ) -> Tensor:
        """Negative log-likelihood of the gold tags, divided by the number of tokens.

        Args:
            emissions: `[batch, time, tags]`.
            tags: gold tags `[batch, time]`; -1 inside a sentence says that the tag is not known,
                and the likelihood is summed over all tags there.
            lengths: `[batch]`.
            weights: how often each sentence counts `[batch]`; None for once.

        Returns:
            A scalar.

        Raises:
            ValueError: shapes do not fit, or the gold tags break the rules.
        """
        emissions = self.check_batch(emissions, lengths)
        with full_precision(emissions.device):
            rules = self.path_scores()
            valid = inside(lengths, emissions.shape[1], emissions.device)
            if self.check_gold(tags, valid):
                gold = self._path_score(emissions, tags, valid, lengths)
            else:
                choice = torch.arange(self.tags, device=tags.device)
                permitted = (tags[:, :, None] == choice) | (tags[:, :, None] < 0)
                gold = _LogPartition.apply(emissions, *rules, lengths, permitted)
            total = _LogPartition.apply(emissions, *rules, lengths, None)
            return mean_loss(total - gold, lengths, weights).to(emissions.dtype)

    def soft_loss(
        self,
        emissions: Tensor,
        belief: Belief,
        lengths: Tensor,
        weights: Tensor | None = None,
        among: Tensor | None = None,
    ) -> Tensor:
        """Cross entropy with what is believed of whole sequences, divided by the number of tokens.

        That is `log Z - E[score(y)]`, where the mean is over the sequences as they are believed
        (structural distillation, Wang et al. 2020); the score is a sum over tags and steps, so
        that how probable these are says all.

        Args:
            emissions: `[batch, time, tags]`.
            belief: with its steps.
            lengths: `[batch]`.
            weights: how often each sentence counts `[batch]`; None for once.
            among: mask `[batch, time, tags]` of the tags that sequences may have; None for all.
        """
        assert belief.steps is not None
        emissions = self.check_batch(emissions, lengths)
        with full_precision(emissions.device):
            exact = exact_type(emissions.device)
            tags, steps = belief.tags.to(exact), belief.steps.to(exact)
            rows = torch.arange(len(tags), device=tags.device)
            last = tags[rows, lengths.to(tags.device) - 1]
            expected = (tags * emissions).sum((1, 2)) + (steps * self.transitions).sum((1, 2))
            expected = expected + tags[:, 0] @ self.start.to(exact) + last @ self.end.to(exact)
            total = _LogPartition.apply(emissions, *self.path_scores(), lengths, among)
            return mean_loss(total - expected, lengths, weights).to(emissions.dtype)

    @torch.no_grad()
    def belief(self, tags: Tensor) -> Belief:
        """What is believed where only the probability of each tag of each token is stated.

        Of all ways in which tags with these probabilities can follow each other as the rules say,
        the one of the largest entropy is taken: `diag(u) allowed diag(v)`, where u and v are found
        in turns so that both tags have the probabilities that are stated (Sinkhorn 1967).

        Args:
            tags: `[batch, time, tags]`, zeros at padding.
        """
        shares = tags.to(exact_type(tags.device))
        before, after = shares[:, :-1], shares[:, 1:]
        allowed = self.allowed.to(shares.dtype)
        after_weights = torch.ones_like(after)
        for _ in range(_SINKHORN_ROUNDS):
            before_weights = before / (after_weights @ allowed.t()).clamp_min(1e-12)
            after_weights = after / (before_weights @ allowed).clamp_min(1e-12)
        steps = before_weights.transpose(1, 2) @ after_weights * allowed
        return Belief(tags, steps)

    @torch.no_grad()
    def believed(
        self, emissions: Tensor, lengths: Tensor, *, meaning: Tensor, possible: Tensor
    ) -> Belief:
        """Return what this CRF believes of tags that are named otherwise, or are further ones.

        Args:
            emissions: `[batch, time, tags]`, of this CRF's tags.
            lengths: `[batch]`.
            meaning: `[others]`: which of its tags each of the other ones is to it.
            possible: mask `[batch, time, others]` of those that there can be; of those that can be
                at one place, no two mean the same.
        """
        emissions = self.check_batch(emissions, lengths)
        names = torch.nn.functional.one_hot(meaning, self.tags)  # [others, tags]
        with full_precision(emissions.device):
            permitted = (possible.to(names.dtype) @ names) > 0
            lattice = forward_backward(emissions, *self.path_scores(), lengths, permitted)
        open_to = possible & inside(lengths, emissions.shape[1], emissions.device)[:, :, None]
        shares = lattice.marginals.transpose(0, 1)[:, :, meaning] * open_to
        before = lattice.alpha.transpose(0, 1)[:, :-1, meaning] * open_to[:, :-1]
        after = lattice.arriving.transpose(0, 1)[:, :, meaning] * open_to[:, 1:]
        steps = before.transpose(1, 2) @ after * lattice.steps[meaning][:, meaning]
        return Belief(shares, steps)

    def decode(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Return the most probable legal tags `[batch, time]`, -1 at padding."""
        emissions = self.check_batch(emissions, lengths)
        with full_precision(emissions.device):
            return viterbi(emissions, *self.path_scores(), lengths)

    @torch.no_grad()
    def marginals(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Return p(y_t = j) as `[batch, time, tags]`, zeros at padding."""
        emissions = self.check_batch(emissions, lengths)
        with full_precision(emissions.device):
            lattice = forward_backward(emissions, *self.path_scores(), lengths)
        valid = inside(lengths, emissions.shape[1], emissions.device)
        return (lattice.marginals.transpose(0, 1) * valid[:, :, None]).to(emissions.dtype)

    def _path_score(
        self, emissions: Tensor, tags: Tensor, valid: Tensor, lengths: Tensor
    ) -> Tensor:
        """Return score(y) of complete gold tags as `[batch]`."""
        path = tags.clamp_min(0)
        local = emissions.gather(2, path[:, :, None])[:, :, 0]
        local = torch.cat(
            (local[:, :1], local[:, 1:] + self.transitions[path[:, :-1], path[:, 1:]]), 1
        )
        last = path.gather(1, (lengths.to(path.device) - 1)[:, None])[:, 0]
        local = (local * valid).to(exact_type(local.device))
        return local.sum(1) + self.start[path[:, 0]] + self.end[last]
