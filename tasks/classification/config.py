"""A text classifier as plain values: what `config.json` of its folder keeps, and its rebuilding.

Annotations here are real types, since LightningCLI reads those of inherited fields. torch is
imported where a network is built: a model on another engine needs the values only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from rnnlp.data.classification.columns import FurtherColumn
from rnnlp.data.errors import InputError
from rnnlp.data.formats.layout import Layout
from rnnlp.tasks.base.components import ModelConfig, check_ranges

if TYPE_CHECKING:
    from rnnlp.models import (
        BagEncoder,
        Classifier,
        ColumnScores,
        Embedding,
        Encoder,
        LinearClassifier,
        NGrams,
    )

LongTexts = Literal["head_tail", "windows"]


@dataclass(frozen=True, kw_only=True)
class ClassifierHead:
    """What stands above the encoder.

    Args:
        pooling: How the states of a text become one vector: last, max, mean, attention, a class of
            your own (module.NAME), or several of them side by side.
        attention_size: Width of the layer that attention weights come from.
        max_length: Most tokens of a text that are read, or tokens of a window; null for no limit.
        state_dropout: Share of components of the states dropped before pooling, in training.
        dropout: Share of the pooled vector dropped in training.
        ngrams: Longest n-grams of tokens that count straight towards the labels, beside the rest;
            null for none.
        ngram_dropout: Share of the n-grams of a text dropped in training.
        label_separator: What parts the labels of a text in files.
        label_before: The mark up to which a label in a file counts.
    """

    pooling: list[str] = field(default_factory=lambda: ["max"])
    attention_size: int = 100
    max_length: int | None = 512
    state_dropout: float = 0.0
    dropout: float = 0.5
    ngrams: int | None = None
    ngram_dropout: float = 0.3
    label_separator: str = ""
    label_before: str = ""


@dataclass(frozen=True, kw_only=True)
class ClassifierTraining:
    """What a classifier is trained towards.

    Args:
        label_smoothing: Share of the target that is spread over all labels.
        class_weights: "balanced" lets rare labels count more in the loss, each label the same;
            numbers by label say how much its texts count, others once.
        soft_temperature: Where texts have a probability a label, what these and the model's own
            are softened by in training.
        fit_thresholds: Where a text may have several labels, choose on a half of the validation
            data the probability from which each is given: that of the best F1.
    """

    label_smoothing: float = 0.0
    class_weights: Literal["none", "balanced"] | dict[str, float] = "none"
    soft_temperature: float = 1.0
    fit_thresholds: bool = False

    def check_training(self, prefix: str = "model.") -> None:
        """Refuses settings that are out of their range; `prefix` is where the user gives them.

        Raises:
            InputError: One is.
        """
        check_ranges(
            self,
            ("label_smoothing", 0 <= self.label_smoothing < 1, "0 or more and below 1"),
            ("soft_temperature", 0.1 <= self.soft_temperature <= 100, "from 0.1 to 100"),
            prefix=prefix,
        )


@dataclass(frozen=True, kw_only=True)
class ClassifierConfig(ModelConfig, ClassifierHead):
    """Everything needed to build a classifier: what `config.json` keeps under `model`.

    Args:
        classes: The labels, in the order of the output layer.
        multilabel: Whether a text may have any number of labels.
        recurrent: Whether there are recurrent layers. False gives a control: with ngrams a linear
            model on them alone, else a bag of embeddings.
        long_texts: What is done with more tokens: keep head and tail, or read all in windows.
        thresholds: Where a text may have several labels, the probability from which each is given,
            in the order of the classes; empty for a half.
        layout: How the training file was laid out, and others are read.
        columns: What is read beside the text.
    """

    classes: list[str]
    multilabel: bool
    recurrent: bool = True
    long_texts: LongTexts = "head_tail"
    thresholds: list[float] = field(default_factory=list)
    layout: Layout = field(default_factory=Layout)
    columns: list[FurtherColumn] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.thresholds and (
            len(self.thresholds) != len(self.classes)
            or not all(0.0 <= least <= 1.0 for least in self.thresholds)
        ):
            raise InputError(
                f"model.thresholds is {self.thresholds}: give a probability for each of the "
                f"{len(self.classes)} labels, in their order, or none"
            )

    @property
    def kept_length(self) -> int | None:
        """Most tokens of a text that are kept; windows read all of them."""
        return self.max_length if self.long_texts == "head_tail" else None

    @property
    def linear(self) -> bool:
        """Whether n-grams are all that is read."""
        return self.ngrams is not None and not self.recurrent

    def build(self) -> "Classifier | LinearClassifier":
        """The classifier with fresh weights."""
        from rnnlp.models import BagEncoder, LinearClassifier

        if self.linear:
            ngrams = self._ngrams()
            assert ngrams is not None
            return LinearClassifier(
                ngrams=ngrams,
                classes=len(self.classes),
                multilabel=self.multilabel,
                columns=self._column_scores(),
            )
        embedding = self.embedding.build(self.sizes)
        return self.build_on(
            embedding,
            self.encoder.build(embedding.output_size)
            if self.recurrent
            else BagEncoder(input_size=embedding.output_size),
        )

    def build_on(self, embedding: "Embedding", reader: "Encoder | BagEncoder") -> "Classifier":
        """The classifier around an embedding and an encoder that there are already."""
        from rnnlp.models import Classifier, Pooling, WindowedEncoder

        encoder: Encoder | BagEncoder | WindowedEncoder = reader
        if self.long_texts == "windows" and self.max_length is not None:
            encoder = WindowedEncoder(encoder=reader, window=self.max_length)
        pooling = Pooling(
            size=encoder.output_size, ways=self.pooling, attention_size=self.attention_size
        )
        return Classifier(
            embedding=embedding,
            encoder=encoder,
            pooling=pooling,
            classes=len(self.classes),
            ngrams=self._ngrams(),
            multilabel=self.multilabel,
            state_dropout=self.state_dropout,
            dropout=self.dropout,
            columns=self._column_scores(),
        )

    def _column_scores(self) -> "ColumnScores | None":
        from rnnlp.models import ColumnScores

        if not self.columns:
            return None
        return ColumnScores(
            categories=[len(column.categories or ()) for column in self.columns],
            classes=len(self.classes),
            dropout=self.dropout,
        )

    def _ngrams(self) -> "NGrams | None":
        from rnnlp.models import NGrams

        if self.ngrams is None:
            return None
        return NGrams(
            order=self.ngrams,
            rows=self.sizes.ngrams,
            classes=len(self.classes),
            dropout=self.ngram_dropout,
        )


def check_pooling(pooling: Sequence[str], name: str) -> None:
    """Refuses a list of ways that names none, or one twice.

    Raises:
        InputError: It does.
    """
    from rnnlp.models.classification.pooling import WAYS, can_pool

    if not can_pool(pooling):
        raise InputError(
            f"{name} is {list(pooling)}: name one or more of {', '.join(WAYS)}, each once, or a "
            "class of your own as module.NAME"
        )
