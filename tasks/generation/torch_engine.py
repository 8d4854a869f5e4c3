"""A language model on torch: ids of prompts in, ids of what goes on after them out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from rnnlp.data.text.tokenizer import EOS, PAD
from rnnlp.models.generation.language_model import GeneratorState, LanguageModel
from rnnlp.models.search.sampling import sample

from .config import BANNED, SamplingConfig
from .prompts import BegunWords


class TorchGenerator:
    """Answers for a language model.

    Args:
        network: The language model.
    """

    def __init__(self, network: LanguageModel) -> None:
        self.network = network.eval()

    @torch.inference_mode()
    def draw(
        self,
        prompts: Sequence[Sequence[int]],
        labels: Sequence[int],
        sampling: SamplingConfig,
        seeds: Sequence[int],
        begun: BegunWords | None = None,
        heard: Callable[[int], object] | None = None,
        vectors: np.ndarray | None = None,
    ) -> list[list[int]]:
        """The tokens that go on after prompts.

        Args:
            prompts: Ids of each; the start symbol first.
            labels: Id of the label of each field.
            sampling: How to draw.
            seeds: Of the random numbers of each.
            begun: The words that what is written begins with.
            heard: Told each token of the first text before the next is drawn.
            vectors: What each is written from, [prompts, components].
        """
        device = next(self.network.parameters()).device
        lengths = torch.tensor([len(ids) - 1 for ids in prompts])  # the last one begins the search
        before = torch.full((len(prompts), max(1, int(lengths.max()))), PAD)
        for ids, target in zip(prompts, before, strict=True):
            target[: len(ids) - 1] = torch.tensor(ids[:-1], dtype=torch.long)
        every = None
        if labels:
            every = torch.tensor(list(labels), device=device).expand(len(prompts), -1)
        from_vectors = None if vectors is None else torch.from_numpy(vectors).to(device)
        step = self.network.step
        if heard is not None:

            def step(tokens, state):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
                heard(int(tokens[0]))
                return self.network.step(tokens, state)

        drawn = sample(
            step,
            self.network.begin(before.to(device), lengths, every, from_vectors),
            begin=torch.tensor([ids[-1] for ids in prompts], device=device),
            end=EOS,
            max_lengths=torch.full((len(prompts),), sampling.max_length, device=device),
            temperature=sampling.temperature,
            top_k=sampling.top_k,
            top_p=sampling.top_p,
            banned=BANNED,
            min_length=sampling.min_length,
            no_repeat_ngram_size=sampling.no_repeat_ngram_size,
            beginnings=begun,
            generator=[torch.Generator().manual_seed(seed) for seed in seeds],
        )
        return [hypothesis.tokens for hypothesis in drawn]

    @torch.inference_mode()
    def costs(
        self,
        tokens: Sequence[int],
        following: Sequence[int],
        so_far: GeneratorState | None,
        labels: Sequence[int],
        vectors: np.ndarray | None = None,
    ) -> tuple[np.ndarray, GeneratorState]:
        """What the tokens that follow the next tokens of one text cost, in nats, and what to pass
        on.
        """
        device = next(self.network.parameters()).device
        read = torch.tensor([list(tokens)], device=device)
        every = torch.tensor([list(labels)], device=device) if labels else None
        given = None if vectors is None else torch.from_numpy(vectors).to(device)
        if so_far is None:
            so_far = self.network.begin(read[:, :0], torch.tensor([0]), every, given)
        if len(tokens) == 1:  # twice as fast as a sequence of one
            step = self.network.step(read[0], so_far)
            log_probs, so_far = step.log_probs, step.state
        else:
            length = torch.tensor([len(tokens)])
            logits, _, recurrent = self.network(read, read, length, every, so_far.recurrent, given)
            log_probs, so_far = logits.log_softmax(1), so_far._replace(recurrent=recurrent)
        chosen = log_probs[range(len(tokens)), list(following)]
        return -chosen.double().cpu().numpy(), so_far
