"""What the data modules of all tasks have in common.

Everything is prepared on first use and kept in a temporary folder as long as the object lives:
examples in Arrow files, vocabularies, pretrained vectors. How examples are read and what is learned
from them is the business of each task.
"""

from __future__ import annotations

import tempfile
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Generic, NamedTuple

import datasets
import numpy as np
import pytorch_lightning as pl

from rnnlp.data.corpus.arrow import Corpus
from rnnlp.data.corpus.cut import Fold, Kin, cut
from rnnlp.data.corpus.report import Notes
from rnnlp.data.corpus.source import Example, Source
from rnnlp.data.errors import InputError
from rnnlp.data.formats.encodings import named_encoding
from rnnlp.data.formats.hub import SPLITS, Split, load_splits
from rnnlp.data.formats.layout import Layout
from rnnlp.data.text.featurizer import Featurizer
from rnnlp.data.text.tokenizer import SPECIALS, UNK

from .loader import ResumableLoader
from .options import LabelledOptions, SequenceOptions, at_least, check_files, check_folds
from .samplers import WHOLE, BucketBatchSampler, Share


class Read(NamedTuple):
    """All that was read, before anything is learned from it."""

    corpora: dict[str, Corpus]
    notes: Notes
    folder: tempfile.TemporaryDirectory  # holds the corpora; gone with the object
    validated: list[int] | None  # lines of the training data that are kept apart for validation


class Learned(NamedTuple):
    """What a task makes of the splits that it has read."""

    corpora: dict[str, Corpus]  # with the lengths that batches are measured in
    featurizer: Featurizer
    vectors: np.ndarray | None


class Prepared(NamedTuple):
    """All that was read and learned."""

    learned: Learned
    notes: list[str]


