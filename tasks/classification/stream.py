"""A classifier that reads a text as it arrives, and labels what has been read of it so far.

The label is the one that the classifier gives to the text up to the last token that is certain, and
at the end that of the whole text. Where a text may have at most `max_length` tokens, its head and
its tail count: beyond that length the tail is read again for each label, which takes as long as
`max_length` tokens do, however long the text gets. Models trained with `--model.max_length null` or
`--model.long_texts windows` read each token once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import Featurizer, collate
from rnnlp.data.text.preprocessing import EMPTY
from rnnlp.models.classification.ways import WAYS
from rnnlp.tasks.base.stream import BLOCK, Result, TextStream, check_direction

from .config import ClassifierConfig
from .outputs import label_of
from .pipeline import Engine


class ClassificationStream(TextStream):
    """Labels of one text.

    `feed` gives `{"end", "label", "score", "scores"}` if it has brought new tokens: the label of
    the first `end` characters. `finish` gives the label of the whole text.

    Args:
        engine: Answers for the classifier.
        featurizer: Splits and looks up what the classifier reads.
        settings: The labels, and how long texts are read.

    Raises:
        InputError: The classifier reads in both directions, or pools in a way of one's own.
    """

    def __init__(
        self, *, engine: Engine, featurizer: Featurizer, settings: ClassifierConfig
    ) -> None:
        super().__init__(tokenizer=featurizer.tokens, cleaned=True)
        if own := set(settings.pooling) - set(WAYS):
            raise InputError(f"the pooling {', '.join(own)} reads whole texts: it has no streams")
        if settings.columns:
            raise InputError("the model reads columns beside whole texts: it has no streams")
        check_direction(bidirectional=settings.recurrent and settings.encoder.bidirectional)
        self._engine = engine
        self._featurizer = featurizer
        self._settings = settings
        self._count = 0  # tokens
        self._all = _Part()
        # For texts of more than `most` tokens: what comes before the tail, and the tail.
        self._most = settings.kept_length
        self._head_size = (self._most or 0) // 4
        self._head = _Part()
        self._tail: deque[str] = deque(maxlen=(self._most or 0) - self._head_size)

    def _take(self, piece: str, start: int) -> list[Result]:
        offsets = self._featurizer.split(piece)
        tokens = [piece[begin:end] for begin, end in offsets if not piece[begin:end].isspace()]
        if not tokens:
            return []
        fitting = len(tokens) if self._most is None else max(0, self._most - self._count)
        in_head = max(0, self._head_size - self._count)
        if in_head:
            self._all = self._head = self._read_on(self._all, tokens[:in_head])
        self._all = self._read_on(self._all, tokens[in_head:fitting])
        self._tail.extend(tokens)
        self._count += len(tokens)
        return [self._result()]

    def _end(self, results: list[Result]) -> list[Result]:
        return [self._result()]

    def _result(self) -> Result:
        part = self._all
        if not self._count:
            part = self._read_on(part, EMPTY)
        elif self._most is not None and self._count > self._most:
            part = self._read_on(self._head, list(self._tail))
        assert part.probabilities is not None
        return {"end": self.read, **label_of(part.probabilities[0].tolist(), self._settings)}

    def _read_on(self, part: _Part, tokens: Sequence[str]) -> _Part:
        for block in range(0, len(tokens), BLOCK):
            some = tokens[block : block + BLOCK]
            batch = collate([self._featurizer.row(some, before=part.before)])
            part = _Part(*self._engine.read(batch, part.so_far), some[-1])
        return part


class _Part(NamedTuple):
    """What has been read of a text, and its last token."""

    probabilities: np.ndarray | None = None
    so_far: Any = None
    before: str | None = None
