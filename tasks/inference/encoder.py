"""Using trained models from Python: `rnnlp.load` and `rnnlp.load_encoder`.

Importing this file costs torch, tokenizers and safetensors, and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnlp.data.datamodule.tensors import TokenTensors, as_tensors
from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import Featurizer, collate
from rnnlp.models.classification.pooling import Pooling
from rnnlp.models.embeddings.token import Embedding
from rnnlp.models.encoders.bag import BagEncoder
from rnnlp.models.encoders.base import EncoderOutput
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.encoders.windowed import WindowedEncoder
from rnnlp.tasks.base.length_batches import by_length
from rnnlp.tasks.base.transfer import backward_alone, read_encoder

from .load import load

if TYPE_CHECKING:
    pass

Way = Literal["max", "mean", "last"]
TOKEN_BUDGET = 8192  # padded positions of a batch


class Encoded(NamedTuple):
    """What an encoder makes of some texts, in the order in which they were given."""

    states: Tensor  # [texts, time, size], zeros at padding
    lengths: Tensor  # [texts] int64 on the CPU; 0 for a text without a token
    pooled: Tensor  # [texts, size], zeros for a text without a token


class PretrainedEncoder(nn.Module):
    """Tokenizer, embedding and encoder of a trained model, as one module that can train on.

    Args:
        featurizer: Splits texts and looks tokens up.
        embedding: Ids to vectors.
        encoder: Vectors to states.
    """

    def __init__(
        self,
        *,
        featurizer: Featurizer,
        embedding: Embedding,
        encoder: Encoder | BagEncoder | WindowedEncoder,
    ) -> None:
        super().__init__()
        self.featurizer = featurizer
        self.embedding = embedding
        self.encoder = encoder

    @property
    def output_size(self) -> int:
        """Width of a state."""
        return self.encoder.output_size

    def batch(self, texts: Sequence[str]) -> TokenTensors:
        """The ids of texts, each of which holds at least one token."""
        rows = [self.featurizer.encode(text)[0] for text in texts]
        empty = [number for number, row in enumerate(rows) if not row.tokens]
        if empty:
            raise ValueError(f"texts {empty} hold no token; leave them out")
        return as_tensors(collate(rows))

    def forward(self, texts: Sequence[str] | TokenTensors) -> EncoderOutput:
        """Encodes texts, or the batch that `batch` made of them.

        Returns:
            States [batch, time, output_size], zeros at padding, and the final states.
        """
        batch = texts if isinstance(texts, TokenTensors) else self.batch(texts)
        batch = batch.to(next(self.parameters()).device)
        embedded: torch.Tensor = self.embedding(
            batch.tokens, characters=batch.characters, token_features=batch.token_features
        )
        states: EncoderOutput = self.encoder(embedded, batch.lengths)
        return states

    def encode(self, texts: Sequence[str], *, pooling: Way = "max") -> Encoded:
        """Encodes any texts: batched by length inside, given back in order.

        Neither the order of the texts nor their company changes what comes out. Gradients flow,
        unless they are switched off as usual (`torch.inference_mode()`).

        Args:
            texts: The texts; a blank one gets zeros.
            pooling: How `pooled` is made of the states of a text: "max" and "mean" over its tokens,
                number by number; "last" is, of each direction, the state after the last token that
                it reads.
        """
        device = next(self.parameters()).device
        rows = [self.featurizer.encode(text)[0] for text in texts]
        lengths = torch.tensor([len(row.tokens) for row in rows], dtype=torch.int64)
        longest = max([1, *lengths.tolist()])
        pool = Pooling(size=self.output_size, ways=[pooling])
        order, states, pooled = [], [], []
        for numbers in by_length(lengths.tolist(), budget=TOKEN_BUDGET):
            batch = as_tensors(collate([rows[number] for number in numbers]))
            encoded = self(batch)
            order += numbers
            states.append(F.pad(encoded.states, (0, 0, 0, longest - encoded.states.shape[1])))
            pooled.append(pool(encoded, batch.lengths).vector)
        for number in (lengths == 0).nonzero().flatten().tolist():
            order.append(number)
            states.append(torch.zeros(1, longest, self.output_size, device=device))
            pooled.append(torch.zeros(1, self.output_size, device=device))
        if not order:
            nothing = torch.zeros(0, longest, self.output_size, device=device)
            return Encoded(nothing, lengths, nothing[:, 0])
        places = torch.tensor(order, device=device).argsort()  # where each text has come to lie
        return Encoded(torch.cat(states)[places], lengths, torch.cat(pooled)[places])


def load_encoder(model: str | os.PathLike[str] | Sequence[str]) -> PretrainedEncoder:
    """Tokenizer, embedding and encoder of any trained model, as one `nn.Module`.

    It comes in evaluation mode: call `.train()` where it is to be trained on with its dropout.

    Args:
        model: A model folder, or a hub id; or two language models of one direction each, forward
            and backward, which together make an encoder of two directions.

    Raises:
        InputError: There is no such model, its files are damaged, or two do not fit each other.
    """
    if not isinstance(model, str | os.PathLike):
        return _joined_encoder(model)
    pipeline = load(model)
    if getattr(pipeline.settings, "reverse", False):
        raise backward_alone(os.fspath(model))
    network = pipeline.network
    return PretrainedEncoder(
        featurizer=pipeline.featurizer, embedding=network.embedding, encoder=network.encoder
    )


def _joined_encoder(models: Sequence[str]) -> PretrainedEncoder:
    found = read_encoder(models)
    embedding = found.embedding.build(found.sizes)
    if found.encoder is None:
        raise InputError(f"{found.name}: no recurrent layers to encode with")
    joined = PretrainedEncoder(
        featurizer=Featurizer.load(found.path),
        embedding=embedding,
        encoder=found.encoder.build(embedding.output_size),
    )
    joined.load_state_dict(found.weights)
    return joined.eval()
