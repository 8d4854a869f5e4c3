"""A trained generator in use: prompts and labels in, texts out.

Lives on torch, tokenizers and safetensors alone. Each text has random numbers of its own, so that
neither the batch it falls into nor what is drawn beside it changes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, overload

import torch
from torch import Tensor

from rnnlp.data.errors import InputError
from rnnlp.data.generation.collate import NOT_GIVEN, label_ids, token_ids
from rnnlp.data.text.featurizer import Featurizer
from rnnlp.data.text.tokenizer import BOS, EOS, PAD, UNK
from rnnlp.models.generation.language_model import LanguageModel
from rnnlp.models.search.sampling import sample
from rnnlp.tasks.model_folder.folder import CONFIG, ModelFolder

from .config import GeneratorConfig, SamplingConfig, check_sampling

if TYPE_CHECKING:
    from .stream import GenerationStream

ROWS = 64  # texts that are drawn together
_BANNED = (PAD, UNK, BOS)  # never part of a text


class GenerationPipeline:
    """Writes texts, from prompts or from nothing.

    Args:
        network: The generator.
        featurizer: Splits and looks up prompts.
        settings: The labels, and what the network was built from.
    """

    task = "generation"
    writes = True  # texts of its own, drawn with random numbers

    def __init__(
        self, *, network: LanguageModel, featurizer: Featurizer, settings: GeneratorConfig
    ) -> None:
        self.network = network.eval()
        self.featurizer = featurizer
        self.settings = settings

    @classmethod
    def from_folder(cls, folder: ModelFolder) -> GenerationPipeline:
        """Reads a model folder."""
        settings = GeneratorConfig.from_json(folder.config, source=str(folder.path / CONFIG))
        check_sampling(settings.sampling, prefix=f"{folder.path / CONFIG}: sampling.")
        network = folder.network(settings.build)
        return cls(network=network, featurizer=folder.featurizer(), settings=settings)

    @overload
    def __call__(
        self,
        texts: str = "",
        *,
        count: None = None,
        labels: Mapping[str, str] | None = None,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        max_length: int | None = None,
        seed: int = 1,
        first: int = 0,
    ) -> dict[str, Any]: ...

    @overload
    def __call__(
        self,
        texts: str | Sequence[str] = "",
        *,
        count: int | None = None,
        labels: Mapping[str, str] | None = None,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        max_length: int | None = None,
        seed: int = 1,
        first: int = 0,
    ) -> list[dict[str, Any]]: ...

    def __call__(
        self,
        texts: str | Sequence[str] = "",
        *,
        count: int | None = None,
        labels: Mapping[str, str] | None = None,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        max_length: int | None = None,
        seed: int = 1,
        first: int = 0,
    ) -> dict[str, Any] | list[dict[str, Any]]:
        """Writes texts.

        Args:
            texts: One prompt, or several; an empty one is the start symbol alone. A model that was
                trained in reverse writes what comes before its prompt.
            count: How many texts to write for each prompt.
            labels: Label by field, such as `{"M": "6/8"}`; fields that are left out have none.
            temperature: Below 1 the probable becomes more probable; None, as for the next three,
                for the model's own setting.
            top_k: Draw among so many most probable tokens only; 0 for all.
            top_p: Draw among the most probable tokens that together have this probability.
            max_length: Most tokens that are added to a prompt.
            seed: Decides the random numbers, together with the number of the text.
            first: Number of the first text, for calls that go on where another one ended.

        Returns:
            For each text `{"text", "generated_text"}`, the prompt and the prompt with what was
            written; a dictionary where `texts` is a single one and `count` is not given.

        Raises:
            InputError: A label, or another value, that there is not.
        """
        if isinstance(texts, str) and count is None:
            (answer,) = self(
                [texts],
                count=1,
                labels=labels,
                temperature=temperature,
                top_k=top_k,
                top_p=top_p,
                max_length=max_length,
                seed=seed,
                first=first,
            )
            return answer
        given = {
            "temperature": temperature,
            "top_k": top_k,
            "top_p": top_p,
            "max_length": max_length,
        }
        changes: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        sampling = replace(self.settings.sampling, **changes)
        check_sampling(sampling)
        row = self.label_row(labels or {})
        prompts = [texts] if isinstance(texts, str) else texts
        wanted = [prompt for prompt in prompts for _ in range(1 if count is None else count)]
        found: list[dict[str, Any]] = []
        for start in range(0, len(wanted), ROWS):
            part = wanted[start : start + ROWS]
            seeds = [seed_of(seed, first + start + number) for number in range(len(part))]
            written = self._draw(part, row, sampling, seeds)
            found += [
                {"text": prompt, "generated_text": self._joined(prompt, tokens)}
                for prompt, tokens in zip(part, written, strict=True)
            ]
        return found

    def stream(self, *, labels: Mapping[str, str] | None = None) -> GenerationStream:
        """Says what each token of a text costs as it arrives; see `GenerationStream`.

        Args:
            labels: Label of the text by field; fields that are left out have none.

        Raises:
            InputError: A label that there is not, or a model that reads from the end.
        """
        from .stream import GenerationStream

        if self.settings.reverse:
            raise InputError(
                "the model reads from the end of a text to its start, so it cannot begin before "
                "the text has ended; train one that streams with --data.reverse false"
            )
        return GenerationStream(
            network=self.network,
            featurizer=self.featurizer,
            labels=self.label_row(labels or {}),
        )

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

    @torch.inference_mode()
    def _draw(
        self,
        prompts: Sequence[str],
        labels: Sequence[int],
        sampling: SamplingConfig,
        seeds: Sequence[int],
    ) -> list[list[int]]:
        """Tokens that go on after prompts, in the order in which they are read."""
        device = next(self.network.parameters()).device
        read = [
            [BOS, *token_ids(self.featurizer, prompt, reverse=self.settings.reverse)]
            for prompt in prompts
        ]
        lengths = torch.tensor([len(ids) - 1 for ids in read])  # the last one begins the search
        before = torch.full((len(read), max(1, int(lengths.max()))), PAD)
        for ids, target in zip(read, before, strict=True):
            target[: len(ids) - 1] = torch.tensor(ids[:-1], dtype=torch.long)
        given: Tensor | None = None
        if labels:
            given = torch.tensor(list(labels), device=device).expand(len(read), -1)
        found = sample(
            self.network.step,
            self.network.begin(before.to(device), lengths, given),
            begin=torch.tensor([ids[-1] for ids in read], device=device),
            end=EOS,
            max_lengths=torch.full((len(read),), sampling.max_length, device=device),
            temperature=sampling.temperature,
            top_k=sampling.top_k,
            top_p=sampling.top_p,
            banned=_BANNED,
            generator=[torch.Generator().manual_seed(seed) for seed in seeds],
        )
        return [hypothesis.tokens for hypothesis in found]

    def _joined(self, prompt: str, tokens: Sequence[int]) -> str:
        """A prompt, as it was given, and what was written after it, or before it in reverse."""
        reverse = self.settings.reverse
        written = self.featurizer.tokens.decode(tokens[::-1] if reverse else tokens)
        blank = " " if self.featurizer.level == "word" and prompt and written else ""
        return f"{written}{blank}{prompt}" if reverse else f"{prompt}{blank}{written}"


def seed_of(seed: int, number: int) -> int:
    """The seed of one text of many; neighbours have nothing in common."""
    digest = hashlib.blake2b(f"{seed} {number}".encode(), digest_size=7).digest()
    return int.from_bytes(digest, "big")
