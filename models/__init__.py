"""Networks on recurrences, in pure PyTorch: ids and lengths in, scores out.

    from rnnlp.models import CRF, LSTM, Embedding

    encoder = LSTM(input_size=100, hidden_size=200)                   # both directions
    states, final = encoder(embedded, lengths)                        # [batch, time, 400]

A cell of one's own is a `Cell` with a `step`, made known by `register_cell`. Importing this package
costs nothing: torch is first imported when a name is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .classification.classifier import Classifier
    from .classification.columns import ColumnScores
    from .classification.linear import LinearClassifier
    from .classification.pooling import Pooling
    from .embeddings.characters import CharacterCNN, CharacterRNN
    from .embeddings.token import Embedding
    from .encoders.bag import BagEncoder
    from .encoders.base import EncoderOutput
    from .encoders.named import GRU, LSTM, RNN, MinGRU
    from .encoders.recurrent import Encoder
    from .encoders.windowed import WindowedEncoder
    from .generation.language_model import LanguageModel
    from .layers.ngrams import NGrams
    from .recurrence.cell import Cell, State
    from .recurrence.cells import CELLS, register_cell
    from .search.beam import beam_search
    from .search.sampling import greedy, sample
    from .tagging.crf import CRF
    from .tagging.neighbours import Neighbours
    from .tagging.softmax import ConstrainedSoftmax
    from .tagging.tagger import Tagger
    from .translation.attention import Attention
    from .translation.decoder import Decoder
    from .translation.monotonic import MonotonicDecoder
    from .translation.translator import Translator

_PLACES = {
    "Attention": "translation.attention",
    "BagEncoder": "encoders.bag",
    "CELLS": "recurrence.cells",
    "CRF": "tagging.crf",
    "Cell": "recurrence.cell",
    "CharacterCNN": "embeddings.characters",
    "CharacterRNN": "embeddings.characters",
    "Classifier": "classification.classifier",
    "ColumnScores": "classification.columns",
    "LinearClassifier": "classification.linear",
    "MonotonicDecoder": "translation.monotonic",
    "NGrams": "layers.ngrams",
    "Neighbours": "tagging.neighbours",
    "ConstrainedSoftmax": "tagging.softmax",
    "Decoder": "translation.decoder",
    "Embedding": "embeddings.token",
    "Encoder": "encoders.recurrent",
    "EncoderOutput": "encoders.base",
    "GRU": "encoders.named",
    "LSTM": "encoders.named",
    "LanguageModel": "generation.language_model",
    "MinGRU": "encoders.named",
    "RNN": "encoders.named",
    "Pooling": "classification.pooling",
    "State": "recurrence.cell",
    "Tagger": "tagging.tagger",
    "Translator": "translation.translator",
    "WindowedEncoder": "encoders.windowed",
    "beam_search": "search.beam",
    "greedy": "search.sampling",
    "register_cell": "recurrence.cells",
    "sample": "search.sampling",
}
__all__ = [
    "CELLS",
    "CRF",
    "GRU",
    "LSTM",
    "RNN",
    "Attention",
    "BagEncoder",
    "Cell",
    "CharacterCNN",
    "CharacterRNN",
    "Classifier",
    "ColumnScores",
    "ConstrainedSoftmax",
    "Decoder",
    "Embedding",
    "Encoder",
    "EncoderOutput",
    "LanguageModel",
    "LinearClassifier",
    "MinGRU",
    "MonotonicDecoder",
    "NGrams",
    "Neighbours",
    "Pooling",
    "State",
    "Tagger",
    "Translator",
    "WindowedEncoder",
    "beam_search",
    "greedy",
    "register_cell",
    "sample",
]


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
