"""Word vectors from spelling: a convolution or a recurrence over the characters of each word.

They give unseen words a meaning from their prefix, suffix, capitals and digits, which is most of
what there is to go by on small data. Both encoders compute each distinct word of a batch once:
words repeat, and a word's spelling vector does not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.layers.dropout import Dropout


def distinct_words(characters: Tensor) -> tuple[Tensor, Tensor]:
    """Find the distinct rows of character ids.

    Sorting whole rows (`torch.unique(dim=0)`) is slow, so rows are compared by a 64-bit hash, and
    the result is checked: rows whose hashes collide fall back to sorting.

    Args:
        characters: `[words, width]`.

    Returns:
        The distinct rows `[distinct, width]`, and for each word its row there, `[words]`.
    """
    count, width = characters.shape
    generator = torch.Generator().manual_seed(width)
    factors = torch.randint(-(2**62), 2**62, (width,), generator=generator) * 2 + 1
    hashes = (characters * factors.to(characters.device)).sum(1)  # wraps around, as it should
    values, word = torch.unique(hashes, return_inverse=True)
    first = torch.empty_like(values).scatter_(
        0, word, torch.arange(count, device=characters.device)
    )
    distinct = characters[first]
    if not torch.equal(distinct[word], characters):
        distinct, word = torch.unique(characters, dim=0, return_inverse=True)
    return distinct, word


class _Characters(nn.Module):
    """What both encoders share: the embedding of characters and the detour over distinct words."""

    output_size: int

    def __init__(self, vocabulary_size: int, embedding_size: int, dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, embedding_size, padding_idx=0)
        bound = (3.0 / embedding_size) ** 0.5  # rows of length about one
        nn.init.uniform_(self.embedding.weight, -bound, bound)
        with torch.no_grad():
            self.embedding.weight[0] = 0.0
        self.dropout = Dropout(dropout)

    def forward(self, characters: Tensor) -> Tensor:
        """Map character ids to a vector for each word.

        Args:
            characters: `[batch, time, width]`, 0 after the end of a word and at padding.

        Returns:
            `[batch, time, output_size]`, zeros where a word has no characters.
        """
        if characters.dim() != 3:
            raise ValueError(
                f"character ids have shape {list(characters.shape)}, expected [batch, time, width]"
            )
        distinct, word = distinct_words(characters.flatten(0, 1))
        lengths = (distinct != 0).sum(1)  # [distinct]
        vectors = self.spell(distinct, lengths)
        vectors = vectors * (lengths > 0)[:, None]
        # index_select, since its gradient adds rows up several times faster than indexing's
        return vectors.index_select(0, word).view(*characters.shape[:2], -1)

    def spell(self, characters: Tensor, lengths: Tensor) -> Tensor:
        """Map ids `[words, width]` and lengths (0 is possible) to `[words, output_size]`."""
        raise NotImplementedError


class CharacterCNN(_Characters):
    """Convolutions over the characters of a word, each filter at its strongest place.

    Filters reach over both ends of the word, where they see zeros, so that they can tell a prefix
    or suffix from a middle. Source: dos Santos and Zadrozny 2014, Ma and Hovy 2016; several
    widths as in Kim et al. 2016.

    Args:
        vocabulary_size: number of character ids.
        embedding_size: size of a character vector.
        output_size: number of filters, shared out among the widths.
        widths: how many characters a filter sees.
        dropout: rate on the character vectors.
    """

    def __init__(
        self,
        *,
        vocabulary_size: int,
        embedding_size: int = 30,
        output_size: int = 60,
        widths: Sequence[int] = (2, 3, 4),
        dropout: float = 0.0,
    ) -> None:
        super().__init__(vocabulary_size, embedding_size, dropout)
        if not widths or min(widths) < 1 or output_size < len(widths):
            raise ValueError(
                f"{output_size} filters cannot be shared among widths {list(widths)}: "
                "every width must be at least 1 and have a filter"
            )
        self.output_size = output_size
        self.widths = tuple(widths)
        share, rest = divmod(output_size, len(self.widths))
        self.filters = nn.ModuleList(
            nn.Linear(width * embedding_size, share + (i < rest))
            for i, width in enumerate(self.widths)
        )

    def spell(self, characters: Tensor, lengths: Tensor) -> Tensor:
        """See the base class.

        The words stand in one line, each after a gap of zeros that no filter can bridge, so that
        short words cost no more than their letters. A filter's places in word i are those where
        its window begins within the gap or the word; where it sees the gap alone it counts as 0,
        which never wins since the relu has come before.
        """
        gap = max(self.widths) - 1
        place = torch.arange(gap + characters.shape[1], device=characters.device)
        inside = place < (lengths + gap)[:, None]  # [words, gap + width]
        line = self.dropout(self.embedding(F.pad(characters, (gap, 0))[inside]))  # [places, size]
        line = F.pad(line, (0, 0, 0, gap))
        begins = place.expand_as(inside)[inside]  # place within its word, where 0 begins the gap
        strongest = []
        for reach, weigh in zip(self.widths, self.filters, strict=True):
            windows = torch.cat([line[i : len(begins) + i] for i in range(reach)], 1)
            strength = weigh(windows).relu() * (begins > gap - reach)[:, None]  # [places, filters]
            strongest.append(
                torch.segment_reduce(strength, "max", lengths=lengths + gap, initial=0, axis=0)
            )
        return torch.cat(strongest, 1)


class CharacterRNN(_Characters):
    """A recurrence over the characters of a word in both directions, its two final states joined.

    Source: Lample et al. 2016.

    Args:
        vocabulary_size: number of character ids.
        embedding_size: size of a character vector.
        output_size: size of a word's vector, half of it from each direction.
        cell: "rnn", "lstm" or "gru".
        dropout: rate on the character vectors.
    """

    def __init__(
        self,
        *,
        vocabulary_size: int,
        embedding_size: int = 30,
        output_size: int = 60,
        cell: Literal["rnn", "lstm", "gru"] = "lstm",
        dropout: float = 0.0,
    ) -> None:
        super().__init__(vocabulary_size, embedding_size, dropout)
        if output_size < 2 or output_size % 2:
            raise ValueError(f"output_size must be even for two directions, got {output_size}")
        self.output_size = output_size
        self.encoder = Encoder(input_size=embedding_size, cell=cell, hidden_size=output_size // 2)

    def spell(self, characters: Tensor, lengths: Tensor) -> Tensor:
        """See the base class; a word without characters is run with length one and not used."""
        embedded = self.dropout(self.embedding(characters))
        final = self.encoder(embedded, lengths.clamp_min(1).cpu()).final
        return torch.cat((final.hidden[-2], final.hidden[-1]), 1)
