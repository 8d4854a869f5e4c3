"""A tagger that reads a text as it arrives, and gives entities out as soon as they are certain.

They are those that the tagger finds in the whole text. An entity is certain once no continuation
can change its tags (`models/tagging/online_viterbi.py`) and it cannot go on. Its `score` is the
probability that these tokens form this entity given all that has been read by then, wherever chunks
are cut; that of the pipeline also knows what follows. Without a CRF the two are the same.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from rnnlp.data.errors import InputError
from rnnlp.data.tagging.schemes import Span, SpanReader
from rnnlp.data.text.featurizer import Featurizer, collate
from rnnlp.models.tagging.online_viterbi import TagStream
from rnnlp.tasks.base.stream import BLOCK, Result, TextStream, check_direction

from .config import TaggerConfig
from .outputs import entity, span_rules
from .pipeline import Engine


class TaggingStream(TextStream):
    """Entities of one text.

    Args:
        engine: Answers for the tagger.
        featurizer: Splits and looks up what the tagger reads.
        settings: Tags and scheme.
        lag: Most tokens whose tag is open. After that the best tags so far decide, although a
            continuation could change them: memory and delay have a bound, and where it was met the
            pipeline may find something else.

    Raises:
        InputError: The tagger reads in both directions, or the lag is below 1.
    """

    def __init__(
        self, *, engine: Engine, featurizer: Featurizer, settings: TaggerConfig, lag: int
    ) -> None:
        super().__init__(tokenizer=featurizer.tokens)
        check_direction(bidirectional=settings.encoder.bidirectional)
        if lag < 1:
            raise InputError(f"lag is {lag}: it must be 1 or more")
        self._engine = engine
        self._featurizer = featurizer
        self._names = settings.tags
        self._rules = span_rules(settings.tags, settings.scheme)
        self._tags = TagStream(paths=engine.paths, lag=lag)
        self._spans = SpanReader(settings.scheme)
        self._so_far: Any = None  # what the engine passes on
        self._before: str | None = None  # the last token read
        self._offsets: deque[tuple[int, int]] = deque()  # of the tokens that are not settled
        self._first = 0  # number of the first of them
        self._kept = ""  # the text from there on
        self._kept_from = 0

    @property
    def forced(self) -> int:
        """How many tags the bound on open tokens has decided; 0: all is as in the whole text."""
        return self._tags.forced

    def _take(self, piece: str, start: int) -> list[Result]:
        self._kept += piece
        results: list[Result] = []
        offsets = self._featurizer.split(piece)
        for block in range(0, len(offsets), BLOCK):
            places = offsets[block : block + BLOCK]
            tokens = [piece[begin:end] for begin, end in places]
            batch = collate([self._featurizer.row(tokens, before=self._before)])
            emissions, self._so_far = self._engine.read(batch, self._so_far)
            self._before = tokens[-1]
            for (begin, end), emission in zip(places, emissions[0], strict=True):
                self._offsets.append((start + begin, start + end))
                results += self._decided(self._tags.read(emission))
        needed = self._offsets[0][0] if self._offsets else self.read
        self._kept = self._kept[needed - self._kept_from :]
        self._kept_from = needed
        return results

    def _end(self, results: list[Result]) -> list[Result]:
        results += self._decided(self._tags.finish())
        return results + [self._entity(span) for span in self._spans.finish()]

    def _decided(self, tags: list[int]) -> list[Result]:
        results = []
        for tag in tags:
            spans = self._spans.read(self._names[tag])
            results += [self._entity(span) for span in spans]
        settled = self._spans.settled
        self._tags.release(max(settled - 1, 0))  # the score of a span hangs on what is before it
        while self._first < settled:
            self._offsets.popleft()
            self._first += 1
        return results

    def _entity(self, span: Span) -> Result:
        score = self._tags.probability(span.start, span.end, self._rules[span.type])
        start = self._offsets[span.start - self._first][0]
        end = self._offsets[span.end - 1 - self._first][1]
        return entity(self._kept, start, end, span.type, score, text_from=self._kept_from)
