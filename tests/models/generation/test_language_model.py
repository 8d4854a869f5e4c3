"""The generator: segments, labels, steps and prompts must all tell the same story."""

import math

import pytest
import torch
from torch import nn

from rnnlp.models.embeddings.token import Embedding
from rnnlp.models.encoders.recurrent import Encoder
from rnnlp.models.generation.language_model import LanguageModel
from rnnlp.models.search.sampling import draws_of, sample

VOCABULARY, FIELDS = 11, [3, 4]


def generator(
    cell="lstm",
    num_layers=1,
    tie_embeddings=True,
    hidden_size=6,
    size=5,
    dropout=0.0,
    fields=FIELDS,
    **vector,
):
    torch.manual_seed(1)
    embedding = Embedding(vocabulary_size=VOCABULARY, size=size)
    encoder = Encoder(
        input_size=size,
        cell=cell,
        hidden_size=hidden_size,
        num_layers=num_layers,
        bidirectional=False,
    )
    return LanguageModel(
        embedding=embedding,
        encoder=encoder,
        vocabulary_size=VOCABULARY,
        label_sizes=fields,
        tie_embeddings=tie_embeddings,
        dropout=dropout,
        **vector,
    ).eval()


def texts(*lengths):
    """Padded random tokens, what follows them, their lengths and labels."""
    torch.manual_seed(2)
    whole = torch.randint(4, VOCABULARY, (len(lengths), max(lengths) + 1))
    labels = torch.stack([torch.randint(0, size, (len(lengths),)) for size in FIELDS], 1)
    return whole[:, :-1], whole[:, 1:], torch.tensor(lengths), labels


cells = pytest.mark.parametrize("cell", ["rnn", "rnn_relu", "lstm", "gru"])


@cells
@pytest.mark.parametrize("tie_embeddings", [True, False])
def test_segments_give_what_the_whole_gives(cell, tie_embeddings):
    network = generator(cell, num_layers=2, tie_embeddings=tie_embeddings)
    tokens, following, lengths, labels = texts(9, 7, 9, 4)
    logits, targets, final = network(tokens, following, lengths, labels)
    rows = torch.arange(4)
    parts, state = {}, None
    for start in range(0, 9, 3):
        left = lengths[rows] - start
        if state is not None:
            keep = left > 0
            state, rows = state.reorder(keep.nonzero().flatten()), rows[keep]
            left = left[keep]
        piece = slice(start, start + 3)
        size = left.clamp_max(3)
        width = int(size.max())
        actual, _, state = network(
            tokens[rows, piece][:, :width], following[rows, piece][:, :width], size, labels[rows],
            state,
        )  # fmt: skip
        for row, part in zip(rows.tolist(), actual.split(size.tolist()), strict=True):
            parts.setdefault(row, []).append(part)
    again = torch.cat([torch.cat(parts[row]) for row in range(4)])
    torch.testing.assert_close(again, logits)
    assert (
        targets.tolist()
        == torch.cat(
            [row[:length] for row, length in zip(following, lengths, strict=True)]
        ).tolist()
    )
    assert final.hidden.shape == (2, 4, 6)


@cells
def test_steps_give_what_forward_gives(cell):
    network = generator(cell)
    tokens, following, lengths, labels = texts(6, 6)
    logits, _, _ = network(tokens, following, lengths, labels)
    state = network.begin(tokens[:, :0], torch.zeros(2, dtype=torch.long), labels)
    actual = []
    for time in range(6):
        said = network.step(tokens[:, time], state)
        actual.append(said.log_probs)
        state = said.state
    torch.testing.assert_close(torch.stack(actual, 1).flatten(0, 1), logits.log_softmax(1))


def test_prompts_of_any_length_begin_together():
    network = generator()
    tokens, _, _, labels = texts(5, 5, 5)
    lengths = torch.tensor([5, 0, 2])
    together = network.begin(tokens, lengths, labels)
    for row, length in enumerate(lengths.tolist()):
        alone = network.begin(
            tokens[row : row + 1, :length], lengths[row : row + 1], labels[row : row + 1]
        )
        for one, other in zip(together.recurrent, alone.recurrent, strict=True):
            torch.testing.assert_close(one[:, row : row + 1], other)
    assert not together.recurrent.hidden[:, 1].any()


@cells
@pytest.mark.parametrize("every_step", [True, False])
def test_vectors_begin_texts_and_go_on_with_prompts(cell, every_step):
    network = generator(cell, num_layers=2, vector_size=3, vector_every_step=every_step)
    tokens, following, lengths, labels = texts(6, 6, 6)
    vectors = torch.randn(3, 3)
    logits, _, _ = network(tokens, following, lengths, labels, vectors=vectors)
    wanted = logits.log_softmax(1).unflatten(0, (3, 6))
    begun = torch.tensor([0, 4, 1])  # what has been read is a prompt, of another length in each row
    state = network.begin(tokens, begun, labels, vectors)
    for row, start in enumerate(begun.tolist()):
        said = network.step(tokens[:, start], state)
        torch.testing.assert_close(said.log_probs[row], wanted[row, start])
    turned = torch.tensor([2, 0, 1])
    again, _, _ = network(tokens, following, lengths, labels[turned], vectors=vectors[turned])
    assert (again - logits).abs().max() > 1e-3


