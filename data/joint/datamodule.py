"""Data for tagging and classification at once: two data sets that share one vocabulary.

Sentences with tags and texts with labels are read by `data/tagging/datamodule.py` and
`data/classification/datamodule.py`; here is what joins them: vocabularies that are learned from
both training splits, and a batch of each at every training step (`interleaving.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from itertools import chain
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pytorch_lightning as pl

from rnnlp.data.classification.collate import ClassificationBatch
from rnnlp.data.classification.datamodule import ClassificationData
from rnnlp.data.corpus.report import Notes
from rnnlp.data.datamodule.labelled import LabelledData
from rnnlp.data.datamodule.loader import ResumableLoader
from rnnlp.data.errors import InputError
from rnnlp.data.tagging.collate import TaggingBatch
from rnnlp.data.tagging.datamodule import TaggingData
from rnnlp.data.text.featurizer import Featurizer
from rnnlp.data.text.token_features import TokenFeature

from .interleaving import Alternating, PairedRows, PairedSampler


class JointBatch(NamedTuple):
    """What one training step sees."""

    tagging: TaggingBatch
    classification: ClassificationBatch


@dataclass(frozen=True, kw_only=True)
class TaggingPart:
    """Where the sentences come from, and how many make a batch.

    Args:
        train: File to train on; without it and without `hub`, a sample corpus is made.
        validation: File that decides when to stop; without it, a share of `train` does.
        test: File to score when training is done.
        hub: Data set of the Hugging Face hub, or a local folder of such a data set.
        revision: Version of the hub's data set: a commit, a tag or a branch.
        hub_tokens: Column of the hub's data set that holds lists of tokens.
        hub_tags: Column of the hub's data set that holds lists of tags.
        format: Format of the files; "auto" recognises it from the content.
        token_column: Column of the tokens in column files, from 1; recognised if not given.
        tag_column: Column of the tags in column files, from 1; the last, or UPOS in CoNLL-U.
        scheme: Scheme the model is trained in, whatever the scheme of the files.
        max_tokens: Most positions in a training batch, padding included.
        max_sentences: Most sentences in a training batch.
    """

    train: str | None = None
    validation: str | None = None
    test: str | None = None
    hub: str | None = None
    revision: str | None = None
    hub_tokens: str = "tokens"
    hub_tags: str = "ner_tags"
    format: Literal["auto", "conll", "conllu", "jsonl"] = "auto"
    token_column: int | None = None
    tag_column: int | None = None
    scheme: Literal["IOB1", "IOB2", "BIOES", "BILOU", "BMES"] = "BIOES"
    max_tokens: int = 1024
    max_sentences: int | None = 32


@dataclass(frozen=True, kw_only=True)
class ClassificationPart:
    """Where the texts come from, and how many make a batch.

    Args:
        train: File to train on; without it and without `hub`, a sample corpus is made.
        validation: File that decides when to stop; without it, a share of `train` does.
        test: File to score when training is done.
        hub: Data set of the Hugging Face hub, or a local folder of such a data set.
        revision: Version of the hub's data set: a commit, a tag or a branch.
        hub_text: Column of the hub's data set that holds the texts.
        hub_label: Column of the hub's data set that holds a label, or a list of them.
        format: Format of the files; "auto" recognises it from the content.
        text_column: Column of the text, by name or by number from 1; guessed if not given.
        label_column: Column of the label, by name or by number from 1; guessed if not given.
        label_separator: What parts the labels where a column holds several of them.
        label_before: Keep of a label only what stands before this mark: with ":" LOC of LOC:city.
        max_length: Most tokens of a text; of longer texts head and tail are kept. null: no limit.
        max_tokens: Most positions in a training batch, padding included.
        max_sentences: Most texts in a training batch.
    """

    train: str | None = None
    validation: str | None = None
    test: str | None = None
    hub: str | None = None
    revision: str | None = None
    hub_text: str = "text"
    hub_label: str = "label"
    format: Literal["auto", "csv", "tsv", "jsonl", "fasttext", "lines"] = "auto"
    text_column: str | int | None = None
    label_column: str | int | None = None
    label_separator: str | None = None
    label_before: str | None = None
    max_length: int | None = 512
    max_tokens: int = 2048
    max_sentences: int | None = 32


_OPTIONS = {
    "tagging": {option.name for option in fields(TaggingPart)},
    "classification": {option.name for option in fields(ClassificationPart)},
}


class JointData(pl.LightningDataModule):
    """Sentences with tags and texts with labels, looked up in the same vocabularies.

    Args:
        tagging: Where the sentences come from.
        classification: Where the texts come from.
        sample: Language of the sample corpora, which are made where no data is given.
        tokenizer_from: Folder of a trained model whose vocabularies are used, all of them, instead
            of learning some; `model.encoder_from` sets it.
        validation_share: Share of training data to validate on where there is no validation file.
        level: Whether raw text is split into words or, as for Chinese, into characters.
        lowercase: Look words up in lower case; character features keep their case.
        zero_digits: Look words up with every digit as 0.
        characters: Prepare the characters of each word.
        token_features: Which attributes of a token to prepare (bigram, shape, prefix, suffix).
        min_frequency: Words seen less often in training are unknown.
        vocabulary_size: Most words to keep; all if not given.
        vectors: Text file of pretrained vectors (GloVe, word2vec, fastText).
        vectors_limit: How many of that file's first words to know though training has none.
        evaluation_max_tokens: Most positions in a validation or test batch.
        num_workers: Processes that prepare batches ahead; 0 prepares them in the main one.
        seed: Decides the order of batches, the validation share and the sample corpora.
    """

    def __init__(
        self,
        *,
        tagging: TaggingPart = TaggingPart(),
        classification: ClassificationPart = ClassificationPart(),
        sample: Literal["english", "chinese"] = "english",
        tokenizer_from: str | None = None,
        validation_share: float = 0.1,
        level: Literal["word", "character"] = "word",
        lowercase: bool = False,
        zero_digits: bool = False,
        characters: bool = True,
        token_features: Sequence[TokenFeature] = (),
        min_frequency: int = 1,
        vocabulary_size: int | None = None,
        vectors: str | None = None,
        vectors_limit: int | None = 100_000,
        evaluation_max_tokens: int = 8192,
        num_workers: int = 0,
        seed: int = 1,
    ) -> None:
        super().__init__()
        named = [
            part.train is not None or part.hub is not None for part in (tagging, classification)
        ]
        if any(named) and not all(named):
            given, missing = ("tagging", "classification")[:: 1 if named[0] else -1]
            raise InputError(
                f"there is data for {given} and none for {missing}: set data.{missing}.train, or "
                "name neither for the sample corpora"
            )
        shared: dict[str, Any] = {
            "sample": sample,
            "tokenizer_from": tokenizer_from,
            "validation_share": validation_share,
            "level": level,
            "lowercase": lowercase,
            "zero_digits": zero_digits,
            "characters": characters,
            "token_features": token_features,
            "min_frequency": min_frequency,
            "vocabulary_size": vocabulary_size,
            "vectors": vectors,
            "vectors_limit": vectors_limit,
            "evaluation_max_tokens": evaluation_max_tokens,
            "num_workers": num_workers,
            "seed": seed,
        }
        with _naming("tagging"):
            self.tagging = TaggingData(**asdict(tagging), **shared)
        with _naming("classification"):
            self.classification = ClassificationData(**asdict(classification), **shared)
        self.num_workers = num_workers
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
    def classes(self) -> list[str]:
        """All labels, sorted, in the order of their ids."""
        self.prepare()
        return self.classification.classes

    @property
    def class_counts(self) -> list[int]:
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
            found = []
            for task, part in self.parts.items():
                with _naming(task):
                    found += [f"{task}: {line}" for line in part.prepare().notes]
            self._notes = [*found, *notes.lines()]
        return self._notes

    def setup(self, stage: str) -> None:
        """Reads the data if nobody has asked for it yet."""
        self.prepare()

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
            num_workers=self.num_workers,
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
