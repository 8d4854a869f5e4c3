"""Translation data for Lightning: reads the splits, learns the tokenizers of both sides, batches.

What it shares with other tasks is in `data/datamodule/base.py`. Evaluation and prediction with a
trained model do not need this file.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa

from rnnlp.data.corpus.arrow import CHUNK, Corpus, write
from rnnlp.data.corpus.cut import Kin
from rnnlp.data.corpus.duplicates import Fingerprints
from rnnlp.data.corpus.report import Notes
from rnnlp.data.corpus.source import Source
from rnnlp.data.datamodule.base import Learned, SequenceData
from rnnlp.data.datamodule.options import at_least, check_subwords
from rnnlp.data.errors import InputError, counted, note
from rnnlp.data.formats.hub import Split
from rnnlp.data.formats.layout import Layout
from rnnlp.data.text.featurizer import SHORTLIST_FILE, TARGET_FILE, Featurizer
from rnnlp.data.text.tokenizer import Level, Tokenizer

from .collate import TranslationCollate
from .columns import NESTED, keys_of, roles, texts_of
from .copying import check_copied, count_unknown
from .measures import Measures, measure
from .options import TranslationOptions
from .readers import ParallelExample, parallel_layout, read_parallel, whole_pair
from .sample import sample_translation
from .sample_headlines import sample_headlines
from .sample_strings import sample_forms, sample_sounds
from .sample_typing import sample_typing
from .shortlist import Shortlist, learn_shortlist

_COLUMNS = {"source": pa.string(), "target": pa.string(), "index": pa.int64(), "line": pa.int64()}
_NAMES = {
    "bpe": "sub-words",
    "word": "words",
    "character": "characters",
    "symbol": "symbols",
    "lemma": "characters and features",
}


def _backwards(split: Split, seed: int) -> Iterator[ParallelExample]:
    for pair in sample_translation(split, seed):
        yield ParallelExample(pair.target, pair.source, pair.line)


_SAMPLES = {  # sample corpora, by what data.source and data.target say
    ("zh", "en"): sample_translation,
    ("en", "zh"): _backwards,
    ("word", "phones"): sample_sounds,
    ("lemma", "form"): sample_forms,
    ("typed", "meant"): sample_typing,
    ("record", "headline"): sample_headlines,
}


class TranslationData(SequenceData[ParallelExample]):
    """Texts with their translations, from files, a hub, or a sample corpus.

    Files may be pairs with a common prefix and the language as suffix (`train.en`, `train.de`; give
    `train`), TSV with or without a header, or JSON lines, packed with gzip or not.

    Args:
        options: Those of `TranslationOptions`.
    """

    options: TranslationOptions

    def __init__(self, **options: Any) -> None:
        self.options = TranslationOptions(**options)
        super().__init__()
        chosen = self.options
        languages = {chosen.source, chosen.target}
        if len(languages) == 1:
            raise InputError(
                f"data.source and data.target are both {chosen.source!r}: name two languages"
            )
        if chosen.train is None and chosen.hub is None and self._direction not in _SAMPLES:
            raise InputError(
                f"no data from {chosen.source!r} to {chosen.target!r}: set data.train, or "
                "data.source and data.target to those of a sample corpus: "
                f"{', '.join(' to '.join(direction) for direction in _SAMPLES)}"
            )
        check_subwords(chosen)
        if not 0.0 <= chosen.bpe_dropout < 1.0:
            raise InputError(
                f"data.bpe_dropout is {chosen.bpe_dropout}: give a probability from 0 to below 1"
            )
        self._target_level: Level = chosen.target_level or (
            "character" if chosen.level == "lemma" else chosen.level
        )
        if chosen.tokenizer_from is None:
            self._check_dropout(chosen.level)
        if chosen.features_column is not None and chosen.level != "lemma":
            raise InputError(
                f"data.features_column needs data.level lemma, not {chosen.level}: set it so"
            )
        if chosen.joint_vocabulary and chosen.level != self._target_level:
            raise InputError(
                f"data.joint_vocabulary needs one level for both sides, not {chosen.level} and "
                f"{self._target_level}"
            )
        if chosen.lowercase and chosen.joint_vocabulary:
            raise InputError(
                "data.lowercase is for the sources only, and data.joint_vocabulary gives both "
                "sides one vocabulary: choose one of them"
            )
        if chosen.copy and chosen.tokenizer_from is None:
            check_copied(chosen.level, self._target_level, joint_vocabulary=chosen.joint_vocabulary)
        at_least(chosen, max_length=1)
        self._target_tokenizer: Tokenizer | None = None
        self._shortlist: Shortlist | None = None
        self._length_ratio = 0.0

    @property
    def target_tokenizer(self) -> Tokenizer:
        """The vocabulary of the targets; with `joint_vocabulary`, that of the sources as well."""
        self.prepare()
        assert self._target_tokenizer is not None
        return self._target_tokenizer

    @property
    def length_ratio(self) -> float:
        """Target tokens for each source token, beyond the first ten, of all but odd pairs."""
        self.prepare()
        return self._length_ratio

    @property
    def shortlist(self) -> Shortlist | None:
        """What source tokens propose to searches; None where they look at the whole vocabulary."""
        self.prepare()
        return self._shortlist

    def save_tokenizers(self, folder: str | Path) -> None:
        """Writes the vocabularies of both sides, and a shortlist, into a folder."""
        super().save_tokenizers(folder)
        self.target_tokenizer.save(Path(folder, TARGET_FILE))
        if self._shortlist is not None:
            self._shortlist.save(Path(folder, SHORTLIST_FILE))

    def _store(self, folder: Path, notes: Notes) -> dict[str, Corpus]:
        return {
            split: write(
                (
                    {"source": pair.source, "target": pair.target, "index": i, "line": pair.line}
                    for i, pair in enumerate(source.read(notes))
                ),
                folder / f"{split}.arrow",
                columns=_COLUMNS,
                name=source.name,
                length=lambda row: 0,  # not known before the tokenizers are
            )
            for split, source in self._sources().items()
        }

    def _kin(self, corpus: Corpus) -> Iterator[Kin]:
        return map(Kin, corpus.column("source"))

    def _learn(self, corpora: dict[str, Corpus], notes: Notes) -> Learned:
        featurizer, target_tokenizer = self._learn_tokenizers(corpora["train"], notes)
        self._target_tokenizer = target_tokenizer
        measured = {
            split: measure(corpus, featurizer, target_tokenizer)
            for split, corpus in corpora.items()
        }
        final: dict[str, Corpus] = {}
        for split, corpus in corpora.items():
            measures = measured[split]
            final[split] = corpus._replace(lengths=measures.lengths)
            kept = np.arange(len(measures.longer))
            if self.options.max_length is not None:
                too_long = measures.longer > self.options.max_length
                kind = f"{split} pairs with a side of more than {self.options.max_length} tokens"
                left_out = ", left out" if split == "train" else ", kept"
                notes.count(kind + left_out, number=int(too_long.sum()))
                if split == "train":
                    kept = np.flatnonzero(~too_long)
            if not kept.size:
                raise InputError(
                    f"every training pair has a side of more than {self.options.max_length} "
                    "tokens: raise data.max_length",
                    path=corpus.name,
                )
            if len(kept) < len(corpus.lengths):
                final[split] = final[split].select(kept)
            if split == "train":
                ratios = (measures.target[kept] - 10) / np.maximum(measures.source[kept], 1)
                self._length_ratio = round(float(np.quantile(ratios, 0.999)), 3)
            self._describe(split, measures, kept, notes)
            budget = (
                self.options.max_tokens if split == "train" else self.options.evaluation_max_tokens
            )
            notes.count(
                f"{split} pairs above the token budget, each a batch of its own",
                number=int((final[split].lengths > budget).sum()),
            )
            if self.options.copy:
                unknown, copied = count_unknown(
                    zip(corpus.column("source"), corpus.column("target"), strict=True),
                    featurizer=featurizer,
                    target_tokenizer=target_tokenizer,
                )
                notes.add(
                    f"{split}: {unknown:,} {_NAMES[target_tokenizer.level]} of targets are in no "
                    f"vocabulary, {copied:,} of them in their source, to be copied"
                )
            if split != "train":
                self._compare(split, measures.prints, measured["train"].prints, notes)
        units = _NAMES[featurizer.level], _NAMES[target_tokenizer.level]
        notes.add(
            f"one vocabulary of {len(target_tokenizer):,} {units[1]} for both sides"
            if self.options.joint_vocabulary
            else f"vocabulary: {len(featurizer.tokens):,} {units[0]} of {self.options.source}, "
            f"{len(target_tokenizer):,} {'' if units[0] == units[1] else f'{units[1]} '}"
            f"of {self.options.target}"
        )
        if self.options.shortlist:
            self._shortlist = learn_shortlist(
                final["train"],
                final["validation"],
                featurizer=featurizer,
                target_tokenizer=target_tokenizer,
                width=self.options.shortlist,
                notes=notes,
            )
        return Learned(final, featurizer, None)

    def _check_dropout(self, level: Level) -> None:
        """Refuses sub-word dropout where neither the sources, at this level, nor the targets have
        any, and says so where one side has none.
        """
        if not self.options.bpe_dropout:
            return
        levels = {"sources": level, "targets": self._target_level}
        lacking = {side: name for side, name in levels.items() if name != "bpe"}
        if len(lacking) == len(levels):
            raise InputError(
                f"data.bpe_dropout is for data.level bpe, not {level}: set it to 0",
                path=self.options.tokenizer_from,
            )
        for side, name in lacking.items():
            note(f"data.bpe_dropout is not for the {side}, whose tokens are {_NAMES[name]}")

    def _learn_tokenizers(self, train: Corpus, notes: Notes) -> tuple[Featurizer, Tokenizer]:
        learn = partial(
            Tokenizer.train,
            vocabulary_size=self.options.vocabulary_size,
            min_frequency=self.options.min_frequency,
        )
        sources, targets = train.column("source"), train.column("target")
        if (reused := self.given_featurizer()) is not None:
            self._check_dropout(reused.level)
            self.note_unknown(reused, (reused.tokens.encode(text)[0] for text in sources), notes)
            if self.options.joint_vocabulary:
                return reused, reused.tokens
            return reused, learn(targets, level=self._target_level)
        if self.options.joint_vocabulary:
            both = learn(chain(sources, targets), level=self._target_level)
            return Featurizer(tokens=both), both
        read = learn(sources, level=self.options.level, lowercase=self.options.lowercase)
        return Featurizer(tokens=read), learn(targets, level=self._target_level)

    def _describe(self, split: str, measures: Measures, kept: np.ndarray, notes: Notes) -> None:
        source, target = measures.source[kept].mean(), measures.target[kept].mean()
        unit = _NAMES[self.options.level] if self.options.tokenizer_from is None else "tokens"
        written = _NAMES[self._target_level]
        notes.add(
            f"{split}: {counted(len(kept), 'pair')}, on average {source:.1f} {unit} in "
            f"{self.options.source} and {target:.1f} {'' if written == unit else f'{written} '}in "
            f"{self.options.target}"
        )
        if count := measures.prints.contradictions():
            notes.add(f"{split}: {count:,} different sources have several translations")

    def _compare(self, split: str, prints: Fingerprints, train: Fingerprints, notes: Notes) -> None:
        sources, pairs = prints.shared(train), prints.shared(train, with_labels=True)
        if sources:
            notes.add(
                f"{split}: {sources:,} of {len(prints):,} sources are in the training data as "
                f"well, {pairs:,} of them with the same translation"
            )

    def _collate(self, split: str) -> TranslationCollate:
        return TranslationCollate(
            featurizer=self.featurizer,
            target_tokenizer=self.target_tokenizer,
            bpe_dropout=self.options.bpe_dropout if split == "train" else 0.0,
            seed=self.options.seed,
            copy=self.options.copy,
        )

    def _look(self, path: str) -> Layout:
        return parallel_layout(
            path,
            source=self.options.source,
            target=self.options.target,
            format=self.options.format,
            source_column=self.options.source_column,
            target_column=self.options.target_column,
            features_column=self.options.features_column,
        )

    def _file(self, path: str) -> Source[ParallelExample]:
        def read(notes: Notes) -> Iterator[ParallelExample]:
            return read_parallel(
                path,
                source=self.options.source,
                target=self.options.target,
                format=self.options.format,
                layout=self.layout,
                notes=notes,
            )

        return Source(path, read)

    def _hub(self, rows: datasets.Dataset, name: str) -> Source[ParallelExample]:
        languages = (self.options.source, self.options.target)
        options = self.options
        keys = keys_of(
            *roles(
                languages, (options.source_column, options.target_column), options.features_column
            )
        )
        columns = list(keys)
        if NESTED in rows.column_names and not set(keys) <= set(rows.column_names):
            columns = [NESTED]
        for key, option in zip(columns, ("source", "target"), strict=False):
            if key not in rows.column_names:
                raise InputError(
                    f"no column {key!r} among {', '.join(rows.column_names)}: set data.{option} or "
                    f"data.{option}_column",
                    path=name,
                )

        def read(notes: Notes) -> Iterator[ParallelExample]:
            line = 0
            for chunk in rows.select_columns(columns).iter(CHUNK):
                for values in zip(*(chunk[column] for column in columns), strict=True):
                    line += 1
                    row = dict(zip(columns, values, strict=True))
                    try:
                        source, (target,) = texts_of(row, keys)
                    except InputError as error:
                        notes.bad(InputError(error.message, path=name, line=line))
                        continue
                    pair = whole_pair(source, target, path=name, line=line, notes=notes)
                    if pair is not None:
                        yield pair

        return Source(name, read)

    def _sample(self, split: Split) -> Source[ParallelExample]:
        def read(notes: Notes) -> Iterator[ParallelExample]:
            return _SAMPLES[self._direction](split, self.options.seed)

        return Source(f"sample corpus ({'-'.join(self._direction)}, {split})", read)

    @property
    def _direction(self) -> tuple[str, str]:
        return self.options.source, self.options.target
