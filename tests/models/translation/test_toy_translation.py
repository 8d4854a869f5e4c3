"""Whole translators on strings of digits: what an attention must find, and a decoder must count.

Copying and reversing want the right place at each step, sorting a look at all places and a memory
of what has been said. Strings of the test never occur in training.
"""

from collections.abc import Callable

import pytest
import torch
from torch.nn.utils.rnn import pad_sequence

from rnnlp.models.embeddings.token import Embedding
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.layers.losses import token_loss
from rnnlp.models.search.sampling import greedy
from rnnlp.models.translation.decoder import Decoder
from rnnlp.models.translation.translator import Translator

PAD, BEGIN, END, ZERO = 0, 2, 3, 4
SIZE = 64
TASKS: dict[str, tuple[Callable, int]] = {  # and how many batches it takes to learn
    "copy": (lambda digits: digits, 200),
    "reverse": (lambda digits: digits[::-1], 250),
    "sort": (sorted, 350),
}


def make(cell):
    return Translator(
        embedding=Embedding(vocabulary_size=14, size=SIZE),
        encoder=Encoder(input_size=SIZE, cell=cell, hidden_size=SIZE // 2),
        decoder=Decoder(
            vocabulary_size=14,
            memory_size=SIZE,
            final_size=SIZE,
            size=SIZE,
            cell=cell,
            hidden_size=SIZE,
            num_layers=2,
            attention="additive",
            attention_size=SIZE,
        ),
    )


def strings(count, generator):
    lengths = torch.randint(3, 9, (count,), generator=generator).tolist()
    digits = torch.randint(10, (count, 8), generator=generator).tolist()
    return [row[:length] for row, length in zip(digits, lengths, strict=True)]


def padded(rows):
    ids = [torch.tensor(row) for row in rows]
    return pad_sequence(ids, batch_first=True), torch.tensor([len(row) for row in rows])


def encode(model, digits):
    tokens, lengths = padded([[ZERO + digit for digit in row] for row in digits])
    return model.encode(tokens, None, None, lengths), lengths


def train(model, answer, steps, held_out, generator):
    unseen = set(map(tuple, held_out))
    optimizer = torch.optim.Adam(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.005, total_steps=steps, pct_start=0.1
    )
    for _ in range(steps):
        digits = [row for row in strings(64, generator) if tuple(row) not in unseen]
        said = [[BEGIN, *(ZERO + digit for digit in answer(row)), END] for row in digits]
        loss = token_loss(*model(encode(model, digits)[0], *padded(said)))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()


def exact_matches(cell, task, seed):
    """Share of held-out strings that a trained translator answers without a mistake."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    held_out = strings(300, generator)
    answer, steps = TASKS[task]
    model = make(cell)
    train(model, answer, steps, held_out, generator)
    state, lengths = encode(model.eval(), held_out)
    actual = greedy(model.step, state, begin=BEGIN, end=END, max_lengths=lengths + 3)
    said = [[token - ZERO for token in one.tokens] for one in actual]
    right = [one == answer(row) for one, row in zip(said, held_out, strict=True)]
    return sum(right) / len(right)


# Each task and each cell; the recurrences themselves are held equal to torch's elsewhere.
@pytest.mark.parametrize(("task", "cell"), [("copy", "rnn"), ("reverse", "gru"), ("sort", "lstm")])
def test_learns(task, cell):
    assert exact_matches(cell, task, seed=1) >= 0.99
