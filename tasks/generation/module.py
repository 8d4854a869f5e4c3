"""Generation, 1 token to N: loss and scores for Lightning.

The network itself is `models/generation/language_model.py`, built by `config.py`; using a trained
generator needs `pipeline.py` only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from pytorch_lightning.cli import LightningArgumentParser
from torch import Tensor

from rnnlp.data.errors import InputError
from rnnlp.data.generation.collate import GenerationBatch
from rnnlp.data.generation.labels import NOT_GIVEN
from rnnlp.models.generation.language_model import LanguageModel
from rnnlp.models.layers.losses import token_loss
from rnnlp.models.recurrence.cell import State
from rnnlp.tasks.base.components import EmbeddingConfig, EncoderConfig
from rnnlp.tasks.base.module import Get, ModuleOptions, vocabulary_sizes
from rnnlp.tasks.base.objective import ObjectiveModule
from rnnlp.tasks.base.plain import part_of
from rnnlp.tasks.base.processes import everyone

from .config import GeneratorConfig, check_sampling
from .objective import GenerationObjective
from .segments import read

_STATE = "carried_state"  # in checkpoints


@dataclass(frozen=True, kw_only=True)
class GenerationSettings(GeneratorConfig, ModuleOptions):
    """All that can be said about a generator in training.

    Args:
        label_dropout: Share of labels that training leaves out, so that texts can be drawn without
            any.
        sampled_softmax: In training compare what follows with so many tokens drawn at random beside
            those of the batch, in place of the whole vocabulary; null compares with all.
    """

    embedding: EmbeddingConfig = EmbeddingConfig(size=128, characters="none", dropout=0.1)
    encoder: EncoderConfig = EncoderConfig(hidden_size=256, bidirectional=False)
    label_dropout: float = 0.1
    sampled_softmax: int | None = None


class Generation(ObjectiveModule):
    """Trains a language model that texts can be drawn from. Sizes and labels come from the data.

    Long texts come in segments: the state after one is where the next begins, and nothing is
    learned beyond a segment (truncated back-propagation). Bits per character of the validation
    texts decide which weights are kept.

    Args:
        options: Those of `GenerationSettings`.
    """

    higher_is_better = False
    levels = ("word", "character", "bpe")
    one_direction = True
    headline = GenerationObjective.headline
    score_floor = None
    hub_name = "text-generation"
    examples = GenerationObjective.examples
    network: LanguageModel
    settings: GeneratorConfig

    def __init__(self, **options: Any) -> None:
        self.options = GenerationSettings(**options)
        super().__init__()
        settings = self.options
        if settings.embedding.characters != "none" or settings.embedding.token_features:
            what = "set model.embedding.characters to none and model.embedding.token_features to []"
            if settings.encoder_from is not None:
                what = f"train a model with {what[4:].replace(' to ', ' ')} to reuse it here"
            raise InputError(f"a generator reads tokens only: {what}")
        if settings.encoder.bidirectional:
            raise InputError(
                "a generator knows only what comes before: set model.encoder.bidirectional to false"
            )
        if not 0.0 <= settings.label_dropout < 1.0:
            raise InputError(
                f"model.label_dropout is {settings.label_dropout}: give a share from 0 to below 1"
            )
        if settings.sampled_softmax is not None and settings.sampled_softmax < 1:
            raise InputError(
                f"model.sampled_softmax is {settings.sampled_softmax}: give 1 or more, or null"
            )
        if settings.vector_every_step and settings.vector_column is None:
            raise InputError(
                "model.vector_every_step is true without vectors: set data.vector_column"
            )
        check_sampling(settings.sampling, prefix="model.sampling.")
        self.settings = part_of(settings, GeneratorConfig)
        self.label_dropout = settings.label_dropout
        self.sampled_softmax = settings.sampled_softmax
        try:
            self.network = self.settings.build()
        except ValueError as error:
            raise InputError(f"the model cannot be built: {error}") from error
        self._carried: State | None = None  # after the training segment before
        self.objective = GenerationObjective(self.settings)

    @staticmethod
    def link(parser: LightningArgumentParser) -> None:
        """Says which settings follow from which: vocabulary and labels from the data."""
        parser.link_arguments("data", "model.sizes", vocabulary_sizes, apply_on="instantiate")
        for name in ("fields", "vector_size", "layout"):
            parser.link_arguments("data", f"model.{name}", Get(name), apply_on="instantiate")
        parser.link_arguments("data.vector_column", "model.vector_column")
        parser.link_arguments("data.reverse", "model.reverse")

    def setup(self, stage: str) -> None:
        """Takes over how the components of training vectors are spread."""
        super().setup(stage)
        scale = self.trainer.datamodule.vector_scale  # type: ignore[attr-defined]
        if stage == "fit" and scale is not None:
            assert self.network.vector is not None
            self.network.vector.take(
                torch.from_numpy(scale.mean), torch.from_numpy(scale.deviation)
            )

    @property
    def leaves_out(self) -> bool:
        """Vectors are read where texts begin, and the segments after that do without."""
        return super().leaves_out or self.settings.vector_size > 0

    def training_step(self, batch: GenerationBatch, batch_idx: int) -> Tensor:
        """The loss of one segment, per token."""
        logits, targets, state = read(
            self.network,
            self._some_labels(batch),
            self._carried,
            drawn=self.sampled_softmax,
        )
        self._carried = State(
            state.hidden.detach(), None if state.cell is None else state.cell.detach()
        )
        loss = token_loss(logits, targets)
        self.log("train_loss", loss.detach(), prog_bar=True, batch_size=len(targets))
        return self.scale_loss(loss, self.objective.weight(batch))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keeps the state that the next segment begins with."""
        super().on_save_checkpoint(checkpoint)
        state = self._carried
        own = None if state is None else [part if part is None else part.cpu() for part in state]
        checkpoint[_STATE] = everyone(own)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes it up again."""
        super().on_load_checkpoint(checkpoint)
        state = checkpoint[_STATE][self.trainer.global_rank]
        self._carried = None if state is None else State(*state)

    def usage(self, example: str) -> tuple[str, str]:
        """With vectors where texts are written from them."""
        if self.settings.vector_column is None:
            return super().usage(example)
        return f"vectors=[0.0] * {self.settings.vector_size}", "--input vectors.jsonl"

    def summary(self) -> str:
        """What the model is, in a sentence."""
        return f"{self.objective.describe()}."

    def _some_labels(self, batch: GenerationBatch) -> GenerationBatch:
        """Leaves a share of the labels out."""
        if not self.label_dropout or not batch.labels.numel():
            return batch
        left_out = torch.rand(batch.labels.shape, device=batch.labels.device) < self.label_dropout
        return batch._replace(labels=batch.labels.masked_fill(left_out, NOT_GIVEN))
