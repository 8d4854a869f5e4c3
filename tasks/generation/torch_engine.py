"""A language model on torch: ids of prompts in, ids of what goes on after them out."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rnnlp.data.text.tokenizer import PAD
from rnnlp.models.generation.language_model import GeneratorState, LanguageModel

from .costs import costs_of
from .drawing import DrawRequest, drawn
from .scores import Costs, Reading


class TorchGenerator:
    """Answers for a language model.

    Args:
        network: The language model.
    """

    def __init__(self, network: LanguageModel) -> None:
        self.network = network.eval()

    @torch.inference_mode()
    def draw(self, request: DrawRequest) -> list[list[int]]:
        """The tokens that go on after prompts."""
        prompts, vectors = request.prompts, request.vectors
        device = self.network.embedding.words.weight.device
        lengths = torch.tensor([len(ids) - 1 for ids in prompts])  # the last one begins the search
        before = torch.full((len(prompts), max(1, int(lengths.max()))), PAD)
        for ids, target in zip(prompts, before, strict=True):
            target[: len(ids) - 1] = torch.tensor(ids[:-1], dtype=torch.long)
        every = None
        if request.labels:
            every = torch.tensor(list(request.labels), device=device).expand(len(prompts), -1)
        from_vectors = None if vectors is None else torch.from_numpy(vectors).to(device)
        return drawn(
            self.network.step,
            self.network.begin(before.to(device), lengths, every, from_vectors),
            begin=torch.tensor([ids[-1] for ids in prompts], device=device),
            request=request,
        )

    @torch.inference_mode()
    def costs(self, reading: Reading, so_far: GeneratorState | None) -> Costs:
        """What the tokens cost that follow the next tokens of some texts; see `Engine`."""
        device = self.network.embedding.words.weight.device

        def to_tensor(array: np.ndarray | None) -> Tensor | None:
            return None if array is None or not array.size else torch.from_numpy(array).to(device)

        tokens, following = (torch.from_numpy(part).to(device) for part in reading[:2])
        lengths = torch.from_numpy(reading.lengths)
        labels, vectors = to_tensor(reading.labels), to_tensor(reading.vectors)
        if so_far is None:
            so_far = self.network.begin(tokens[:, :0], torch.zeros_like(lengths), labels, vectors)
        elif reading.carried is not None:
            so_far = so_far.reorder(torch.from_numpy(reading.carried).to(device))
        if tokens.shape == (1, 1):  # twice as fast as a sequence of one
            step = self.network.step(tokens[0], so_far)
            logits, targets, so_far = step.log_probs, following[0], step.state
        else:
            logits, targets, recurrent = self.network(
                tokens, following, lengths, labels, so_far.recurrent, vectors
            )
            so_far = so_far._replace(recurrent=recurrent)
        return Costs(*costs_of(logits, targets), so_far)
