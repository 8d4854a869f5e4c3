"""A trained translator in use: raw text in, translations out.

Lives on torch, tokenizers and safetensors alone. Texts are batched by length inside; neither their
order nor the batch they fall into changes a result.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any, NamedTuple, NoReturn, overload

import torch

from rnnlp.data.datamodule.tensors import as_tensors
from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import TARGET_FILE, Featurizer, collate
from rnnlp.data.text.tokenizer import Offsets, Tokenizer
from rnnlp.data.translation.collate import TranslationBatch, TranslationCollate
from rnnlp.models.search.hypotheses import Hypothesis
from rnnlp.models.translation.translator import Translator
from rnnlp.tasks.base.length_batches import by_length
from rnnlp.tasks.model_folder.folder import CONFIG, ModelFolder

from .config import TranslatorConfig, check_search
from .decoding import encode, search

TOKEN_BUDGET = 2048  # padded source positions of a batch; each has as many rows as the beam is wide


class Alignment(NamedTuple):
    """Where the translator looked as it wrote."""

    source: list[str]
    target: list[str]  # the last one is the end
    weights: list[list[float]]  # of each target token over the source tokens; each sums to 1


class TranslationPipeline:
    """Translates texts.

    Args:
        network: The translator.
        featurizer: Splits and looks up sources.
        target_tokenizer: Makes text of target tokens.
        settings: The languages, and what the network was built from.
    """

    task = "translation"

    def __init__(
        self,
        *,
        network: Translator,
        featurizer: Featurizer,
        target_tokenizer: Tokenizer,
        settings: TranslatorConfig,
    ) -> None:
        self.network = network.eval()
        self.featurizer = featurizer
        self.target_tokenizer = target_tokenizer
        self.settings = settings

    @classmethod
    def from_folder(cls, folder: ModelFolder) -> TranslationPipeline:
        """Reads a model folder."""
        settings = TranslatorConfig.from_json(folder.config, source=str(folder.path / CONFIG))
        check_search(settings.search, prefix=f"{folder.path / CONFIG}: search.")
        return cls(
            network=folder.network(settings.build),
            featurizer=folder.featurizer(),
            target_tokenizer=folder.tokenizer(TARGET_FILE, settings.target_size),
            settings=settings,
        )

    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, texts: str, *, beam_size: int | None = None, nbest: int = 1
    ) -> dict[str, Any]: ...
    @overload
    def __call__(
        self, texts: Sequence[str], *, beam_size: int | None = None, nbest: int = 1
    ) -> list[dict[str, Any]]: ...
    def __call__(
        self, texts: str | Sequence[str], *, beam_size: int | None = None, nbest: int = 1
    ) -> dict[str, Any] | list[dict[str, Any]]:
        """Translates texts.

        Args:
            texts: One text, or several. Each is translated as one sentence.
            beam_size: Hypotheses followed for each; None for what the model was trained with.
            nbest: How many different translations to give of each; the beam is at least as wide.
                There may be fewer, since two hypotheses may be the same text cut differently.

        Returns:
            For each text `{"text", "translation_text", "score"}`, where the score is the log
            probability of the translation over its length penalty; with `nbest` above 1 also
            `translations`, a list of `{"translation_text", "score"}`, best first. A blank text has
            a blank translation.
        """
        if isinstance(texts, str):
            return self([texts], beam_size=beam_size, nbest=nbest)[0]
        width = self.settings.search.beam_size if beam_size is None else beam_size
        # Several ways of cutting a text into sub-words are one translation: look among all.
        looked_at = 1 if nbest == 1 else max(width, nbest)
        found = []
        for text, hypotheses in zip(
            texts, self.search(texts, beam_size=beam_size, nbest=looked_at), strict=True
        ):
            scores: dict[str, float] = {} if hypotheses else {"": 0.0}
            for best in hypotheses:
                scores.setdefault(self.target_tokenizer.decode(best.tokens).strip(), best.score)
            ranked = [
                {"translation_text": said, "score": round(score, 4)}
                for said, score in islice(scores.items(), nbest)
            ]
            more = {"translations": ranked} if nbest > 1 else {}
            found.append({"text": text, **ranked[0], **more})
        return found

    def stream(self) -> NoReturn:
        """Refuses: a translation begins when the whole text has been read.

        Raises:
            InputError: Always.
        """
        raise InputError(
            "a translator reads the whole text before it writes a word, so it cannot stream; "
            "taggers, classifiers and generators of one direction can"
        )

    def search(
        self, texts: Sequence[str], *, beam_size: int | None = None, nbest: int = 1
    ) -> list[list[Hypothesis]]:
        """The best hypotheses of each text, best first; none for a blank text."""
        rows = [self.featurizer.encode(text.strip())[0] for text in texts]
        found: list[list[Hypothesis]] = [[] for _ in texts]
        for numbers in by_length([len(row.tokens) for row in rows], budget=TOKEN_BUDGET):
            batch = as_tensors(collate([rows[number] for number in numbers]))
            with torch.inference_mode():
                state = encode(self.network, batch)
            hypotheses = search(
                self.network,
                state,
                batch.lengths,
                self.settings.search,
                beam_size=beam_size,
                nbest=nbest,
            )
            for number, best in zip(numbers, hypotheses, strict=True):
                found[number] = best
        return found

    def align(self, text: str) -> Alignment:
        """Where the translator looked as it translated a text.

        Raises:
            ValueError: A blank text.
        """
        (hypotheses,) = self.search([text])
        if not hypotheses:
            raise ValueError("a blank text has no alignment")
        stripped, best = text.strip(), hypotheses[0]
        assert best.attention is not None
        weights = best.attention  # [tokens + 1, source]
        source, columns = _whole_source(stripped, self.featurizer.encode(stripped)[1])
        target, rows = _whole_target(best.tokens, self.target_tokenizer)
        weights = torch.stack([part.sum(1) for part in weights.split(columns, 1)], 1)
        weights = torch.stack([part.mean(0) for part in weights.split([*rows, 1])])
        return Alignment(source, [*target, "end"], weights.tolist())

    def log_probabilities(self, sources: Sequence[str], targets: Sequence[str]) -> list[float]:
        """Log probability in nats of each target, its end included, given its source.

        Sources must not be blank.
        """
        prepare = TranslationCollate(
            featurizer=self.featurizer, target_tokenizer=self.target_tokenizer
        )
        found = [0.0] * len(sources)
        for numbers in by_length([1 + len(text) for text in sources], budget=4 * TOKEN_BUDGET):
            batch: TranslationBatch = prepare(
                {
                    "source": [sources[number] for number in numbers],
                    "target": [targets[number] for number in numbers],
                    "index": numbers,
                }
            )
            with torch.inference_mode():
                state = encode(self.network, batch.features)
                logits, following = self.network(state, batch.target, batch.target_lengths)
                of_each = logits.log_softmax(1).gather(1, following.unsqueeze(1)).squeeze(1)
            parts = of_each.split((batch.target_lengths - 1).tolist())
            for number, part in zip(numbers, parts, strict=True):
                found[number] = float(part.sum())
        return found

    def notes_on(self, texts: Sequence[str]) -> list[str]:
        """What a user should know of texts to be translated, one line each."""
        longest = self.settings.max_length
        if longest is None:
            return []
        counts = [len(self.featurizer.encode(text)[0].tokens) for text in texts]
        return [
            f"a text of {count:,} tokens, where training had at most {longest}: translated as one "
            f"sentence, and probably badly; give it sentence by sentence ({text[:40]!r} …)"
            for text, count in zip(texts, counts, strict=True)
            if count > longest
        ]


def _whole_source(text: str, offsets: Offsets) -> tuple[list[str], list[int]]:
    """Sub-words of whole characters, and how many tokens (some of them single bytes) make each."""
    spans: list[list[int]] = []  # start, end, tokens
    for start, end in offsets:
        if spans and start < spans[-1][1]:
            spans[-1][1:] = max(end, spans[-1][1]), spans[-1][2] + 1
        else:
            spans.append([start, end, 1])
    return [text[start:end].strip() or "·" for start, end, _ in spans], [n for *_, n in spans]


def _whole_target(tokens: Sequence[int], tokenizer: Tokenizer) -> tuple[list[str], list[int]]:
    """The same of a translation, whose tokens have no offsets."""
    words: list[str] = []
    counts: list[int] = []
    begin = 0
    for end in range(1, len(tokens) + 1):
        word = tokenizer.decode(tokens[begin:end])
        if "\ufffd" not in word or end == len(tokens):  # a character is complete
            words.append(word.strip() or "·")
            counts.append(end - begin)
            begin = end
    return words, counts
