"""What a tagger is built from: plain values on one side, the network on the other.

Annotations here are real types, since LightningCLI reads those of inherited fields. torch is
imported where a network is built: a model on another engine needs the values only.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rnnlp.data.errors import InputError
from rnnlp.data.formats.layout import Layout
from rnnlp.data.tagging.schemes import allowed_transitions
from rnnlp.tasks.base.components import EncoderConfig, ModelConfig, check_ngrams

if TYPE_CHECKING:
    from rnnlp.models import Tagger


@dataclass(frozen=True, kw_only=True)
class TaggerHead:
    """What stands above the encoder.

    Args:
        crf: Whether a CRF scores whole sequences; otherwise each tag by softmax.
        dropout: Share of encoder outputs dropped before the tag scores.
        ngrams: Longest n-grams of tokens around each token that count straight towards its tags,
            beside the rest; None for none.
        ngram_dropout: Share of these n-grams dropped in training.
    """

    crf: bool = True
    dropout: float = 0.3
    ngrams: int | None = None
    ngram_dropout: float = 0.3

    def check_head(self, encoder: EncoderConfig, prefix: str) -> None:
        """Refuses n-grams of no length, or of tokens that a reader of texts that go on lacks.

        Args:
            encoder: What is below the head.
            prefix: What stands before the names of the settings where the user gives them.

        Raises:
            InputError: They are.
        """
        check_ngrams(self.ngrams, f"{prefix}ngrams")
        if self.ngrams is not None and not encoder.bidirectional:
            raise InputError(
                f"{prefix}ngrams reads the tokens on both sides of each, and the encoder those on "
                f"one: set model.encoder.bidirectional to true, or {prefix}ngrams to null"
            )


@dataclass(frozen=True, kw_only=True)
class TaggerTraining:
    """What is fitted after training.

    Args:
        fit_thresholds: Choose on a half of the validation data how much less the tag O counts, so
            that F1 is best: where too little is found, more is then found.
    """

    fit_thresholds: bool = False


@dataclass(frozen=True, kw_only=True)
class TaggerConfig(ModelConfig, TaggerHead):
    """Everything needed to build a tagger: what `config.json` keeps under `model`.

    Args:
        tags: The tags, in the order of the output layer.
        scheme: The scheme that the tags follow; None for plain tags such as parts of speech.
        layout: How the training file was laid out, and others are read.
    """

    tags: list[str]
    scheme: str | None
    layout: Layout = field(default_factory=Layout)

    def build(self) -> "Tagger":
        """The tagger with fresh weights. Either way of decoding obeys the scheme."""
        from rnnlp.models import CRF, ConstrainedSoftmax, Neighbours, Tagger

        allowed, start, end = allowed_transitions(self.tags, self.scheme)
        head = CRF if self.crf else ConstrainedSoftmax
        embedding = self.embedding.build(self.sizes)
        encoder = self.encoder.build(embedding.output_size)
        neighbours = None
        if self.ngrams is not None:
            neighbours = Neighbours(
                order=self.ngrams,
                columns=1 + len(embedding.token_features),
                tags=len(self.tags),
                dropout=self.ngram_dropout,
            )
        return Tagger(
            embedding=embedding,
            encoder=encoder,
            output=head(tags=len(self.tags), allowed=allowed, start=start, end=end),
            dropout=self.dropout,
            neighbours=neighbours,
        )
