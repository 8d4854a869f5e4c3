"""Units: how the tokens of a padded batch are shared out among cores."""

import itertools

import torch

from rnnlp.models.recurrence.packing import make_unit


def test_units_cover_every_token_once():
    lengths = torch.tensor([3, 5, 1, 5, 2, 4])
    for directions, parts in itertools.product((1, 2), (1, 2, 3, 6)):
        units = [
            make_unit(lengths, time=7, direction=direction, part=part, parts=parts)
            for direction in range(directions)
            for part in range(parts)
        ]
        inside = (torch.arange(7) < lengths.unsqueeze(1)).flatten().nonzero().flatten()
        for direction in range(directions):
            tokens = [unit.tokens for unit in units if unit.direction == direction]
            assert torch.equal(torch.cat(tokens).sort().values, inside)
        for unit in units:
            assert torch.equal(unit.tokens[unit.last] // 7, unit.rows)
