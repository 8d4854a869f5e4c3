"""Translation, N tokens to M: loss and scores for Lightning.

The network itself is `models/translation/translator.py`, built by `config.py`; using a trained
translator needs `pipeline.py` only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from pytorch_lightning.cli import LightningArgumentParser

from rnnlp.data.errors import InputError
from rnnlp.data.translation.collate import TranslationBatch
from rnnlp.models.translation.translator import Translator
from rnnlp.tasks.base.components import EmbeddingConfig, EncoderConfig
from rnnlp.tasks.base.module import Get, ModuleOptions, vocabulary_sizes
from rnnlp.tasks.base.objective import ObjectiveModule
from rnnlp.tasks.base.plain import part_of

from .config import TranslatorConfig, check_search
from .objective import TranslationObjective
from .rouge import check_rouge


@dataclass(frozen=True, kw_only=True)
class TranslationSettings(TranslatorConfig, ModuleOptions):
    """All that can be said about a translator in training.

    Args:
        joint_vocabulary: Whether both sides have one vocabulary.
        length_ratio: Target tokens for each source token, beyond the first ten, that the training
            data has at most.
        label_smoothing: Share of the target that is spread over all tokens.
        scheduled_sampling: Share of the words that the decoder reads in training which are what it
            would have said itself (Bengio et al. 2015); costs a second pass of the decoder.
        coverage_loss: Weight of what it costs in training to look at a place of the source more
            than once (See et al. 2017); 0 for nothing.
    """

    embedding: EmbeddingConfig = EmbeddingConfig(size=256, characters="none")
    encoder: EncoderConfig = EncoderConfig(hidden_size=256)
    max_length: int | None = 100
    joint_vocabulary: bool = False
    length_ratio: float = 0.0
    label_smoothing: float = 0.1
    scheduled_sampling: float = 0.0
    coverage_loss: float = 0.0


# Scores that a translator reaches by chance, with words that every sentence has.
SCORE_FLOORS = {"bleu": 1.0, "chrf": 5.0, "exact_match": 0.0, "rouge_l": 5.0}


class Translation(ObjectiveModule):
    """Trains a translator. The languages and the sizes come from the training data.

    Validation translates greedily; its BLEU decides which weights are kept.

    Args:
        options: Those of `TranslationSettings`.
    """

    headline = TranslationObjective.headline
    objective: TranslationObjective
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
        if settings.decoder.attention == "monotonic" and settings.decoder.input_feeding:
            raise InputError(
                "model.decoder.input_feeding feeds on what was looked at, which monotonic "
                "attention sums over: set it to false, or model.decoder.attention to another"
            )
        if settings.search.shortlist and (
            settings.decoder.copy or settings.decoder.attention == "monotonic"
        ):
            raise InputError(
                "model.search.shortlist does not go with model.decoder.copy, nor with monotonic "
                "attention: set it to 0"
            )
        if settings.metric == "rouge_l":
            check_rouge()
        check_search(settings.search, prefix="model.search.")
        for name in ("label_smoothing", "scheduled_sampling"):
            if not 0.0 <= (rate := getattr(settings, name)) < 1.0:
                raise InputError(f"model.{name} is {rate}: give a share from 0 to below 1")
        if settings.coverage_loss < 0:
            raise InputError(f"model.coverage_loss is {settings.coverage_loss}: give 0 or more")
        ratio = max(settings.search.max_length_ratio, settings.length_ratio)
        search = replace(settings.search, max_length_ratio=ratio)
        self.score_floor = SCORE_FLOORS[settings.metric]
        self.settings = replace(part_of(settings, TranslatorConfig), search=search)
        self.objective = TranslationObjective(
            self.settings,
            label_smoothing=settings.label_smoothing,
            scheduled_sampling=settings.scheduled_sampling,
            coverage=settings.coverage_loss,
        )
        try:
            self.network = self.settings.build()
        except ValueError as error:
            raise InputError(f"the model cannot be built: {error}") from error
        self.examples = (self.objective.example(settings.source),) * 2

    @staticmethod
    def link(parser: LightningArgumentParser) -> None:
        """Says which settings follow from which: languages and vocabularies from the data."""
        parser.link_arguments("data", "model.sizes", vocabulary_sizes, apply_on="instantiate")
        parser.link_arguments("data", "model.target_size", target_size, apply_on="instantiate")
        parser.link_arguments(
            "data", "model.length_ratio", Get("length_ratio"), apply_on="instantiate"
        )
        parser.link_arguments("data", "model.layout", Get("layout"), apply_on="instantiate")
        for name in ("source", "target", "joint_vocabulary"):
            parser.link_arguments(f"data.{name}", f"model.{name}")
        parser.link_arguments("model.max_length", "data.max_length")
        parser.link_arguments("model.decoder.copy", "data.copy")
        parser.link_arguments("model.search.shortlist", "data.shortlist")

    def setup(self, stage: str) -> None:
        """Takes the tokenizer that validation makes text with, and what it searches among."""
        super().setup(stage)
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        self.objective.tokenizer, self.objective.shortlist = data.target_tokenizer, data.shortlist

    def transfer_batch_to_device(
        self, batch: TranslationBatch, device: torch.device, dataloader_idx: int
    ) -> TranslationBatch:
        """Lightning's hook: moves a batch, all but the lengths of both sides, which packing
        wants on the CPU.
        """
        moved: TranslationBatch = super().transfer_batch_to_device(batch, device, dataloader_idx)
        return moved._replace(target_lengths=batch.target_lengths)

    def summary(self) -> str:
        """What the model is, in a sentence."""
        return f"{self.objective.describe()}."


def target_size(data: Any) -> int:
    """The number of target tokens."""
    return len(data.target_tokenizer)
