"""The settings of data modules: what is said once for all tasks.

Each setting is declared, documented and given its default here, or in the options of its task,
which inherit from these. LightningCLI reads the dataclasses, so that they are also what stands
under `data` in a config; a data module keeps its own as `options`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from rnnlp.data.errors import InputError
from rnnlp.data.formats.encodings import named_encoding
from rnnlp.data.formats.weights import WEIGHT
from rnnlp.data.text.token_features import TokenFeature
from rnnlp.data.text.tokenizer import BYTES, SPECIALS


@dataclass(frozen=True, kw_only=True)
class Files:
    """Where examples come from.

    Args:
        train: File to train on; without it and without `hub`, a sample corpus is made.
        validation: File that decides when to stop; without it, a share of `train` does.
        test: File to score when training is done.
        hub: Data set of the Hugging Face hub, or a local folder of such a data set.
        revision: Version of the hub's data set: a commit, a tag or a branch.
        skip_bad_rows: Leave out rows that cannot be read, with a count and their places, instead of
            stopping at the first one.
        encoding: Encoding of the files, such as gb18030; null for UTF-8 and what is recognised.
    """

    train: str | None = None
    validation: str | None = None
    test: str | None = None
    hub: str | None = None
    revision: str | None = None
    skip_bad_rows: bool = False
    encoding: str | None = None


@dataclass(frozen=True, kw_only=True)
class GroupedFiles(Files):
    """Where labelled examples come from.

    Args:
        group_column: Column or key of `train`, a table or JSON lines; examples with the same value
            in it stay together where validation data is cut from `train`.
        weight_column: Column or key of `train`, a table or JSON lines, that says how much an
            example counts in the loss where others count 1; "weight" need not be there; null for
            none.
    """

    group_column: str | int | None = None
    weight_column: str | int | None = WEIGHT


@dataclass(frozen=True, kw_only=True)
class Batches:
    """How many examples are learned from at once.

    Args:
        max_tokens: Most positions in a training batch, padding included.
        max_sentences: Most examples in a training batch.
    """

    max_tokens: int = 4096
    max_sentences: int | None = 32


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """How examples are made ready.

    Args:
        tokenizer_from: Folder of a trained model whose vocabularies are used, all of them, instead
            of learning some; `model.encoder_from` sets it.
        validation_share: Share of `train` to validate on where `validation` is not given.
        folds: Cross-validation: `fit` cuts the training data into so many folds, and trains once
            for each, validated on it; null for one run.
        fold: Only this one of the folds, from 1; null for all of them, one after the other.
        lowercase: Look tokens up in lower case.
        min_frequency: Words seen less often in training are unknown.
        vocabulary_size: Most words to keep; all if not given.
        evaluation_max_tokens: Most positions in a validation or test batch.
        num_workers: Processes that prepare batches ahead; 0 prepares them in the main one.
        seed: Decides the order of batches, the validation share and the sample corpus.
    """

    tokenizer_from: str | None = None
    validation_share: float = 0.1
    folds: int | None = None
    fold: int | None = None
    lowercase: bool = False
    min_frequency: int = 1
    vocabulary_size: int | None = None
    evaluation_max_tokens: int = 8192
    num_workers: int = 0
    seed: int = 1


@dataclass(frozen=True, kw_only=True)
class WordOptions(Preparation):
    """How words, or characters in the place of words, are looked up for tagging and classification.

    Args:
        sample: Language of the sample corpus.
        level: Whether raw text is split into words or, as for Chinese, into characters.
        lowercase: Look words up in lower case; character features keep their case.
        zero_digits: Look words up with every digit as 0.
        characters: Prepare the characters of each word.
        token_features: What else of a token to prepare (bigram, shape, prefix, suffix).
        vectors: Text file of pretrained vectors (GloVe, word2vec, fastText).
        vectors_limit: Add words that training lacks from its first so many vectors; all if null.
    """

    sample: Literal["english", "chinese"] = "english"
    level: Literal["word", "character"] = "word"
    zero_digits: bool = False
    characters: bool = False
    token_features: list[TokenFeature] | tuple[TokenFeature, ...] = ()
    vectors: str | None = None
    vectors_limit: int | None = 100_000


@dataclass(frozen=True, kw_only=True)
class SequenceOptions(Files, Batches, Preparation):
    """What the data modules of all tasks have."""


@dataclass(frozen=True, kw_only=True)
class LabelledOptions(Files, Batches, WordOptions):
    """What the data modules of tagging and classification have.

    Args:
        extend_vocabulary: Add to the vocabulary of `tokenizer_from` what the training data has
            beyond it; `model.continue_from` sets it.
        further_labels: Labels (of entities: their types) that there are beside those of the
            training data; `model.continue_from` sets it.
    """

    extend_vocabulary: bool = False
    further_labels: list[str] | tuple[str, ...] = ()


def check_folds(options: SequenceOptions | LabelledOptions) -> None:
    """Refuses folds that there cannot be.

    Raises:
        InputError: Fewer than two, a number beyond them, or validation data as well.
    """
    folds, fold = options.folds, options.fold
    if folds is None:
        if fold is not None:
            raise InputError(f"data.fold is {fold}, and data.folds does not say of how many")
        return
    if folds < 2 or not 1 <= (fold or 1) <= folds:
        raise InputError(
            f"data.folds is {folds} and data.fold {fold}: give 2 folds or more, and one of them"
        )
    if options.validation is not None:
        raise InputError(
            "data.folds cuts what is validated on out of data.train, and there is validation data "
            "already: leave out one of them"
        )


def check_files(options: Files) -> None:
    """Refuses files that contradict each other.

    Raises:
        InputError: They do.
    """
    if getattr(options, "group_column", None) is not None and (
        options.train is None or options.validation is not None
    ):
        raise InputError(
            "data.group_column says what stays together where validation data is cut from "
            "data.train: leave out data.validation, or data.group_column"
        )
    with named_encoding(options.encoding):
        pass  # there is one of this name
    if options.train is None and getattr(options, "weight_column", None) not in (None, WEIGHT):
        raise InputError("data.weight_column is a column of data.train: name that file as well")
    if options.hub is not None and options.train is not None:
        raise InputError("data.train and data.hub are both given: choose one")
    if options.train is None and options.hub is None and (options.validation or options.test):
        raise InputError("data.validation or data.test without data.train: name it as well")


def at_least(options: Any, **bounds: int) -> None:
    """Refuses numbers that are too small.

    Args:
        options: Has them.
        bounds: The least value of each by name; null is none too small.

    Raises:
        InputError: One is.
    """
    for name, least in bounds.items():
        value = getattr(options, name)
        if value is not None and value < least:
            raise InputError(f"data.{name} is {value}: it must be {least} or more")


def check_subwords(options: Any) -> None:
    """Refuses a vocabulary of sub-words that has no room for the bytes that they begin with.

    Raises:
        InputError: It has none.
    """
    least = len(SPECIALS) + BYTES
    if options.level == "bpe" and (options.vocabulary_size or least) < least:
        raise InputError(
            f"data.vocabulary_size is {options.vocabulary_size}: sub-words begin with the {BYTES} "
            f"bytes and {len(SPECIALS)} special tokens, so it must be {least} or more"
        )
