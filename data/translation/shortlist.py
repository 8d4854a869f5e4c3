"""Shortlists: the target tokens that a search looks at for a sentence, instead of all there are.

They are the most frequent ones, and for each token of the source those that it is most probably
translated as (Jean et al. 2015, arXiv 1412.2007) and the one that is spelled like it. What is
probable is counted by IBM model 1 (Brown et al. 1993): each target token e translates one source
token f, any of its sentence,

    t(e|f) = c(e, f) / sum_e' c(e', f)        c(e, f) = sum over pairs of t(e|f) / sum_f' t(e|f')

Learning them takes seconds; how tokens are scored is the business of `models/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zipfile import BadZipFile

import numpy as np

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import Featurizer
from rnnlp.data.text.tokenizer import EOS, PAD, Tokenizer

from .pairs_of_ids import source_row

if TYPE_CHECKING:
    from rnnlp.data.corpus.arrow import Corpus

FREQUENT = 100  # target tokens that every shortlist has
ROUNDS = 5  # of counting
MOST = 30_000_000  # encounters of a source and a target token that are counted
_CHUNK = 256  # pairs that are taken apart together

Encoded = tuple[Sequence[int], Sequence[int]]  # ids of a source, ids of its target


class _Encounters(NamedTuple):
    """Each token of a target beside each token of its source, some pairs together."""

    both: np.ndarray  # the two tokens as one number: source id * target tokens + target id
    place: np.ndarray  # which token of the targets it is, counted through


class Shortlist:
    """What each source token proposes, and what is proposed always.

    Args:
        proposals: `[source tokens, width]` int32, target ids of each source token, the most
            probable first; `PAD` where there are no more.
        frequent: `[tokens]` int32, target ids that every sentence may have.
    """

    def __init__(self, *, proposals: np.ndarray, frequent: np.ndarray) -> None:
        self.proposals = proposals
        self.frequent = frequent

    @property
    def width(self) -> int:
        """How many target tokens a source token proposes at most."""
        return int(self.proposals.shape[1])

    @classmethod
    def learn(
        cls, pairs: Sequence[Encoded], *, source: Tokenizer, target: Tokenizer, width: int
    ) -> Shortlist:
        """Learns one from pairs of ids.

        Args:
            pairs: Sources and targets of training.
            source: The vocabulary of the sources.
            target: The vocabulary of the targets.
            width: How many target tokens a source token proposes, one spelled like it among them.
        """
        sizes = len(source), len(target)
        counts = np.bincount(
            np.concatenate([np.asarray(ids, np.int64) for _, ids in pairs]), minlength=sizes[1]
        )
        counts[PAD] = 0
        frequent = np.argsort(-counts, kind="stable")[:FREQUENT]
        proposals = np.full((sizes[0], width), PAD, np.int32)
        known = {token: number for number, token in enumerate(target.vocabulary)}
        alike = [known.get(token, PAD) for token in source.vocabulary]
        proposals[:, 0] = alike
        if width > 1:
            _fill(proposals[:, 1:], *_by_probability(pairs, sizes))
        return cls(proposals=proposals, frequent=frequent[counts[frequent] > 0].astype(np.int32))

    def candidates(self, sources: Sequence[Sequence[int]], count: int) -> np.ndarray:
        """The shortlists of some sentences, `[sentences, longest]` int64: rising from `EOS` on,
        `PAD` behind; tokens before `EOS` are never part of a translation.

        Args:
            sources: Their ids.
            count: How many target tokens each of these proposes, at most `width`.
        """
        always = np.append(self.frequent, EOS)
        lists = []
        for ids in sources:
            proposed = self.proposals[np.asarray(ids, np.int64), :count]
            found = np.unique(np.append(proposed, always))
            lists.append(found[found >= EOS])
        padded = np.full((len(lists), max(map(len, lists))), PAD, np.int64)
        for row, found in zip(padded, lists, strict=True):
            row[: len(found)] = found
        return padded

    def save(self, path: Path) -> None:
        """Writes the one file that `load` needs."""
        np.savez_compressed(path, proposals=self.proposals, frequent=self.frequent)

    @classmethod
    def load(cls, path: Path, *, source_size: int, target_size: int) -> Shortlist:
        """Reads what `save` wrote.

        Args:
            path: The file.
            source_size: Number of source tokens that it must be for.
            target_size: Number of target tokens that it must be for.

        Raises:
            ValueError: It is damaged, or of other vocabularies.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                proposals, frequent = arrays["proposals"], arrays["frequent"]
        except (ValueError, KeyError, EOFError, BadZipFile) as error:
            raise ValueError(f"holds no shortlist: {error}") from error
        ids = np.append(proposals, frequent)
        fits = proposals.ndim == 2 and frequent.ndim == 1 and ids.dtype == np.int32
        fits = fits and len(proposals) == source_size and 0 <= ids.min() <= ids.max() < target_size
        if not fits:
            raise ValueError(f"is not of {source_size:,} source and {target_size:,} target tokens")
        return cls(proposals=proposals, frequent=frequent)


