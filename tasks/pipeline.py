"""Using trained models from Python: `rnnlp.load` and `rnnlp.load_encoder`.

Importing this file costs torch, tokenizers and safetensors, and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import nn

from ..data.features import Featurizer, TokenBatch, collate
from ..models.bag import Bag
from ..models.embedding import Embedding
from ..models.encoder import Encoder, EncoderOutput
from ..models.windows import Windows
from .folder import open_folder
from .known import pipeline_of

if TYPE_CHECKING:
    from .known import Pipeline


def load(model: str | os.PathLike[str]) -> Pipeline:
    """A trained model, ready to be called on texts.

    Args:
        model: A model folder, or a hub id.

    Raises:
        InputError: There is no such model, or its files are damaged.
    """
    return pipeline_of(open_folder(model))


class PretrainedEncoder(nn.Module):
    """Tokenizer, embedding and encoder of a trained model, as one module that can train on.

    Args:
        featurizer: Splits texts and looks tokens up.
        embedding: Ids to vectors.
        encoder: Vectors to states.
    """

    def __init__(
        self, *, featurizer: Featurizer, embedding: Embedding, encoder: Encoder | Bag | Windows
    ) -> None:
        super().__init__()
        self.featurizer = featurizer
        self.embedding = embedding
        self.encoder = encoder

    @property
    def output_size(self) -> int:
        """Width of a state."""
        return self.encoder.output_size

    def batch(self, texts: Sequence[str]) -> TokenBatch:
        """The ids of texts, each of which holds at least one token."""
        rows = [self.featurizer.encode(text)[0] for text in texts]
        empty = [number for number, row in enumerate(rows) if not row.tokens]
        if empty:
            raise ValueError(f"texts {empty} hold no token; leave them out")
        return collate(rows)

    def forward(self, texts: Sequence[str] | TokenBatch) -> EncoderOutput:
        """Encodes texts, or the batch that `batch` made of them.

        Returns:
            States [batch, time, output_size], zeros at padding, and the final states.
        """
        batch = texts if isinstance(texts, TokenBatch) else self.batch(texts)
        device = next(self.parameters()).device
        tokens, characters, attributes = (
            None if ids is None else ids.to(device)
            for ids in (batch.tokens, batch.characters, batch.attributes)
        )
        embedded: torch.Tensor = self.embedding(
            tokens, characters=characters, attributes=attributes
        )
        states: EncoderOutput = self.encoder(embedded, batch.lengths)
        return states


def load_encoder(model: str | os.PathLike[str]) -> PretrainedEncoder:
    """Tokenizer, embedding and encoder of any trained model, as one `nn.Module`.

    Args:
        model: A model folder, or a hub id.
    """
    pipeline = load(model)
    network = pipeline.network
    return PretrainedEncoder(
        featurizer=pipeline.featurizer, embedding=network.embedding, encoder=network.encoder
    )
