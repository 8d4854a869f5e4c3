"""Attention: each score against its equation, padding, torch.nn.MultiheadAttention, errors."""

import math

import pytest
import torch
from torch import nn

from rnnlp.models.translation.attention import SCORES, Attention

LENGTHS = torch.tensor([3, 6, 1])
SOURCE = 6


def make(score, query_size=5, memory_size=4, **sizes):
    torch.manual_seed(0)
    if score == "dot":
        query_size = memory_size
    sizes = {"size": 6, "heads": 3, **sizes}
    attention = Attention(query_size=query_size, memory_size=memory_size, score=score, **sizes)
    return attention, torch.randn(3, 2, query_size), torch.randn(3, SOURCE, memory_size)


def raw_score(attention, query, state):
    """The number by which one query weighs one source position, as the papers write it."""
    if attention.score == "dot":
        return query @ state
    if attention.score == "general":
        return query @ attention.key.weight @ state
    hidden = attention.query.weight @ query + attention.query.bias + attention.key.weight @ state
    return attention.weigh.weight[0] @ torch.tanh(hidden)


@pytest.mark.parametrize("score", ["additive", "dot", "general"])
def test_scores_equal_their_equations(score):
    attention, queries, states = make(score)
    contexts, weights = attention(queries, attention.read(states, LENGTHS))
    assert contexts.shape == (3, 2, attention.output_size)
    for row, length in enumerate(LENGTHS.tolist()):
        for time, query in enumerate(queries[row]):
            scores = torch.stack([raw_score(attention, query, h) for h in states[row, :length]])
            wanted = scores.exp() / scores.exp().sum()
            torch.testing.assert_close(weights[row, time, :length], wanted)
            mean = sum(weight * h for weight, h in zip(wanted, states[row], strict=False))
            torch.testing.assert_close(contexts[row, time], mean)


def test_heads_equal_their_equations():
    attention, queries, states = make("multihead")
    contexts, weights = attention(queries, attention.read(states, LENGTHS))
    heads, width = attention.heads, 6 // attention.heads
    for row, length in enumerate(LENGTHS.tolist()):
        inside = states[row, :length]
        for time, query in enumerate(queries[row]):
            actual, mean = [], torch.zeros(length)
            for head in range(heads):
                at = slice(head * width, (head + 1) * width)
                q = attention.query(query)[at]
                k, v = attention.key(inside)[:, at], attention.value(inside)[:, at]
                a = (k @ q / math.sqrt(width)).softmax(0)
                actual.append(a @ v)
                mean += a / heads
            torch.testing.assert_close(contexts[row, time], attention.output(torch.cat(actual)))
            torch.testing.assert_close(weights[row, time, :length], mean)


@pytest.mark.parametrize("heads", [1, 2, 8])
def test_multihead_equals_torch(heads):
    attention, queries, states = make("multihead", 8, 8, size=8, heads=heads)
    oracle = nn.MultiheadAttention(8, heads, batch_first=True)
    parts = (attention.query, attention.key, attention.value)
    with torch.no_grad():
        oracle.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        oracle.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
        oracle.out_proj.load_state_dict(attention.output.state_dict())
    memory = attention.read(states, LENGTHS)
    contexts, weights = attention(queries, memory)
    wanted = oracle(queries, states, states, key_padding_mask=memory.outside)
    torch.testing.assert_close((contexts, weights), wanted)


@pytest.mark.parametrize("score", SCORES)
def test_weights_are_shares_of_the_source_alone(score):
    attention, queries, states = make(score)
    for factor in (1.0, 1e4):  # also where one score drowns all others
        contexts, weights = attention(factor * queries, attention.read(states, LENGTHS))
        torch.testing.assert_close(weights.sum(2), torch.ones(3, 2))
        assert (weights >= 0).all()
        outside = torch.arange(SOURCE) >= LENGTHS.unsqueeze(1)
        assert not weights.transpose(1, 2)[outside].any()
        assert contexts.isfinite().all()


@pytest.mark.parametrize("score", SCORES)
def test_padding_order_and_company_change_nothing(score):
    attention, queries, states = make(score)
    contexts, weights = attention(queries, attention.read(states, LENGTHS))
    for row, length in enumerate(LENGTHS.tolist()):
        one = slice(row, row + 1)
        memory = attention.read(states[one, :length], LENGTHS[one])
        alone, shares = attention(queries[one], memory)
        torch.testing.assert_close(alone, contexts[one])
        torch.testing.assert_close(shares, weights[one, :, :length])
    outside = torch.arange(SOURCE) >= LENGTHS.unsqueeze(1)
    garbage = torch.cat([states.masked_fill(outside.unsqueeze(2), 1e6), torch.ones(3, 2, 4)], 1)
    order = torch.tensor([2, 0, 1])
    memory = attention.read(garbage[order], LENGTHS[order])
    actual, _ = attention(queries[order], memory)
    torch.testing.assert_close(actual, contexts[order])


@pytest.mark.parametrize("score", SCORES)
def test_queries_do_not_see_each_other(score):
    attention, queries, states = make(score)
    memory = attention.read(states, LENGTHS)
    contexts, weights = attention(queries, memory)
    for time in range(queries.shape[1]):
        one = slice(time, time + 1)
        actual = attention(queries[:, one], memory)
        torch.testing.assert_close(actual, (contexts[:, one], weights[:, one]))


@pytest.mark.parametrize("score", SCORES)
def test_memory_is_picked_by_sentence(score):
    attention, queries, states = make(score)
    index = torch.tensor([1, 1, 0])
    picked = attention.read(states, LENGTHS).reorder(index)
    again = attention.read(states[index], LENGTHS[index])
    torch.testing.assert_close(attention(queries, picked), attention(queries, again))


@pytest.mark.parametrize("score", SCORES)
def test_gradients_stop_at_padding(score):
    attention, queries, states = make(score)
    queries, states = (x.double().requires_grad_() for x in (queries, states))
    attention.double()
    attention(queries, attention.read(states, LENGTHS))[0].square().sum().backward()
    outside = torch.arange(SOURCE) >= LENGTHS.unsqueeze(1)
    assert not states.grad[outside].any()
    assert (states.grad[~outside] != 0).all()
    parameters = tuple(attention.parameters())  # gradcheck changes them in place
    assert torch.autograd.gradcheck(
        lambda *_: attention(queries, attention.read(states, LENGTHS)),
        (queries, states, *parameters),
        fast_mode=True,
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"score": "cosine"}, "additive, dot, general, multihead, not 'cosine'"),
        ({"score": "dot"}, "one width, not 5 and 4: use general"),
        ({"score": "multihead", "size": 6, "heads": 4}, "4 heads do not divide a width of 6"),
        ({"score": "multihead", "heads": 0}, "0 heads"),
    ],
)
def test_bad_parameters_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        Attention(query_size=5, memory_size=4, **change)
