"""The parts a user composes in YAML: plain values on one side, modules of `models/` on the other.

Each class below is what stands under `model.embedding`, `model.encoder` and so on in a config, and
what `config.json` of a model folder keeps. `build` calls the constructor in `models/`; nothing else
in the package turns names into modules, so a saved model is rebuilt by the very code that made it.

Annotations here are real types, since LightningCLI reads those of inherited fields. torch is
imported where a network is built: a model on another engine needs the values only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import Self

from rnnlp.data.errors import InputError
from rnnlp.data.text.token_features import TokenFeature

from .plain import from_plain, to_plain

if TYPE_CHECKING:
    from rnnlp.models import Embedding, Encoder

LONGEST = 8  # tokens of an n-gram


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Vocabulary sizes, known once the training data is read.

    Args:
        tokens: Number of words (or characters, at character level).
        characters: Number of characters inside words; 0 without character features.
        token_features: Number of values of each attribute of `embedding.token_features`.
        ngrams: Number of n-grams that count towards labels.
    """

    tokens: int
    characters: int = 0
    token_features: Sequence[int] = ()
    ngrams: int = 0


@dataclass(frozen=True, kw_only=True)
class EmbeddingConfig:
    """How tokens become vectors.

    Args:
        size: Width of a token's vector; with pretrained vectors, their width.
        characters: What reads the characters of a word: a convolution, a recurrent net, or nothing.
        character_size: Width of a character's vector.
        character_features: Width of what is read from a word's characters.
        token_features: What else is told of a token. Its shape (capitals, digits), prefix and
            suffix help where data is small; bigram (with the token before it) helps Chinese
            characters.
        token_feature_size: Width of the vector of each attribute.
        word_dropout: Share of tokens replaced by the unknown token in training.
        dropout: Share of vector components dropped in training, the same ones at each position.
        freeze_vectors: Whether pretrained vectors stay as they are.
    """

    size: int = 100
    characters: Literal["cnn", "rnn", "none"] = "cnn"
    character_size: int = 30
    character_features: int = 50
    token_features: list[TokenFeature] = field(default_factory=list)
    token_feature_size: int = 30
    word_dropout: float = 0.0
    dropout: float = 0.3
    freeze_vectors: bool = False

    def build(self, sizes: Sizes) -> "Embedding":
        """The embedding for vocabularies of these sizes."""
        from rnnlp.models import Embedding

        own = {name: value for name, value in vars(self).items() if name != "token_features"}
        return Embedding(
            vocabulary_size=sizes.tokens,
            character_vocabulary_size=sizes.characters,
            token_feature_vocabulary_sizes=sizes.token_features,
            **own,
        )


