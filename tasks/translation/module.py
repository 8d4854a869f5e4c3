"""Translation, N tokens to M: loss and scores for Lightning.

The network itself is `models/translation/translator.py`, built by `config.py`; using a trained
translator needs `pipeline.py` only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from pytorch_lightning.cli import LightningArgumentParser
from torch import Tensor

from rnnlp.data.errors import InputError
from rnnlp.data.text.tokenizer import Tokenizer
from rnnlp.data.translation.collate import TranslationBatch
from rnnlp.models.layers.losses import token_loss
from rnnlp.models.translation.translator import Translator
from rnnlp.tasks.base.components import CELL_NAMES, EmbeddingConfig, EncoderConfig
from rnnlp.tasks.base.module import ModuleOptions, TaskModule, vocabulary_sizes
from rnnlp.tasks.base.plain import part_of

from .config import TranslatorConfig
from .decoding import perplexity, score, translate
from .scores import bleu_for, policy_of, translation_scores

_EXAMPLES = {
    "zh": "我昨天买了一本书。",
    "de": "Ein Mann liest ein Buch.",
    "fr": "Un homme lit un livre.",
}


@dataclass(frozen=True, kw_only=True)
class TranslationSettings(TranslatorConfig, ModuleOptions):
    """All that can be said about a translator in training.

    Args:
        joint_vocabulary: Whether both sides have one vocabulary.
        label_smoothing: Share of the target that is spread over all tokens.
        scheduled_sampling: Share of the words that the decoder reads in training which are what it
            would have said itself (Bengio et al. 2015); costs a second pass of the decoder.
    """

    embedding: EmbeddingConfig = EmbeddingConfig(size=256, characters="none")
    encoder: EncoderConfig = EncoderConfig(hidden_size=256)
    max_length: int | None = 100
    joint_vocabulary: bool = False
    label_smoothing: float = 0.1
    scheduled_sampling: float = 0.0


class Translation(TaskModule):
    """Trains a translator. The languages and the sizes come from the training data.

    Validation translates greedily; its BLEU decides which weights are kept.

    Args:
        options: Those of `TranslationSettings`.
    """

    headline = ("bleu", "chrf", "perplexity")
    hub_name = "translation"
    levels = ()  # that of the targets, which no encoder reads
    network: Translator
    settings: TranslatorConfig

    def __init__(self, **options: Any) -> None:
        self.options = TranslationSettings(**options)
        super().__init__()
        settings = self.options
        embedding = settings.embedding
        if settings.encoder_from is None and (
            embedding.characters != "none" or embedding.token_features
        ):
            raise InputError(
                "a translator reads tokens only, unless it reuses an encoder: set "
                "model.embedding.characters to none and model.embedding.token_features to []"
            )
        if settings.decoder.tie_embeddings == "all" and not settings.joint_vocabulary:
            raise InputError(
                "model.decoder.tie_embeddings is all, but each side has a vocabulary of its own: "
                "set data.joint_vocabulary to true, or model.decoder.tie_embeddings to output"
            )
        if settings.search.beam_size < 1:
            raise InputError(
                f"model.search.beam_size is {settings.search.beam_size}: it must be 1 or more"
            )
        for name in ("label_smoothing", "scheduled_sampling"):
            if not 0.0 <= (rate := getattr(settings, name)) < 1.0:
                raise InputError(f"model.{name} is {rate}: give a share from 0 to below 1")
        self.settings = part_of(settings, TranslatorConfig)
        self.label_smoothing = settings.label_smoothing
        self.scheduled_sampling = settings.scheduled_sampling
        try:
            self.network = self.settings.build()
        except ValueError as error:
            raise InputError(f"the model cannot be built: {error}") from error
        example = _EXAMPLES.get(settings.source, "A man is reading a book.")
        self.examples = (example, example)
        self._tokenizer: Tokenizer | None = None
        self._said: list[str] = []
        self._gold: list[str] = []

    @staticmethod
    def link(parser: LightningArgumentParser) -> None:
        """Says which settings follow from which: languages and vocabularies from the data."""
        parser.link_arguments("data", "model.sizes", vocabulary_sizes, apply_on="instantiate")
        parser.link_arguments("data", "model.target_size", target_size, apply_on="instantiate")
        for name in ("source", "target", "joint_vocabulary"):
            parser.link_arguments(f"data.{name}", f"model.{name}")
        parser.link_arguments("model.max_length", "data.max_length")

    def setup(self, stage: str) -> None:
        """Takes the tokenizer that validation makes text with."""
        super().setup(stage)
        self._tokenizer = self.trainer.datamodule.target_tokenizer  # type: ignore[attr-defined]

    def transfer_batch_to_device(
        self, batch: TranslationBatch, device: torch.device, dataloader_idx: int
    ) -> TranslationBatch:
        """Moves a batch, all but the lengths of both sides: packing wants them on the CPU."""
        moved: TranslationBatch = super().transfer_batch_to_device(batch, device, dataloader_idx)
        return moved._replace(target_lengths=batch.target_lengths)

    def training_step(self, batch: TranslationBatch, batch_idx: int) -> Tensor:
        """The loss of one batch, per target token."""
        features, network = batch.features, self.network
        state = network.encode(
            features.tokens, features.characters, features.token_features, features.lengths
        )
        seen = None
        if self.scheduled_sampling:
            seen = network.scheduled_sampling(
                state, batch.target, batch.target_lengths, self.scheduled_sampling
            )
        logits, targets = network(state, batch.target, batch.target_lengths, seen)
        loss = token_loss(logits, targets, smoothing=self.label_smoothing)
        self.log("train_loss", loss.detach(), prog_bar=True, batch_size=len(targets))
        return loss

    def validation_step(self, batch: TranslationBatch, batch_idx: int) -> None:
        """Adds one batch, translated greedily, to what is scored."""
        logits, targets = score(self.network, batch)
        self.log("validation_loss", token_loss(logits, targets), batch_size=len(targets))
        self._said += self._translations(batch, beam_size=1)
        self._gold += batch.gold

    def on_validation_epoch_end(self) -> None:
        """Logs BLEU of the greedy translations, which decides."""
        bleu = bleu_for(self.settings.target).corpus_score(self._said, [self._gold]).score
        self.log("validation_score", bleu, prog_bar=True)
        self._said, self._gold = [], []

    @property
    def policy(self) -> str:
        """How the scores are counted."""
        return policy_of(self.settings.search.beam_size)

    def summary(self) -> str:
        """What the model is, in a sentence."""
        encoder, decoder = self.settings.encoder, self.settings.decoder
        direction = "bidirectional " if encoder.bidirectional else ""
        return (
            f"A translator from {self.settings.source} to {self.settings.target}: {direction}"
            f"{CELL_NAMES[encoder.cell]} encoder ({encoder.num_layers} x {encoder.hidden_size}), "
            f"{CELL_NAMES[decoder.cell]} decoder ({decoder.num_layers} x {decoder.hidden_size}) "
            f"with {decoder.attention} attention."
        )

    def score(self, batches: Iterable[TranslationBatch]) -> dict[str, Any]:
        """The scores of the present weights, as `evaluate` prints them."""
        self.network.eval()
        said: list[str] = []
        gold: list[str] = []
        loss, tokens = 0.0, 0
        with torch.inference_mode():
            for batch in batches:
                logits, targets = score(self.network, batch)
                loss += float(token_loss(logits, targets)) * len(targets)
                tokens += len(targets)
                said += self._translations(batch)
                gold += batch.gold
        return {
            **translation_scores(said, gold, language=self.settings.target),
            "perplexity": round(perplexity(-loss, tokens), 3),
        }

    def _translations(self, batch: TranslationBatch, beam_size: int | None = None) -> list[str]:
        assert self._tokenizer is not None
        found = translate(self.network, batch.features, self.settings.search, beam_size=beam_size)
        return [self._tokenizer.decode(best.tokens).strip() for best, *_ in found]


def target_size(data: Any) -> int:
    """The number of target tokens."""
    return len(data.target_tokenizer)
