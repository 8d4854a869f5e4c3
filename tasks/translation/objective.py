"""What a translator is trained towards: cross entropy of target tokens, BLEU."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from rnnlp.data.text.tokenizer import Tokenizer
from rnnlp.data.translation.collate import TranslationBatch
from rnnlp.data.translation.shortlist import Shortlist
from rnnlp.models.layers.losses import token_loss
from rnnlp.models.recurrence.cells import find_cell
from rnnlp.models.translation.translator import Translator
from rnnlp.tasks.base.objective import BatchLoss, Objective

from .config import TranslatorConfig
from .scores import TranslationScores
from .search import search
from .torch_engine import as_tensor, encode

_EXAMPLES = {
    "zh": "我昨天买了一本书。",
    "de": "Ein Mann liest ein Buch.",
    "fr": "Un homme lit un livre.",
}


class TranslationObjective(Objective):
    """Loss and scores of a translator.

    Args:
        settings: Its languages, and how translations are searched for.
        label_smoothing: Share of the target that is spread over all tokens.
        scheduled_sampling: Share of the words read in training that the model would have said.
        coverage: Weight of the coverage loss.

    Attributes:
        tokenizer: Makes text of target tokens; known once the data is, and so is the other.
        shortlist: What searches look at; None for all.
    """

    headline = ("bleu", "chrf", "exact_match", "perplexity")
    examples = ("A man is reading a book.", "A man is reading a book.")
    tokenizer: Tokenizer
    shortlist: Shortlist | None = None

    def __init__(
        self,
        settings: TranslatorConfig,
        *,
        label_smoothing: float,
        scheduled_sampling: float,
        coverage: float,
    ) -> None:
        super().__init__()
        self.settings = settings
        self.label_smoothing = label_smoothing
        self.scheduled_sampling = scheduled_sampling
        self.coverage = coverage

    @property
    def main(self) -> str:
        """The score that decides which weights are kept."""
        return self.settings.metric

    @staticmethod
    def example(language: str) -> str:
        """A sentence to try, in a language."""
        return _EXAMPLES.get(language, TranslationObjective.examples[0])

    def describe(self) -> str:
        """What the model is, as a sentence without its end."""
        settings = self.settings
        direction = "bidirectional " if settings.encoder.bidirectional else ""
        encoder, decoder = (
            f"{find_cell(part.cell).title} {name} ({part.num_layers} x {part.hidden_size})"
            for name, part in (("encoder", settings.encoder), ("decoder", settings.decoder))
        )
        return (
            f"A translator from {settings.source} to {settings.target}: {direction}{encoder}, "
            f"{decoder} with {settings.decoder.attention} attention"
            f"{' and copying' if settings.decoder.copy else ''}"
        )

    def loss(self, network: Translator, batch: TranslationBatch) -> Tensor:
        """The loss of one batch, per target token."""
        state = encode(network, batch.features, batch.copies)
        seen = None
        if self.scheduled_sampling:
            seen = network.scheduled_sampling(
                state, batch.target, batch.target_lengths, self.scheduled_sampling
            )
        read = network.with_coverage if self.coverage else network
        logits, targets, *again = read(state, batch.target, batch.target_lengths, seen)
        copies = self.settings.decoder.copy
        size = self.settings.target_size if copies else None  # words to copy stand behind them
        loss = token_loss(logits, targets, smoothing=self.label_smoothing, vocabulary_size=size)
        return loss + self.coverage * again[0] if again else loss

    def weight(self, batch: TranslationBatch) -> int:
        """Target tokens, their ends counted."""
        return int(batch.target_lengths.sum()) - len(batch.gold)

    def scores(self, *, final: bool = False, calibrated: bool = False) -> TranslationScores:
        """Scores that nothing has been added to; translations are greedy until training is done."""
        return TranslationScores(
            language=self.settings.target,
            level=self.tokenizer.level,
            beam_size=self.settings.search.beam_size if final else 1,
            rouge=self.settings.metric == "rouge_l",
        )

    @torch.inference_mode()
    def add(
        self, scores: TranslationScores, network: Translator, batch: TranslationBatch
    ) -> BatchLoss:
        """Adds one batch to the scores, and gives its loss, from one encoding of its sources.

        Args:
            scores: Those of the split so far; changed. They say how wide the beam is.
            network: The translator, on the device of the batch.
            batch: Sources with their translations.
        """
        candidates = None
        if self.shortlist is not None:
            lengths = batch.features.lengths.tolist()
            rows = zip(batch.features.tokens.tolist(), lengths, strict=True)
            candidates = self.shortlist.candidates(
                [ids[:length] for ids, length in rows], self.settings.search.shortlist
            )
        state = encode(network, batch.features, batch.copies, as_tensor(candidates))
        logits, targets = network(state, batch.target, batch.target_lengths)
        loss = token_loss(logits, targets)
        best = search(
            network.step,
            state,
            batch.features.lengths.to(logits.device),
            replace(self.settings.search, beam_size=scores.beam_size),
            candidates=candidates,
        )
        scores.add(
            [
                self.tokenizer.decode(first.tokens, words).strip()
                for (first, *_), words in zip(best, batch.words, strict=True)
            ],
            [(gold,) for gold in batch.gold],
            log_probability=-float(loss) * len(targets),
            tokens=len(targets),
        )
        return BatchLoss(loss, len(targets))
