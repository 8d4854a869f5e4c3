"""Tags of a sentence that is still arriving: Viterbi search that decides as early as it may.

After each token there is one best path to each tag (`models/tagging/viterbi.py`). Where all of
those that may still win have the same tags in the past, no continuation can change these, and they
are given out: they are exactly the tags that the search over the whole sentence finds (Šrámek et
al. 2007, "The online Viterbi algorithm"). As a rule that is so a few tokens back. A bound on how
many tokens may be open keeps memory and time per token constant: the best path so far then decides
its oldest tag, and paths with another tag there are given up.

How emissions come about is not its business, nor what tags mean.
"""

from __future__ import annotations

import numpy as np

from .paths import Paths
from .spans import SpanPosterior, SpanRules


class TagStream:
    """Decides the tags of one sentence, token by token.

    It holds numbers of the tokens from the first one that is not released (`release`) on, in
    float64, since the scores of a long text add up.

    Args:
        paths: What scores sequences of tags, besides emissions.
        lag: most tokens whose tag is open.

    Attributes:
        forced: how many tags the bound has decided.
    """

    def __init__(self, *, paths: Paths, lag: int) -> None:
        if lag < 1:
            raise ValueError(f"lag must be at least 1, not {lag}")
        self.lag = lag
        self.forced = 0
        self._paths = paths
        self._arriving = paths.start  # [tags] best score of what comes before the next token
        self._sums = paths.start  # [tags] log of the summed scores of what may precede `_kept`
        self._best = paths.start  # [tags] best score up to the last token
        self._back: list[list[int]] = []  # of each open token, for each tag: the tag before it
        self._next: list[int] = []  # the same for the token that comes next
        self._kept = 0  # position of the first token that is not released
        self._emissions: list[np.ndarray] = []  # [tags] from there on
        self._tags: list[int] = []  # decided, from there on
        self._ended = False

    def read(self, emission: np.ndarray) -> list[int]:
        """Read a token and return the tags that are certain with it, of the oldest open tokens.

        Args:
            emission: the scores of the token's tags `[tags]`.
        """
        emission = emission.astype(np.float64)
        self._emissions.append(emission)
        self._back.append(self._next)
        self._best = self._arriving + emission
        self._best -= self._best.max()
        self._step()
        decided = self._agreed()
        if not decided and len(self._back) > self.lag:
            decided = self._force()
        self._tags += decided
        return decided

    def finish(self) -> list[int]:
        """End the sentence and return the tags of all open tokens."""
        self._ended = True
        if not self._back:
            return []
        decided = self._trace(int((self._best + self._paths.end).argmax()), len(self._back) - 1)
        self._tags += decided
        self._back = []
        return decided

    def release(self, position: int) -> None:
        """Forget the tokens before `position`; their tags must be decided."""
        for _ in range(position - self._kept):
            self._sums = self._paths.arriving(self._sums + self._emissions.pop(0))
            self._tags.pop(0)
        self._kept = position

    def probability(self, start: int, end: int, rules: SpanRules) -> float:
        """Return how sure the model is that tokens `start` to `end` - 1 form a span.

        It is the exact probability given all tokens that have been read, where the sentence may go
        on in any way unless it has ended.

        Args:
            start: position of a token that is not released.
            end: position after the last one, above `start`; all of them are decided.
            rules: the tags that such a span is made of.
        """
        self.release(max(start - 1, self._kept))  # what stands before it may belong to it
        emissions = np.stack(self._emissions)[None]  # [1, time, tags]
        lattice = self._paths.lattice(
            emissions,
            np.array([emissions.shape[1]]),
            before=self._sums,
            goes_on=not self._ended,
        )
        return SpanPosterior(lattice).probability(
            rules,
            row=0,
            start=start - self._kept,
            end=end - self._kept,
            length=emissions.shape[1],
        )

    def _step(self) -> None:
        """Find, for each tag of the next token, the best way to arrive there."""
        routes = self._best[:, None] + self._paths.steps
        self._arriving, self._next = routes.max(0), routes.argmax(0).tolist()

    def _agreed(self) -> list[int]:
        """Give out the tags on which all paths agree that may still win."""
        alive = {
            tag
            for tag, score in zip(self._next, self._arriving.tolist(), strict=True)
            if score > -np.inf
        }
        final = self._best + self._paths.end
        last = int(final.argmax())
        if final[last] > -np.inf:
            alive.add(last)
        for place in range(len(self._back) - 1, -1, -1):
            if len(alive) == 1:
                return self._decide(self._trace(alive.pop(), place))
            if place:
                back = self._back[place]
                alive = {back[tag] for tag in alive}
        return []

    def _force(self) -> list[int]:
        """Let the best path decide the oldest open tag, and give up those that have another."""
        oldest = list(range(len(self._best)))  # of each tag: the oldest tag of the path to it
        for back in self._back[1:]:
            oldest = [oldest[tag] for tag in back]
        chosen = oldest[int((self._best + self._paths.end).argmax())]
        self._best[[tag != chosen for tag in oldest]] = -np.inf
        self._step()
        self.forced += 1
        return self._decide([chosen])

    def _trace(self, tag: int, place: int) -> list[int]:
        """The tags of the open tokens up to `place`, whose tag is given."""
        tags = [tag]
        for back in self._back[place:0:-1]:
            tags.append(back[tags[-1]])
        return tags[::-1]

    def _decide(self, tags: list[int]) -> list[int]:
        del self._back[: len(tags)]
        return tags
