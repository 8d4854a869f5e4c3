"""Classification data for Lightning: reads the splits, learns vocabularies and labels, batches.

What it shares with other tasks is in `data/datamodule/base.py` and `data/datamodule/labelled.py`,
how a text becomes tokens in `data/text/preprocessing.py`. Evaluation and prediction with a trained
model do not need this file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import datasets
import pyarrow as pa

from rnnlp.data.corpus.arrow import CHUNK, Corpus, write
from rnnlp.data.corpus.duplicates import Fingerprints
from rnnlp.data.corpus.report import Notes
from rnnlp.data.corpus.source import Source
from rnnlp.data.datamodule.labelled import LabelledData
from rnnlp.data.errors import InputError
from rnnlp.data.formats.hub import Split
from rnnlp.data.text.preprocessing import EMPTY, tokenise
from rnnlp.data.text.token_features import TokenFeature
from rnnlp.data.text.tokenizer import splitter

from .collate import ClassificationCollate
from .readers import ClassifiedExample, read_classification, single_label
from .sample import sample_classification

_COLUMNS = {
    "tokens": pa.list_(pa.string()),
    "gold": pa.list_(pa.string()),
    "index": pa.int64(),
}


class ClassificationData(LabelledData[ClassifiedExample]):
    """Texts with a label, or several labels each, from files, a hub, or a sample corpus.

    Files may be CSV or TSV with or without a header, JSON lines, lines that begin with the label,
    or in the format of fastText, packed with gzip or not. HTML line breaks and Windows-1252
    punctuation that was read as Latin-1 are mended.

    Args:
        train: File to train on; without it and without `hub`, a sample corpus is made.
        validation: File that decides when to stop; without it, a share of `train` does.
        test: File to score when training is done.
        hub: Data set of the Hugging Face hub, or a local folder of such a data set.
        revision: Version of the hub's data set: a commit, a tag or a branch.
        tokenizer_from: Folder of a trained model whose vocabularies are used, all of them, instead
            of learning some; `model.encoder_from` sets it.
        hub_text: Column of the hub's data set that holds the texts.
        hub_label: Column of the hub's data set that holds a label, or a list of them.
        format: Format of the files; "auto" recognises it from the content.
        text_column: Column of the text, by name or by number from 1; guessed if not given.
        label_column: Column of the label, by name or by number from 1; guessed if not given.
        label_separator: What parts the labels where a column holds several of them.
        label_before: Keep of a label only what stands before this mark: with ":" LOC of LOC:city.
        sample: Language of the sample corpus.
        validation_share: Share of `train` to validate on where `validation` is not given.
        level: Whether text is split into words or, as for Chinese, into characters.
        max_length: Most tokens of a text, or of a window; null for no limit.
        long_texts: Whether of longer texts head and tail are kept, or all, to be read in windows.
        lowercase: Look words up in lower case; character features keep their case.
        zero_digits: Look words up with every digit as 0.
        characters: Prepare the characters of each word.
        token_features: Which attributes of a token to prepare (bigram, shape, prefix, suffix).
        min_frequency: Words seen less often in training are unknown.
        vocabulary_size: Most words to keep; all if not given.
        vectors: Text file of pretrained vectors (GloVe, word2vec, fastText).
        vectors_limit: Add words that training lacks from its first so many vectors; all if null.
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
        hub_text: str = "text",
        hub_label: str = "label",
        format: Literal["auto", "csv", "tsv", "jsonl", "fasttext", "lines"] = "auto",
        text_column: str | int | None = None,
        label_column: str | int | None = None,
        label_separator: str | None = None,
        label_before: str | None = None,
        sample: Literal["english", "chinese"] = "english",
        tokenizer_from: str | None = None,
        validation_share: float = 0.1,
        level: Literal["word", "character"] = "word",
        max_length: int | None = 512,
        long_texts: Literal["head_tail", "windows"] = "head_tail",
        lowercase: bool = False,
        zero_digits: bool = False,
        characters: bool = False,
        token_features: Sequence[TokenFeature] = (),
        min_frequency: int = 1,
        vocabulary_size: int | None = None,
        vectors: str | None = None,
        vectors_limit: int | None = 100_000,
        max_tokens: int = 2048,
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
            level=level,
            lowercase=lowercase,
            zero_digits=zero_digits,
            characters=characters,
            token_features=token_features,
            min_frequency=min_frequency,
            vocabulary_size=vocabulary_size,
            vectors=vectors,
            vectors_limit=vectors_limit,
            max_tokens=max_tokens,
            max_sentences=max_sentences,
            evaluation_max_tokens=evaluation_max_tokens,
            num_workers=num_workers,
            seed=seed,
        )
        if max_length is not None and max_length < 4:
            raise InputError(f"max_length is {max_length}: it must be 4 or more")
        self.format = format
        self.text_column = text_column
        self.label_column = label_column
        self.label_separator = label_separator
        self.label_before = label_before
        self.hub_text = hub_text
        self.hub_label = hub_label
        self.sample = sample
        self.max_length = max_length
        self.long_texts = long_texts
        self._multilabel = False
        self._counts: dict[str, int] = {}

    @property
    def classes(self) -> list[str]:
        """All labels, sorted, in the order of their ids."""
        self.prepare()
        return list(self._counts)

    @property
    def class_counts(self) -> list[int]:
        """How many training texts have each label."""
        self.prepare()
        return list(self._counts.values())

    @property
    def multilabel(self) -> bool:
        """Whether a text may have any number of labels."""
        self.prepare()
        return self._multilabel

    def _store(self, folder: Path, notes: Notes) -> dict[str, Corpus]:
        corpora: dict[str, Corpus] = {}
        prints: dict[str, Fingerprints] = {}
        for split, source in self._sources().items():
            prints[split] = Fingerprints()
            rows = self._rows(split, source, prints[split], notes)
            path = folder / f"{split}.arrow"
            corpora[split] = write(rows, path, columns=_COLUMNS, name=source.name)
            if count := prints[split].contradictions():
                notes.add(f"{split}: {count:,} texts occur with different labels")
        for split, found in prints.items():
            if split != "train" and (count := found.shared(prints["train"])):
                total = len(corpora[split].lengths)
                notes.add(f"{split}: {count:,} of {total:,} texts are in the training data as well")
        return corpora

    def _rows(
        self, split: str, source: Source[ClassifiedExample], prints: Fingerprints, notes: Notes
    ) -> Iterator[dict[str, Any]]:
        offsets_of = splitter(self.level)
        most = self.max_length if self.long_texts == "head_tail" else None
        for index, example in enumerate(source.read(notes)):
            place = f"{source.name}:{example.line}"
            if split == "train":
                self._multilabel |= len(example.labels) != 1
            elif not self._multilabel:
                single_label(example.labels, path=source.name, line=example.line)
            tokens, _, count = tokenise(example.text, offsets_of, max_length=most)
            if not tokens and split == "train":
                notes.count("training texts without a token, left out", place)
                continue
            prints.add(example.text, example.labels)
            notes.count(f"{split} texts without a token, read as <unk>", place, not tokens)
            if self.max_length is not None and count > self.max_length:
                what = "middle left out" if most else "read in windows"
                kind = f"{split} texts of more than {self.max_length} tokens, {what}"
                notes.count(kind, place)
            yield {"tokens": tokens or EMPTY, "gold": example.labels, "index": index}

    def _learn_labels(self, corpora: dict[str, Corpus], notes: Notes) -> None:
        for split, corpus in corpora.items():
            counts = Counter(label for labels in corpus.column("gold") for label in labels)
            if split == "train":
                self._counts = dict(sorted(counts.items()))
            shown = ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())[:20])
            more = f" and {len(counts) - 20} more labels" if len(counts) > 20 else ""
            notes.add(f"{split}: {len(corpus.lengths):,} texts ({shown}{more})")
            budget = self.max_tokens if split == "train" else self.evaluation_max_tokens
            notes.count(
                f"{split} texts above the token budget, each a batch of its own",
                number=int((corpus.lengths > budget).sum()),
            )
            if unseen := [
                f"{name} ({n:,})" for name, n in counts.items() if name not in self._counts
            ]:
                notes.add(
                    f"{split}: labels that training never saw, counted as misses: "
                    f"{', '.join(sorted(unseen))}"
                )
        if len(self._counts) < 1 + (not self._multilabel):
            raise InputError(
                f"only one label in the training data ({', '.join(self._counts) or 'none'}): there "
                "is nothing to tell apart; check data.label_column",
                path=corpora["train"].name,
            )
        if self._multilabel:
            notes.add("a text may have several labels, as some in the training data have")

    def _collate(self, split: str) -> ClassificationCollate:
        return ClassificationCollate(
            featurizer=self.featurizer, classes=self.classes, multilabel=self.multilabel
        )

    def _file(self, path: str) -> Source[ClassifiedExample]:
        def read(notes: Notes) -> Iterator[ClassifiedExample]:
            return read_classification(
                path,
                format=self.format,
                text_column=self.text_column,
                label_column=self.label_column,
                label_separator=self.label_separator,
                label_before=self.label_before,
            )

        return Source(path, read)

    def _hub(self, rows: datasets.Dataset, name: str) -> Source[ClassifiedExample]:
        for column, option in ((self.hub_text, "hub_text"), (self.hub_label, "hub_label")):
            if column not in rows.column_names:
                raise InputError(
                    f"no column {column!r} among {', '.join(rows.column_names)}: set data.{option}",
                    path=name,
                )
        kind = rows.features[self.hub_label]
        kind = getattr(kind, "feature", kind)
        names = kind.names if isinstance(kind, datasets.ClassLabel) else None

        def read(notes: Notes) -> Iterator[ClassifiedExample]:
            columns = rows.select_columns([self.hub_text, self.hub_label])
            pairs = chain.from_iterable(
                zip(chunk[self.hub_text], chunk[self.hub_label], strict=True)
                for chunk in columns.iter(CHUNK)
            )
            for line, (text, label) in enumerate(pairs, start=1):
                labels = label if isinstance(label, list) else [label]
                if not isinstance(text, str) or None in labels or -1 in labels:
                    raise InputError(
                        f"text {text!r} with label {label!r}: both are needed; -1 stands for an "
                        "unlabelled text in hub data",
                        path=name,
                        line=line,
                    )
                labels = [str(n) if names is None else names[n] for n in labels]
                if self.label_before is not None:
                    labels = [label.split(self.label_before, 1)[0] for label in labels]
                yield ClassifiedExample(text, labels, line)

        return Source(name, read)

    def _sample(self, split: Split) -> Source[ClassifiedExample]:
        return Source(
            f"sample corpus ({self.sample}, {split})",
            lambda notes: sample_classification(self.sample, split, self.seed),
        )