def learn_shortlist(
    train: Corpus,
    validation: Corpus,
    *,
    featurizer: Featurizer,
    target_tokenizer: Tokenizer,
    width: int,
    notes: Notes,
) -> Shortlist:
    """Learns a shortlist, and notes what it leaves out.

    Args:
        train: The pairs to learn from: all, or evenly spread ones with `MOST` encounters.
        validation: Those to see it on.
        featurizer: Encodes the sources.
        target_tokenizer: Encodes the targets.
        width: How many target tokens a source token proposes.
        notes: Gets the line.

    Raises:
        InputError: That is no number of target tokens.
    """
    if not 0 < width < len(target_tokenizer):
        raise InputError(
            f"model.search.shortlist is {width}: give 0 for all {len(target_tokenizer):,} target "
            "tokens, or fewer than these"
        )

    def encoded(corpus: Corpus) -> Iterator[Encoded]:
        for source, target in zip(corpus.column("source"), corpus.column("target"), strict=True):
            yield source_row(featurizer, source)[0].tokens, target_tokenizer.encode(target)[0]

    encounters = int((train.lengths.astype(np.int64) ** 2).sum())  # at most
    if (every := -(-encounters // MOST)) > 1:
        notes.add(f"shortlist: learned from one pair in {every:,}")
        train = train.select(np.arange(0, len(train.lengths), every))
    learned = Shortlist.learn(
        list(encoded(train)), source=featurizer.tokens, target=target_tokenizer, width=width
    )
    sizes, found = [], []
    for source, target in encoded(validation):
        (among,) = learned.candidates([source], width)
        sizes.append(len(among))
        found.append(np.isin(target, among))
    share = 100 * np.concatenate(found).mean()
    notes.add(
        f"shortlist: searches look at {np.mean(sizes):,.0f} of {len(target_tokenizer):,} target "
        f"tokens for a sentence of validation, on average; {share:.1f} % of the tokens of its "
        "targets are among them"
    )
    return learned


def _by_probability(
    pairs: Sequence[Encoded], sizes: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Source ids and target ids of all tokens that meet, by source, the largest t(e|f) first."""
    chunks = list(_encounters(pairs, sizes[1]))
    both = np.unique(np.concatenate([np.unique(chunk.both) for chunk in chunks]))
    # Under the same name: the numbers of before are no longer needed, and freed.
    chunks = [chunk._replace(both=np.searchsorted(both, chunk.both)) for chunk in chunks]
    of_source = both // sizes[1]
    probable = np.ones(len(both))
    for _ in range(ROUNDS):
        counts = np.zeros(len(both))
        for chunk in chunks:
            share = probable[chunk.both]
            share /= np.bincount(chunk.place, share)[chunk.place]
            counts += np.bincount(chunk.both, share, len(both))
        probable = counts / np.bincount(of_source, counts, sizes[0])[of_source]
    order = np.lexsort((-probable, of_source))
    return of_source[order], both[order] % sizes[1]


def _fill(table: np.ndarray, sources: np.ndarray, targets: np.ndarray) -> None:
    """Writes what stands first with each source token into its row of a table."""
    rank = np.arange(len(sources)) - np.searchsorted(sources, sources)
    kept = rank < table.shape[1]
    table[sources[kept], rank[kept]] = targets[kept]


def _encounters(pairs: Sequence[Encoded], target_size: int) -> Iterator[_Encounters]:
    """The encounters of all pairs, some pairs at a time."""
    rest = iter(pairs)
    while chunk := list(islice(rest, _CHUNK)):
        first = np.cumsum([0, *(len(target) for _, target in chunk)])
        both = [
            np.add.outer(np.asarray(source, np.int64) * target_size, target).ravel()
            for source, target in chunk
        ]
        place = [
            np.tile(np.arange(begin, begin + len(target)), len(source))
            for begin, (source, target) in zip(first, chunk, strict=False)
        ]
        yield _Encounters(np.concatenate(both), np.concatenate(place).astype(np.int32))
