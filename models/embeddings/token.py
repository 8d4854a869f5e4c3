"""The vector of a token: its own embedding, its spelling, and its attributes, side by side.

The order of the parts is fixed by the code below (word, characters, attributes), so a saved model
can never join them in another order. How ids are made is the business of `data/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from rnnlp.models.layers.dropout import LockedDropout, WordDropout

from .characters import CharacterCNN, CharacterRNN

Spelling = Literal["none", "cnn", "rnn"]


class Embedding(nn.Module):
    """Token embedding for any of the tasks.

    Args:
        vocabulary_size: number of token ids; 0 is padding.
        size: size of a token's own vector.
        characters: how a vector is made from the spelling of a word, if at all.
        character_vocabulary_size: number of character ids, needed unless `characters` is "none".
        character_size: size of a character vector.
        character_features: size of the vector made from the spelling.
        token_feature_vocabulary_sizes: number of ids of each attribute (shape, bigram and the
            like).
        token_feature_size: size of an attribute's vector.
        word_dropout: rate at which whole words (and attributes, on their own) become `<unk>`.
        dropout: rate of locked dropout on the joined vector.
        freeze_vectors: keep the token vectors as loaded.
    """

    def __init__(
        self,
        *,
        vocabulary_size: int,
        size: int = 100,
        characters: Spelling = "none",
        character_vocabulary_size: int = 0,
        character_size: int = 30,
        character_features: int = 60,
        token_feature_vocabulary_sizes: Sequence[int] = (),
        token_feature_size: int = 30,
        word_dropout: float = 0.0,
        dropout: float = 0.0,
        freeze_vectors: bool = False,
    ) -> None:
        super().__init__()
        self.words = _table("vocabulary_size", vocabulary_size, size)
        self.words.weight.requires_grad_(not freeze_vectors)
        self.spelling: CharacterCNN | CharacterRNN | None = None
        if characters != "none":
            kinds: dict[str, type[CharacterCNN] | type[CharacterRNN]] = {
                "cnn": CharacterCNN,
                "rnn": CharacterRNN,
            }
            if characters not in kinds:
                raise ValueError(f"characters is one of none, cnn, rnn, got {characters!r}")
            if character_vocabulary_size < 1:
                raise ValueError(f"characters={characters!r} needs a character_vocabulary_size")
            self.spelling = kinds[characters](
                vocabulary_size=character_vocabulary_size,
                embedding_size=character_size,
                output_size=character_features,
                dropout=dropout,
            )
        self.token_features = nn.ModuleList(
            _table("token_feature_vocabulary_sizes", rows, token_feature_size)
            for rows in token_feature_vocabulary_sizes
        )
        self.token_feature_size = token_feature_size
        self.word_dropout = WordDropout(word_dropout)
        self.dropout = LockedDropout(dropout)

    @property
    def output_size(self) -> int:
        """Size of the joined vector."""
        size = self.words.embedding_dim
        size += self.spelling.output_size if self.spelling is not None else 0
        return size + len(self.token_features) * self.token_feature_size

    def forward(
        self, tokens: Tensor, characters: Tensor | None = None, token_features: Tensor | None = None
    ) -> Tensor:
        """Map ids to vectors.

        Args:
            tokens: `[batch, time]`, 0 at padding.
            characters: `[batch, time, width]`; needed by a model with a spelling part.
            token_features: `[batch, time, features]`; needed by a model with token features.

        Returns:
            `[batch, time, output_size]`, zeros at padding. What the model has no part for is
            ignored.

        Raises:
            ValueError: ids that a part needs are missing.
        """
        parts = [self.words(self.word_dropout(tokens))]
        if self.spelling is not None:
            if characters is None:
                raise ValueError("this embedding reads spelling, but no character ids were given")
            parts.append(self.spelling(characters))
        if self.token_features:
            count = 0 if token_features is None else token_features.shape[2]
            if token_features is None or count != len(self.token_features):
                raise ValueError(
                    f"expected ids of {len(self.token_features)} token features, got {count}"
                )
            parts += [
                table(self.word_dropout(ids))
                for table, ids in zip(self.token_features, token_features.unbind(2), strict=True)
            ]
        return self.dropout(torch.cat(parts, 2))

    @torch.no_grad()
    def load_vectors(self, matrix: Tensor) -> None:
        """Take over pretrained token vectors.

        Args:
            matrix: `[vocabulary_size, size]`; a row of zeros says that no vector is known. Such
                tokens keep a random vector as long as the known ones are on average, or, if the
                vectors are frozen and can learn nothing, get the mean of the known ones.

        Raises:
            ValueError: the matrix has another shape than the embedding.
        """
        weight = self.words.weight
        if matrix.shape != weight.shape:
            raise ValueError(
                f"vectors have shape {list(matrix.shape)}, the embedding {list(weight.shape)}"
            )
        matrix = matrix.to(weight)
        known = (matrix != 0).any(1, keepdim=True)  # [vocabulary_size, 1]
        if not known.any():
            return
        vectors = matrix[known[:, 0]]
        if weight.requires_grad:
            lengths = weight.norm(dim=1, keepdim=True).clamp_min(1e-12)
            missing = weight / lengths * vectors.norm(dim=1).mean()
        else:
            missing = vectors.mean(0).expand_as(weight)
        weight.copy_(torch.where(known, matrix, missing))
        weight[0] = 0.0


def _table(name: str, rows: int, size: int) -> nn.Embedding:
    """Build an embedding whose rows have length about one, and zeros for padding."""
    if rows < 2 or size < 1:
        raise ValueError(f"{name} is {rows} with vectors of size {size}, too small for a model")
    table = nn.Embedding(rows, size, padding_idx=0)
    bound = (3.0 / size) ** 0.5
    nn.init.uniform_(table.weight, -bound, bound)
    with torch.no_grad():
        table.weight[0] = 0.0
    return table