class SequenceData(pl.LightningDataModule, Generic[Example]):
    """Splits of examples; what the options mean is said where they are declared.

    A task's data module makes `options` of its arguments before it calls this.
    """

    options: SequenceOptions | LabelledOptions

    def __init__(self) -> None:
        super().__init__()
        options = self.options
        check_files(options)
        if not 0.0 < options.validation_share < 1.0:
            raise InputError(
                f"data.validation_share is {options.validation_share}: give a share between 0 and 1"
            )
        check_folds(options)
        at_least(
            options,
            min_frequency=1,
            vocabulary_size=len(SPECIALS) + 1,
            max_tokens=1,
            max_sentences=1,
            evaluation_max_tokens=1,
            num_workers=0,
        )
        self.share = WHOLE
        self._layout: Layout | None = None
        self._read: Read | None = None
        self._prepared: Prepared | None = None

    @property
    def files(self) -> dict[str, str | None]:
        """The file of each split."""
        options = self.options
        return {"train": options.train, "validation": options.validation, "test": options.test}

    @property
    def layout(self) -> Layout:
        """How the training file is laid out, and every file is read; empty for other sources."""
        if self._layout is None:
            train = self.files["train"]
            with named_encoding(self.options.encoding):
                self._layout = Layout() if train is None else self._look(train)
        return self._layout

    @property
    def featurizer(self) -> Featurizer:
        """The vocabularies, learned from the training split."""
        return self.prepare().learned.featurizer

    @property
    def vectors_matrix(self) -> np.ndarray | None:
        """Pretrained vectors of the vocabulary, [tokens, dimension] float32."""
        return self.prepare().learned.vectors

    @property
    def notes(self) -> list[str]:
        """What is worth telling about the data, one line each."""
        return self.prepare().notes

    @property
    def origin(self) -> dict[str, object]:
        """Where the data comes from, by name; None where a name does not apply."""
        if self.files["train"] is not None or self.options.hub is not None:
            return {**self.files, "hub": self.options.hub, "revision": self.options.revision}
        return {"sample corpus": getattr(self.options, "sample", None), "seed": self.options.seed}

    @property
    def has_test(self) -> bool:
        """Whether there is a test split."""
        return "test" in self.prepare().learned.corpora

    def source(self, split: str) -> Source[Example] | None:
        """The examples of the file of a split, as training reads them; None without a file.

        Nothing is learned of them, nor kept. In which encoding it is read is the caller's business:
        `named_encoding(options.encoding)`.
        """
        path = self.files[split]
        return None if path is None else self._file(path)

    def told(self, path: str) -> str:
        """How a file is read, in words for a note; "" where there is nothing to tell."""
        asked = ("text_column", "label_column")
        named = any(getattr(self.options, name, None) is not None for name in asked)
        return self.layout.told(path, named=named)

    def read(self) -> Read:
        """Reads the splits, the first time it is called.

        Raises:
            InputError: Where the data is missing or malformed.
        """
        if self._read is None:
            notes = Notes(skip_bad_rows=self.options.skip_bad_rows)
            folder = tempfile.TemporaryDirectory(prefix="rnnlp-")
            with named_encoding(self.options.encoding):
                corpora = self._store(Path(folder.name), notes)
            if (train := self.files["train"]) and (how := self.told(train)):
                notes.add(f"{train}: {how}")
            lines = None
            if "validation" not in corpora:
                seed, whole, part = self.options.seed, corpora["train"], self._part()
                *sides, lines, alike = cut(whole, self._kin(whole), part=part, seed=seed)
                corpora["train"], corpora["validation"] = sides
                what = "no validation data"
                if isinstance(part, Fold):
                    what = f"fold {part.fold} of {part.folds}"
                    if self.files["train"] is None:
                        what += ", in place of the validation split that comes with the data"
                notes.add(
                    f"{what}: {len(lines):,} of {len(whole.lengths):,} training "
                    f"examples are kept apart for it (by seed {seed}, each label in the same "
                    f"share, {alike} on one side)"
                )
            self._read = Read(corpora, notes, folder, lines)
        return self._read

    def _part(self) -> float | Fold:
        """What is kept apart of the training data."""
        options = self.options
        if options.folds is None:
            return options.validation_share
        return Fold(options.fold or 1, options.folds)

    def prepare(self) -> Prepared:
        """Reads everything and learns from it, the first time it is called.

        Raises:
            InputError: Where the data is missing, malformed, or holds nothing to learn.
        """
        if self._prepared is None:
            corpora, notes, *_ = self.read()
            learned = self._learn(corpora, notes)
            self._prepared = Prepared(learned, notes.lines())
        return self._prepared

    def given_featurizer(self) -> Featurizer | None:
        """The vocabularies of the model folder `tokenizer_from`; None where they are learned.

        Raises:
            InputError: They cannot be read.
        """
        if self.options.tokenizer_from is None:
            return None
        try:
            return Featurizer.load(self.options.tokenizer_from)
        except (OSError, ValueError) as error:
            raise InputError(
                f"data.tokenizer_from holds no vocabulary that can be read ({error}): name the "
                "folder of a trained model",
                path=self.options.tokenizer_from,
            ) from error

    def note_unknown(self, featurizer: Featurizer, rows: Iterable[list[int]], notes: Notes) -> None:
        """Notes how much of the training data the vocabulary of another model does not know.

        Args:
            featurizer: That vocabulary.
            rows: The ids of the training examples.
            notes: Gets the line.
        """
        total = unknown = 0
        for ids in rows:
            total += len(ids)
            unknown += ids.count(UNK)
        notes.add(
            f"vocabulary of {self.options.tokenizer_from}: {len(featurizer.tokens):,} tokens; of "
            f"the training tokens {100 * unknown / max(total, 1):.2f} % are unknown to it"
        )

    def digests(self) -> dict[str, str]:
        """Identifies the examples that are trained and validated on, by split."""
        corpora = self.read().corpora
        return {split: corpora[split].digest() for split in ("train", "validation")}

    def splits(self) -> dict[str, Any] | None:
        """Which lines of the training data are validated on; None where validation has its own."""
        lines = self.read().validated
        if lines is None:
            return None
        options, part = self.options, self._part()
        return {
            "train": self.read().corpora["train"].name,
            **(part._asdict() if isinstance(part, Fold) else {"share": part}),
            "seed": options.seed,
            "validation_lines": lines,
        }

    def save_tokenizers(self, folder: str | Path) -> None:
        """Writes the vocabularies into a folder, which is to be a model folder."""
        self.featurizer.save(folder)

    def deal(self, share: Share) -> None:
        """Says what this process gets of every batch of training and validation.

        Raises:
            InputError: There are fewer examples of either than processes.
        """
        for split in ("train", "validation"):
            if (count := len(self.prepare().learned.corpora[split].lengths)) < share.of:
                raise InputError(
                    f"{count:,} examples for {split} and {share.of} processes: lower "
                    "trainer.devices, or give more data"
                )
        self.share = share

    def setup(self, stage: str) -> None:
        """Reads the data if nobody has asked for it yet."""
        self.prepare()

    def train_dataloader(self) -> ResumableLoader:
        """Shuffled batches."""
        options = self.options
        return self._loader("train", options.max_tokens, options.max_sentences, share=self.share)

    def val_dataloader(self) -> ResumableLoader:
        """Batches from short examples to long ones."""
        budget = self.options.evaluation_max_tokens
        return self._loader("validation", budget, None, share=self.share)

    def test_dataloader(self) -> ResumableLoader:
        """Batches from short examples to long ones.

        Raises:
            InputError: Where there is no test split.
        """
        if not self.has_test:
            raise InputError("there is no test data: set data.test")
        return self._loader("test", self.options.evaluation_max_tokens, None)

    def _look(self, path: str) -> Layout:
        """How a file is laid out; of formats that leave nothing open, there is nothing to say."""
        return Layout()

    @abstractmethod
    def _file(self, path: str) -> Source[Example]:
        """The examples of a file."""

    @abstractmethod
    def _hub(self, rows: datasets.Dataset, name: str) -> Source[Example]:
        """The examples of a split of the hub's data set, whose columns are looked at at once."""

    @abstractmethod
    def _sample(self, split: Split) -> Source[Example]:
        """The examples of a split of the sample corpus."""

    @abstractmethod
    def _store(self, folder: Path, notes: Notes) -> dict[str, Corpus]:
        """Reads the splits that there are into Arrow files in a folder, `train` among them."""

    def _kin(self, corpus: Corpus) -> Iterator[Kin]:
        """What decides on which side of the cut each training example may come."""
        return (Kin(" ".join(tokens)) for tokens in corpus.column("tokens"))

    @abstractmethod
    def _learn(self, corpora: dict[str, Corpus], notes: Notes) -> Learned:
        """Learns vocabularies and labels from the training split, and notes what all hold."""

    @abstractmethod
    def _collate(self, split: str) -> Callable[[Any], Any]:
        """What makes a batch of rows of a split, once everything is prepared."""

    def _sources(self) -> dict[str, Source[Example]]:
        """The splits, the training split first."""
        files = {split: self._file(path) for split, path in self.files.items() if path is not None}
        # Folds cut their own out of the training split.
        splits = [split for split in SPLITS if self.options.folds is None or split != "validation"]
        if self.options.hub is not None:
            hub = {
                split: self._hub(rows, f"{self.options.hub} ({split})")
                for split, rows in load_splits(
                    self.options.hub, revision=self.options.revision
                ).items()
                if split in splits
            }
            return hub | files
        return files or {split: self._sample(split) for split in splits}

    def _dataset(self, corpus: Corpus) -> Any:
        """What gives the rows of a batch that `_sampler` has chosen."""
        return corpus.rows

    def _sampler(self, split: str) -> Callable[..., BucketBatchSampler]:
        """What makes the sampler of a split, from the arguments of a `BucketBatchSampler`."""
        return BucketBatchSampler

    def _loader(
        self, split: str, max_tokens: int, max_sentences: int | None, *, share: Share = WHOLE
    ) -> ResumableLoader:
        corpus = self.prepare().learned.corpora[split]
        return ResumableLoader(
            self._dataset(corpus),
            batches=self._sampler(split)(
                lengths=corpus.lengths,
                max_tokens=max_tokens,
                max_sentences=max_sentences,
                seed=self.options.seed,
                shuffle=split == "train",
                share=share,
            ),
            collate=self._collate(split),
            num_workers=self.options.num_workers,
        )
