"""The encoder of an exported model: vectors of texts, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from rnnlp.data.errors import InputError
from rnnlp.data.formats.layout import Layout
from rnnlp.data.text.featurizer import FeatureRow, collate
from rnnlp.tasks.base.length_batches import TOKEN_BUDGET, by_length
from rnnlp.tasks.base.pipeline import each_text

Way = Literal["max", "mean", "last"]


class ExportedEncoder:
    """Tokenizer, embedding and encoder of an exported model: `PretrainedEncoder.arrays` on ONNX.

    Args:
        pipeline: The exported model.
        name: Its folder, for errors.

    Raises:
        InputError: It has no encoder, or one that reads from end to start alone.
    """

    def __init__(self, pipeline: Any, name: str) -> None:
        self._pipeline = pipeline
        self.layout: Layout = pipeline.layout
        if getattr(pipeline.settings, "linear", False):
            raise InputError("is a linear model on n-grams: it has no encoder", path=name)
        if getattr(pipeline.settings, "reverse", False):
            raise InputError("reads texts from end to start: it has no vectors of texts", path=name)
        self._reader = pipeline.engine.reader
        self.output_size: int = self._reader.session.size("last")

    def arrays(self, texts: Sequence[str], *, pooling: Way = "max") -> np.ndarray:
        """One vector a text, [texts, size].

        Args:
            texts: The texts; a blank one gets zeros.
            pooling: "max" and "mean" over the tokens, number by number; "last" is, of each
                direction, the state after the last token that it reads.
        """
        rows = [self._row(text) for text in each_text(texts)]
        vectors = np.zeros((len(rows), self.output_size), np.float32)
        for numbers in by_length([len(row.tokens) for row in rows], budget=TOKEN_BUDGET):
            batch = collate([rows[number] for number in numbers])
            states, last = self._reader.states(batch)
            inside = (np.arange(states.shape[1]) < batch.lengths[:, None])[:, :, None]
            if pooling == "max":
                vectors[numbers] = np.where(inside, states, -np.inf).max(1)
            elif pooling == "mean":
                vectors[numbers] = np.where(inside, states, 0.0).sum(1) / batch.lengths[:, None]
            else:
                vectors[numbers] = last
        return vectors

    def _row(self, text: str) -> FeatureRow:
        tokens = getattr(self._pipeline, "read_tokens", None)
        featurizer = self._pipeline.featurizer
        row: FeatureRow = featurizer.row(tokens(text)) if tokens else featurizer.encode(text)[0]
        return row
