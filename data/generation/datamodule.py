"""Generation data for Lightning: reads the splits, learns tokenizer and labels, cuts and batches.

What it shares with other tasks is in `data/datamodule/base.py`; how texts are cut for truncated
back-propagation is in `segments.py`. Evaluation and prediction with a trained model do not need
this file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import datasets
import numpy as np
import pyarrow as pa

from rnnlp.data.corpus.arrow import CHUNK, Corpus, write
from rnnlp.data.corpus.duplicates import Fingerprints
from rnnlp.data.corpus.report import Notes
from rnnlp.data.corpus.source import Source
from rnnlp.data.datamodule.base import Learned, SequenceData
from rnnlp.data.errors import InputError
from rnnlp.data.formats.hub import Split
from rnnlp.data.text.featurizer import Featurizer
from rnnlp.data.text.tokenizer import BYTES, SPECIALS, Tokenizer

from .collate import GenerationCollate, token_ids
from .readers import TextExample, labels_of, read_texts
from .sample import sample_generation
from .segments import SegmentBatchSampler, SegmentRows

EVALUATION_SEGMENT = 1024  # tokens that are scored at once; their number changes no score
_COLUMNS = {"text": pa.string(), "labels": pa.list_(pa.string()), "index": pa.int64()}
_NAMES = {"bpe": "sub-words", "word": "words", "character": "characters"}


class GenerationData(SequenceData[TextExample]):
    """Texts, each perhaps with labels, from files, a hub, or a sample corpus.

    Files may be plain text, tunes in ABC notation or JSON lines, packed with gzip or not; a folder
    stands for the files in it.

    Args:
        train: File or folder to train on; without it and without `hub`, a sample corpus is made.
        validation: File that decides when to stop; without it, a share of `train` does.
        test: File to score when training is done.
        hub: Data set of the Hugging Face hub, or a local folder of such a data set.
        revision: Version of the hub's data set: a commit, a tag or a branch.
        tokenizer_from: Folder of a trained model whose vocabulary is used instead of learning one;
            `model.encoder_from` sets it.
        format: Format of the files; "auto" recognises it from name and content.
        separator: What parts the examples of plain text: the end of a line, or blank lines; "auto"
            takes blank lines where there are some.
        text_column: JSON key of the text, or column of the hub's data set.
        labels: Fields that texts are written for: fields of the header of a tune, JSON keys,
            columns of the hub's data set. [] for none; null for metre and key of tunes (M and K),
            the kind of a text of the sample corpus, and none elsewhere.
        sample: Language of the sample corpus.
        validation_share: Share of `train` to validate on where `validation` is not given.
        level: What a token is: characters, words, or sub-words (bpe).
        vocabulary_size: Most tokens; null for all, or for 8000 sub-words.
        min_frequency: Tokens seen less often in training are unknown; of sub-words, pairs that are
            seen less often are not merged.
        lowercase: Read texts in lower case; then they are written in lower case, too.
        reverse: Read texts from the end to the start. Such a model and one without it together make
            an encoder that reads in both directions.
        bptt: Most tokens that are learned from at once: longer texts are cut, and the state is
            carried on (truncated back-propagation); null for whole texts.
        max_tokens: Most positions in a training batch, padding included.
        max_sentences: Most texts in a training batch.
        evaluation_max_tokens: Most positions in a validation or test batch.
        num_workers: Processes that prepare batches ahead; 0 prepares them in the main one.
        seed: Decides the order of batches, the validation share and the sample corpus.
    """

    def __init__(
        self,
        *,
        train: str | None = None,
        validation: str | None = None,
        test: str | None = None,
        hub: str | None = None,
        revision: str | None = None,
        format: Literal["auto", "text", "abc", "jsonl"] = "auto",
        separator: Literal["auto", "line", "blank"] = "auto",
        text_column: str = "text",
        labels: list[str] | None = None,
        sample: Literal["english", "chinese"] = "english",
        tokenizer_from: str | None = None,
        validation_share: float = 0.1,
        level: Literal["character", "word", "bpe"] = "character",
        vocabulary_size: int | None = None,
        min_frequency: int = 1,
        lowercase: bool = False,
        reverse: bool = False,
        bptt: int | None = 200,
        max_tokens: int = 4096,
        max_sentences: int | None = 32,
        evaluation_max_tokens: int = 8192,
        num_workers: int = 0,
        seed: int = 1,
    ) -> None:
        super().__init__(
            train=train,
            validation=validation,
            test=test,
            hub=hub,
            revision=revision,
            tokenizer_from=tokenizer_from,
            validation_share=validation_share,
            lowercase=lowercase,
            min_frequency=min_frequency,
            vocabulary_size=vocabulary_size,
            max_tokens=max_tokens,
            max_sentences=max_sentences,
            evaluation_max_tokens=evaluation_max_tokens,
            num_workers=num_workers,
            seed=seed,
        )
        least = len(SPECIALS) + BYTES
        if level == "bpe" and vocabulary_size is not None and vocabulary_size < least:
            raise InputError(
                f"data.vocabulary_size is {vocabulary_size}: sub-words begin with the "
                f"{BYTES} bytes and {len(SPECIALS)} special tokens, so it must be {least} or more"
            )
        if bptt is not None and bptt < 1:
            raise InputError(f"data.bptt is {bptt}: it must be 1 or more, or null")
        if labels is not None and len(set(labels)) < len(labels):
            raise InputError(f"data.labels names a field twice: {', '.join(labels)}")
        self.format = format
        self.separator = separator
        self.text_column = text_column
        self.labels = labels
        self.sample = sample
        self.level = level
        self.reverse = reverse
        self.bptt = bptt
        self._fields: dict[str, list[str]] = {}

    @property
    def fields(self) -> dict[str, list[str]]:
        """The labels of each field that training texts have, sorted."""
        self.prepare()
        return self._fields

    def _store(self, folder: Path, notes: Notes) -> dict[str, Corpus]:
        sources = self._sources()
        first = next(sources["train"].read(Notes()), None)
        self._fields = {field: [] for field in (first.labels if first else ())}
        corpora: dict[str, Corpus] = {}
        for split, source in sources.items():
            corpora[split] = write(
                self._rows(source, notes),
                folder / f"{split}.arrow",
                columns=_COLUMNS,
                name=source.name,
                length=lambda row: 0,  # not known before the tokenizer is
            )
        return corpora

    def _rows(self, source: Source[TextExample], notes: Notes) -> Iterator[dict[str, Any]]:
        fields = list(self._fields)
        for index, example in enumerate(source.read(notes)):
            if list(example.labels) != fields:
                raise InputError(
                    f"a text with the labels {', '.join(example.labels) or 'none'}, where training "
                    f"texts have {', '.join(fields) or 'none'}: set data.labels",
                    path=source.name,
                    line=example.line,
                )
            yield {"text": example.text, "labels": list(example.labels.values()), "index": index}

    def _learn(self, corpora: dict[str, Corpus], notes: Notes) -> Learned:
        featurizer = self._learn_vocabulary(corpora["train"], notes)
        found: dict[str, Corpus] = {}
        prints: dict[str, Fingerprints] = {}
        for split, corpus in corpora.items():
            lengths, prints[split] = _measure(corpus, featurizer)
            found[split] = corpus._replace(lengths=lengths)
            notes.add(
                f"{split}: {len(lengths):,} texts, on average {lengths.mean() - 1:.1f} "
                f"{_NAMES[featurizer.level]}, the longest {lengths.max() - 1:,}"
            )
            if split != "train" and (count := prints[split].shared(prints["train"])):
                notes.add(
                    f"{split}: {count:,} of {len(lengths):,} texts are in the training data as well"
                )
            self._learn_labels(split, corpus, notes)
        return Learned(found, featurizer, None)

    def _learn_vocabulary(self, train: Corpus, notes: Notes) -> Featurizer:
        texts = train.column("text")
        if (given := self.given_featurizer()) is not None:
            rows = (token_ids(given, text, reverse=False) for text in texts)
            self.note_unknown(given, rows, notes)
            return given
        tokenizer = Tokenizer.train(
            texts,
            level=self.level,
            vocabulary_size=self.vocabulary_size,
            min_frequency=self.min_frequency,
            lowercase=self.lowercase,
        )
        notes.add(f"vocabulary: {len(tokenizer):,} {_NAMES[self.level]}")
        return Featurizer(tokens=tokenizer)

    def _learn_labels(self, split: str, corpus: Corpus, notes: Notes) -> None:
        """Learns the labels from the training split, and notes what others have beyond it."""
        counts = [Counter[str | None]() for _ in self._fields]
        for labels in corpus.column("labels"):
            for counter, label in zip(counts, labels, strict=True):
                counter[label] += 1
        for (field, known), counter in zip(self._fields.items(), counts, strict=True):
            if without := counter.pop(None, 0):
                notes.add(f"{split}: {without:,} texts without a label of {field}")
            if split == "train":
                known.extend(sorted(label for label in counter if label is not None))
                if not known:
                    raise InputError(
                        f"no training text has a label of {field}: leave it out of data.labels",
                        path=corpus.name,
                    )
                shown = ", ".join(f"{label} {n:,}" for label, n in counter.most_common(20))
                notes.add(f"{field}: {len(known):,} labels ({shown})")
            elif unseen := sum(n for label, n in counter.items() if label not in known):
                notes.add(
                    f"{split}: {unseen:,} texts with a label of {field} that training never saw, "
                    "read as if they had none"
                )

    def _dataset(self, corpus: Corpus) -> SegmentRows:
        return SegmentRows(corpus.rows)

    def _sampler(self, split: str) -> Callable[..., SegmentBatchSampler]:
        bptt = self.bptt if split == "train" else EVALUATION_SEGMENT
        return partial(SegmentBatchSampler, bptt=bptt)

    def _collate(self, split: str) -> GenerationCollate:
        return GenerationCollate(
            featurizer=self.featurizer, fields=self.fields, reverse=self.reverse
        )

    def _file(self, path: str) -> Source[TextExample]:
        def read(notes: Notes) -> Iterator[TextExample]:
            return read_texts(
                path,
                format=self.format,
                separator=self.separator,
                text_column=self.text_column,
                labels=self.labels,
                notes=notes,
            )

        return Source(path, read)

    def _hub(self, rows: datasets.Dataset, name: str) -> Source[TextExample]:
        columns = [self.text_column, *(self.labels or ())]
        for column in columns:
            if column not in rows.column_names:
                option = "text_column" if column == self.text_column else "labels"
                raise InputError(
                    f"no column {column!r} among {', '.join(rows.column_names)}: set data.{option}",
                    path=name,
                )

        def read(notes: Notes) -> Iterator[TextExample]:
            chunks = rows.select_columns(columns).iter(CHUNK)
            values = chain.from_iterable(
                zip(*(chunk[column] for column in columns), strict=True) for chunk in chunks
            )
            for line, (text, *labels) in enumerate(values, start=1):
                if text is None or (isinstance(text, str) and not text.strip()):
                    notes.count("blank texts, left out", f"{name}:{line}")
                    continue
                if not isinstance(text, str):
                    raise InputError(
                        f"{self.text_column!r} is {text!r}, not a text: set data.text_column",
                        path=name,
                        line=line,
                    )
                try:
                    found = labels_of(dict(zip(columns[1:], labels, strict=True)), columns[1:])
                except InputError as error:
                    raise InputError(error.message, path=name, line=line) from error
                yield TextExample(text, found, line)

        return Source(name, read)

    def _sample(self, split: Split) -> Source[TextExample]:
        return Source(
            f"sample corpus ({self.sample}, {split})",
            lambda notes: sample_generation(self.sample, split, seed=self.seed, labels=self.labels),
        )


def _measure(corpus: Corpus, featurizer: Featurizer) -> tuple[np.ndarray, Fingerprints]:
    """Positions of each text, one more than its tokens, and its fingerprint."""
    prints = Fingerprints()
    lengths: list[int] = []
    for text in corpus.column("text"):
        prints.add(text, [])
        lengths.append(len(token_ids(featurizer, text, reverse=False)) + 1)
    return np.array(lengths, dtype=np.int32), prints
