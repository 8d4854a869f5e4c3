"""A language model that reads a text as it arrives, and says what each token of it costs.

The costs are bits: minus the logarithm to base 2 of the probability that the model gave the token
before it came. High ones are surprises. Their sum, the end of the text included, is what
`rnnlp evaluate` counts for the text.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnlp.data.text.featurizer import Featurizer
from rnnlp.data.text.tokenizer import BOS, EOS
from rnnlp.tasks.base.stream import BLOCK, Result, TextStream

from .pipeline import Engine
from .scores import Reading


class GenerationStream(TextStream):
    """What the tokens of one text cost.

    `feed` gives `{"word", "start", "end", "bits"}` for each token. The last result of `finish` is
    the end of the text, with an empty word; it also holds `total_bits` and `bits_per_character`.

    Args:
        engine: Answers for the generator.
        featurizer: Splits and looks up what it reads.
        labels: Id of the label of each field.
        vector: What the text is written from, [1, components]; None for nothing.

    Attributes:
        bits: What the text has cost so far.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        featurizer: Featurizer,
        labels: Sequence[int],
        vector: np.ndarray | None = None,
    ) -> None:
        super().__init__(tokenizer=featurizer.tokens)
        self.bits = 0.0
        self._engine = engine
        self._featurizer = featurizer
        self._labels = np.array([list(labels)], np.int64)
        self._vector = vector
        self._so_far: Any = None  # what the engine passes on
        self._last = BOS

    def _take(self, piece: str, start: int) -> list[Result]:
        row, offsets = self._featurizer.encode(piece)
        results = []
        for block in range(0, len(offsets), BLOCK):
            costs = self._costs(row.tokens[block : block + BLOCK])
            for (begin, end), bits in zip(offsets[block : block + BLOCK], costs, strict=True):
                results.append(_result(piece[begin:end], start + begin, start + end, bits))
        return results

    def _end(self, results: list[Result]) -> list[Result]:
        (bits,) = self._costs([EOS])
        return [
            *results,
            {
                **_result("", self.read, self.read, bits),
                "total_bits": round(self.bits, 4),
                "bits_per_character": round(self.bits / max(1, self.read), 5),
            },
        ]

    def _costs(self, ids: list[int]) -> list[float]:
        """Bits of the next tokens, which are then read but for the last one."""
        read = Reading(
            tokens=np.array([[self._last, *ids[:-1]]]),
            following=np.array([ids]),
            lengths=np.array([len(ids)]),
            labels=self._labels,
            vectors=self._vector,
        )
        nats, _, self._so_far = self._engine.costs(read, self._so_far)
        self._last = ids[-1]
        costs: list[float] = (nats / math.log(2)).tolist()
        self.bits += sum(costs)
        return costs


def _result(word: str, start: int, end: int, bits: float) -> Result:
    return {"word": word, "start": start, "end": end, "bits": round(bits, 4)}
