"""What a generator is trained towards: cross entropy of each next token, bits per character."""

from __future__ import annotations

import torch
from torch import Tensor

from rnnlp.data.generation.collate import GenerationBatch
from rnnlp.data.generation.labels import NOT_GIVEN
from rnnlp.data.text.tokenizer import EOS
from rnnlp.models.generation.language_model import LanguageModel
from rnnlp.models.layers.losses import token_loss
from rnnlp.models.recurrence.cell import State
from rnnlp.models.recurrence.cells import find_cell
from rnnlp.tasks.base.objective import BatchLoss, Objective

from .config import GeneratorConfig
from .costs import costs_of
from .scores import Costs, Stretch, TextScores
from .segments import read


class GenerationObjective(Objective):
    """Scores of a generator. Its training loss hangs on the segment before: see `module.py`.

    Args:
        settings: Its labels, and what reads.
    """

    headline = ("bits_per_character", "perplexity", "exact_match")
    examples = ("The", "The")
    main = "bits_per_character"

    def __init__(self, settings: GeneratorConfig) -> None:
        super().__init__()
        self.settings = settings

    def describe(self) -> str:
        """What the model is, as a sentence without its end."""
        encoder, fields = self.settings.encoder, self.settings.fields
        labelled = f" for a given {' and '.join(fields)}" if fields else ""
        if size := self.settings.vector_size:
            labelled += f" from a vector of {size} numbers"
        order = ", read from the end to the start" if self.settings.reverse else ""
        return (
            f"A language model that texts are drawn from{labelled}{order}: "
            f"{find_cell(encoder.cell).title} ({encoder.num_layers} x {encoder.hidden_size})"
        )

    def loss(self, network: LanguageModel, batch: GenerationBatch) -> Tensor:
        """The loss per token of segments with which texts begin."""
        logits, targets, _ = read(network, batch, None)
        return token_loss(logits, targets)

    def weight(self, batch: GenerationBatch) -> int:
        """Tokens."""
        return 0 if batch.idle else int(batch.features.lengths.sum())

    def scores(self, *, final: bool = False, calibrated: bool = False) -> TextScores:
        """Scores that nothing has been added to; without labels as well once training is done."""
        return TextScores(
            labelled=final and bool(self.settings.fields),
            from_vectors=self.settings.vector_column is not None,
        )

    @torch.no_grad()
    def add(self, scores: TextScores, network: LanguageModel, batch: GenerationBatch) -> BatchLoss:
        """Adds one batch of segments to the scores, and gives its loss.

        Args:
            scores: Those of the split so far, with the states that segments go on from; changed.
            network: The language model, on the device of the batch.
            batch: A segment of each of some texts; an idle one has none and counts for nothing.
        """
        if batch.idle:
            return BatchLoss(torch.zeros(()), 0)
        lengths = batch.features.lengths.tolist()
        rows = zip(batch.following.tolist(), lengths, strict=True)
        stretch = Stretch(
            lengths=lengths,
            ends=[row[length - 1] == EOS for row, length in rows],
            gold=batch.gold,
            carried=None if batch.carried is None else batch.carried.tolist(),
        )
        unlabelled = batch._replace(labels=torch.full_like(batch.labels, NOT_GIVEN))

        def costs(labelled: bool, so_far: State | None) -> Costs:
            logits, targets, state = read(network, batch if labelled else unlabelled, so_far)
            return Costs(*costs_of(logits, targets), state)

        return BatchLoss(torch.tensor(scores.add(stretch, costs) / sum(lengths)), sum(lengths))
