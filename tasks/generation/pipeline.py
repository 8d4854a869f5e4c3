"""A trained generator in use: prompts and labels in, texts out.

Each text has random numbers of its own, so that neither the batch it falls into nor what is drawn
beside it changes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice, zip_longest
from numbers import Real
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from rnnlp.data.errors import InputError
from rnnlp.data.generation.labels import NOT_GIVEN, label_ids
from rnnlp.data.generation.vectors import vector_of
from rnnlp.data.text.featurizer import FeatureRow
from rnnlp.data.text.tokenizer import HALF
from rnnlp.tasks.base.pipeline import CHUNK, Pipeline, each_text
from rnnlp.tasks.model_folder.folder import CONFIG, ModelFolder

from .config import GeneratorConfig, check_sampling
from .drawing import DrawRequest
from .prompts import BegunWords, Prompt, Spellings, read_prompt
from .scores import Costs, Reading

if TYPE_CHECKING:
    from rnnlp.tasks.base.gates import Gates

    from .stream import GenerationStream

ROWS = 64  # texts that are drawn together
_NONE = object()  # in the place of a text or a vector that is missing


class Engine(Protocol):
    """What answers for a language model."""

    def draw(self, request: DrawRequest) -> list[list[int]]:
        """The tokens that go on after prompts, each drawn with a seed of its own."""

    def costs(self, reading: Reading, so_far: Any) -> Costs:
        """What the tokens cost that follow the next tokens of some texts; None begins texts."""


class GenerationPipeline(Pipeline):
    """Writes texts, from prompts, from vectors, or from nothing.

    Args:
        engine: Answers for the language model.
        featurizer: Splits and looks up prompts.
        settings: The labels, and what the network was built from.
    """

    task = "generation"
    writes = True
    engine: Engine
    settings: GeneratorConfig

    @classmethod
    def from_folder(cls, folder: ModelFolder) -> GenerationPipeline:
        """Reads a model folder."""
        settings = GeneratorConfig.from_json(folder.config, source=str(folder.path / CONFIG))
        check_sampling(settings.sampling, prefix=f"{folder.path / CONFIG}: sampling.")
        engine: Engine
        if folder.export is not None:
            from rnnlp.tasks.runtime.session import Graphs

            from .onnx_engine import OnnxGenerator

            engine = OnnxGenerator(Graphs.of(folder))
        else:
            from .torch_engine import TorchGenerator

            engine = TorchGenerator(folder.network(settings.build))
        return cls(engine=engine, featurizer=folder.featurizer(), settings=settings)

    def __call__(
        self,
        texts: str | Iterable[str] = "",
        *,
        vectors: Any = None,
        count: int | None = None,
        labels: Mapping[str, str] | None = None,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        min_length: int | None = None,
        max_length: int | None = None,
        no_repeat_ngram_size: int | None = None,
        seed: int = 1,
        first: int = 0,
    ) -> Any:
        """Writes texts.

        Args:
            texts: One prompt, or any iterable of them; an empty one is the start symbol alone. A
                model that was trained in reverse writes what comes before its prompt.
            vectors: Of a model that writes from vectors: one (a list or array of numbers), or any
                iterable of them, one for each of `texts`; a single prompt is that of all.
            count: How many texts to write for each prompt.
            labels: Label by field, such as `{"M": "6/8"}`; fields that are left out have none.
            temperature: Below 1 the probable becomes more probable; None, as for the next five,
                for the model's own setting.
            top_k: Draw among so many most probable tokens only; 0 for all.
            top_p: Draw among the most probable tokens that together have this probability.
            min_length: Fewest tokens that are added to a prompt.
            max_length: Most tokens that are added to a prompt.
            no_repeat_ngram_size: No n-gram of this size twice in what is added.
            seed: Decides the random numbers, together with the number of the text.
            first: Number of the first text, for calls that go on where another one ended.

        Returns:
            For each text `{"text", "generated_text"}`, the prompt and the prompt with what was
            written; a dictionary where texts and vectors are single ones and `count` is not given.

        Raises:
            InputError: A label, or another value, that there is not; a vector that is none, or of
                another width than those in training.
        """
        options: dict[str, Any] = {
            "labels": labels,
            "temperature": temperature,
            "top_k": top_k,
            "top_p": top_p,
            "min_length": min_length,
            "max_length": max_length,
            "no_repeat_ngram_size": no_repeat_ngram_size,
            "seed": seed,
            "first": first,
        }
        single = isinstance(texts, str) and (vectors is None or is_single(vectors))
        answers = list(
            self.predict(texts, vectors=vectors, count=1 if count is None else count, **options)
        )
        return answers[0] if single and count is None else answers

    def predict(
        self,
        texts: str | Iterable[str] = "",
        *,
        vectors: Any = None,
        count: int = 1,
        first: int = 0,
        **options: Any,
    ) -> Iterator[dict[str, Any]]:
        """The answers one by one; their numbers, and so their random numbers, go on.

        Args:
            texts: One prompt, or any iterable of them, read as it is asked for.
            vectors: Of a model that writes from vectors: one, or any iterable of them.
            count: How many texts to write for each prompt.
            first: Number of the first text.
            options: As in calling the pipeline.
        """
        wanted = (each for each in self._inputs(texts, vectors) for _ in range(count))
        while some := list(islice(wanted, CHUNK)):
            prompts, rows = zip(*some, strict=True)
            said = {"vectors": rows, "first": first, **options}
            yield from self._on_threads(list(prompts), said)
            first += len(some)

    def _inputs(
        self, texts: str | Iterable[str], vectors: Any
    ) -> Iterator[tuple[str, np.ndarray | None]]:
        """Each prompt with its vector, in order; None where texts are not written from vectors."""
        size = self.settings.vector_size
        if vectors is not None and not size:
            raise InputError("the model was trained without vectors, and cannot write from any")
        if vectors is None and size:
            raise InputError(f"the model writes from vectors of {size} numbers: give vectors")
        prompts = each_text(texts)
        if vectors is None:
            yield from ((prompt, None) for prompt in prompts)
            return
        if is_single(vectors):
            vectors = [vectors]
        if not isinstance(vectors, Iterable) or isinstance(vectors, str | Mapping):
            raise InputError(f"vectors are wanted, not {vectors!r:.60}")
        pairs: Iterable[tuple[Any, Any]] = zip_longest(prompts, vectors, fillvalue=_NONE)
        if isinstance(texts, str):
            pairs = ((texts, vector) for vector in vectors)
        for number, (prompt, vector) in enumerate(pairs):
            if prompt is _NONE or vector is _NONE:
                more, fewer = ("texts", "vectors") if vector is _NONE else ("vectors", "texts")
                raise InputError(f"{number} {fewer}, and more {more}: give one for each")
            yield prompt, vector_of(vector, name=f"vectors[{number}]", size=size)

    def answers(
        self,
        texts: list[str],
        *,
        vectors: Sequence[Any] = (),
        labels: Mapping[str, str] | None = None,
        seed: int = 1,
        first: int = 0,
        heard: Callable[[int], object] | None = None,
        **sampling: Any,
    ) -> list[dict[str, Any]]:
        """What is written after some prompts.

        Args:
            texts: The prompts.
            vectors: What each is written from, of a model that does so.
            labels: Label by field; fields that are left out have none.
            seed: Decides the random numbers, together with the number of the text.
            first: Number of the first text.
            heard: Told each token of the first text, the last of its prompt included, before the
                next is drawn.
            sampling: Any of `SamplingConfig`; None for the model's own setting.

        Raises:
            InputError: A label, or another value, that there is not.
        """
        chosen = {key: value for key, value in sampling.items() if value is not None}
        settings = replace(self.settings.sampling, **chosen)
        check_sampling(settings)
        row = self.label_row(labels or {})
        answers: list[dict[str, Any]] = []
        for start in range(0, len(texts), ROWS):
            prompts = texts[start : start + ROWS]
            read = [self._prompt(text) for text in prompts]
            words = [prompt.word for prompt in read]
            request = DrawRequest(
                prompts=[prompt.ids for prompt in read],
                labels=row,
                sampling=settings,
                seeds=[seed_of(seed, first + start + number) for number in range(len(prompts))],
                begun=BegunWords(words, self._spellings) if any(words) else None,
                heard=heard,
                vectors=np.stack(vectors[start : start + ROWS])
                if self.settings.vector_size
                else None,
            )
            written = self.engine.draw(request)
            answers += [
                {
                    "text": text,
                    "generated_text": self._joined(self._read(text), tokens, prompt.letters),
                }
                for text, prompt, tokens in zip(prompts, read, written, strict=True)
            ]
        return answers

    @cached_property
    def _spellings(self) -> Spellings:
        return Spellings(self.featurizer.tokens)

    def reads(self, text: str) -> tuple[FeatureRow, list[str]]:
        """What the encoder reads of a prompt, the start symbol first."""
        ids = self._prompt(text).ids
        return FeatureRow(ids, None, None), [self.featurizer.tokens.vocabulary[i] for i in ids]

    def _prompt(self, text: str) -> Prompt:
        """What is read of a prompt."""
        shown, reverse = self._read(text), self.settings.reverse
        return read_prompt(self.featurizer, shown, typed=text, reverse=reverse)

    def write(self, text: str, say: Callable[[str], object], **options: Any) -> dict[str, Any]:
        """Writes one text and says it piece by piece.

        Args:
            text: The prompt.
            say: Told what is added to the prompt, as soon as its characters are complete. A model
                that was trained in reverse has nothing to say before its text is whole.
            options: As in calling the pipeline.

        Returns:
            What the pipeline gives for the prompt.
        """
        tokens: list[int] = []
        prompt = said = self._read(text)
        letters = self._prompt(text).letters

        def heard(token: int) -> None:
            nonlocal said
            tokens.append(token)
            whole = self._joined(prompt, tokens[1:], letters)  # the first one is the prompt's
            complete = not self.settings.reverse and not whole.endswith("\ufffd")
            if complete and len(whole) > len(said):
                say(whole[len(said) :])
                said = whole

        (answer,) = self.predict([text], heard=heard, **options)
        return answer

    def stream(
        self, *, labels: Mapping[str, str] | None = None, vectors: Any = None
    ) -> GenerationStream:
        """Says what each token of a text costs as it arrives; see `GenerationStream`.

        Args:
            labels: Label of the text by field; fields that are left out have none.
            vectors: The one that the text is written from, of a model that does so.

        Raises:
            InputError: A label or vector that cannot be, or a model that reads from the end.
        """
        from .stream import GenerationStream

        if self.settings.reverse:
            raise InputError(
                "the model reads from the end of a text to its start, so it cannot begin before "
                "the text has ended; train one that streams with --data.reverse false"
            )
        ((_, vector),) = self._inputs([""], vectors)
        return GenerationStream(
            engine=self.engine,
            featurizer=self.featurizer,
            labels=self.label_row(labels or {}),
            vector=None if vector is None else vector[None],
        )

    def gates(self, text: str, **options: Any) -> Gates:
        """As of any model, but not of one that writes from vectors.

        Raises:
            InputError: It does.
        """
        if self.settings.vector_size:
            raise InputError("gates are shown of texts, and this model's hang on a vector, too")
        return super().gates(text, **options)

    def label_row(self, labels: Mapping[str, str]) -> list[int]:
        """The id of the label of each field.

        Raises:
            InputError: A field or a label that training never saw.
        """
        fields = self.settings.fields
        for field, label in labels.items():
            if field not in fields:
                known = f"only {' and '.join(fields)}" if fields else "no labels at all"
                raise InputError(f"there is no field {field!r}: the model was trained with {known}")
            if label not in fields[field]:
                raise InputError(
                    f"there is no label {label!r} of {field}; training has seen "
                    f"{', '.join(fields[field])}"
                )
        return [
            known.get(labels.get(field), NOT_GIVEN)
            for field, known in zip(fields, label_ids(fields), strict=True)
        ]

    def _read(self, prompt: str) -> str:
        """A prompt without blanks at its end where those belong to the token that follows."""
        if self.settings.reverse or self.featurizer.level == "character":
            return prompt
        return prompt.rstrip(" ")

    def _joined(self, prompt: str, tokens: Sequence[int], letters: int) -> str:
        """A prompt, as it was given, and what was written after it, or before it in reverse; its
        last letters were written again.
        """
        reverse = self.settings.reverse
        written = self.featurizer.tokens.decode(tokens[::-1] if reverse else tokens)
        # A text that `max_length` cuts may end within a character.
        written = written.lstrip(HALF) if reverse else written.rstrip(HALF)[letters:]
        blank = " " if self.featurizer.level == "word" and prompt and written else ""
        return f"{written}{blank}{prompt}" if reverse else f"{prompt}{blank}{written}"


def is_single(vectors: Any) -> bool:
    """Whether this is one vector, and not several."""
    if isinstance(vectors, list | tuple):
        return bool(vectors) and isinstance(vectors[0], Real)
    return getattr(vectors, "ndim", None) == 1


def seed_of(seed: int, number: int) -> int:
    """The seed of one text of many; neighbours have nothing in common."""
    digest = hashlib.blake2b(f"{seed} {number}".encode(), digest_size=7).digest()
    return int.from_bytes(digest, "big")
