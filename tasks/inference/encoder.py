"""What `rnnlp.load_encoder` gives of a model folder: an `nn.Module`.

Importing this file costs torch, tokenizers and safetensors, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnlp.data.datamodule.tensors import TokenTensors, as_tensors
from rnnlp.data.errors import InputError, note
from rnnlp.data.formats.layout import Layout
from rnnlp.data.text.featurizer import FeatureRow, Featurizer, TokenBatch, collate
from rnnlp.models.classification.pooling import Pooling
from rnnlp.models.embeddings.token import Embedding
from rnnlp.models.encoders.bag import BagEncoder
from rnnlp.models.encoders.base import EncoderOutput
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.encoders.windowed import WindowedEncoder
from rnnlp.tasks.base.length_batches import TOKEN_BUDGET, by_length
from rnnlp.tasks.base.pipeline import each_text
from rnnlp.tasks.base.reused_encoder import backward_alone, no_encoder, read_encoder

from .exported_encoder import Way

_UNKNOWN = Layout()


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
        tokens: Gives the tokens that the model reads of a text, where it does not read all of it as
            it is: a classifier cleans texts and leaves the middle of long ones out.
        layout: How the training file of the model was laid out.
    """

    def __init__(
        self,
        *,
        featurizer: Featurizer,
        embedding: Embedding,
        encoder: Encoder | BagEncoder | WindowedEncoder,
        tokens: Callable[[str], list[str]] | None = None,
        layout: Layout = _UNKNOWN,
    ) -> None:
        super().__init__()
        self.featurizer = featurizer
        self.embedding = embedding
        self.encoder = encoder
        self.tokens = tokens
        self.layout = layout

    @property
    def output_size(self) -> int:
        """Width of a state."""
        return self.encoder.output_size

    def row(self, text: str) -> FeatureRow:
        """The ids of a text; there may be none."""
        if self.tokens is None:
            return self.featurizer.encode(text)[0]
        return self.featurizer.row(self.tokens(text))

    def batch(self, texts: Sequence[str]) -> TokenTensors:
        """The ids of texts, each of which holds at least one token."""
        rows = [self.row(text) for text in each_text(texts)]
        empty = [number for number, row in enumerate(rows) if not row.tokens]
        if empty:
            raise ValueError(f"texts {empty} hold no token; leave them out")
        return as_tensors(collate(rows))

    def forward(self, texts: Sequence[str] | TokenTensors | TokenBatch) -> EncoderOutput:
        """Encodes texts, or the batch that `batch` or the featurizer made of them.

        Returns:
            States [batch, time, output_size], zeros at padding, and the final states.
        """
        if isinstance(texts, TokenBatch):
            texts = as_tensors(texts)
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
        rows = [self.row(text) for text in each_text(texts)]
        lengths = torch.tensor([len(row.tokens) for row in rows], dtype=torch.int64)
        longest = max([1, *lengths.tolist()])
        states, pooled = [], []
        for part, vectors in (batches := _Batches(self, rows, pooling)):
            states.append(F.pad(part, (0, 0, 0, longest - part.shape[1])))
            pooled.append(vectors)
        device = next(self.parameters()).device
        nothing = torch.zeros(0, longest, self.output_size, device=device)
        return Encoded(
            batches.in_order([nothing, *states]),
            lengths,
            batches.in_order([nothing[:, 0], *pooled]),
        )

    def vectors(self, texts: Sequence[str], *, pooling: Way = "max") -> Tensor:
        """One vector a text, [texts, size]: what `encode` gives as `pooled`, without the states.

        Args:
            texts: The texts; a blank one gets zeros.
            pooling: See `encode`.
        """
        batches = _Batches(self, [self.row(text) for text in each_text(texts)], pooling)
        nothing = torch.zeros(0, self.output_size, device=next(self.parameters()).device)
        return batches.in_order([nothing, *(vectors for _, vectors in batches)])

    @torch.inference_mode()
    def arrays(self, texts: Sequence[str], *, pooling: Way = "max") -> np.ndarray:
        """The same as an array, without gradients."""
        return self.vectors(texts, pooling=pooling).float().cpu().numpy()


class _Batches:
    """States and pooled vectors of rows, batch by batch; rows without a token come last, as zeros.

    Args:
        encoder: Encodes them.
        rows: The ids of the texts.
        pooling: How a vector is made of states.
    """

    def __init__(
        self, encoder: PretrainedEncoder, rows: Sequence[FeatureRow], pooling: Way
    ) -> None:
        self._encoder = encoder
        self._rows = rows
        self._pool = Pooling(size=encoder.output_size, ways=[pooling])
        self._order: list[int] = []

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        lengths = [len(row.tokens) for row in self._rows]
        for numbers in by_length(lengths, budget=TOKEN_BUDGET):
            batch = as_tensors(collate([self._rows[number] for number in numbers]))
            encoded = self._encoder(batch)
            self._order += numbers
            yield encoded.states, self._pool(encoded, batch.lengths).vector
        if empty := [number for number, length in enumerate(lengths) if not length]:
            self._order += empty
            device = next(self._encoder.parameters()).device
            zeros = torch.zeros(len(empty), self._encoder.output_size, device=device)
            yield zeros.unsqueeze(1), zeros

    def in_order(self, parts: Sequence[Tensor]) -> Tensor:
        """What came batch by batch, in the order of the texts."""
        places = torch.tensor(self._order, device=parts[0].device, dtype=torch.int64).argsort()
        return torch.cat(list(parts))[places]


def encoder_of(pipeline: Any, name: str) -> PretrainedEncoder:
    """The encoder of a model that is loaded already.

    Args:
        pipeline: The model.
        name: Its folder or hub id, for errors.

    Raises:
        InputError: It has none, or one that reads from end to start alone.
    """
    if getattr(pipeline.settings, "reverse", False):
        raise backward_alone(name)
    if getattr(pipeline.settings, "vector_size", 0):
        note("the model was trained to write from vectors: texts are encoded without any")
    network = pipeline.network
    if not hasattr(network, "encoder"):
        raise no_encoder(name)
    return PretrainedEncoder(
        featurizer=pipeline.featurizer,
        embedding=network.embedding,
        encoder=network.encoder,
        tokens=getattr(pipeline, "read_tokens", None),
        layout=pipeline.layout,
    )


def joined_encoder(models: Sequence[str]) -> PretrainedEncoder:
    """The encoder of two language models of one direction each; see `rnnlp.load_encoder`."""
    reused = read_encoder(models)
    embedding = reused.embedding.build(reused.sizes)
    if reused.encoder is None:
        raise InputError(f"{reused.name}: no recurrent layers to encode with")
    joined = PretrainedEncoder(
        featurizer=Featurizer.load(reused.path),
        embedding=embedding,
        encoder=reused.encoder.build(embedding.output_size),
    )
    joined.load_state_dict(reused.weights)
    return joined.eval()