def test_the_scale_of_vectors_does_not_matter():
    network = generator(vector_size=3, vector_every_step=True)
    tokens, following, lengths, labels = texts(4, 3)
    vectors = torch.randn(2, 3)
    plain, _, _ = network(tokens, following, lengths, labels, vectors=vectors)
    network.vector.take(torch.tensor([1.0, -2.0, 100.0]), torch.tensor([3.0, 0.0, 0.5]))
    scaled = vectors * torch.tensor([3.0, 1.0, 0.5]) + torch.tensor([1.0, -2.0, 100.0])
    again, _, _ = network(tokens, following, lengths, labels, vectors=scaled)
    torch.testing.assert_close(again, plain, atol=1e-4, rtol=0)


def test_labels_change_what_is_said_and_no_label_changes_nothing():
    network = generator()
    plain = generator(fields=[])
    plain.load_state_dict(
        {name: value for name, value in network.state_dict().items() if "labels" not in name}
    )
    tokens, following, lengths, _ = texts(4, 3)

    def said(labels, network=network):
        return network(tokens, following, lengths, labels)[0]

    none = said(torch.zeros(2, 2, dtype=torch.long))
    torch.testing.assert_close(none, said(None))
    torch.testing.assert_close(none, said(torch.zeros(2, 0, dtype=torch.long), plain))
    one, other = said(torch.tensor([[1, 0], [1, 0]])), said(torch.tensor([[2, 0], [1, 0]]))
    assert (one[:4] - none[:4]).abs().max() > 1e-3
    assert (one[:4] - other[:4]).abs().max() > 1e-3
    torch.testing.assert_close(one[4:], other[4:])  # of the second text nothing was changed


def test_the_label_0_stays_zero_in_training():
    network = generator(dropout=0.2).train()
    optimizer = torch.optim.SGD(network.parameters(), 0.5)
    tokens, following, lengths, _ = texts(4, 3)
    logits, targets, _ = network(tokens, following, lengths, torch.tensor([[0, 1], [2, 0]]))
    nn.functional.cross_entropy(logits, targets).backward()
    optimizer.step()
    for table in network.labels:
        assert not table.weight[0].any()


def test_gradients_stop_where_the_state_is_detached():
    network = generator()
    tokens, following, lengths, labels = texts(3)
    _, _, state = network(tokens, following, lengths, labels)
    state = type(state)(*(part.detach() for part in state))
    logits, targets, _ = network(tokens, following, lengths, labels, state)
    nn.functional.cross_entropy(logits, targets).backward()
    assert all(part.grad_fn is None for part in state)


def test_tied_tables_are_one():
    tie_embeddings = {name for name, _ in generator(hidden_size=5).named_parameters()}
    assert "output_bias" in tie_embeddings and not any(
        name.startswith(("readout", "output.")) for name in tie_embeddings
    )
    assert "readout.weight" in {name for name, _ in generator().named_parameters()}
    assert "output.weight" in {
        name for name, _ in generator(tie_embeddings=False).named_parameters()
    }


@pytest.mark.parametrize("tie_embeddings", [True, False])
def test_drawn_tokens_get_the_scores_that_all_get(tie_embeddings):
    network = generator(tie_embeddings=tie_embeddings)
    tokens, following, lengths, labels = texts(3, 2)
    following = following.clamp_max(6)  # so that others are left
    whole, ids, _ = network(tokens, following, lengths, labels)
    some, places, _ = network(tokens, following, lengths, labels, drawn=2)
    among = len(ids.unique())
    assert some.shape == (5, among + 2)
    torch.testing.assert_close(some.gather(1, places[:, None]), whole.gather(1, ids[:, None]))
    others = some[:, among:] - math.log((VOCABULARY - among) / 2)
    near = (whole[:, :, None] - others[:, None]).abs().amin(1)  # each is the score of some token
    torch.testing.assert_close(near, torch.zeros_like(near))
    same, ids_again, _ = network(tokens, following, lengths, labels, drawn=VOCABULARY)
    assert same.equal(whole) and ids_again.equal(ids)


def test_a_bidirectional_encoder_is_refused():
    embedding = Embedding(vocabulary_size=VOCABULARY, size=5)
    with pytest.raises(ValueError, match="one direction"):
        LanguageModel(
            embedding=embedding,
            encoder=Encoder(input_size=5, hidden_size=4),
            vocabulary_size=VOCABULARY,
        )


def test_samples_with_generators_of_their_own_do_not_depend_on_their_neighbours():
    network = generator()
    labels = torch.tensor([[1, 2], [0, 0], [2, 1]])

    def draw(rows):
        count = torch.tensor([20] * len(rows))
        return [
            actual.tokens
            for actual in sample(
                network.step,
                network.begin(torch.zeros(len(rows), 0).long(), count * 0, labels[rows]),
                begin=2,
                end=3,
                max_lengths=count,
                top_p=0.95,
                draw=draws_of(rows),
            )
        ]

    together = draw([0, 1, 2])
    assert together == [*draw([0]), *draw([1]), *draw([2])] == draw([2, 1, 0])[::-1]
    assert len({tuple(tokens) for tokens in together}) == 3
