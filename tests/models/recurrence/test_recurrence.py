"""The recurrences against torch.nn on packed sequences, and against finite differences."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.recurrence import autograd as layer
from rnnlp.models.recurrence import dispatch
from rnnlp.models.recurrence import matmul as products
from rnnlp.models.recurrence.cell import State, Weights
from rnnlp.models.recurrence.cells import CELLS
from rnnlp.models.recurrence.dispatch import recur

MODULES = {
    "rnn": lambda *sizes, **options: nn.RNN(*sizes, nonlinearity="tanh", **options),
    "rnn_relu": lambda *sizes, **options: nn.RNN(*sizes, nonlinearity="relu", **options),
    "lstm": nn.LSTM,
    "gru": nn.GRU,
}


@pytest.fixture(params=[False, True], ids=["in line", "on cores"])
def on_cores(request, monkeypatch):
    """Runs a test with all units in one thread, and with each unit in a thread of its own."""
    monkeypatch.setattr(layer, "UNIT_WORK", 1)
    monkeypatch.setattr(layer, "STEP_WORK", 0)
    monkeypatch.setattr(layer, "PART_ROWS", 1)
    monkeypatch.setattr(products, "WORTH", 0 if request.param else 1 << 60)
    before = torch.get_num_threads()
    torch.set_num_threads(3 if request.param else 1)
    yield
    torch.set_num_threads(before)


def packed(module, x, lengths, initial=None):
    """torch.nn on a packed sequence: states, and the final state as a list of tensors."""
    if initial is not None:
        initial = tuple(initial) if isinstance(module, nn.LSTM) else initial[0]
    sequence = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    states, final = module(sequence, initial)
    states, _ = pad_packed_sequence(states, batch_first=True, total_length=x.shape[1])
    return states, list(final) if isinstance(final, tuple) else [final]


def tensors(state):
    return [part for part in state if part is not None]


def draw(cell, batch, time, width, size, directions, seed=0, dtype=torch.float32):
    """A batch, its lengths (1 among them), an initial state and a gradient for every result."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, time + 1, (batch,), generator=generator)
    lengths[0] = 1

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=dtype)

    names = 2 if cell == "lstm" else 1
    return (
        normal(batch, time, width),
        lengths,
        [normal(directions, batch, size) for _ in range(names)],
        [normal(batch, time, directions * size)]
        + [normal(directions, batch, size) for _ in range(names)],
    )


