"""What is counted of a split of pairs, once the tokenizers are learned."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnnlp.data.corpus.arrow import CHUNK, Corpus
from rnnlp.data.corpus.duplicates import Fingerprints
from rnnlp.data.text.featurizer import Featurizer
from rnnlp.data.text.tokenizer import Tokenizer

from .pairs_of_ids import source_row


class Measures(NamedTuple):
    """Lengths and fingerprints of the pairs of a split."""

    source: np.ndarray  # [pairs] int32, tokens of the sources
    target: np.ndarray  # [pairs] int32, tokens of the targets
    prints: Fingerprints

    @property
    def longer(self) -> np.ndarray:
        """Tokens of the longer side, [pairs]."""
        return np.maximum(self.source, self.target)

    @property
    def lengths(self) -> np.ndarray:
        """Positions that the longer side takes: one more in the target, for `BOS` or `EOS`."""
        return np.maximum(self.source, self.target + 1)


def measure(corpus: Corpus, featurizer: Featurizer, target_tokenizer: Tokenizer) -> Measures:
    """Counts a split.

    Args:
        corpus: The pairs.
        featurizer: Splits sources into tokens.
        target_tokenizer: Splits targets.
    """
    counts: list[np.ndarray] = []
    prints = Fingerprints()
    for chunk in corpus.rows.iter(batch_size=CHUNK):
        for source, target in zip(chunk["source"], chunk["target"], strict=True):
            prints.add(source, [target])
        counts.append(
            np.array(
                [
                    [len(source_row(featurizer, text)[0].tokens) for text in chunk["source"]],
                    [len(target_tokenizer.encode(text)[0]) for text in chunk["target"]],
                ],
                dtype=np.int32,
            )
        )
    source, target = np.concatenate(counts, axis=1)
    return Measures(source, target, prints)
