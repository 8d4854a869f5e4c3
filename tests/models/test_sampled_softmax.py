"""Sampled softmax: who stands among the candidates, and that the sum over them is right."""

import pytest
import torch

from rnnlp.models.layers.sampled_softmax import draw_candidates


def test_candidates_are_the_targets_and_others_once_each():
    targets = torch.tensor([7, 3, 7, 7, 1])
    among = draw_candidates(targets, drawn=4, vocabulary_size=12)
    assert among.ids[among.targets].equal(targets)
    assert among.ids[:3].tolist() == [1, 3, 7]
    assert len(among.ids.unique()) == 7 and set(among.ids.tolist()) <= set(range(12))
    assert among.offsets.exp().tolist() == pytest.approx([1, 1, 1] + [9 / 4] * 4)


@pytest.mark.parametrize("drawn", [9, 100])
def test_all_others_need_no_drawing(drawn):
    assert draw_candidates(torch.tensor([7, 3, 1]), drawn=drawn, vocabulary_size=12) is None


def test_the_mean_over_draws_is_the_sum_over_the_vocabulary():
    torch.manual_seed(1)
    scores, targets = torch.randn(50, dtype=torch.float64), torch.tensor([4, 9, 4])
    draws = []
    for _ in range(4000):
        among = draw_candidates(targets, drawn=10, vocabulary_size=50)
        draws.append((scores[among.ids] + among.offsets).exp().sum())
    error = torch.stack(draws).std() / len(draws) ** 0.5
    assert float(torch.stack(draws).mean()) == pytest.approx(
        float(scores.exp().sum()), abs=4 * float(error)
    )
