"""A trained translator in use: raw text in, translations out.

Texts are batched by length inside; neither their order nor the batch they fall into changes a
result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import numpy as np

from rnnlp.data.errors import InputError
from rnnlp.data.formats.layout import Layout
from rnnlp.data.text.featurizer import (
    SHORTLIST_FILE,
    TARGET_FILE,
    FeatureRow,
    Featurizer,
    TokenBatch,
    collate,
)
from rnnlp.data.text.tokenizer import HALF, UNK, Tokenizer
from rnnlp.data.translation.columns import FEATURES
from rnnlp.data.translation.copying import Copier, pad_copies
from rnnlp.data.translation.pairs_of_ids import PairEncoder, Pairs
from rnnlp.data.translation.shortlist import Shortlist
from rnnlp.tasks.base.length_batches import by_length, positions
from rnnlp.tasks.base.pipeline import Pipeline
from rnnlp.tasks.model_folder.folder import CONFIG, ModelFolder

from .alignment import Alignment, whole_source, whole_target
from .config import SearchConfig, TranslatorConfig, check_search

if TYPE_CHECKING:
    from rnnlp.models.search.hypotheses import Hypothesis

TOKEN_BUDGET = 2048  # padded source positions of a batch; each has as many rows as the beam is wide
_NAMED = 5  # unknown tokens that a note names


class Engine(Protocol):
    """What answers for a translator."""

    def search(
        self,
        batch: TokenBatch,
        settings: SearchConfig,
        *,
        copies: np.ndarray | None,
        candidates: np.ndarray | None,
        nbest: int,
        keep_attention: bool,
    ) -> list[list[Hypothesis]]:
        """The best translations of each source, best first; `copies` is what can be copied.

        Args:
            batch: Sources as ids.
            settings: Beam, penalties and bounds.
            copies: For each source token the id that it can be copied to; None without copying.
            candidates: The target tokens that are looked at for each source; None for all.
            nbest: How many translations of each source.
            keep_attention: Keep the attention weights of each token.
        """

    def log_probabilities(self, pairs: Pairs) -> list[float]:
        """Log probability in nats of each target, its end included, given its source."""


class TranslationPipeline(Pipeline):
    """Translates texts.

    Args:
        engine: Answers for the translator.
        featurizer: Splits and looks up sources.
        target_tokenizer: Makes text of target tokens.
        settings: The languages, and what the network was built from.
        shortlist: What source tokens propose; None where all target tokens are looked at.
    """

    task = "translation"
    alike = ("source", "target", "decoder.copy")
    engine: Engine
    settings: TranslatorConfig

    def __init__(
        self,
        *,
        engine: Engine,
        featurizer: Featurizer,
        target_tokenizer: Tokenizer,
        settings: TranslatorConfig,
        shortlist: Shortlist | None = None,
    ) -> None:
        super().__init__(engine=engine, featurizer=featurizer, settings=settings)
        self.target_tokenizer = target_tokenizer
        self.shortlist = shortlist
        self._copier: Copier | None = None
        if settings.decoder.copy:
            self._copier = Copier(featurizer=featurizer, target_tokenizer=target_tokenizer)

    @classmethod
    def from_folder(cls, folder: ModelFolder) -> TranslationPipeline:
        """Reads a model folder."""
        settings = TranslatorConfig.from_json(folder.config, source=str(folder.path / CONFIG))
        check_search(settings.search, prefix=f"{folder.path / CONFIG}: search.")
        engine: Engine
        if folder.export is not None:
            from rnnlp.tasks.runtime.session import Graphs

            from .onnx_engine import OnnxTranslator

            engine = OnnxTranslator(Graphs.of(folder))
        else:
            from .torch_engine import TorchTranslator

            engine = TorchTranslator(folder.network(settings.build))
        return cls(
            engine=engine,
            featurizer=folder.featurizer(),
            target_tokenizer=folder.tokenizer(TARGET_FILE, settings.target_size),
            settings=settings,
            shortlist=_shortlist(folder.path, settings),
        )

    @property
    def reads_features(self) -> bool:
        """Whether training sources came with features, after a tab."""
        tokens = self.featurizer.tokens
        return tokens.level == "lemma" and any(t.startswith("\t") for t in tokens.vocabulary)

    @property
    def layout(self) -> Layout:
        """How its training file was laid out; where features stood is known of every one."""
        layout = super().layout
        if not self.reads_features:
            return layout
        return replace(layout, columns={FEATURES: FEATURES, **layout.columns})

    def save_tokenizers(self, folder: Path) -> None:
        """Writes the vocabularies of both sides, and a shortlist."""
        super().save_tokenizers(folder)
        self.target_tokenizer.save(folder / TARGET_FILE)
        if self.shortlist is not None:
            self.shortlist.save(folder / SHORTLIST_FILE)

    def __call__(
        self,
        texts: str | Iterable[str],
        *,
        beam_size: int | None = None,
        nbest: int = 1,
        **search: Any,
    ) -> Any:
        """Translates texts.

        Args:
            texts: One text, or any iterable of them. Each is translated as one sentence.
            beam_size: Hypotheses followed for each; None for what the model was trained with.
            nbest: How many different translations to give of each; the beam is at least as wide.
                There may be fewer, since two hypotheses may be the same text cut differently.
            search: Any other of `SearchConfig`, such as `max_length`; None likewise.

        Returns:
            For each text `{"text", "translation_text", "score"}`, where the score is the log
            probability of the translation over its length penalty; with `nbest` above 1 also
            `translations`, a list of `{"translation_text", "score"}`, best first. A blank text has
            a blank translation.

        Raises:
            InputError: A value that nothing can be searched with.
        """
        return self.answer(texts, beam_size=beam_size, nbest=nbest, **search)

    def answers(self, texts: list[str], *, nbest: int = 1, **search: Any) -> list[dict[str, Any]]:
        """The translations of some texts.

        Args:
            texts: Each is translated as one sentence.
            nbest: How many different translations to give of each, at the most.
            search: Any of `SearchConfig`; None for the model's own setting.
        """
        width = self.searched_with(**search).beam_size
        # Several ways of cutting a text into sub-words are one translation: look among all.
        looked_at = 1 if nbest == 1 else max(width, nbest)
        answers = []
        for text, hypotheses in zip(
            texts, self.search(texts, nbest=looked_at, **search), strict=True
        ):
            scores: dict[str, float] = {} if hypotheses else {"": 0.0}
            words = self._words(text)
            for best in hypotheses:
                said = self.target_tokenizer.decode(best.tokens, words)
                scores.setdefault(said.rstrip(HALF).strip(), best.score)
            ranked = [
                {"translation_text": said, "score": round(score, 4)}
                for said, score in islice(scores.items(), nbest)
            ]
            more = {"translations": ranked} if nbest > 1 else {}
            answers.append({"text": text, **ranked[0], **more})
        return answers

    def _mean(self, networks: list[Any]) -> Any:
        from rnnlp.models.translation.ensemble import TranslatorEnsemble

        return TranslatorEnsemble(networks)

    def stream(self) -> NoReturn:
        """Refuses: a translation begins when the whole text has been read.

        Raises:
            InputError: Always.
        """
        raise InputError(
            "a translator reads the whole text before it writes a word, so it cannot stream; "
            "taggers, classifiers and generators of one direction can"
        )

    def reads(self, text: str) -> tuple[FeatureRow, list[str]]:
        """What the encoder reads of a source."""
        return super().reads(text.strip())

    def search(
        self,
        texts: Sequence[str],
        *,
        nbest: int = 1,
        keep_attention: bool = False,
        **search: Any,
    ) -> list[list[Hypothesis]]:
        """The best hypotheses of each text, best first; none for a blank text.

        Args:
            texts: Each is searched for as one sentence.
            nbest: How many hypotheses of each text, at most the width of the beam.
            keep_attention: Whether they tell where they looked.
            search: Any of `SearchConfig`; None for the model's own setting.

        Raises:
            InputError: A value that nothing can be searched with.
        """
        settings = self.searched_with(**search)
        encoded = [self.featurizer.encode(text.strip()) for text in texts]
        results: list[list[Hypothesis]] = [[] for _ in texts]
        # A step of the search holds logits and log probabilities of each hypothesis.
        most = positions(TOKEN_BUDGET, width=2 * settings.beam_size * self.settings.target_size)
        lengths = [len(row.tokens) for row, _ in encoded]
        budget = TOKEN_BUDGET
        if self._monotonic:  # or of each hypothesis at each place
            budget = positions(budget, width=4 * settings.beam_size * self.settings.target_size)
        for numbers in by_length(lengths, budget=budget, most=most):
            copies = None
            if self._copier is not None:
                copied = [self._copier.source(texts[n].strip(), *encoded[n]) for n in numbers]
                copies = pad_copies(copied)
            candidates = None
            if self.shortlist is not None and settings.shortlist:
                candidates = self.shortlist.candidates(
                    [encoded[number][0].tokens for number in numbers], settings.shortlist
                )
            hypotheses = self.engine.search(
                collate([encoded[number][0] for number in numbers]),
                settings,
                copies=copies,
                candidates=candidates,
                nbest=nbest,
                keep_attention=keep_attention,
            )
            for number, best in zip(numbers, hypotheses, strict=True):
                results[number] = best
        return results

    def searched_with(self, **search: Any) -> SearchConfig:
        """How translations are searched for, where some values are other than the model's own.

        Raises:
            InputError: A value that nothing can be searched with.
        """
        chosen = {name: value for name, value in search.items() if value is not None}
        settings = replace(self.settings.search, **chosen)
        check_search(settings, prefix="")
        kept = 0 if self.shortlist is None else self.shortlist.width
        if settings.shortlist > kept:
            raise InputError(
                f"shortlist is {settings.shortlist}, and the model keeps {kept} proposals of each "
                "token: train with --model.search.shortlist"
            )
        return settings

    def align(self, text: str) -> Alignment:
        """Where the translator looked as it translated a text.

        Raises:
            ValueError: A blank text.
        """
        (hypotheses,) = self.search([text], keep_attention=True)
        if not hypotheses:
            raise ValueError("a blank text has no alignment")
        stripped, best = text.strip(), hypotheses[0]
        assert best.attention is not None
        weights = np.asarray(best.attention)  # [tokens + 1, source]
        source, columns = whole_source(stripped, self.featurizer.encode(stripped)[1])
        target, rows = whole_target(best.tokens, self.target_tokenizer, self._words(text))
        weights = np.add.reduceat(weights, np.cumsum([0, *columns[:-1]]), axis=1)
        counts = np.array([*rows, 1])  # tokens of each word, and the end
        weights = np.add.reduceat(weights, np.cumsum([0, *rows]), axis=0) / counts[:, None]
        return Alignment(source, [*target, "end"], weights.tolist())

    def log_probabilities(self, sources: Sequence[str], targets: Sequence[str]) -> list[float]:
        """Log probability in nats of each target, its end included, given its source.

        Sources must not be blank.
        """
        prepare = PairEncoder(
            featurizer=self.featurizer,
            target_tokenizer=self.target_tokenizer,
            copier=self._copier,
        )
        results = [0.0] * len(sources)
        # Characters, since a text seldom has more tokens than these.
        pairs = list(zip(sources, targets, strict=True))
        lengths = [1 + max(map(len, pair)) for pair in pairs]
        budget = positions(4 * TOKEN_BUDGET, width=2 * self.settings.target_size)
        if self._monotonic:  # what is expected of each target token at each place is held
            lengths = [len(source) * (1 + len(target)) for source, target in pairs]
            budget = positions(64 * TOKEN_BUDGET, width=4 * self.settings.target_size)
        for numbers in by_length(lengths, budget=budget):
            batch = prepare.batch(prepare(*pairs[number]) for number in numbers)
            values = self.engine.log_probabilities(batch)
            for number, value in zip(numbers, values, strict=True):
                results[number] = value
        return results

    @property
    def _monotonic(self) -> bool:
        return self.settings.decoder.attention == "monotonic"

    def _words(self, text: str) -> list[str]:
        """What tokens beyond the target vocabulary mean in the translation of a text."""
        if self._copier is None:
            return []
        text = text.strip()
        return self._copier.words(text, self.featurizer.split(text))

    def answers_to(self, columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
        """The translations of stored sources."""
        answers = self.answers(list(columns["source"]))
        return [
            {name: answer[name] for name in ("translation_text", "score")} for answer in answers
        ]

    def notes_on(self, texts: Sequence[str]) -> list[str]:
        """What a user should know of texts to be translated, one line each."""
        longest, notes = self.settings.max_length, []
        if self.reads_features and not any("\t" in text for text in texts):
            notes.append("no features after a tab, which the model reads of each text")
        unknown: dict[str, None] = {}
        for text in texts:
            text = text.strip()
            row, offsets = self.featurizer.encode(text)
            if longest is not None and (count := len(row.tokens)) > longest:
                notes.append(
                    f"a text of {count:,} tokens, where training had at most {longest}: translated "
                    "as one sentence, and probably badly; give it sentence by sentence "
                    f"({text[:40]!r} …)"
                )
            if UNK in row.tokens and offsets:
                # What can be copied comes out as typed all the same.
                said = row.tokens
                if self._copier is not None:
                    said = self._copier.source(text, row, offsets)
                pairs = zip(offsets, row.tokens, said, strict=True)
                unknown |= {text[s:e]: None for (s, e), *ids in pairs if ids == [UNK, UNK]}
        if unknown:
            # Features come with the mark that parts them.
            some = ", ".join(repr(one.strip("\t;") or one) for one in list(unknown)[:_NAMED])
            more = f" and {len(unknown) - _NAMED:,} more" if len(unknown) > _NAMED else ""
            notes.append(f"not in the vocabulary of {self.settings.source}, unread: {some}{more}")
        return notes


def _shortlist(folder: Path, settings: TranslatorConfig) -> Shortlist | None:
    if not settings.search.shortlist:
        return None
    file = folder / SHORTLIST_FILE
    try:
        return Shortlist.load(
            file, source_size=settings.sizes.tokens, target_size=settings.target_size
        )
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", path=str(file)) from error
