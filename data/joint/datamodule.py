"""Data for tagging and classification at once: two data sets that share one vocabulary.

Sentences with tags and texts with labels are read by `data/tagging/datamodule.py` and
`data/classification/datamodule.py`; here is what joins them: vocabularies that are learned from
both training splits, and a batch of each at every training step (`interleaving.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytorch_lightning as pl

from rnnlp.data.classification.collate import ClassificationBatch
from rnnlp.data.classification.datamodule import ClassificationData, ClassificationFiles
from rnnlp.data.corpus.report import Notes
from rnnlp.data.datamodule.labelled import LabelledData
from rnnlp.data.datamodule.loader import ResumableLoader
from rnnlp.data.datamodule.options import WordOptions
from rnnlp.data.datamodule.samplers import Share
from rnnlp.data.errors import InputError
from rnnlp.data.formats.layout import Layout
from rnnlp.data.tagging.collate import TaggingBatch
from rnnlp.data.tagging.datamodule import TaggingData, TaggingFiles
from rnnlp.data.text.featurizer import Featurizer

from .interleaving import Alternating, PairedRows, PairedSampler


class JointBatch(NamedTuple):
    """What one training step sees."""

    tagging: TaggingBatch
    classification: ClassificationBatch


@dataclass(frozen=True, kw_only=True)
class JointOptions(WordOptions):
    """All that can be said about data for tagging and classification at once.

    Args:
        tagging: Where the sentences come from.
        classification: Where the texts come from.
        sample: Language of the sample corpora, which are made where no data is given.
        validation_share: Share of training data to validate on where there is no validation file.
        seed: Decides the order of batches, the validation share and the sample corpora.
    """

    tagging: TaggingFiles = field(default_factory=TaggingFiles)
    classification: ClassificationFiles = field(default_factory=ClassificationFiles)
    characters: bool = True


_OPTIONS = {
    "tagging": {option.name for option in fields(TaggingFiles)},
    "classification": {option.name for option in fields(ClassificationFiles)},
}


class JointData(pl.LightningDataModule):
    """Sentences with tags and texts with labels, looked up in the same vocabularies.

    Args:
        options: Those of `JointOptions`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.options = JointOptions(**options)
        shared = {option.name: getattr(self.options, option.name) for option in fields(WordOptions)}
        files = {"tagging": self.options.tagging, "classification": self.options.classification}
        named = [one.train is not None or one.hub is not None for one in files.values()]
        if any(named) and not all(named):
            there, missing = list(files)[:: 1 if named[0] else -1]
            raise InputError(
                f"there is data for {there} and none for {missing}: set data.{missing}.train, or "
                "name neither for the sample corpora"
            )
        with _naming("tagging"):
            self.tagging = TaggingData(**vars(self.options.tagging), **shared)
        with _naming("classification"):
            self.classification = ClassificationData(**vars(self.options.classification), **shared)
        self._notes: list[str] | None = None

    @property
    def parts(self) -> dict[str, LabelledData]:
        """The data of each task by its name."""
        return {"tagging": self.tagging, "classification": self.classification}

    @property
    def tags(self) -> list[str]:
        """All tags, in the order of their ids."""
        self.prepare()
        return self.tagging.tags

    @property
    def scheme(self) -> str | None:
        """The scheme of the tags, None for plain ones such as parts of speech."""
        self.prepare()
        return self.tagging.scheme

    @property
    def tagging_layout(self) -> Layout:
        """How the file of sentences is laid out."""
        return self.tagging.layout

    @property
    def classification_layout(self) -> Layout:
        """How the file of texts is laid out."""
        return self.classification.layout

    @property
    def classes(self) -> list[str]:
        """All labels, sorted, in the order of their ids."""
        self.prepare()
        return self.classification.classes

    @property
    def class_counts(self) -> list[float]:
        """How many training texts have each label."""
        self.prepare()
        return self.classification.class_counts

    @property
    def multilabel(self) -> bool:
        """Whether a text may have any number of labels."""
        self.prepare()
        return self.classification.multilabel

    @property
    def featurizer(self) -> Featurizer:
        """The vocabularies, learned from both training splits."""
        self.prepare()
        return self.tagging.featurizer

    @property
    def vectors_matrix(self) -> np.ndarray | None:
        """Pretrained vectors of the vocabulary, [tokens, dimension] float32."""
        self.prepare()
        return self.tagging.vectors_matrix

    @property
    def notes(self) -> list[str]:
        """What is worth telling about the data, one line each."""
        return self.prepare()

    @property
    def origin(self) -> dict[str, object]:
        """Where the data comes from, by name; None where a name does not apply."""
        return {
            f"{task} {name}": value
            for task, part in self.parts.items()
            for name, value in part.origin.items()
        }

    @property
    def has_test(self) -> bool:
        """Whether there is a test split of either task."""
        self.prepare()
        return any(part.has_test for part in self.parts.values())

    def prepare(self) -> list[str]:
        """Reads and learns everything, the first time it is called; gives the notes.

        Raises:
            InputError: Where the data is missing, malformed, or holds nothing to learn.
        """
        if self._notes is None:
            notes = Notes()
            for task, part in self.parts.items():
                with _naming(task):
                    part.read()
            vocabularies = self.tagging.learn_vocabularies(_Both(*self.parts.values()), notes)
            self.tagging.vocabularies = self.classification.vocabularies = vocabularies
            lines = []
            for task, part in self.parts.items():
                with _naming(task):
                    lines += [f"{task}: {line}" for line in part.prepare().notes]
            self._notes = [*lines, *notes.lines()]
        return self._notes

    def deal(self, share: Share) -> None:
        """Says what this process gets of every batch; see `SequenceData.deal`."""
        self.prepare()
        for task, part in self.parts.items():
            with _naming(task):
                part.deal(share)

    def setup(self, stage: str) -> None:
        """Reads the data if nobody has asked for it yet."""
        self.prepare()

    def digests(self) -> dict[str, str]:
        """Identifies the examples that are trained and validated on, by task and split."""
        return {
            f"{task}.{split}": digest
            for task, part in self.parts.items()
            for split, digest in part.digests().items()
        }

    def splits(self) -> dict[str, Any] | None:
        """Which lines of each task's training data are validated on; see `SequenceData.splits`."""
        cuts = {task: part.splits() for task, part in self.parts.items()}
        return {task: cut for task, cut in cuts.items() if cut is not None} or None

    def save_tokenizers(self, folder: str | Path) -> None:
        """Writes the vocabularies into a folder, which is to be a model folder."""
        self.featurizer.save(folder)

    def train_dataloader(self) -> ResumableLoader:
        """Shuffled batches, one of each task at every step; the shorter set goes round."""
        self.prepare()
        loaders = [part.train_dataloader() for part in self.parts.values()]
        return ResumableLoader(
            PairedRows([loader.dataset for loader in loaders]),  # type: ignore[arg-type]
            batches=PairedSampler([loader.batches for loader in loaders]),
            collate=_Collate([loader.collate_fn for loader in loaders]),
            num_workers=self.options.num_workers,
        )

    def val_dataloader(self) -> Alternating:
        """Batches of either task in turn."""
        self.prepare()
        return Alternating([part.val_dataloader() for part in self.parts.values()])

    def test_dataloader(self) -> Alternating:
        """Batches of either task in turn, of those that have test data.

        Raises:
            InputError: Where neither has.
        """
        if not self.has_test:
            raise InputError("there is no test data: set data.tagging.test")
        parts = [part for part in self.parts.values() if part.has_test]
        return Alternating([part.test_dataloader() for part in parts])


class _Both:
    """The training tokens of two data sets, to be gone through as often as needed."""

    def __init__(self, first: LabelledData, second: LabelledData) -> None:
        self._columns = first.training_tokens, second.training_tokens

    def __iter__(self) -> Iterator[list[str]]:
        return chain(*self._columns)


class _Collate:
    """Makes a batch of each task."""

    def __init__(self, collates: Sequence[Callable[[Any], Any]]) -> None:
        self._collates = collates

    def __call__(self, rows: Sequence[Any]) -> JointBatch:
        return JointBatch(*(make(part) for make, part in zip(self._collates, rows, strict=True)))


@contextmanager
def _naming(task: str) -> Iterator[None]:
    """Lets errors name the options of a part by their place: data.tagging.train for data.train."""
    try:
        yield
    except InputError as error:
        message = re.sub(
            r"\bdata\.(\w+)",
            lambda key: f"data.{task}.{key[1]}" if key[1] in _OPTIONS[task] else key[0],
            error.message,
        )
        raise InputError(message, path=error.path, line=error.line) from error
