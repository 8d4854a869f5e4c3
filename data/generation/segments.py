"""Long examples cut into segments that follow each other, for truncated back-propagation.

Examples of like length make a group, as they make a batch elsewhere; a group is then gone through
segment by segment, and every segment is a batch. A model carries its state from one to the next,
and learns from the last `bptt` tokens only (Williams and Peng 1990). Which segments an epoch has
and in which order depends on the seed and the number of the epoch alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from rnnlp.data.datamodule.samplers import WHOLE, BucketBatchSampler, Share, cut_batches


class Segment(NamedTuple):
    """The same stretch of some examples."""

    rows: list[int]  # numbers of the examples
    start: int  # position of the first token in each of them
    size: int  # most tokens
    carried: list[int] | None  # where each row stood in the segment before; None at the beginning
    idle: bool = False  # counts for nothing: other processes still have segments of this group


class SegmentBatchSampler(BucketBatchSampler):
    """Groups examples of similar length, and goes through each group segment by segment.

    Examples longer than a segment are grouped by the number of their segments, so that few of them
    end before the others of their group. An epoch shuffles examples and groups; segments of a
    group follow each other.

    Args:
        lengths: Length of each example, [examples], all of them 1 or more.
        bptt: Most tokens of a segment, or None for no limit.
        max_tokens: Most positions in a segment: rows times longest row, padding included.
        max_sentences: Most examples in a group, or None.
        seed: With the epoch, what the order depends on.
        shuffle: Without it, examples go from short to long, the same in every epoch.
        share: What this process gets of every group.

    Raises:
        ValueError: Where there are no examples, or one without a token, or a number below 1, or
            fewer examples than processes.
    """

    def __init__(
        self,
        *,
        lengths: Sequence[int] | np.ndarray,
        bptt: int | None,
        max_tokens: int,
        max_sentences: int | None = None,
        seed: int = 1,
        shuffle: bool = True,
        share: Share = WHOLE,
    ) -> None:
        if bptt is not None and bptt < 1:
            raise ValueError(f"bptt is 1 or more, not {bptt}")
        super().__init__(
            lengths=lengths,
            max_tokens=max_tokens,
            max_sentences=max_sentences,
            seed=seed,
            shuffle=shuffle,
            share=share,
        )
        self._bptt = bptt or int(self._lengths.max())
        whole = -(-self._lengths // self._bptt) * self._bptt
        # Long examples by the number of segments: it is then that of the longest of every group.
        self._buckets = np.where(
            self._lengths > self._bptt, whole, np.minimum(self._buckets, self._bptt)
        ).astype(np.int32)
        ascending = np.sort(self._buckets)
        self._cuts = cut_batches(
            np.minimum(ascending, self._bptt), max_tokens, max_sentences, processes=share.of
        )
        longest = ascending[np.array(self._cuts[1:]) - 1]  # of each group
        self._total = int((-(-longest // self._bptt)).sum())

    def __len__(self) -> int:
        """Segments of a whole epoch."""
        return self._total

    def __iter__(self) -> Iterator[Segment]:
        start, self.start = self.start, 0
        yield from self.segments(self.epoch)[start:]

    def segments(self, epoch: int) -> list[Segment]:
        """All segments of an epoch, in order."""
        pieces: list[Segment] = []
        rank, processes = self._share
        for group in self._whole_batches(epoch):
            own = group[rank::processes].tolist()
            rows, carried = own, None
            for start in range(0, int(self._lengths[group].max()), self._bptt):
                if start:
                    carried = [at for at, row in enumerate(rows) if self._lengths[row] > start]
                    rows = [rows[at] for at in carried]
                pieces.append(
                    Segment(rows, start, self._bptt, carried)
                    if rows
                    else Segment(own[:1], 0, 1, None, idle=True)
                )
        return pieces

    def padding(self) -> float:
        """Share of padded positions among all positions of the first epoch."""
        segments = self.segments(0)
        positions = sum(
            len(s.rows) * min(s.size, int(self._lengths[s.rows].max()) - s.start) for s in segments
        )
        tokens = sum(
            int(np.minimum(self._lengths[s.rows] - s.start, s.size).sum())
            for s in segments
            if not s.idle
        )
        return 1.0 - tokens / positions


class SegmentRows:
    """Examples that are asked for by segment: ``rows[segment]``.

    Args:
        rows: Anything that takes a list of row numbers in square brackets and gives columns.
    """

    def __init__(self, rows: Any) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, segment: Segment) -> tuple[Mapping[str, list[Any]], Segment]:
        return self._rows[segment.rows], segment
