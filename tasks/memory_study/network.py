"""What tests of memory need: a recurrence that answers at the end, and how far gradients reach.

It knows no particular test; the sequences come from elsewhere.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnnlp.models.encoders.recurrent import Encoder


class Answerer(nn.Module):
    """Reads whole sequences onwards and answers at their last steps, by one linear layer.

    Args:
        encoder: Reads in one direction.
        outputs: Numbers that an answer is made from.
    """

    def __init__(self, *, encoder: Encoder, outputs: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.output = nn.Linear(encoder.output_size, outputs)

    def forward(self, inputs: Tensor, answers: int) -> Tensor:
        """Answer.

        Args:
            inputs: `[sequences, time, input_size]`, all of full length.
            answers: At how many steps, the last ones.

        Returns:
            `[sequences, answers, outputs]`.
        """
        lengths = torch.full(inputs.shape[:1], inputs.shape[1])
        logits: Tensor = self.output(self.encoder(inputs, lengths).states[:, -answers:])
        return logits


def gradient_reach(encoder: Encoder, inputs: Tensor, *, generator: torch.Generator) -> Tensor:
    """The norm of the gradient that reaches the state after each step.

    A gradient of norm 1 and random direction enters at the last hidden state. What counts as the
    state is all that is carried: of an LSTM both hidden and cell state.

    Args:
        encoder: Reads in one direction; in double precision, the small norms are told apart.
        inputs: `[sequences, time, input_size]`.
        generator: Draws the directions.

    Returns:
        `[time]`, the geometric mean over the sequences, in the order of the steps.
    """
    state, carried = encoder.start(len(inputs)), []
    for step in inputs.unbind(1):
        _, state = encoder.step(step, state)
        carried.append(state)
    end = state.hidden[-1]  # [sequences, hidden_size]
    entering = torch.randn(end.shape, generator=generator, dtype=end.dtype)
    entering = entering / entering.norm(dim=1, keepdim=True)
    parts = [part for one in carried for part in one if part is not None]
    grads = torch.autograd.grad(end, parts, entering, allow_unused=True)
    flat = torch.stack(
        [torch.zeros_like(p) if g is None else g for p, g in zip(parts, grads, strict=True)]
    )
    squares = (
        flat.pow(2).sum((1, 3)).view(len(carried), -1, len(inputs)).sum(1)
    )  # [time, sequences]
    return squares.clamp_min(torch.finfo(squares.dtype).tiny).log().mean(1).div(2).exp()
