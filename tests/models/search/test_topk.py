"""The best of many sums, against sorting all of them."""

from math import inf

import numpy as np
import pytest
import torch

from rnnlp.models.search.topk import best_sums


@pytest.mark.parametrize("width", [4, 63, 128, 700, 1000, 8000, 8003, 8064])
@pytest.mark.parametrize("members", [1, 5])
def test_best_sums_are_those_of_a_sort(width, members):
    torch.manual_seed(width)
    scores = torch.randn(7 * members, width)
    offsets = torch.randn(7, members)
    offsets[0, 1:] = -inf
    sums = (scores + offsets.view(-1, 1)).view(7, -1)
    for count in {1, min(2 * members, width)}:
        values, places = map(torch.from_numpy, best_sums(offsets.numpy(), scores.numpy(), count))
        torch.testing.assert_close(values, sums.sort(1, descending=True).values[:, :count])
        torch.testing.assert_close(sums.gather(1, places), values)


def test_the_best_may_all_lie_behind_the_last_block():
    scores = torch.zeros(2, 1030)
    scores[:, 1024:] = torch.arange(1.0, 7.0)
    values, places = best_sums(np.zeros((1, 2), np.float32), scores.numpy(), 4)
    assert values.tolist() == [[6.0, 6.0, 5.0, 5.0]]
    assert sorted(places[0].tolist()) == [1028, 1029, 1030 + 1028, 1030 + 1029]