@dataclass(frozen=True, kw_only=True)
class EncoderConfig:
    """The recurrent layers.

    Args:
        cell: The recurrence, such as lstm, or one of your own (module.NAME); minGRU trains in
            parallel over time, and wants two layers and look_back.
        hidden_size: Width of the state, for each direction.
        num_layers: Number of layers on top of each other.
        bidirectional: Whether each layer also reads from the end to the start.
        dropout: Share of components dropped between layers in training.
        locked_dropout: Whether dropout between layers drops the same components at each position.
        weight_dropout: Share of recurrent weights dropped in training (weight drop); minGRU has
            none.
        residual: Whether a layer's input is added to its output where the widths agree.
        layer_norm: Whether each layer's output is normalised.
        look_back: Whether upper layers also read the states below before each token, which minGRU
            and SSRU want.
        orthogonal: Whether the recurrent weights of each gate start as an orthogonal matrix.
        forget_bias: What the gate that keeps the old state starts from: 1 keeps more of it, null
            leaves it to chance.
        memory_span: Instead of forget_bias, start gates so that they keep what they read for 1 to
            this many tokens, each unit its own span.
    """

    cell: str = "lstm"
    hidden_size: int = 200
    num_layers: int = 1
    bidirectional: bool = True
    dropout: float = 0.3
    locked_dropout: bool = False
    weight_dropout: float = 0.0
    residual: bool = False
    layer_norm: bool = False
    look_back: bool = False
    orthogonal: bool = False
    forget_bias: float | None = None
    memory_span: int | None = None

    def build(self, input_size: int) -> "Encoder":
        """The encoder for vectors of `input_size` components."""
        from rnnlp.models import Encoder

        return Encoder(input_size=input_size, **vars(self))

    def describe(self) -> str:
        """The encoder in a few words."""
        from rnnlp.models.recurrence.cells import find_cell

        direction = "bidirectional " if self.bidirectional else ""
        return f"{direction}{find_cell(self.cell).title} ({self.num_layers} x {self.hidden_size})"


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """What every network is built from, whatever stands above.

    Args:
        sizes: Vocabulary sizes.
        embedding: How tokens become vectors.
        encoder: The recurrent layers.
    """

    sizes: Sizes
    embedding: EmbeddingConfig
    encoder: EncoderConfig

    def to_json(self) -> dict[str, Any]:
        """What `config.json` keeps under `model`."""
        return to_plain(self)

    @classmethod
    def from_json(cls, values: Any, *, source: str) -> Self:
        """The inverse of `to_json`; see `from_plain`.

        Raises:
            InputError: A value is missing, unknown, or of another type.
        """
        return from_plain(cls, values, source=source)


@dataclass(frozen=True, kw_only=True)
class TransferConfig:
    """Reuse of what another model has learned.

    Args:
        encoder_from: Folder or hub id of a trained model of any task, whose embedding, encoder and
            vocabulary are reused; or two in a list, that read in opposite directions.
        freeze_encoder: Whether what is reused stays as it is.
        unfreeze_epoch: Let it learn after so many epochs all the same; null for never.
        encoder_learning_rate_factor: Its learning rate, as a multiple of that of the other layers.
    """

    encoder_from: str | list[str] | None = None
    freeze_encoder: bool = False
    unfreeze_epoch: int | None = None
    encoder_learning_rate_factor: float = 1.0

    @property
    def reuses(self) -> bool:
        """Whether there is an encoder that was trained before."""
        return self.encoder_from is not None

    def check(self) -> None:
        """Refuses settings that contradict each other.

        Raises:
            InputError: They do.
        """
        factor = self.encoder_learning_rate_factor
        if not factor > 0.0:
            raise InputError(
                f"model.encoder_learning_rate_factor is {factor}: it must be above 0; "
                "model.freeze_encoder true keeps what is reused as it is"
            )
        if self.unfreeze_epoch is not None and (self.unfreeze_epoch < 1 or not self.freeze_encoder):
            raise InputError(
                f"model.unfreeze_epoch is {self.unfreeze_epoch}: it takes a number from 1, and "
                "model.freeze_encoder true"
            )
        if not self.reuses and (self.freeze_encoder or factor != 1.0):
            name = "freeze_encoder" if self.freeze_encoder else "encoder_learning_rate_factor"
            raise InputError(f"model.{name} is for a reused encoder: set model.encoder_from")


def check_ngrams(order: int | None, name: str) -> None:
    """Refuses n-grams of no token, and those too long to occur twice.

    Raises:
        InputError: They are.
    """
    if order is not None and not 1 <= order <= LONGEST:
        raise InputError(
            f"{name} is {order}: give the tokens of the longest n-grams, 1 to {LONGEST}, or null"
        )


def check_ranges(values: object, *rules: tuple[str, bool, str], prefix: str) -> None:
    """Refuses a setting that is out of its range.

    Args:
        values: The settings.
        rules: Of each the name, whether it is within its range, and the range in words.
        prefix: What stands before the name where the user gives it.

    Raises:
        InputError: One is not.
    """
    for name, fits, what in rules:
        if not fits:
            raise InputError(f"{prefix}{name} is {getattr(values, name)}: it must be {what}")
