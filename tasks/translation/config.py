"""What a translator is built from: the values under `model` in a config and in `config.json`.

Annotations here are real types, since LightningCLI reads those of inherited fields. torch is
imported where a network is built: a model on another engine needs the values only.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from rnnlp.data.formats.layout import Layout
from rnnlp.data.text.tokenizer import BOS, PAD, UNK
from rnnlp.tasks.base.components import ModelConfig, check_ranges

if TYPE_CHECKING:
    from rnnlp.models import Translator


Metric = Literal["bleu", "chrf", "exact_match", "rouge_l"]
BANNED = (PAD, UNK, BOS)  # never part of a translation


@dataclass(frozen=True, kw_only=True)
class DecoderConfig:
    """The layers that write the target; target embeddings are as wide as source embeddings.

    Args:
        cell: The recurrence, such as lstm or gru, or ssru (Kim et al. 2019), whose step has no
            product with the state.
        hidden_size: Width of the state.
        num_layers: Number of layers. The first one asks the source, the others read its answer too.
        attention: How source positions are scored: general, dot (widths must agree), additive, or
            multihead; or monotonic, which reads one place at a time and never goes back (exactly,
            Wu & Cotterell 2019), for strings.
        attention_size: Hidden width of additive and multihead attention.
        heads: Heads of multihead attention.
        input_feeding: Whether each step's result is an input of the next one; slower.
        lexical: Whether the source embeddings that attention finds go straight to the prediction,
            past the recurrent states (Nguyen & Chiang 2018); monotonic attention has no such path.
        embedding_dropout: Share of components of target embeddings dropped in training, the same
            ones at each position.
        dropout: Share of components dropped in training between the parts.
        tie_embeddings: Which tables are one: that of target embeddings and that of the output layer
            ("output"), source embeddings as well ("all", with data.joint_vocabulary), or "none".
        copy: Whether words of the source can be copied, also those of no vocabulary (a
            pointer-generator, See et al. 2017).
        copy_dropout: Share of positions in training at which only words of no vocabulary can be
            copied, so that the decoder learns to write the others itself; with copy. Worth it (0.9)
            where tokens are characters, which stand in many places.
    """

    cell: str = "lstm"
    hidden_size: int = 256
    num_layers: int = 2
    attention: Literal["general", "dot", "additive", "multihead", "monotonic"] = "general"
    attention_size: int = 256
    heads: int = 4
    input_feeding: bool = False
    lexical: bool = True
    embedding_dropout: float = 0.3
    dropout: float = 0.3
    tie_embeddings: Literal["none", "output", "all"] = "output"
    copy: bool = False
    copy_dropout: float = 0.0


@dataclass(frozen=True, kw_only=True)
class SearchConfig:
    """How translations are searched for, unless told otherwise.

    Args:
        beam_size: Hypotheses that are followed for a sentence; 1 is greedy.
        length_penalty: Above 0 long translations lose less (alpha of Wu et al. 2016).
        coverage_penalty: Above 0 source words that were never looked at cost (beta, there).
        no_repeat_ngram_size: No n-gram of this size twice in a translation; 0 allows all.
        min_length: Fewest tokens of a translation.
        min_length_ratio: Fewest tokens for each token of the source.
        max_length: Most tokens of a translation, however long its source is, so that a text that
            is no sentence ends; null for no such limit.
        max_length_ratio: Most tokens for each token of the source, beyond the first ten; where
            training has longer translations, as many as there.
        shortlist: How many target tokens each token of a source proposes; only those, and the most
            frequent ones, are looked at. It is faster, and what else would have been said is not
            found. 0 looks at the whole vocabulary.
    """

    beam_size: int = 5
    length_penalty: float = 1.0
    coverage_penalty: float = 0.0
    no_repeat_ngram_size: int = 0
    min_length: int = 0
    min_length_ratio: float = 0.0
    max_length: int | None = 2000
    max_length_ratio: float = 3.0
    shortlist: int = 0


@dataclass(frozen=True, kw_only=True)
class TranslatorConfig(ModelConfig):
    """Everything needed to build a translator: what `config.json` keeps under `model`.

    Args:
        source: Language that is translated from, as files and columns name it.
        target: Language that is translated into.
        target_size: Number of target tokens.
        embedding: How source tokens become vectors.
        encoder: The recurrent layers that read the source.
        decoder: The layers that write the target.
        search: How translations are searched for, once training is done.
        max_length: Most tokens of a training sentence.
        metric: The score that decides which weights are kept: bleu, chrf, exact_match (the share
            of outputs that are right as a whole), which short strings want, or rouge_l, which
            summaries do.
        layout: How the training file was laid out, and others are read.
    """

    source: str
    target: str
    target_size: int
    decoder: DecoderConfig = DecoderConfig()
    search: SearchConfig = SearchConfig()
    max_length: int | None = None
    metric: Metric = "bleu"
    layout: Layout = field(default_factory=Layout)

    def build(self) -> "Translator":
        """The translator with fresh weights."""
        from rnnlp.models import Decoder, MonotonicDecoder, Translator

        decoder: dict[str, Any] = {**vars(self.decoder)}
        embedding = self.embedding.build(self.sizes)
        encoder = self.encoder.build(embedding.output_size)
        decoder["word_size"] = embedding.output_size if decoder.pop("lexical") else 0
        monotonic = self.decoder.attention == "monotonic"
        if monotonic:  # it has no other attention
            for name in ("attention", "attention_size", "heads", "input_feeding", "word_size"):
                del decoder[name]
        return Translator(
            embedding=embedding,
            encoder=encoder,
            decoder=(MonotonicDecoder if monotonic else Decoder)(
                vocabulary_size=self.target_size,
                memory_size=encoder.output_size,
                final_size=encoder.output_size,
                size=self.embedding.size,
                embedding=embedding.words if self.decoder.tie_embeddings == "all" else None,
                unknown=UNK,
                **decoder,
            ),
        )


def target_bounds(lengths: Any, search: SearchConfig) -> tuple[Any, Any]:
    """How many tokens translations have at least and at most: whole numbers.

    Args:
        lengths: Tokens of the sources, a tensor or an array of whole numbers.
        search: What bounds them.
    """
    shortest = lengths * round(1000 * search.min_length_ratio) // 1000
    longest = lengths * round(1000 * search.max_length_ratio) // 1000 + 10
    if search.max_length is not None:
        longest = longest.clip(max=search.max_length)
    return shortest.clip(min=search.min_length), longest


def check_search(search: SearchConfig, *, prefix: str) -> None:
    """Refuses values that nothing can be searched with.

    Args:
        search: The values.
        prefix: What stands before their names where the user gives them.

    Raises:
        InputError: One is out of its range.
    """
    check_ranges(
        search,
        ("beam_size", search.beam_size >= 1, "1 or more"),
        ("length_penalty", search.length_penalty >= 0, "0 or more"),
        ("coverage_penalty", search.coverage_penalty >= 0, "0 or more"),
        ("no_repeat_ngram_size", search.no_repeat_ngram_size >= 0, "0 (for none) or more"),
        ("min_length", search.min_length >= 0, "0 or more"),
        ("min_length_ratio", search.min_length_ratio >= 0, "0 or more"),
        (
            "max_length",
            search.max_length is None or search.max_length >= max(1, search.min_length),
            "1 or more, and not below min_length",
        ),
        ("max_length_ratio", search.max_length_ratio >= 0, "0 or more"),
        ("shortlist", search.shortlist >= 0, "0 (for all tokens) or more"),
        prefix=prefix,
    )