@settings(max_examples=60, deadline=None)
@given(
    cell=st.sampled_from(list(MODULES)),
    batch=st.integers(1, 7),
    time=st.integers(1, 9),
    width=st.integers(1, 6),
    size=st.integers(1, 6),
    num_layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    start=st.booleans(),
    threads=st.integers(1, 4),
    padded=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_equals_torch_nn_packed(
    cell, batch, time, width, size, num_layers, bidirectional, start, threads, padded, seed
):
    """By our own layer, and by torch's function over padding wherever a cell can do with it."""
    torch.manual_seed(seed)
    oracle = MODULES[cell](width, size, num_layers, batch_first=True, bidirectional=bidirectional)
    encoder = Encoder(
        input_size=width,
        cell=cell,
        hidden_size=size,
        num_layers=num_layers,
        bidirectional=bidirectional,
    )
    encoder.load_state_dict(oracle.state_dict())
    x, lengths, initial, grads = draw(
        cell, batch, time, width, size, num_layers * encoder.directions, seed
    )
    grads[0] = torch.randn(batch, time, encoder.output_size)
    actual, wanted = [], []
    bounds = layer.UNIT_WORK, layer.PART_ROWS, layer.STEP_WORK
    way, before = dispatch._way, torch.get_num_threads()
    try:
        layer.UNIT_WORK, layer.PART_ROWS, layer.STEP_WORK = 1, 1, 0
        if padded and CELLS[cell].keeping is not None:
            dispatch._way = lambda *_: dispatch.run_padded
        torch.set_num_threads(threads)
        for module, results in ((encoder, actual), (oracle, wanted)):
            embedded = x.clone().requires_grad_()
            begin = [part.clone().requires_grad_() for part in initial] if start else []
            if module is encoder:
                out = encoder(embedded, lengths, State(*begin) if start else None)
                states, final = out.states, tensors(out.final)
            else:
                states, final = packed(oracle, embedded, lengths, begin or None)
            torch.autograd.backward([states, *final], grads)
            results += [states, *final, embedded.grad, *(part.grad for part in begin)]
            results += [parameter.grad for parameter in module.parameters()]
    finally:
        layer.UNIT_WORK, layer.PART_ROWS, layer.STEP_WORK = bounds
        dispatch._way = way
        torch.set_num_threads(before)
    assert len(actual) == len(wanted)
    for one, other in zip(actual, wanted, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("cell", MODULES)
def test_long_sentences(cell, on_cores):
    """Many steps, so that the blocks of the backward pass are many too."""
    torch.manual_seed(1)
    oracle = MODULES[cell](24, 32, batch_first=True, bidirectional=True)
    encoder = Encoder(input_size=24, cell=cell, hidden_size=32)
    encoder.load_state_dict(oracle.state_dict())
    lengths = torch.tensor([150, 1, 77, 149, 150, 80, 33, 120, 9])
    x, grad = torch.randn(9, 150, 24), torch.randn(9, 150, 64)
    ours, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    encoder(ours, lengths).states.backward(grad)
    packed(oracle, theirs, lengths)[0].backward(grad)
    torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-5, rtol=1e-5)
    for one, other in zip(encoder.parameters(), oracle.parameters(), strict=True):
        scale = other.grad.abs().max()  # sums over a thousand tokens: relative to the largest
        torch.testing.assert_close(one.grad / scale, other.grad / scale, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("lengths", "threads"),
    [
        *itertools.product([[20] * 4 + [17], [15, 16, 14], [30] * 32], [1, 2]),
        ([24, 14, 20, 13], 2),  # a core for each direction: more padding is worth it
    ],
)
def test_one_dnn_in_training(lengths, threads, monkeypatch):
    """Where oneDNN's LSTM is taken, nothing is read from padding and nothing else comes out."""
    taken, lengths, before = [], torch.tensor(lengths), torch.get_num_threads()
    monkeypatch.setattr(dispatch, "parts_of", lambda *_: 1)
    torch.set_num_threads(threads)

    def padded(*arguments, way=dispatch.run_padded):
        taken.append(True)
        return way(*arguments)

    monkeypatch.setattr(dispatch, "run_padded", padded)
    torch.manual_seed(1)
    oracle = nn.LSTM(24, 96, batch_first=True, bidirectional=True)
    encoder = Encoder(input_size=24, cell="lstm", hidden_size=96)
    encoder.load_state_dict(oracle.state_dict())
    batch, time = len(lengths), int(lengths.max())
    x, grad = torch.randn(batch, time, 24), torch.randn(batch, time, 192)
    ours, theirs = x.clone(), x.clone().requires_grad_()
    ours[torch.arange(time) >= lengths.unsqueeze(1)] = float("nan")
    actual = encoder(ours.requires_grad_(), lengths)
    states, final = packed(oracle, theirs, lengths)
    torch.autograd.backward(
        [actual.states, *actual.final], [grad, *(part.detach() for part in final)]
    )
    torch.autograd.backward([states, *final], [grad, *(part.detach() for part in final)])
    torch.set_num_threads(before)
    assert taken == [True]
    parameters = zip(encoder.parameters(), oracle.parameters(), strict=True)
    pairs = [
        (actual.states, states),
        *zip(actual.final, final, strict=True),
        (ours.grad, theirs.grad),
    ]
    for one, other in [*pairs, *((one.grad, other.grad) for one, other in parameters)]:
        scale = other.detach().abs().max()
        torch.testing.assert_close(one / scale, other / scale, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("cell", MODULES)
@pytest.mark.parametrize("start", [False, True])
def test_gradcheck(cell, start, on_cores):
    x, lengths, initial, _ = draw(cell, 3, 4, 3, 2, 2, dtype=torch.float64)
    torch.manual_seed(3)
    shapes = [
        (CELLS[cell].gates * 2, 3),
        (CELLS[cell].gates * 2, 2),
        (CELLS[cell].gates * 2,),
        (CELLS[cell].gates * 2,),
    ]
    parameters = [torch.randn(shape, dtype=torch.float64) for shape in shapes * 2]
    names = len(initial)

    def run(x, *others):
        begin, flat = others[:names], others[names:]
        weights = [Weights(*flat[:4]), Weights(*flat[4:])]
        states, final = recur(CELLS[cell], x, lengths, weights, State(*begin) if start else None)
        return states, *tensors(final)

    arguments = [part.requires_grad_() for part in (x, *initial, *parameters)]
    if not start:
        run_without = run

        def run(x, *flat):
            return run_without(x, *initial, *flat)

        arguments = arguments[:1] + arguments[1 + names :]
    assert torch.autograd.gradcheck(run, arguments)


@pytest.mark.parametrize("cell", CELLS)
def test_without_gradients(cell, on_cores):
    encoder = Encoder(input_size=4, cell=cell, hidden_size=3)
    x, lengths, _, _ = draw(cell, 6, 8, 4, 3, 2)
    wanted = encoder(x, lengths)
    assert wanted.states.requires_grad
    for context in (torch.no_grad(), torch.inference_mode()):
        with context:
            actual = encoder(x, lengths)
        assert not actual.states.requires_grad
        torch.testing.assert_close(actual.states, wanted.states.detach())
        for one, other in zip(tensors(actual.final), tensors(wanted.final), strict=True):
            torch.testing.assert_close(one, other.detach())


@pytest.mark.parametrize("cell", [name for name, cell in CELLS.items() if cell.infer])
@pytest.mark.parametrize("start", [False, True])
def test_our_own_layer_in_use(cell, start, on_cores, monkeypatch):
    """What is not laid out for a way back gives the states of torch.nn."""
    monkeypatch.setattr(dispatch, "_way", lambda *_: dispatch._own)
    oracle = MODULES[cell](4, 3, batch_first=True, bidirectional=True)
    encoder = Encoder(input_size=4, cell=cell, hidden_size=3)
    encoder.load_state_dict(oracle.state_dict())
    x, lengths, initial, _ = draw(cell, 6, 8, 4, 3, 2)
    with torch.no_grad():
        states, final = encoder(x, lengths, State(*initial) if start else None)
        expected, last = packed(oracle, x, lengths, initial if start else None)
    torch.testing.assert_close(states, expected)
    for one, other in zip(tensors(final), last, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("batch", [1, 3, 20])
@pytest.mark.parametrize("threads", [1, 2])
def test_without_padding(cell, batch, threads, monkeypatch):
    """Batches of equal lengths may take a library path; the results are the same."""
    monkeypatch.setattr(dispatch, "UNIT_WORK", 0)
    encoder = Encoder(input_size=4, cell=cell, hidden_size=3)
    x, lengths = torch.randn(batch, 5, 4), torch.full((batch,), 5)
    start = State(*(torch.randn(2, batch, 3) for _ in range(1 + CELLS[cell].has_cell)))
    wanted = encoder(x, lengths, start)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.inference_mode():
            actual = encoder(x, lengths, start)
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(actual.states, wanted.states.detach())
    for one, other in zip(tensors(actual.final), tensors(wanted.final), strict=True):
        torch.testing.assert_close(one, other.detach())


@pytest.mark.parametrize("cell", MODULES)
def test_used_twice_in_one_graph(cell, on_cores):
    torch.manual_seed(5)
    oracle = MODULES[cell](3, 3, batch_first=True)
    encoder = Encoder(input_size=3, cell=cell, hidden_size=3, bidirectional=False)
    encoder.load_state_dict(oracle.state_dict())
    x, lengths, _, _ = draw(cell, 4, 6, 3, 3, 1)
    encoder(encoder(x, lengths).states, lengths).states.pow(2).sum().backward()
    packed(oracle, packed(oracle, x, lengths)[0], lengths)[0].pow(2).sum().backward()
    for one, other in zip(encoder.parameters(), oracle.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_backward_twice_through_one_graph(cell):
    encoder = Encoder(input_size=3, cell=cell, hidden_size=3)
    x, lengths, _, _ = draw(cell, 4, 6, 3, 3, 1)
    loss = encoder(x, lengths).states.pow(2).sum()
    first = torch.autograd.grad(loss, list(encoder.parameters()), retain_graph=True)
    second = torch.autograd.grad(loss, list(encoder.parameters()))
    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


@pytest.mark.parametrize("cell", CELLS)
def test_input_that_is_not_contiguous(cell):
    encoder = Encoder(input_size=4, cell=cell, hidden_size=3)
    lengths = torch.tensor([5, 3])
    x = torch.randn(5, 4, 2).permute(2, 0, 1)
    assert not x.is_contiguous()
    torch.testing.assert_close(encoder(x, lengths).states, encoder(x.contiguous(), lengths).states)
    wide = encoder(x, lengths).states
    wide.backward(torch.ones(1, 1, 1).expand_as(wide))  # nor is this gradient


@pytest.mark.parametrize("cell", CELLS)
def test_autocast(cell):
    encoder = Encoder(input_size=8, cell=cell, hidden_size=8, num_layers=2)
    x, lengths, _, _ = draw(cell, 5, 9, 8, 8, 2)
    wanted = encoder(x, lengths).states
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = encoder(x, lengths)
        assert out.states.dtype == torch.bfloat16
        loss = out.states.float().pow(2).sum()
        loss.backward()
    torch.testing.assert_close(out.states.float(), wanted, atol=0.03, rtol=0.03)
    grads = [parameter.grad for parameter in encoder.parameters()]
    encoder.zero_grad()
    wanted.pow(2).sum().backward()
    for grad, parameter in zip(grads, encoder.parameters(), strict=True):
        assert grad.dtype == torch.float32
        scale = parameter.grad.abs().max()
        assert (grad - parameter.grad).abs().max() < 0.05 * scale


@pytest.mark.parametrize("cell", CELLS)
def test_low_precision_weights(cell):
    encoder = Encoder(input_size=4, cell=cell, hidden_size=4, num_layers=2, look_back=True)
    encoder = encoder.bfloat16()
    out = encoder(torch.randn(3, 5, 4).bfloat16(), torch.tensor([5, 2, 3]))
    assert out.states.dtype == out.final.hidden.dtype == torch.bfloat16
    out.states.float().sum().backward()


@pytest.mark.parametrize("cell", MODULES)
def test_step_equals_batch(cell):
    weights = Weights(*(torch.randn(CELLS[cell].gates * 3, *more) for more in [(4,), (3,), (), ()]))
    x, _, initial, _ = draw(cell, 5, 6, 4, 3, 1)
    state = State(*initial)
    states, _ = recur(CELLS[cell], x, torch.full((5,), 6), [weights], state)
    for t in range(6):
        state = CELLS[cell].step(x[:, t], weights, state)
        torch.testing.assert_close(state.hidden[0], states[:, t], atol=1e-5, rtol=1e-5)


def test_only_what_needs_a_gradient_gets_one():
    encoder = Encoder(input_size=3, hidden_size=3)
    encoder.requires_grad_(False)
    x = torch.randn(2, 4, 3, requires_grad=True)
    encoder(x, torch.tensor([4, 2])).final.hidden.sum().backward()
    assert x.grad is not None
    assert all(parameter.grad is None for parameter in encoder.parameters())


def test_workers_leave_the_number_of_threads_alone(on_cores):
    before = torch.get_num_threads()
    encoder = Encoder(input_size=3, hidden_size=3)
    encoder(torch.randn(4, 5, 3), torch.full((4,), 5)).states.sum().backward()
    assert torch.get_num_threads() == before
